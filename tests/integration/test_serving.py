"""`lcagent serve`, as users run it: where it listens, who may ask, how it ends."""

import json
import re
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

ROOT = Path(__file__).parents[2]
RECALL_MODEL = ROOT / "examples" / "recall-model"
BOOK = ROOT / "examples" / "sample" / "03-ferry.md"

Call = Callable[..., Any]
Serve = Callable[..., tuple[subprocess.Popen[bytes], str]]


@pytest.fixture
def serve(start: Callable[..., subprocess.Popen[bytes]]) -> Serve:
    """Return what starts a server and returns it with its URL."""
    for library in ("transformers", "fastapi", "uvicorn"):
        pytest.importorskip(library)

    def serve(
        *arguments: str | Path, env: Mapping[str, str] | None = None
    ) -> tuple[subprocess.Popen[bytes], str]:
        process = start("serve", RECALL_MODEL, "--port", "0", *arguments, env=env)
        assert process.stderr is not None
        line = process.stderr.readline().decode()
        found = re.fullmatch(r"recall-model is served at (http://\S+) \(Ctrl-C ends it\)\n", line)
        assert found, line + process.stderr.read().decode()
        return process, found[1]

    return serve


def _models(url: str, key: str = "none") -> httpx.Response:
    return httpx.get(f"{url}/models", headers={"Authorization": f"Bearer {key}"})


def test_a_served_model_answers_questions_and_ends_with_ctrl_c(call: Call, serve: Serve) -> None:
    process, url = serve("--context", "100K")
    assert _models(url).json()["data"][0]["context_tokens"] == 100_000
    asked = ("ask", BOOK, "What carries passengers?", "-s", "rag", "--json")
    done = call(*asked, "-m", "recall-model", "--base-url", url, "--window", "2048")
    # It recalls made-up words and has none for a question, which is not passed off as an answer.
    assert (done.status, done.out) == (1, "")
    assert "recall-model wrote nothing: its reply is empty" in done.err
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert (process.returncode, out, err) == (0, b"", b"ended\n")


@pytest.mark.parametrize("sign", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_requests_with_an_error_of_openai(serve: Serve, sign: int) -> None:
    process, url = serve("--context", "100K")
    body = {"model": "recall-model", "prompt": "It rained. " * 8_000}  # read for ten seconds
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(httpx.post, f"{url}/completions", json=body, timeout=60)
        health = url.removesuffix("/v1") + "/health"
        while not httpx.get(health).json()["running"]:
            assert not asked.done()
        for _ in range(2):  # the second ends the time that replies have
            process.send_signal(sign)
            time.sleep(0.3)
        answer = asked.result()
    assert answer.status_code == 503
    assert answer.json()["error"]["message"] == "the server is being ended"
    out, err = process.communicate(timeout=30)
    assert (process.returncode, out, err) == (0, b"", b"ended\n")


def test_a_key_from_the_environment_is_asked_for(serve: Serve) -> None:
    _, url = serve("--key-env", "THE_KEY", "--host", "0.0.0.0", env={"THE_KEY": "sesame"})  # noqa: S104
    url = url.replace("0.0.0.0", "127.0.0.1")  # noqa: S104
    assert _models(url).status_code == 401
    assert _models(url, "sesame").json()["data"][0]["id"] == "recall-model"


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "example.org"])  # noqa: S104
def test_a_server_that_others_can_reach_needs_a_key(call: Call, host: str) -> None:
    pytest.importorskip("fastapi")
    call("serve", RECALL_MODEL, "--host", host).assert_refused(2, "needs an API key", host)


def test_a_variable_without_a_key_is_refused(call: Call) -> None:
    call("serve", RECALL_MODEL, "--key-env", "NO_SUCH").assert_refused(2, "NO_SUCH holds no key")


def test_a_port_that_is_taken_is_refused_before_the_model_is_loaded(call: Call) -> None:
    pytest.importorskip("fastapi")
    pytest.importorskip("transformers")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        call("serve", RECALL_MODEL, "--port", port).assert_refused(2, "cannot listen", port)


@pytest.mark.parametrize("context", ["0", "255", "many", "1T", "-5"])
def test_a_context_that_is_no_number_of_tokens_is_refused(call: Call, context: str) -> None:
    call("serve", RECALL_MODEL, f"--context={context}").assert_refused(2, "context")


def test_a_folder_without_a_model_is_refused(call: Call, tmp_path: Path) -> None:
    call("serve", tmp_path).assert_refused(2, "has no config.json")


def test_a_plan_needs_a_configuration_and_nothing_else(call: Call, tmp_path: Path) -> None:
    config = tmp_path / "any-name.json"
    config.write_bytes((RECALL_MODEL / "config.json").read_bytes())
    planned = json.loads(call("serve", "--plan", config, "--context", "1M", "--json").out)
    assert planned["parameters"] == 722_944
    assert planned["token_bytes"] == 3 * 2 * 2 * 32 * 4
    assert planned["memory_bytes"] == 1_000_000 * planned["token_bytes"]
    printed = call("serve", "--plan", config).out.splitlines()
    assert printed[0] == "model    llama, 722,944 parameters, made for 256 tokens"


def test_a_plan_of_what_the_engine_cannot_run_is_refused(call: Call, tmp_path: Path) -> None:
    config = tmp_path / "config.json"
    told = json.loads((RECALL_MODEL / "config.json").read_text(encoding="utf-8"))
    config.write_text(json.dumps({**told, "kv_lora_rank": 512}), encoding="utf-8")
    call("serve", "--plan", config).assert_refused(2, "latent attention")
    call("serve", "--plan", tmp_path / "nothing.json").assert_refused(2, "no folder")
    call("serve", RECALL_MODEL, "--json").assert_refused(2, "--plan")
