"""Telling replies that carry nothing from those that do."""

import pytest

from lcagent.agents.replies import (
    NOT_FOUND,
    carries_nothing,
    clean_reply,
    is_refusal,
    says_not_found,
)


@pytest.mark.parametrize(
    "reply",
    [
        "", " \n ", "...", "N/A", "None.", "I don't know.", "I’m sorry, but I cannot help.",
        "The text does not mention the captain.", "No relevant information was found.",
        "Not mentioned.", "No changes needed to the original summary.", "不知道", "未提及。",
        "Ich weiß es nicht.", "Je ne sais pas.", f"{NOT_FOUND}", f"**{NOT_FOUND}**.",
    ],
)  # fmt: skip
def test_a_reply_that_carries_nothing_is_known(reply: str) -> None:
    assert carries_nothing(reply)


@pytest.mark.parametrize(
    ("reply", "declines"),
    [
        ("", True),
        ("I'm sorry, but I cannot help with that.", True),
        ("I cannot assist.", True),
        ("抱歉，我无法回答。", True),
        ("I don't know.", False),
        ("I could not find it in this part.", False),
        ("No relevant information.", False),
        ("Hector kept it.", False),
    ],
)
def test_declining_is_told_from_finding_nothing(reply: str, declines: bool) -> None:
    assert is_refusal(reply) is declines


@pytest.mark.parametrize(
    "reply",
    [
        "Anna sold the mill in 1897.",
        "The text does not say who, but it says when: in May 1897. " * 8,
        "Unknown to his brother, Hector kept the light until 1938.",
        "No man was lost that night; the boat came in at nine.",
        "安娜在1897年卖掉了磨坊。",
        "zq0017k a --owns--> b",
    ],
)
def test_a_reply_that_says_something_is_not_thrown_away(reply: str) -> None:
    assert not carries_nothing(reply)


def test_not_found_is_known_only_where_it_is_the_reply() -> None:
    assert says_not_found(f" {NOT_FOUND}.")
    assert says_not_found(f"The notes say nothing of it. {NOT_FOUND}")
    assert not says_not_found(f"The code {NOT_FOUND} is printed on page 3 of the manual.")


@pytest.mark.parametrize("blank", [" ", "\t", "\n", " \n", "\u00a0", "\u3000"])
def test_blanks_without_end_are_few_blanks(blank: str) -> None:
    """As a model writes that loops: patterns take the square of such a run's length."""
    read = clean_reply(f"The lamp was lit in 1911.{blank * 20_000}By Osla Brand.", "When?", [])
    assert " ".join(read.text.split()) == "The lamp was lit in 1911. By Osla Brand."
    assert len(read.text) < 60
