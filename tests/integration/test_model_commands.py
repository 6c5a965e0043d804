"""`lcagent ask` with a model, as users run it: answers, plans, limits, and what goes wrong."""

import asyncio
import json
import re
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest

from lcagent.testing import Script, ScriptedCall, ScriptedReply, ScriptedServer, ServerRules

Serve = Callable[..., ScriptedServer]
Call = Callable[..., Any]

BOOK = """# The Light

Hector Vance kept the lighthouse from 1907 until he retired in 1938.
The stair inside has 163 steps, and he counted them every evening.

# The Ferry

The ferry Lady Annis carries 184 passengers and 19 cars across the sound.
She does not sail when the wind blows at more than 45 knots.
"""
ANSWER = (
    'Hector Vance kept it [S1 "Hector Vance kept the lighthouse from 1907"]. '
    'He was born in Cork [S2 "born in Cork to a family of keepers"].'
)


@pytest.fixture
def book(tmp_path: Path) -> Path:
    """Return a small book."""
    path = tmp_path / "book.md"
    path.write_text(BOOK, encoding="utf-8")
    return path


@contextmanager
def _running(server: ScriptedServer) -> Iterator[ScriptedServer]:
    """Serve from a thread with a loop of its own, as the command has its own, too."""
    ready, over = Event(), Event()

    async def serve() -> None:
        async with server:
            ready.set()
            await asyncio.to_thread(over.wait)

    thread = Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    ready.wait()
    yield server
    over.set()
    thread.join()


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> Iterator[Serve]:
    """Yield what starts a scripted server and makes it the model of the settings."""
    with ExitStack() as stack:

        def serve(script: Script, **rules: Any) -> ScriptedServer:
            server = stack.enter_context(_running(ScriptedServer(script, ServerRules(**rules))))
            monkeypatch.setenv("LCAGENT_BASE_URL", server.base_url)
            monkeypatch.setenv("LCAGENT_MODEL", "openai:scripted")
            return server

        yield serve


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Try again at once."""
    monkeypatch.setattr("lcagent.models.retrying._FIRST_WAIT_S", 0.001)


def _says(text: str) -> Script:
    return lambda _: text


def test_an_answer_is_printed_with_its_citations_and_what_is_unsupported(
    call: Call, serve: Serve, book: Path
) -> None:
    serve(_says(ANSWER))
    done = call("ask", book, "Who kept the lighthouse?")
    assert done.status == 0
    lines = done.out.splitlines()
    assert lines[0] == "Hector Vance kept it [1]. He was born in Cork [2: no proof]."
    assert "[1] ✓ book.md, The Light" in lines
    assert "[2] ✗ not found book.md, The Ferry" in lines
    assert "note: 1 of 2 statements has no proof" in done.err
    assert "note: 1 call, " in done.err


def test_an_invented_quote_is_not_found_one_elsewhere_misattributed_and_strict_ends_with_3(
    call: Call, serve: Serve, book: Path
) -> None:
    serve(
        _says(
            'Hector Vance kept it [S1 "Hector Vance kept the lighthouse"]. A gull did '
            '[S2 "The stair inside has 163 steps"]. Three '
            '[S1 "nobody ever wrote these words"]. Four.'
        )
    )
    done = call("ask", book, "Who kept the lighthouse?", "--json", "--strict")
    answer = json.loads(done.out)
    assert [one["status"] for one in answer["citations"]] == ["exact", "misattributed", "not_found"]
    assert [one["status"] for one in answer["claims"]] == [
        *("supported", "quoted", "unsupported", "unsupported")
    ]
    assert answer["citations"][1]["section"] == "The Light"
    assert done.status == 3


def test_a_model_that_finds_no_answer_abstains(call: Call, serve: Serve, book: Path) -> None:
    serve(_says("NOT_IN_DOCUMENT"))
    done = call("ask", book, "Who painted the ceiling?", "--json")
    assert json.loads(done.out)["outcome"] == "not_mentioned"
    done = call("ask", book, "Who painted the ceiling?")
    assert (done.status, done.out) == (
        0,
        "Not in the document: nothing in it answers the question.\n",
    )


def test_a_text_that_has_no_word_of_the_question_is_read_all_the_same(
    call: Call, serve: Serve, book: Path
) -> None:
    server = serve(_says(ANSWER))
    done = call("ask", book, "xylophone quasar", "-s", "rag", "--json")
    assert any("no passage has words" in note for note in json.loads(done.out)["notes"])
    assert len(server.served) == 1


def test_a_dry_run_asks_nothing_and_says_what_it_would_cost(
    call: Call, serve: Serve, book: Path, own_home: Path
) -> None:
    server = serve(_says(ANSWER))
    own_home.mkdir(exist_ok=True)
    (own_home / "models.toml").write_text(
        "[models.scripted]\nwindow_tokens = 50000\nusd_per_million_prompt = 1.0\n"
        "usd_per_million_completion = 2.0\n",
        encoding="utf-8",
    )
    plan = json.loads(call("ask", book, "Who?", "--dry-run", "--json").out)
    assert (plan["schema"], plan["strategy"], plan["calls"]) == ("lcagent.plan/1", "whole", 1)
    expected = (plan["prompt_tokens"] + 2 * plan["completion_tokens"]) / 1e6
    assert plan["usd"] == pytest.approx(expected)
    shown = call("ask", book, "Who?", "--dry-run").out
    assert re.search(r"method\s+whole: .*window", shown)
    assert server.served == []


def test_explain_says_the_method_first_and_then_answers(
    call: Call, serve: Serve, book: Path
) -> None:
    serve(_says(ANSWER))
    done = call("ask", book, "Who kept the lighthouse?", "--explain")
    assert "method   rag: a question that some passages can answer" in done.err or (
        "method   whole: all of the text fits into the model's window" in done.err
    )
    assert done.out.startswith("Hector Vance")


@pytest.mark.parametrize(
    ("scripted", "status", "words"),
    [
        (ScriptedReply("bad key", status=401), 2, ("key", "LCAGENT_API_KEY")),
        (ScriptedReply("no such model", status=404, code="model_not_found"), 2, ("scripted",)),
        (ScriptedReply("no money", status=429, code="insufficient_quota"), 2, ("no money",)),
        (ScriptedReply("oh no", status=500), 1, ("500", "6 times")),
        (ScriptedReply(fault="html"), 2, ("127.0.0.1", "base URL")),
    ],
    ids=["wrong key", "no such model", "no money left", "server fails", "no such server"],
)
def test_what_a_server_says_is_one_line_that_says_what_to_do(
    call: Call,
    serve: Serve,
    book: Path,
    scripted: ScriptedReply,
    status: int,
    words: tuple[str, ...],
) -> None:
    serve(lambda _: scripted)
    call("ask", book, "Who kept it?").assert_refused(status, *words)


def test_no_key_is_one_line_that_says_what_to_set(call: Call, book: Path) -> None:
    call("ask", book, "Who?", "-m", "openai:gpt-4o").assert_refused(2, "LCAGENT_API_KEY")


def test_a_server_that_is_down_is_one_line(call: Call, book: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/v1"
    done = call("ask", book, "Who?", "-m", "openai:x", "--base-url", url)
    done.assert_refused(1, url.removesuffix("/v1").removeprefix("http://"), "runs resume")


def test_a_text_that_does_not_fit_is_refused_as_whole(
    call: Call, serve: Serve, tmp_path: Path
) -> None:
    serve(_says(ANSWER))
    path = tmp_path / "long.txt"
    path.write_text("The ferry went slowly. " * 3_000, encoding="utf-8")
    done = call("ask", path, "Who?", "-s", "whole", "--window", "2000")
    done.assert_refused(2, "does not fit", "--strategy chain")


@pytest.mark.parametrize("limit", [("--max-calls", "0"), ("--max-usd", "0.0000001")])
def test_a_limit_that_allows_no_call_ends_with_5(
    call: Call, serve: Serve, book: Path, own_home: Path, limit: tuple[str, str]
) -> None:
    server = serve(_says(ANSWER))
    own_home.mkdir(exist_ok=True)
    (own_home / "models.toml").write_text(
        "[models.scripted]\nwindow_tokens = 9000\n"
        "usd_per_million_prompt = 1.0\nusd_per_million_completion = 2.0\n",
        encoding="utf-8",
    )
    call("ask", book, "Who kept it?", *limit).assert_refused(5, limit[0])
    assert server.served == []


def test_dollars_cannot_be_bounded_where_no_price_is_known(
    call: Call, serve: Serve, book: Path
) -> None:
    serve(_says(ANSWER))
    call("ask", book, "Who?", "--max-usd", "1").assert_refused(2, "price", "models.toml")


def test_many_calls_at_once_never_exceed_the_limit(
    call: Call, serve: Serve, tmp_path: Path
) -> None:
    server = serve(_says("some fact"), latency_s=0.02)
    path = tmp_path / "long.txt"
    path.write_text("The ferry went slowly over the sea. " * 3_000, encoding="utf-8")
    options = ("-s", "chain", "--preset", "fast", "--window", "1000", "--max-calls", "9")
    call("ask", path, "Who?", *options).assert_refused(5, "--max-calls 9")
    assert len(server.served) == 9
    assert max(one.in_flight for one in server.served) > 1


def test_the_answer_is_streamed_in_pieces(call: Call, serve: Serve, book: Path) -> None:
    server = serve(_says(ANSWER))
    call("ask", book, "Who kept the lighthouse?")
    assert server.served[-1].parameters["stream"] is True


def test_a_run_is_shown_with_who_read_what(call: Call, serve: Serve, tmp_path: Path) -> None:
    note = (
        '{"facts": [{"text": "It is slow", "quote": "The ferry went slowly over the sea"}],'
        ' "open_questions": [], "answer": ""}'
    )

    def script(call: ScriptedCall) -> str:
        return note if "<part" in call.messages[-1].text else "Slowly [F1]."

    serve(script)
    path = tmp_path / "long.txt"
    path.write_text("The ferry went slowly over the sea. " * 300, encoding="utf-8")
    asked = call("ask", path, "How?", "-s", "chain", "--window", "1000", "--json")
    run_id = json.loads(asked.out)["run_id"]
    shown = call("runs", "show", run_id[:12]).out
    assert "path 0, worker 1" in shown
    assert "F1 ✓ It is slow" in shown
    assert "Slowly [F1]." in shown
    assert re.search(r"\d+\+\d+ tokens", shown)
    assert run_id[:12] in call("runs", "ls").out


def test_no_command_contacts_anybody_but_the_server(
    call: Call, serve: Serve, book: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    contacted: set[Any] = set()
    connect = socket.socket.connect

    def watched(self: socket.socket, address: Any) -> None:
        contacted.add(address if isinstance(address, str) else address[:2])
        connect(self, address)

    server = serve(_says(ANSWER))
    monkeypatch.setenv("HTTPS_PROXY", "http://192.0.2.1:9")
    monkeypatch.setenv("HTTP_PROXY", "http://192.0.2.1:9")
    monkeypatch.setattr(socket.socket, "connect", watched)
    asked = call("ask", book, "Who kept it?", "--json")
    run_id = json.loads(asked.out)["run_id"]
    for command in (
        ("ask", book, "Who kept it?", "-s", "chain"),
        ("ask", book, "Who kept it?", "-s", "rag"),
        ("ask", book, "Who kept it?", "--dry-run"),
        ("search", book, "lighthouse"),
        ("docs", "add", book),
        ("docs", "ls"),
        ("docs", "verify"),
        ("runs", "ls"),
        ("runs", "show", run_id),
        ("config", "show"),
        ("doctor",),
    ):
        assert call(*command).status == 0, command
    port = int(server.base_url.split(":")[2].split("/")[0])
    assert contacted <= {("127.0.0.1", port)}


def test_doctor_says_what_the_server_can_do(call: Call, serve: Serve) -> None:
    server = serve(_says('{"answer": "yes"}'), rejected=frozenset({"logprobs"}))
    quiet = call("doctor")
    assert "scripted at http://127.0.0.1" in quiet.out
    assert server.served == []
    done = call("doctor", "--ask-model")
    assert done.status == 0
    assert re.search(r"model: streaming: ", done.out)
    assert re.search(r"model: .*log.*: ", done.out)
    assert 0 < len(server.served) <= 12


def test_verbose_prints_a_line_for_each_step(call: Call, serve: Serve, tmp_path: Path) -> None:
    serve(_says("It went slowly."))
    path = tmp_path / "long.txt"
    path.write_text("The ferry went slowly over the sea. " * 300, encoding="utf-8")
    done = call("ask", path, "How?", "-s", "chain", "--window", "1000", "-v")
    lines = [line for line in done.err.splitlines() if line.startswith("read ")]
    total = int(lines[0].split(" of ")[1].split()[0].strip("(,"))
    assert len(lines) == total > 3
    assert "tokens" in lines[0]


def test_a_prompt_of_ones_own_is_used_and_a_broken_one_costs_nothing(
    call: Call, serve: Serve, book: Path, own_home: Path
) -> None:
    server = serve(_says(ANSWER))
    ours = call("config", "prompts", "answering/reader.md").out
    own = own_home / "prompts" / "answering" / "reader.md"
    own.parent.mkdir(parents=True)
    own.write_text(ours.replace("You answer questions", "You, a pirate, answer questions"))
    assert "answering/reader.md  (your own)" in call("config", "prompts").out.splitlines()
    assert "prompts: in place of ours: answering/reader.md" in call("doctor").out
    assert call("ask", book, "Who kept the lighthouse?").status == 0
    assert "You, a pirate, answer" in server.served[0].messages[0].text

    own.write_text(ours.replace("{{ question }}", ""))
    done = call("ask", book, "Who kept the lighthouse in the end?")
    assert (done.status, done.out, len(done.err.splitlines())) == (2, "", 1)
    assert "not used: question" in done.err
    assert len(server.served) == 1
    assert "FAIL  prompts: " in call("doctor").out
    assert call("config", "prompts", "../../config.toml").status == 2
