"""What is wrong gets a clear answer in OpenAI's form, and harms nobody else."""

import json
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
from recalling import BOOK
from served import Running, load_recalling

from lcagent.engine.checkpoint.chat_tokenizer import ChatTokenizer
from lcagent.engine.loading import LoadedModel
from lcagent.engine.server.server_settings import ServerSettings

pytestmark = pytest.mark.slow

JSON = {"content-type": "application/json"}


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> LoadedModel:
    return load_recalling(tmp_path_factory.mktemp("models"))


@pytest.fixture
def url(loaded: LoadedModel, tmp_path: Path) -> Iterator[str]:
    with Running(loaded, ServerSettings(cached_prefixes=2), tmp_path) as address:
        yield address


def _post(url: str, path: str = "completions", **change: Any) -> httpx.Response:
    body = {"model": "recall-model", "prompt": f"{BOOK} KEY baksha", "temperature": 0, **change}
    return httpx.post(f"{url}/v1/{path}", json=body, timeout=60)


def _check(answer: httpx.Response, status: int) -> str:
    assert answer.status_code == status, answer.text
    error = answer.json()["error"]
    assert set(error) == {"message", "type", "param", "code"}
    assert error["type"] == ("server_error" if status >= 500 else "invalid_request_error")
    message: str = error["message"]
    assert message
    return message


def _check_alive(url: str) -> None:
    assert _post(url).raise_for_status().json()["choices"][0]["text"] == " bavsha bavthe"


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (b"", 422),
        (b"null", 422),
        (b"[]", 422),
        (b"{", 400),
        (b"\xff\xfe{}", 400),
        (b"[" * 100_000, 400),
        (b'{"model": "recall-model", "prompt": "\\ud800"}', 422),
        (b'{"model": "\\ud800", "prompt": "a"}', 422),
        (b'{"model": "recall-model", "prompt": "a", "\\ud800": 1}', 422),
        (b'{"model": "recall-model", "prompt": "a", "temperature": NaN}', 422),
        (b'{"model": "recall-model", "prompt": "a", "temperature": 1e999}', 422),
        (b'{"model": "recall-model", "prompt": "a", "max_tokens": 1e999}', 422),
        (b'{"model": "recall-model", "prompt": [1.5]}', 422),
        (b'{"model": "recall-model", "prompt": []}', 400),
        (b'{"model": "recall-model", "prompt": "a", "seed": 99999999999999999999}', 422),
    ],
)
@pytest.mark.parametrize("path", ["completions", "chat/completions", "memories"])
def test_bodies_that_are_not_meant_are_refused(
    url: str, path: str, content: bytes, status: int
) -> None:
    answer = httpx.post(f"{url}/v1/{path}", content=content, headers=JSON)
    _check(answer, status if path == "completions" else answer.status_code)
    assert answer.status_code in {400, 422}
    assert httpx.get(f"{url}/health").status_code == 200


@pytest.mark.parametrize("text", ["", None])
def test_a_memory_of_nothing_is_refused(url: str, text: str | None) -> None:
    answer = httpx.post(f"{url}/v1/memories", json={"text": text})
    if text is None:
        assert "either text or messages" in _check(answer, 400)


@pytest.mark.parametrize("identity", ["..", "a/b", "%2e%2e", "a" * 99, "\0", "\u00e9"])
def test_names_that_no_memory_has_are_not_found(url: str, identity: str) -> None:
    for method in ("GET", "DELETE"):
        answer = httpx.request(method, f"{url}/v1/memories/{identity.replace(chr(0), '%00')}")
        assert answer.status_code in {404, 405}
    assert _post(url, memory=identity).status_code in {404, 400, 422}


def test_a_body_of_a_hundred_megabytes_is_refused_before_it_is_sent(url: str) -> None:
    host, port = url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        head = (
            f"POST /v1/completions HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n"
        )
        connection.sendall(f"{head}Content-Length: 100000000\r\n\r\n".encode())
        answer = connection.recv(1000)
    assert answer.startswith(b"HTTP/1.1 413")
    _check_alive(url)


def test_a_text_beyond_the_context_is_told_with_the_limit(url: str) -> None:
    for path, body in (
        ("completions", {"model": "recall-model", "prompt": "x" * 6000}),
        ("memories", {"text": "x" * 6000}),
    ):
        answer = httpx.post(f"{url}/v1/{path}", json=body)
        assert "5000" in _check(answer, 400)
        assert answer.json()["error"]["code"] == "context_length_exceeded"


@pytest.mark.parametrize("letters", ["x", "word ", " ", "日本", "</s>"])
@pytest.mark.parametrize("path", ["completions", "chat/completions", "memories"])
def test_a_text_of_ten_megabytes_is_refused_before_it_is_encoded(
    url: str, monkeypatch: pytest.MonkeyPatch, path: str, letters: str
) -> None:
    encoded: list[int] = []
    encode = ChatTokenizer.encode_continuation

    def count(tokenizer: ChatTokenizer, text: str) -> list[int]:
        encoded.append(len(text))
        return encode(tokenizer, text)

    monkeypatch.setattr(ChatTokenizer, "encode_continuation", count)
    text = letters * (10_000_000 // len(letters))
    said = [{"role": "user", "content": text}]
    chat, plain = {"model": "recall-model", "messages": said}, {"model": "recall-model"}
    bodies = {
        "chat/completions": chat,
        "completions": {**plain, "prompt": text},
        "memories": {"text": text},
    }
    answer = httpx.post(f"{url}/v1/{path}", json=bodies[path], timeout=60)
    if answer.status_code != 413:  # JSON writes some letters in six
        assert "more than 5000 tokens" in _check(answer, 400)
        assert answer.json()["error"]["code"] == "context_length_exceeded"
        assert sum(encoded) <= 100_000


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory"),
        MemoryError(),
        RuntimeError("the kernel is broken"),
        ValueError("no such shape"),
    ],
)
@pytest.mark.parametrize("is_streamed", [False, True])
def test_a_model_that_fails_on_one_prompt_goes_on_with_others(
    url: str, monkeypatch: pytest.MonkeyPatch, error: Exception, *, is_streamed: bool
) -> None:
    from lcagent.engine.generation import scheduler  # noqa: PLC0415

    real = scheduler.prefill_chunk

    def fail(model: Any, state: Any) -> bool:
        if len(state.tokens) == 3000:
            raise error
        return real(model, state)

    monkeypatch.setattr(scheduler, "prefill_chunk", fail)
    with ThreadPoolExecutor(4) as pool:
        others = [pool.submit(_check_alive, url) for _ in range(3)]
        failed = pool.submit(_post, url, prompt=[97] * 3000, stream=is_streamed).result()
        for other in others:
            other.result()
    message = _check(failed, 503)
    is_memory = isinstance(error, MemoryError) or "allocate" in str(error)
    assert ("out of memory" in message) == is_memory
    _check_alive(url)
    assert httpx.get(f"{url}/health").json()["running"] == 0


def test_an_error_within_a_stream_is_an_event(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from lcagent.engine.generation import scheduler  # noqa: PLC0415

    def fail(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr(scheduler, "decode", fail)
    answer = _post(url, stream=True)
    events = [line.removeprefix("data: ") for line in answer.text.splitlines() if line]
    assert json.loads(events[0])["choices"][0]["text"] == " bavsha"
    assert "out of memory" in json.loads(events[1])["error"]["message"]
    assert events[-1] == "[DONE]"


def test_a_memory_that_does_not_fit_is_told(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise MemoryError

    with monkeypatch.context() as patch:
        patch.setattr("lcagent.engine.generation.scheduler.prefill_chunk", fail)
        answer = httpx.post(f"{url}/v1/memories", json={"text": BOOK})
    assert "out of memory" in _check(answer, 503)
    assert httpx.get(f"{url}/v1/memories").json()["data"] == []
    _check_alive(url)
