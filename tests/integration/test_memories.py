"""`lcagent memorize` and `lcagent memories`, as users run them."""

import json
import re
import resource
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from lcagent.agents.answering import ReaderPrompt, all_pages_as_sources
from lcagent.engine.engine import GenerationParams
from lcagent.errors import UnusableReply
from lcagent.local_options import LocalOptions
from lcagent.models.chat_model import Request
from lcagent.models.local import LocalModel, open_local
from lcagent.pipelines import Session
from lcagent.pipelines.local_models.memorizing import memorize_async
from lcagent.selection import ALL_PAGES

pytest.importorskip("transformers")

ROOT = Path(__file__).parents[2]
RECALL_MODEL = ROOT / "examples" / "recall-model"
MODEL = f"local:{RECALL_MODEL}"
LETTER = ROOT / "examples" / "sample" / "letter.md"
BOOK = ROOT / "examples" / "sample.pdf"

Call = Callable[..., Any]


def _listed(call: Call) -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = json.loads(call("memories", "ls", "--json").out)["memories"]
    return listed


def test_a_document_is_read_listed_verified_and_removed(call: Call) -> None:
    done = call("memorize", LETTER, "--model", MODEL, "--json")
    assert done.status == 0, done.err
    (memory,) = json.loads(done.out)["memories"]
    assert re.fullmatch(r"letter-[0-9a-f]{8}", memory["id"])
    assert (memory["title"], memory["fault"]) == ("letter.md", "")
    assert memory["tokens"] - 64 <= memory["read"] < memory["tokens"]
    assert _listed(call) == [memory]
    assert call("memories", "verify", "--model", MODEL).status == 0
    assert call("memories", "rm", memory["id"]).out == f"removed {memory['id']}\n"
    assert _listed(call) == []


async def _said(model: LocalModel, request: Request) -> str:
    """Return a reply; the recall model has nothing to say to most questions."""
    try:
        return (await model.complete(request)).text
    except UnusableReply as error:
        return str(error)


@pytest.mark.anyio
async def test_questions_on_the_whole_document_go_on_from_its_memory(
    own_home: Path,
) -> None:
    async with Session.open() as session:
        (document,) = (await session.collect(LETTER)).documents
    sources = tuple(source.text for source in all_pages_as_sources([document], ALL_PAGES))
    requests = [
        Request(ReaderPrompt(question, sources).messages(), max_tokens=4)
        for question in ("Who wrote it?", "What of the winter of 1911?")
    ]
    alone = open_local(str(RECALL_MODEL))
    expected = [await _said(alone, request) for request in requests]

    memory = await memorize_async(LETTER, MODEL)
    options = LocalOptions(memories=own_home / "memories")
    model = open_local(str(RECALL_MODEL), options=options)
    engine = model.load()
    for request, text in zip(requests, expected, strict=True):
        prompt = model.encode(request.messages)
        (sequence,) = await engine.create_sequences(prompt, GenerationParams(request.max_tokens))
        assert sequence.cached_tokens == memory.read
        assert await _said(model, request) == text


def test_a_server_started_afterwards_lists_and_uses_it(
    call: Call, start: Callable[..., subprocess.Popen[bytes]]
) -> None:
    pytest.importorskip("fastapi")
    (memory,) = json.loads(call("memorize", LETTER, "-m", MODEL, "--json").out)["memories"]
    server = start("serve", RECALL_MODEL, "--port", "0")
    assert server.stderr is not None
    url = server.stderr.readline().decode().split()[4]
    (listed,) = httpx.get(f"{url}/memories").json()["data"]
    assert (listed["id"], listed["title"]) == (memory["id"], "letter.md")
    done = call(
        *("ask", LETTER, "Who wrote it?", "-s", "whole", "--json"),
        *("-m", "recall-model", "--base-url", url, "--window", "8192"),
    )
    assert done.status == 0 or "reply is empty" in done.err, done.err
    metrics = httpx.get(url.replace("/v1", "/metrics")).text
    reused = re.search(r"^lcagent_reused_tokens_total ([\d.]+)$", metrics, re.MULTILINE)
    assert reused is not None, metrics
    assert float(reused[1]) == memory["read"]


def test_a_memory_of_another_model_is_refused(call: Call, tmp_path: Path) -> None:
    other = Path(shutil.copytree(RECALL_MODEL, tmp_path / "other"))
    weights = bytearray((other / "model.safetensors").read_bytes())
    weights[-400_000:] = bytes(400_000)
    (other / "model.safetensors").write_bytes(weights)
    assert call("memorize", LETTER, "-m", MODEL, "--name", "letter").status == 0
    again = call("memorize", LETTER, "-m", f"local:{other}", "--name", "letter")
    again.assert_refused(2, "made by another model", "memories rm letter")
    verified = call("memories", "verify", "-m", f"local:{other}")
    assert verified.status == 1
    assert "FAULT: the memory letter was made by another model" in verified.out


@contextmanager
def _files_at_most(size: int) -> Iterator[None]:
    """Let no file grow past a size, as on a disk that is full."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_full_disk_is_told_in_one_line_and_the_old_memory_stays_whole(
    call: Call, tmp_path: Path
) -> None:
    assert call("memorize", LETTER, "-m", MODEL, "--name", "mine").status == 0
    longer = tmp_path / "longer.md"
    longer.write_text(LETTER.read_text(encoding="utf-8") * 3, encoding="utf-8")
    call("docs", "add", longer)
    before = _listed(call)
    with _files_at_most(600_000):
        done = call("memorize", longer, "-m", MODEL, "--name", "mine")
    assert done.status == 1
    assert done.out == ""
    assert "Error: the memory mine cannot be written: " in done.err
    assert _listed(call) == before
    assert call("memories", "verify").status == 0


def test_an_interrupted_reading_is_kept_and_goes_on(
    call: Call, start: Callable[..., subprocess.Popen[bytes]]
) -> None:
    asked = ("memorize", BOOK, "-m", MODEL, "--window", "100000", "--name", "book")
    process = start(*asked)
    assert process.stderr is not None
    line = b""
    while not re.search(rb": [1-9]\d* of \d+ tokens", line):
        line = process.stderr.readline()
        assert line, "it ended before it could be interrupted"
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert (process.returncode, err.decode().splitlines()[-1]) == (
        130,
        "Error: interrupted; what was stored is kept",
    )
    (half,) = _listed(call)
    assert half["id"] == ".book"
    assert 0 < half["read"] < half["tokens"]
    assert "interrupted" in half["fault"]
    assert call("memories", "rm", "book").status == 0
    assert _listed(call) == []


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((LETTER, "--model", "gpt-4o"), ["gpt-4o does not run here"]),
        ((LETTER,), ["quote does not run here"]),
        ((LETTER, "-m", MODEL, "--name", "../x"), ["no name of a memory"]),
        ((LETTER.parent, "-m", MODEL), ["a memory is of one document"]),
        ((BOOK, "-m", MODEL), ["needs a window of", "8192"]),
    ],
)
def test_what_cannot_be_memorized_is_refused(
    call: Call, arguments: tuple[str | Path, ...], words: list[str]
) -> None:
    done = call("memorize", *arguments)
    assert done.status in {1, 2}
    assert done.out == ""
    for word in words:
        assert word in done.err.splitlines()[-1]


@pytest.mark.parametrize("name", ["nothing", "../x", ".."])
def test_only_memories_are_removed_or_verified(call: Call, name: str) -> None:
    call("memories", "rm", name).assert_refused(2, "memory")
    call("memories", "verify", name).assert_refused(2, "memory")
