"""What a worker does with replies that carry nothing, and how near each role is to its model."""

import sys
from collections.abc import Callable
from dataclasses import replace

import pytest

from lcagent.agents.chain.chain_of_agents import NOTHING_NEW, ONLY_COPIES, Chain
from lcagent.agents.chain.chain_prompts import ChainBudget
from lcagent.agents.chain.notes import Notes
from lcagent.agents.chain.worker_chunks import WorkerChunk, split_for_workers
from lcagent.agents.summarize.abstractive import SummaryWriter
from lcagent.agents.write.article_plan import ArticlePlan, PlannedParagraph
from lcagent.agents.write.paragraph_draft import ParagraphTask
from lcagent.agents.write.paragraph_writer import ParagraphWriter
from lcagent.documents import Document, Page
from lcagent.errors import ContextTooLong
from lcagent.models.chat_model import Request
from lcagent.retrieval.quotes.checking import QuoteChecker
from lcagent.testing import ScriptedModel

pytestmark = pytest.mark.anyio

PAGE = "Hector kept the light. Ada repaired the lens."
DOCUMENT = Document("d", "lamp.txt", "text/plain", "test/1", (Page(0, PAGE),))


def _chain(model: ScriptedModel) -> Chain:
    budget = ChainBudget(1_000, 200, 200, 1_000)
    return Chain("Who kept it?", model, budget, QuoteChecker([DOCUMENT]), takes_notes=False)


def _chunk() -> WorkerChunk:
    return split_for_workers([DOCUMENT], 1_000, len)[0]


async def test_a_chunk_that_does_not_fit_is_read_in_halves_that_know_each_other() -> None:
    def reply(request: Request) -> str:
        shown = request.messages[-1].text
        if "Hector" in shown and "lens" in shown and "FIRST" not in shown:
            raise ContextTooLong("too long")
        return "SECOND" if "FIRST" in shown else "FIRST"

    model = ScriptedModel(reply)
    delta = await _chain(model).read(_chunk(), Notes())
    assert delta.message == "SECOND"
    assert delta.flags == ("read in two halves",)


async def test_a_refusal_is_asked_again_and_never_handed_on() -> None:
    replies = iter(["I'm sorry, I cannot read this.", "Hector kept it."])
    delta = await _chain(ScriptedModel(lambda _: next(replies))).read(_chunk(), Notes())
    assert delta.message == "Hector kept it."
    refusing = await _chain(ScriptedModel(lambda _: "I'm sorry.")).read(_chunk(), Notes())
    assert refusing.message is None
    assert refusing.flags == ("the model declined to read it",) * 2


async def test_of_a_note_taker_that_makes_everything_up_nothing_is_kept() -> None:
    made_up = '{"facts": [{"text": "x", "quote": "%s"}], "open_questions": ["why?"], "answer": "y"}'
    replies = iter([made_up % "words that stand nowhere at all", "Nobody rowed over the sea."])
    chain = replace(_chain(ScriptedModel(lambda _: next(replies))), takes_notes=True)
    delta = await chain.read(_chunk(), Notes())
    assert (delta.facts, delta.open_questions, delta.answer, delta.message) == (
        (),
        None,
        None,
        None,
    )
    assert delta.flags[0] == ONLY_COPIES


async def test_that_nothing_is_said_is_not_asked_again() -> None:
    model = ScriptedModel(lambda _: "There is no information on it.")
    delta = await _chain(model).read(_chunk(), Notes())
    assert (delta.message, delta.flags, len(model.requests)) == (None, (NOTHING_NEW,), 1)


@pytest.mark.parametrize("role", ["worker", "writer of a paragraph", "writer of a summary"])
async def test_a_role_is_at_most_two_functions_away_from_its_model(role: str) -> None:
    """What a reader has to open to know what a worker asks."""
    depths: list[int] = []
    model = ScriptedModel(_recording_depth(depths))
    if role == "worker":
        await _chain(model).read(_chunk(), Notes())
    elif role == "writer of a paragraph":
        plan = ArticlePlan((PlannedParagraph("the lamp", 10),))
        await ParagraphWriter("Write.", plan, model).write(ParagraphTask(0, 10))
    else:
        await SummaryWriter("", "[F1] Hector kept it.", 3, model).write()
    assert depths
    assert max(depths) <= 2


def _recording_depth(depths: list[int]) -> Callable[[Request], str]:
    def reply(_: Request) -> str:
        frame, depth = sys._getframe(), 0
        while frame.f_back is not None:
            frame = frame.f_back
            depth += str(frame.f_globals.get("__name__", "")).startswith("lcagent.agents.")
        depths.append(depth)
        return "Hector kept it."

    return reply
