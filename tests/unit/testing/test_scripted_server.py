"""The scripted server, seen by a client that is not ours."""

import asyncio
import json
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from lcagent.errors import UsageError
from lcagent.testing import (
    ScriptedCall,
    ScriptedReply,
    ScriptedServer,
    ServerRules,
    fixed,
    with_faults,
)
from lcagent.testing.scripts import built_in, count_tokens, first_tokens, split_pieces

pytestmark = pytest.mark.anyio


def _post(base_url: str, **body: Any) -> tuple[int, bytes]:
    sent = {"messages": [{"role": "user", "content": "one two three"}], "model": "m", **body}
    request = urllib.request.Request(  # noqa: S310 -- our own server
        f"{base_url}/chat/completions",
        json.dumps(sent).encode(),
        {"Content-Type": "application/json"},
    )
    try:
        with urllib.request.urlopen(request) as answer:  # noqa: S310
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()


async def _ask(server: ScriptedServer, **body: Any) -> Any:
    status, content = await asyncio.to_thread(_post, server.base_url, **body)
    return status, json.loads(content)


async def test_a_reply_has_the_form_of_openais() -> None:
    async with ScriptedServer(fixed("Yes, so.")) as server:
        status, body = await _ask(server)
    assert status == 200
    (choice,) = body["choices"]
    assert choice["message"] == {"role": "assistant", "content": "Yes, so."}
    assert choice["finish_reason"] == "stop"
    assert body["usage"] == {"prompt_tokens": 7, "completion_tokens": 4, "total_tokens": 11}


async def test_a_stream_ends_with_done_and_has_usage_only_if_asked_for() -> None:
    async with ScriptedServer(fixed("Yes, so.")) as server:
        url = server.base_url
        _, plain = await asyncio.to_thread(_post, url, stream=True)
        _, counted = await asyncio.to_thread(
            _post, url, stream=True, stream_options={"include_usage": True}
        )
    assert plain.endswith(b"data: [DONE]\n\n")
    assert b'"usage"' not in plain
    assert b'"choices": [], "usage"' in counted


async def test_what_does_not_fit_is_refused() -> None:
    async with ScriptedServer(fixed(), ServerRules(window_tokens=16)) as server:
        status, body = await _ask(server, max_tokens=10)
        fits, _ = await _ask(server, max_tokens=9)
    assert (status, body["error"]["code"], fits) == (400, "context_length_exceeded", 200)
    assert server.statuses == {400: 1, 200: 1}


async def test_every_reply_has_its_own_nonce_within_the_limit() -> None:
    async with ScriptedServer(fixed("a b c d"), ServerRules(has_nonces=True)) as server:
        bodies = [(await _ask(server, max_tokens=3))[1] for _ in range(2)]
    texts = [body["choices"][0]["message"]["content"] for body in bodies]
    assert texts == ["a b zq0000k", "a b zq0001k"]
    assert [each.nonce for each in server.served] == ["zq0000k", "zq0001k"]


async def test_the_transcript_tells_who_was_answered_at_the_same_time(tmp_path: Path) -> None:
    rules = ServerRules(latency_s=0.05, transcript=tmp_path / "calls.jsonl")
    async with ScriptedServer(fixed(), rules) as server:
        await asyncio.gather(*(_ask(server, temperature=number) for number in range(3)))
    assert sorted(each.in_flight for each in server.served) == [1, 2, 3]
    lines = (tmp_path / "calls.jsonl").read_text(encoding="utf-8").splitlines()
    assert len(lines) == 3
    told = json.loads(lines[0])
    assert told["prompt"] == "one two three"
    assert told["parameters"].keys() == {"model", "temperature"}


async def test_faults_come_at_the_calls_that_are_named() -> None:
    script = with_faults(fixed("Yes."), {1: ScriptedReply("no", status=503)})
    async with ScriptedServer(script) as server:
        statuses = [(await _ask(server))[0] for _ in range(3)]
    assert statuses == [200, 503, 200]


async def test_the_same_calls_get_the_same_replies() -> None:
    replies: list[Any] = []
    for _ in range(2):
        async with ScriptedServer(fixed("Yes, so."), ServerRules(has_nonces=True)) as server:
            replies.append([await _ask(server, logprobs=True) for _ in range(3)])
    assert replies[0] == replies[1]


@pytest.mark.parametrize("text", ["", "a", " a  b\n", "你好。 ok", "x" * 40])
def test_pieces_are_the_text(text: str) -> None:
    assert "".join(split_pieces(text)) == text


def test_tokens_are_words_ideographs_and_rows_of_signs() -> None:
    assert count_tokens("Don't -- stop, 你好!") == 9
    assert count_tokens("a" * 40) == 3
    assert first_tokens("one two three", 2) == "one two"
    assert first_tokens("one two three", 9) == "one two three"


def test_a_built_in_script_takes_its_options() -> None:
    call = ScriptedCall(0, (), {})
    assert built_in("fixed", {"text": "Hm."})(call) == "Hm."
    script = built_in("facts", {"cap": 2, "faults": {"0": {"status": 429}}})
    assert script(call) == ScriptedReply(status=429)


@pytest.mark.parametrize(
    ("name", "options"),
    [("none", {}), ("fixed", {"txt": "x"}), ("fixed", {"faults": {"0": {"statuss": 1}}})],
)
def test_a_script_that_is_misspelt_is_a_usage_error(name: str, options: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match=r"script|fault"):
        built_in(name, options)


@contextmanager
def _process(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    command = [sys.executable, "-m", "lcagent.testing", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        try:
            yield server, server.stdout.readline().strip()
        finally:
            server.send_signal(signal.SIGTERM)


def test_a_server_of_its_own_prints_where_it_is_and_writes_what_it_served(tmp_path: Path) -> None:
    transcript = tmp_path / "calls.jsonl"
    options = '{"faults": {"1": {"status": 500}}}'
    with _process(
        "--script", "facts", "--options", options, "--nonces", "--transcript", str(transcript)
    ) as (_, url):
        question = [{"role": "user", "content": "a --r--> b [[Q a r]]"}]
        status, body = _post(url, messages=question)
        assert (status, b"b zq0000k" in body) == (200, True)
        assert _post(url)[0] == 500
    lines = [json.loads(line) for line in transcript.read_text(encoding="utf-8").splitlines()]
    assert [line["status"] for line in lines] == [200, 500]
    assert lines[0]["reply"] == "b zq0000k"
