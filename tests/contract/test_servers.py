"""The same checks of the real llama.cpp server, of its recorded replies, and of other dialects.

`record_server.py` makes recordings. Those of servers that are not at hand were written by hand,
after what they are known to send; they are small, and hold only the checks in which they differ.
"""

from pathlib import Path

import pytest
from llama_server import RunningServer

from lcagent.models.choose import find_card
from lcagent.models.remote import RemoteModel
from lcagent.testing import ScriptedCall, ScriptedReply, ScriptedServer

from .server_checks import CHECKS, Dialect, Traits, numbered, read_dialect, write_dialect

pytestmark = pytest.mark.anyio

DIALECTS: dict[str, Dialect] = {
    path.stem: read_dialect(path.read_text(encoding="utf-8"))
    for path in sorted((Path(__file__).parent / "dialects").glob("*.txt"))
}
WINDOW = 100_000


@pytest.mark.parametrize(
    ("name", "check"),
    [(name, check) for name, dialect in DIALECTS.items() for check in dialect.exchanges],
)
async def test_a_recorded_server_is_understood(name: str, check: str) -> None:
    dialect, take = DIALECTS[name], numbered()

    def replay(_: ScriptedCall) -> ScriptedReply:
        sent = take(dialect.exchanges[check])
        body = sent.body.encode()
        return ScriptedReply(status=sent.status, sent=body, content_type=sent.content_type)

    async with ScriptedServer(replay) as server:
        card = find_card("any-model", window_tokens=WINDOW)
        model = RemoteModel(card, base_url=server.base_url, api_key="none")
        try:
            await CHECKS[check](model, dialect.traits)
        finally:
            await model.close()


def test_every_check_was_recorded_of_llama_cpp_and_recordings_can_be_written() -> None:
    recorded = DIALECTS["llama-cpp"]
    assert list(recorded.exchanges) == list(CHECKS)
    assert read_dialect(write_dialect("x", recorded.traits, recorded.exchanges)) == recorded


@pytest.mark.real_model
@pytest.mark.parametrize("check", CHECKS)
async def test_the_real_server_keeps_the_contract(real_model: RunningServer, check: str) -> None:
    card = find_card(real_model.name, window_tokens=WINDOW)
    model = RemoteModel(card, base_url=real_model.base_url, api_key="none")
    try:
        await CHECKS[check](model, Traits(logprobs=True, window=real_model.window_tokens))
    finally:
        await model.close()
