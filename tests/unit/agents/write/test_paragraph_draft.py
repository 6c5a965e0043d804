"""Of a reply, the paragraph is kept and the rest is not."""

import pytest

from lcagent.agents.write.paragraph_draft import (
    append_sentences,
    clean_reply,
    drop_cut_sentence,
    join_continuation,
)


@pytest.mark.parametrize(
    "reply",
    [
        "The sea was grey.",
        "Paragraph 3: The sea was grey.",
        "**Paragraph 3**\n\nThe sea was grey.",
        "Paragraph 3 - Main Point: the sea\nThe sea was grey.",
        "Here is paragraph 3:\n\nThe sea was grey.",
        "Sure, with pleasure!\n\nThe sea was grey.\n\n(Word Count: 4 words)",
        "```markdown\nThe sea was grey.\n```",
        "<think>It must be grey.</think>The sea was grey.",
        "The sea was grey.\n\nLet me know if you would like another one.",
    ],
)
def test_labels_and_talk_are_taken_away(reply: str) -> None:
    assert clean_reply(reply) == "The sea was grey."


@pytest.mark.parametrize(
    "text",
    [
        "Here is the sea, and there is the land: both grey.",
        "### The sea\n\nIt was grey.",
        "Paragraph 3 of the treaty says that the sea is free.",
        "Sure of his boat, he sailed.",
    ],
)
def test_a_paragraph_stays_as_it_is(text: str) -> None:
    assert clean_reply(text) == text


def test_what_was_cut_off_goes_on_without_its_overlap() -> None:
    assert join_continuation("The sea was gr", "ey.") == "The sea was gr ey."
    assert join_continuation("The sea was", "grey.") == "The sea was grey."
    assert (
        join_continuation("The sea was grey and", "sea was grey and cold.")
        == "The sea was grey and cold."
    )
    assert join_continuation("海是", "灰色的。") == "海是灰色的。"
    assert append_sentences("海是灰色的。", "天也是。") == "海是灰色的。天也是。"


def test_a_sentence_without_an_end_is_left_out() -> None:
    assert drop_cut_sentence("It was grey. It was co") == "It was grey."
    assert drop_cut_sentence("它是灰色的。它很") == "它是灰色的。"
    assert drop_cut_sentence("Nothing ends") == "Nothing ends"
