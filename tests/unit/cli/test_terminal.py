"""No file, document or error controls the terminal that a command writes to."""

import json
from pathlib import Path

import pytest

from lcagent.cli import app
from lcagent.cli.progress_display import _Lines
from lcagent.errors import ModelError

HOSTILE = "a\x1b[31m\x1b]0;owned\x07\x9b31m\u202eb\U000e0041"
TEXT = f"The lamp was lit by Osla Brand, they say {HOSTILE} in the old tower. " * 9


@pytest.fixture(autouse=True)
def words_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """Search without an embedder, which takes seconds to load."""
    monkeypatch.setenv("LCAGENT_EMBEDDER", "none")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with a hostile name, a document, and a book that cannot be read."""
    folder = tmp_path / HOSTILE
    folder.mkdir()
    (folder / "x.epub").write_bytes(b"PK\x03\x04 and no more")
    (folder / f"{HOSTILE}.txt").write_text(TEXT, encoding="utf-8")
    return folder


def _assert_harmless(printed: str) -> None:
    assert "\x1b" not in printed
    assert printed.replace("\n", "").replace("\t", "").isprintable(), ascii(printed)


@pytest.mark.parametrize(
    "arguments",
    [
        ("docs", "add", "FOLDER"),
        ("ask", "FOLDER/x.epub", "Who lit the lamp?"),
        ("ask", "FOLDER", "Who lit the lamp?"),
        ("search", "FOLDER", f"lamp {HOSTILE}"),
        ("search", "FOLDER", "lamp", "--json"),
        ("ask", "FOLDER", "Who lit the lamp?", "--json"),
        ("summarize", "FOLDER", "--words", "60"),
        ("ask", f"nowhere/{HOSTILE}.md", "Who?"),
        ("ask", "FOLDER", "Who?", f"--{HOSTILE}"),
        ("ask", "FOLDER", "Who?", "-s", HOSTILE),
        ("ask", "FOLDER", "Who?", "--pages", HOSTILE),
        (HOSTILE,),
        ("runs", "show", HOSTILE),
        ("serve", "--plan", f"FOLDER/{HOSTILE}"),
        ("memories", "rm", HOSTILE),
        ("config", "prompts", HOSTILE),
    ],
    ids=lambda arguments: ascii(" ".join(arguments[:2]))[:30],
)
def test_a_command_prints_no_control_sequence(
    folder: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...]
) -> None:
    app.run([each.replace("FOLDER", str(folder)) for each in arguments])
    printed = capsys.readouterr()
    assert printed.out + printed.err
    _assert_harmless(printed.out)
    _assert_harmless(printed.err)


def test_settings_are_shown_without_control_sequences(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LCAGENT_READER", HOSTILE)
    assert app.run(["config", "show"]) == 0
    _assert_harmless(capsys.readouterr().out)


@pytest.mark.parametrize("error", [ModelError(f"the server said {HOSTILE}"), KeyError(HOSTILE)])
@pytest.mark.parametrize("has_traceback", [False, True])
def test_an_error_controls_nothing(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
    has_traceback: bool,
) -> None:
    if has_traceback:
        monkeypatch.setenv("LCAGENT_DEBUG", "1")
    app._report(error)
    _assert_harmless(capsys.readouterr().err)


def test_progress_controls_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    lines = _Lines("pages")
    lines._next = 0
    lines(HOSTILE, 1, 2)
    _assert_harmless(capsys.readouterr().err)


def test_json_keeps_what_a_document_says(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    document = next(folder.glob("*.txt"))
    assert app.run(["search", str(document), "lamp", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert "\u202eb\U000e0041" in found["hits"][0]["text"]
