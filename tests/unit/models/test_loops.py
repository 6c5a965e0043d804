"""A reply that repeats itself is stopped, and what came before is kept."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lcagent.models.chat_model import Message, Request
from lcagent.models.loops import LoopWatch, loop_start
from lcagent.models.reasoning import ReplyText
from lcagent.testing import ScriptedReply

from .conftest import Serve

LINE = "The ferry carried 48,216 foot passengers in 2019."
ASK = Request((Message("user", "How many?"),), max_tokens=900)


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        (f"{LINE} " * 28, LINE),
        (f"It is known. {LINE}\n" + f"{LINE}\n" * 6, f"It is known. {LINE}"),
        ("It was 2019 " + "2019 " * 60, "It was 2019"),
        ("no " * 80, "no"),
        ("".join(f"S{n} Question: How many? Answer: 2019. " for n in range(30, 60)), None),
        ("".join(f"{n}. The ferry carried passengers.\n" for n in range(1, 30)), None),
        (
            "灯台を点灯したのはオスラ・ブランドです。" * 12,
            "灯台を点灯したのはオスラ・ブランドです。",
        ),
        ("".join(f"{LINE} It is {word}. " for word in ("so", "yes", "true", "sure")), None),
    ],
)
def test_a_loop_begins_where_a_text_says_something_again(said: str, kept: str | None) -> None:
    start = loop_start(said)
    assert start is not None
    if kept is not None:
        assert said[:start].rstrip() == kept
    assert start < len(said) / 3


@pytest.mark.parametrize(
    "said",
    [
        f"{LINE} {LINE} {LINE}",
        "".join(f"In {year} it carried {year * 7} passengers.\n" for year in range(1990, 2020)),
        "| year | passengers |\n" + "| --- | --- |\n" + "|  |  |\n" * 60,
        "-" * 900,
        "." * 900,
        "Row, row, row your boat, gently down the stream. " * 2,
        "no, no, no, no, no",
        json.dumps([{"fact": f"word {n}", "quote": f"the words {n}"} for n in range(40)]),
        "",
    ],
)
def test_what_is_no_loop_goes_on(said: str) -> None:
    assert loop_start(said) is None


@given(said=st.text(alphabet="ab. \nS1", max_size=900), size=st.integers(1, 90))
def test_a_loop_begins_within_the_text(said: str, size: int) -> None:
    watch = LoopWatch()
    ends = range(size, len(said) + size, size)
    if any(watch.sees_loop(said[:end]) for end in ends):
        assert watch.start is not None
        assert 0 < watch.start < len(said)


class Shown:
    """A listener that can be told that the text starts over."""

    def __init__(self) -> None:
        self.text = ""

    def __call__(self, piece: str) -> None:
        self.text += piece

    def restart(self) -> None:
        self.text = ""


def test_of_a_loop_its_first_round_is_kept_and_shown() -> None:
    shown = Shown()
    said = ReplyText(shown)
    while not said.ends_in_loop():
        said.feed(f"{LINE} ")
    said.feed("more")
    said.end()
    assert said.text == shown.text == LINE
    assert LINE in said.repetition


@pytest.mark.anyio
@pytest.mark.parametrize("is_streamed", [False, True])
async def test_the_stream_of_a_loop_is_closed_early(serve: Serve, is_streamed: bool) -> None:
    shown = Shown()
    async with serve(lambda call: f"{LINE} " * 90) as (model, server):
        reply = await model.complete(ASK, shown if is_streamed else None)
        assert (await model.complete(ASK, shown)).finish == "loop"
    assert (reply.text, reply.finish, reply.is_estimate) == (LINE, "loop", True)
    assert 20 < reply.completion_tokens < 400
    assert server.bodies[0]["stream"]


@pytest.mark.anyio
async def test_a_loop_to_the_limit_of_a_server_that_does_not_stream_is_taken_off(
    serve: Serve,
) -> None:
    short = Request(ASK.messages, max_tokens=200)
    async with serve(lambda call: ScriptedReply(f"{LINE} " * 90)) as (model, _):
        reply = await model.complete(short)
    assert (reply.text, reply.finish) == (LINE, "loop")
