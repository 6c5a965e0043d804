"""What is shown of an answer while it is written need not be taken back."""

from typing import Any

import pytest

from lcagent.pipelines.events import AnswerText
from lcagent.pipelines.streaming import AnswerStreamer

QUESTION = "Who lit the lantern?"
FIRST, SECOND = "Osla Brand lit it in 1911.", "It burned until 1938."


def _streamed(text: str, size: int, *, restarts_at: int = 0) -> tuple[str, int]:
    events: list[Any] = []
    streamer = AnswerStreamer(events.append, QUESTION)
    if restarts_at:
        streamer(text[:restarts_at])
        streamer.restart()
    for at in range(0, len(text), size):
        streamer(text[at : at + size])
    streamer.close()
    shown, restarts = "", 0
    for event in events:
        assert isinstance(event, AnswerText)
        shown = "" if event.is_restart else shown + event.text
        restarts += event.is_restart
    return shown, restarts


@pytest.mark.parametrize("size", [1, 4, 1_000])
@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (f"{FIRST} {SECOND}", f"{FIRST} {SECOND}"),
        ('Osla Brand lit it [S1 "Osla Brand lit it. It"]. So it is', "Osla Brand lit it. So it is"),
        (f"{FIRST} " * 20, FIRST),
        (f"Answer: {FIRST}<|im_end|>", FIRST),
        (f"Question: {QUESTION} Answer: {FIRST}", FIRST),
        (f'{{"answer": "{FIRST} {SECOND}", "citations": []}}', f"{FIRST} {SECOND}"),
        (f"```\n{FIRST}\n{SECOND}\n```", f"{FIRST}\n{SECOND}"),
        ("The passages do not mention this.", ""),
        ("NOT_IN_DOCUMENT", ""),
        ("S35\nS36\n", ""),
    ],
)
def test_only_the_clean_text_is_shown(text: str, shown: str, size: int) -> None:
    assert _streamed(text, size) == (shown, 0)


def test_a_reply_that_begins_again_goes_on_where_it_takes_the_same_way() -> None:
    assert _streamed(f"{FIRST} {SECOND}", 5, restarts_at=30) == (f"{FIRST} {SECOND}", 0)


def test_a_reply_that_takes_another_way_starts_over() -> None:
    events: list[Any] = []
    streamer = AnswerStreamer(events.append, QUESTION)
    streamer(f"{SECOND} ")
    streamer.restart()
    streamer(f"{FIRST} ")
    streamer.close()
    assert [(event.text, event.is_restart) for event in events] == [
        (SECOND, False),
        ("", True),
        (FIRST, False),
    ]
