"""Doctor stores what a model was seen to do, and a question is asked accordingly."""

import asyncio
from pathlib import Path

import pytest

from lcagent.models.profile import ModelProfile
from lcagent.pipelines import Session, ask_async
from lcagent.pipelines.doctor import examine
from lcagent.pipelines.finding import Finding
from lcagent.settings import load_settings
from lcagent.testing import ScriptedCall, ScriptedServer

pytestmark = pytest.mark.anyio

RYE = 'Fifty-two [S2 "the miller sold fifty-two sacks of rye"].'
HERON = 'In August [S1 "leaves in the second week of August"].'


def _able(call: ScriptedCall) -> str:
    asked = call.prompt.rpartition("Question: ")[2]
    if "daughter" in asked:
        return "NOT_IN_DOCUMENT"
    return HERON if "heron" in asked else RYE


async def _examined() -> list[Finding]:
    return await asyncio.to_thread(examine, asks_model=True, model="able")


async def _prompt(book: Path, server: ScriptedServer) -> str:
    with Session.open(load_settings(embedder="none", base_url=server.base_url)) as session:
        await ask_async(
            book, "Who kept the lighthouse?", strategy="rag", session=session, model="able"
        )
    return server.served[-1].prompt


async def test_a_model_is_asked_for_marks_once_doctor_saw_it_give_them(
    book: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with ScriptedServer(_able) as server:
        monkeypatch.setenv("LCAGENT_BASE_URL", server.base_url)
        monkeypatch.setenv("LCAGENT_API_KEY", "k")
        assert "square brackets" not in await _prompt(book, server)
        found = {each.what: each.detail for each in await _examined()}
        assert found["model: profile"].startswith("marks its sources with exact quotes")
        assert found["model: profile"].endswith("it is asked for marks")
        assert "square brackets" in await _prompt(book, server)
    with Session.open(load_settings()) as session:
        stored = session.services.profile("able", server.base_url)
        assert stored.gives_marks
        assert session.services.profile("able", "http://127.0.0.1:1/v1") == ModelProfile()
