"""The model that is none quotes what it is shown, in the form it is asked for."""

import json

import pytest

from lcagent.agents.answering import ReaderPrompt
from lcagent.agents.chain.chain_prompts import CitingManagerPrompt, NoteTakerPrompt, WorkerPrompt
from lcagent.agents.marks import Mark, find_marks
from lcagent.agents.prompt_templates import Prompt
from lcagent.agents.quoting_model import QuotingModel
from lcagent.agents.replies import NOT_FOUND
from lcagent.models.chat_model import Request

pytestmark = pytest.mark.anyio

QUESTION = "How many steps has the stair of the lighthouse?"
SAID = "The stair of the lighthouse has 163 steps."
TEXT = f"It stands on a rock. {SAID} Nobody counted the gulls that sat on it."


async def _reply(prompt: Prompt) -> str:
    return (await QuotingModel().complete(Request(prompt.messages()))).text


async def test_a_passage_is_quoted_with_its_mark() -> None:
    reply = await _reply(ReaderPrompt(QUESTION, (f"S1 | a.pdf | p. 4\n{TEXT}",)))
    assert list(find_marks(reply)) == [Mark("S1", SAID)]


async def test_a_part_gives_a_note_with_its_quote() -> None:
    reply = json.loads(await _reply(NoteTakerPrompt(QUESTION, "(none)", TEXT)))
    assert reply["facts"] == [{"text": SAID, "quote": SAID}]


async def test_notes_are_cited_by_their_labels() -> None:
    notes = f'[F1] It stands on a rock -- "on a rock"\n[F2] {SAID} -- "{SAID}"'
    reply = await _reply(CitingManagerPrompt(QUESTION, notes))
    assert reply == f"{SAID} [F2]"


@pytest.mark.parametrize("prompt", [ReaderPrompt, WorkerPrompt])
async def test_nothing_is_quoted_where_nothing_fits(prompt: type[Prompt]) -> None:
    shown = "S1 | a.pdf\nThe weather was mild in May."
    made = (
        ReaderPrompt(QUESTION, (shown,))
        if prompt is ReaderPrompt
        else WorkerPrompt(QUESTION, "(none)", shown)
    )
    assert await _reply(made) == NOT_FOUND


async def test_a_question_in_the_material_is_not_the_question() -> None:
    text = "Question: Who painted the ceiling?\nMichelangelo painted the ceiling of the chapel."
    assert await _reply(ReaderPrompt(QUESTION, (f"S1 | a.pdf\n{text}",))) == NOT_FOUND
