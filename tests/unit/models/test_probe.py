"""What doctor finds out."""

import pytest

from lcagent.models.chat_model import ModelCard
from lcagent.models.choose import find_card
from lcagent.models.probe import probe
from lcagent.models.remote import RemoteModel
from lcagent.testing import ScriptedReply, ScriptedServer, ServerRules

from .conftest import KEY, Serve

pytestmark = pytest.mark.anyio


async def test_a_server_that_can_do_everything_is_found_to(serve: Serve) -> None:
    rules = ServerRules(models=("any-model", "other"))
    async with serve(lambda call: '{"answer": "yes"}', rules) as (model, server):
        findings = await probe(model)
    assert all(finding.is_ok for finding in findings), findings
    assert len(server.served) <= 4
    assert [finding.name for finding in findings] == [
        "list of models",
        "reply",
        "usage",
        "streaming",
        "log-probabilities",
        "JSON",
        "limit of a reply",
        "system role",
    ]


async def test_what_a_server_cannot_do_is_a_finding(serve: Serve) -> None:
    rules = ServerRules(
        rejected=frozenset({"logprobs", "response_format", "max_tokens", "system", "stream"}),
        models=None,
    )
    async with serve(lambda call: ScriptedReply("yes", usage="none"), rules) as (model, _):
        findings = {finding.name: finding for finding in await probe(model)}
    failed = {name for name, finding in findings.items() if not finding.is_ok}
    assert failed == set(findings) - {"reply", "limit of a reply"}
    assert findings["limit of a reply"].detail == "max_completion_tokens"
    assert findings["JSON"].detail == "by prompt only"


async def test_a_model_that_is_not_listed_is_named_with_those_that_are(serve: Serve) -> None:
    async with serve(lambda call: "yes", ServerRules(models=("other",))) as (model, _):
        first = (await probe(model))[0]
    assert (first.is_ok, first.detail) == (False, "has no any-model; has: other")


async def test_a_server_that_is_not_there_is_two_findings() -> None:
    async with ScriptedServer(lambda call: "yes") as server:
        url = server.base_url
    model = RemoteModel(find_card("any"), base_url=url, api_key=KEY)
    findings = await probe(model)
    await model.close()
    assert [finding.is_ok for finding in findings] == [False, False]
    assert all("cannot be reached" in finding.detail for finding in findings)


async def test_a_window_that_is_too_small_is_a_finding(serve: Serve) -> None:
    async with serve(lambda call: "yes", window_tokens=100) as (model, _):
        assert isinstance(model.card, ModelCard)
        findings = await probe(model)
    assert "does not fit" in findings[-1].detail


async def test_a_prompt_that_is_cut_silently_is_a_finding(serve: Serve) -> None:
    async with serve(lambda call: ScriptedReply("yes", prompt_tokens=2_048)) as (model, _):
        cut = (await probe(model, with_window=True))[-1]
    assert (cut.name, cut.is_ok) == ("window", False)
    assert "--window 2048" in cut.detail
    async with serve(lambda call: "yes") as (model, server):
        whole = (await probe(model, with_window=True))[-1]
    assert (whole.name, whole.is_ok) == ("window", True)
    assert server.served[-1].prompt_tokens > 40_000
