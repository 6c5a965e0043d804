"""A run that failed goes on from its last step, whatever the store."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from lcagent.errors import ModelNotUsable
from lcagent.models.chat_model import Request
from lcagent.pipelines import Session, ask_async
from lcagent.pipelines.methods.chain.options import ChainOptions
from lcagent.settings import load_settings
from lcagent.testing import SCRIPTED_CARD, ScriptedModel

pytestmark = pytest.mark.anyio

SMALL = replace(SCRIPTED_CARD, window_tokens=700)


def _replies() -> Iterator[str | Exception]:
    yield "one"
    yield "two"
    yield ModelNotUsable("the key was refused")
    while True:
        yield "It went slowly."


async def test_a_run_that_failed_goes_on_from_its_last_step(store_url: str, tmp_path: Path) -> None:
    path = tmp_path / "long.txt"
    path.write_text("The ferry went slowly over the sea. " * 300, encoding="utf-8")
    replies = _replies()

    def reply(_: Request) -> str:
        said = next(replies)
        if isinstance(said, Exception):
            raise said
        return said

    model = ScriptedModel(reply, card=SMALL)
    settings = load_settings(database_url=store_url, embedder="none")
    async with Session.open(settings) as session:
        chain = ChainOptions(takes_notes=False)
        with pytest.raises(ModelNotUsable):
            await ask_async(
                path, "How?", session=session, model=model, strategy="chain", options=chain
            )
        (failed,) = session.services.runs.listed()
        assert (failed.status, failed.error) == ("failed", "the key was refused")
        answer = await session.resume(failed.id, model=model)
        (ended,) = session.services.runs.listed()
    assert answer.body == "It went slowly [1]."
    assert (ended.status, ended.id) == ("done", failed.id)
    prompts = [request.messages[-1].text for request in model.requests]
    assert len(prompts) == len(set(prompts)) + 1  # the call that failed was made again
