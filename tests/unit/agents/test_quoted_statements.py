"""A claim is supported if its quote says it, never if that says otherwise, mostly if it does."""

import pytest

from lcagent.agents.citations import CitedText, cite_marks
from lcagent.agents.claim_judge import ClaimJudge
from lcagent.agents.evidence import is_said
from lcagent.agents.quote_context import AttributedQuote, QuoteInContext, evidence_at
from lcagent.agents.statements import language_of
from lcagent.documents import Document, Page, Span
from tests.unit.agents.quoted_statements import CASES as TUNED_CASES
from tests.unit.agents.quoted_statements import LATER_CASES, Case

CASES = [*TUNED_CASES, *LATER_CASES]
LEAST_RIGHT_SHARE = 185 / 200


def _evidence(sentence: str) -> tuple[list[QuoteInContext], str]:
    """Return a sentence of a page as the quote."""
    text = f"Nothing else is known.\n\n{sentence}\n\nThe end."
    language = language_of(sentence)
    start = text.index(sentence)
    return [evidence_at(Page(0, text, 1), start, start + len(sentence), language)], language


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.question)
def test_a_statement_that_the_quote_does_not_make_is_not_supported(case: Case) -> None:
    quote, language = _evidence(case.sentence)
    assert [claim for claim in case.wrong if is_said(claim, case.question, quote, language)] == []


@pytest.mark.parametrize("shift", [7, 19])
def test_a_true_quote_of_something_else_supports_nothing(shift: int) -> None:
    supported: list[str] = []
    for place, case in enumerate(CASES):
        quote, language = _evidence(CASES[(place + shift) % len(CASES)].sentence)
        supported += [one for one in case.right if is_said(one, case.question, quote, language)]
    assert supported == []


def test_nearly_all_that_quotes_say_is_supported() -> None:
    missed: list[str] = []
    for case in CASES:
        quote, language = _evidence(case.sentence)
        missed += [one for one in case.right if not is_said(one, case.question, quote, language)]
    assert sum(len(case.wrong) for case in CASES) >= 200
    stated = sum(len(case.right) for case in CASES)
    assert len(missed) <= (1 - LEAST_RIGHT_SHARE) * stated, missed


LANTERN = (
    "The harbour was built in 1870.\n\n"
    "The lantern was lit by Osla Brand in 1911. It has burned ever since.\n\n"
    "The keeper sleeps at nine. The keeper of the light was not born on the island."
)
BOOK = Document(
    "b",
    "b.txt",
    "text/plain",
    "test/1",
    (Page(0, LANTERN, 1), Page(1, "The ferry sailed twice a day in 1954.", 2)),
)


def _cited(reply: str, question: str = "Who lit the lantern?") -> CitedText:
    pages = {"S1": Span("b", 0), "S2": Span("b", 1)}
    return cite_marks(
        reply,
        lambda mark: (
            AttributedQuote(mark.quote, pages[mark.source])
            if mark.source in pages
            else AttributedQuote(mark.quote)
        ),
        [BOOK],
        lambda _, page: page,
        question=question,
        labels=pages,
    )


def _statuses(reply: str) -> list[str]:
    return [claim.status for claim in _cited(reply).claims]


LIT = "The lantern was lit by Osla Brand in 1911"


@pytest.mark.parametrize(
    "reply",
    [
        f'Osla Brand lit the lantern [S1 "{LIT}"].',
        f'Osla Brand lit the lantern [s1 "{LIT}"].',
        f'Osla Brand lit the lantern 【S1 "{LIT}"】.',
        f'Osla Brand lit the lantern (S1 "{LIT}").',
        f"Osla Brand lit the lantern [S1 '{LIT}'].",
        f'Osla Brand lit the lantern [Source S1: "{LIT}"].',
        f'Osla Brand lit the lantern [1 "{LIT}"].',
        f'Osla Brand lit the lantern ["S1: {LIT}"].',
        f'[S1 "{LIT}"] Osla Brand lit the lantern.',
        f'According to [S1 "{LIT}"], Osla Brand lit the lantern.',
        f'Osla Brand lit the lantern [S2 "{LIT}"].',
        f'Osla Brand lit the lantern [S7 "{LIT}"].',
        f'Osla Brand lit the lantern [S1 "{LIT.upper()}"].',
        f'Osla Brand [S1 "{LIT}"]',
        "Osla Brand lit the lantern [S1].",
        "Osla Brand lit the lantern [1].",
        "Osla Brand lit the lantern.¹",
    ],
)
def test_a_right_statement_is_supported_however_it_is_marked(reply: str) -> None:
    assert _statuses(reply) == ["supported"]


@pytest.mark.parametrize(
    ("reply", "statuses"),
    [
        (f'Osla Brand lit the lantern in 1912 [S1 "{LIT}"].', ["quoted"]),
        (f'Per Larsen lit the lantern [S1 "{LIT}"].', ["quoted"]),
        ('Osla Brand lit the lantern [S1 "The harbour was built in 1870"].', ["quoted"]),
        ('Osla Brand lit the lantern [S1 "nobody ever wrote these words"].', ["unsupported"]),
        ("Per Larsen lit the lantern [S1].", ["unsupported"]),
        (
            f'The harbour was built in 1890. Osla Brand lit the lantern [S1 "{LIT}"].',
            ["unsupported", "supported"],
        ),
        (
            f'The lantern was lit in 1911. Osla Brand lit it [S1 "{LIT}"].',
            ["supported", "supported"],
        ),
        (
            f'Osla Brand lit the lantern in 1911, and the ferry sailed in 1954 [S1 "{LIT}"].',
            ["quoted"],
        ),
        ('The keeper was born on the island [S1 "born on the island"].', ["quoted"]),
    ],
)
def test_a_mark_covers_only_what_its_quote_says(reply: str, statuses: list[str]) -> None:
    assert _statuses(reply) == statuses


def test_the_page_that_was_claimed_is_kept_beside_the_page_that_has_the_quote() -> None:
    (citation,) = _cited(f'Osla Brand lit the lantern [S2 "{LIT}"].').citations
    assert (citation.status, citation.page, citation.claimed_page) == ("misattributed", 1, 2)


def test_a_statement_of_two_quotes_needs_both() -> None:
    judge = ClaimJudge([BOOK])
    cited = _cited(f'Yes [S1 "{LIT}"; S2 "The ferry sailed twice a day in 1954"].')
    both = "Osla Brand lit the lantern in 1911, and the ferry sailed twice a day in 1954."
    assert judge.status(both, cited.citations) == "supported"
    assert judge.status(both, cited.citations[:1]) == "quoted"


TABLE = (
    "Table 2. Traffic of the ferry\n2018 2019 2020\n"
    "Foot passengers 48,612 48,216 17,405\nCars 12,870 12,911 6,220\n"
)


@pytest.mark.parametrize(
    ("claim", "question", "is_right"),
    [
        ("48,216", "How many foot passengers did the ferry carry in 2019?", True),
        ("The ferry carried 48,216 foot passengers in 2019.", "How many in 2019?", True),
        ("48,612", "How many foot passengers did the ferry carry in 2019?", False),
        ("The ferry carried 48,216 foot passengers in 2018.", "How many in 2018?", False),
        ("The ferry carried 48,216 cars in 2019.", "How many cars?", False),
        ("Foot passengers include toddlers.", "Do foot passengers include toddlers?", False),
    ],
)
def test_a_cell_is_judged_with_its_row_and_column(
    claim: str, question: str, *, is_right: bool
) -> None:
    start = TABLE.index("Foot")
    end = TABLE.index("\nCars")
    quote = evidence_at(Page(0, TABLE, 1), start, end, "en")
    assert is_said(claim, question, [quote], "en") is is_right
