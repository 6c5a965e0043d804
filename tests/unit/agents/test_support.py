"""Support for claims: found where a sentence says them, and nowhere else."""

from dataclasses import dataclass

import pytest

from lcagent.agents.support import SourcePage, find_support
from lcagent.documents import Span

PROSE = (
    "The harbour was built in 1870. The lantern was lit by Osla Brand on 24 December 1911, and\n"
    "the keeper slept. The tenant did not pay the rent of 1,234 crowns."
)
TABLE = (
    "Table 2. Traffic of the ferry\n"
    "2018 2019 2020\n"
    "Foot passengers 48,612 48,216 17,405\n"
    "Cars 12,870 12,911 6,220\n"
)


@dataclass(frozen=True)
class Shown:
    """A text as a model is shown it."""

    span: Span
    text: str


SHOWN = [Shown(Span("d", 0), PROSE), Shown(Span("d", 1), TABLE)]


@pytest.mark.parametrize(
    ("claim", "question", "quote"),
    [
        ("Osla Brand lit the lantern on December 24, 1911.", "", "The lantern was lit"),
        ("1911", "When was the lantern lit?", "The lantern was lit"),
        ("48,216", "How many foot passengers did the ferry carry in 2019?", "Foot passengers"),
        ("The tenant didn't pay the rent of 1 234 crowns.", "", "The tenant did not"),
    ],
)
def test_the_sentence_that_says_a_claim_is_found(claim: str, question: str, quote: str) -> None:
    (found,) = find_support(claim, question, SHOWN)
    assert found.text.startswith(quote)
    assert found.found_by == "lcagent"
    assert 0.7 <= found.score <= 1


@pytest.mark.parametrize(
    ("claim", "question"),
    [
        ("Osla Brand lit the lantern on December 25, 1911.", ""),
        ("Osla Brant lit the lantern in 1911.", ""),
        ("1870", "When was the lantern lit?"),
        ("48,612", "How many foot passengers did the ferry carry in 2019?"),
        ("12,911", "How many foot passengers did the ferry carry in 2019?"),
        ("The tenant paid the rent of 1,234 crowns.", ""),
        ("", ""),
        ("...", "Who lit the lantern?"),
    ],
)
def test_what_no_sentence_says_has_no_support(claim: str, question: str) -> None:
    assert find_support(claim, question, SHOWN) == []


def test_a_number_in_a_name_proves_no_amount() -> None:
    heads = "Electricity sent out by the wheels, in megawatt-hours\nYear Quern One Quern Two Both"
    claim = "The wheel sends out 2 megawatt-hours of electricity in 2020."
    question = "How many megawatt-hours did Quern Two send out in 2020?"
    assert not find_support(claim, question, [Shown(Span("d", 0), heads)])


@pytest.mark.parametrize(
    ("text", "claim", "question"),
    [
        (
            "The lantern was not lit by Osla Brand in 1911. Per Larsen lit it.",
            "Osla Brand lit the lantern.",
            "Who lit the lantern?",
        ),
        (
            "Osla Brand never saw the lantern. She lit it in her letters only.",
            "Osla Brand lit the lantern.",
            "Who lit the lantern?",
        ),
        (
            "Osla Brand bought the lantern. Per Larsen sold it in 1911.",
            "Osla Brand sold the lantern in 1911.",
            "Who sold the lantern?",
        ),
    ],
)
def test_the_sentence_before_lends_no_name_to_what_another_did(
    text: str, claim: str, question: str
) -> None:
    assert not find_support(claim, question, [Shown(Span("d", 0), text)])


@pytest.mark.parametrize(
    ("claim", "quote", "is_supported"),
    [
        ("The largest liability was $57,046.", "The total liability was $57,046.", False),
        ("The largest liability was $57,046.", "Of all the largest liability was $57,046.", True),
        ("In 1925 Vance was the only keeper.", "In 1925 Vance was a keeper.", False),
        ("In 1925 Vance was the only keeper.", "The only keeper in 1925 was Vance.", True),
        (
            "The company increased its credit agreement by 4,200 crowns.",
            "The company entered into a credit agreement of 4,200 crowns.",
            False,
        ),
        (
            "The company increased its credit agreement by 4,200 crowns.",
            "In May the company increased its credit agreement, by 4,200 crowns.",
            True,
        ),
        ("Sales fell to 310 crowns in 2020.", "Sales were 310 crowns in 2020.", False),
        ("Sales fell to 310 crowns in 2020.", "In 2020 sales fell sharply to 310 crowns.", True),
        ("Die größte Fähre trägt 184 Gäste.", "Die Fähre trägt 184 Gäste im Sommer.", False),
    ],
)  # fmt: skip
def test_a_degree_or_a_change_has_to_be_said(claim: str, quote: str, *, is_supported: bool) -> None:
    page = SourcePage(Span("d", 0), f"Of the year.\n\n{quote}\n")
    assert bool(find_support(claim, "", [page])) is is_supported
