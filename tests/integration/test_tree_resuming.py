"""A question tree that is broken off at any step goes on, and pays for nothing twice.

Killed from outside it is counted where it is paid for: the server runs in a process of its own.
"""

import json
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lcagent.errors import ModelNotUsable
from lcagent.models.chat_model import Reply, Request, TokenLogprob
from lcagent.pipelines import Runtime, ask_async
from lcagent.pipelines.ask import ask_again
from lcagent.settings import load_settings
from lcagent.testing import ScriptedModel

Start = Callable[..., "subprocess.Popen[bytes]"]

QUESTION = "Where was the director of The Ferry born?"
BOOK = """# The Ferry

The Ferry was directed by Jane Doe in 1911, and nobody saw it.

# Cork

Jane Doe was born in Cork, on the river Lee, in a house of stone.
"""
PARTS = json.dumps({QUESTION: ["Who directed The Ferry?", "Where was #1 born?", "Is #2 old?"]})
SERVER = f"""
import asyncio, json, sys
from pathlib import Path

def reply(call):
    if "break questions down" in call.prompt:
        return {PARTS!r}
    question = call.prompt.rsplit("Question: ", 1)[1].splitlines()[0]
    director = "Jane Doe" if "from passages of them" in call.prompt else "Jim Roe"
    answer = director if "directed" in question else "Cork"
    return f"It is so for that. So the answer is: {{answer}}."

async def serve():
    rules = ServerRules(latency_s=0.03, transcript=Path(sys.argv[1]))
    async with ScriptedServer(reply, rules) as server:
        print(server.base_url, flush=True)
        await asyncio.Event().wait()

asyncio.run(serve())
"""
MOST_IN_FLIGHT = 3


@pytest.fixture
def book(tmp_path: Path) -> Path:
    """Return a Markdown file with two sections."""
    path = tmp_path / "book.md"
    path.write_text(BOOK, encoding="utf-8")
    return path


@pytest.fixture
def transcript(tmp_path: Path) -> Path:
    """Return where the server writes what it served."""
    return tmp_path / "served.jsonl"


@pytest.fixture
def base_url(transcript: Path) -> Iterator[str]:
    """Yield the URL of a server in a process of its own."""
    command = (sys.executable, "-c", SERVER, str(transcript))
    with subprocess.Popen(command, stdout=subprocess.PIPE) as server:
        assert server.stdout is not None
        yield server.stdout.readline().decode().strip()
        server.kill()


def _calls(transcript: Path) -> Counter[str]:
    if not transcript.exists():
        return Counter()
    whole = transcript.read_text(encoding="utf-8").rpartition("\n")[0]
    served = [json.loads(line) for line in whole.splitlines()]
    return Counter(json.dumps(call["messages"]) for call in served)


def _kill_after(process: "subprocess.Popen[bytes]", transcript: Path, calls: int) -> None:
    while process.poll() is None and _calls(transcript).total() < calls:
        time.sleep(0.002)
    time.sleep(0.015)
    process.send_signal(signal.SIGKILL)
    process.communicate()


@pytest.mark.parametrize(
    ("options", "calls"),
    [((), 1 + 2 * 3 + 3), (("--tree", "beam=2,samples=0"), 1 + 2 * 4 + 4)],
    ids=["one answer", "beam"],
)
def test_a_tree_that_is_killed_again_and_again_pays_for_nothing_twice(
    start: Start,
    book: Path,
    base_url: str,
    transcript: Path,
    options: tuple[str, ...],
    calls: int,
) -> None:
    process = start(
        "ask", str(book), QUESTION, "-s", "tree", "-m", "openai:scripted", "--base-url", base_url,
        "--window", "8000", "--json", *options,
    )  # fmt: skip
    kills = (1, 3, 5, 7)
    _kill_after(process, transcript, kills[0])
    out, _ = start("runs", "ls").communicate(timeout=60)
    run_id = out.decode().split()[0]
    for after in kills[1:]:
        _kill_after(start("runs", "resume", run_id, "--json"), transcript, after)
    out, errors = start("runs", "resume", run_id, "--json").communicate(timeout=60)
    answer = json.loads(out)
    assert answer["answer"].startswith("Cork"), errors.decode()
    assert len(answer["proof"]["nodes"]) == 4
    asked = _calls(transcript)
    assert len(asked) == calls
    assert asked.total() - len(asked) <= (MOST_IN_FLIGHT + bool(options)) * len(kills)
    shown, _ = start("runs", "show", run_id).communicate(timeout=60)
    text = shown.decode()
    assert "question 2" in text
    assert "├─ Who directed The Ferry?" in text


def _reply(request: Request) -> Reply:
    text = "It is so. So the answer is: Cork."
    if request.purpose == "decomposition":
        text = PARTS
    return Reply(text, logprobs=(TokenLogprob(text, -0.1, text.encode()),))


@pytest.mark.anyio
@pytest.mark.parametrize("at", range(10))
async def test_a_tree_that_fails_at_any_call_goes_on_from_there(book: Path, at: int) -> None:
    failing = iter([*[False] * at, True])

    def reply(request: Request) -> Reply:
        if next(failing, False):
            raise ModelNotUsable("the key was refused")
        return _reply(request)

    model = ScriptedModel(reply)
    async with Runtime.open(load_settings(embedder="none")) as runtime:
        with pytest.raises(ModelNotUsable):
            await ask_async(book, QUESTION, runtime=runtime, model=model, strategy="tree")
        (failed,) = runtime.runs.listed()
        request = {
            "documents": [stored.id for stored in runtime.documents.listed()],
            "strategy": "tree",
            "model": "scripted",
            "chain": {},
            "tree": {"samples": 0},
        }
        answer = await ask_again(failed, request, {"model": model}, runtime)
    assert answer.answer.startswith("Cork")
    prompts = Counter(request.messages for request in model.requests)
    assert len(prompts) == 10
    assert prompts.total() <= 10 + MOST_IN_FLIGHT
