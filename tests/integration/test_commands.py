"""Every command, run as a user runs it, in one process."""

import json
from pathlib import Path

import pytest

from lcagent.cli.app import app, run

SAMPLE = Path(__file__).parents[2] / "examples" / "sample.pdf"
QUESTION = "How many foot passengers did the ferry carry in 2019?"


@pytest.fixture(autouse=True)
def _words_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LCAGENT_EMBEDDER", "none")


def _run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    status = run(list(arguments))
    printed = capsys.readouterr()
    return status, printed.out, printed.err


def test_ask_prints_the_quote_with_its_page(capsys: pytest.CaptureFixture[str]) -> None:
    status, out, err = _run(capsys, "ask", str(SAMPLE), QUESTION)
    assert status == 0
    assert "48,216" in out
    assert "✓ sample.pdf, p. 20 (printed 14)" in out
    assert err.splitlines() == [
        "note: no language model is configured: the answer is quoted from the document"
    ]


def test_ask_json_is_one_object_with_offsets_and_boxes(capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = _run(capsys, "ask", str(SAMPLE), QUESTION, "--json")
    answer = json.loads(out)
    assert status == 0
    assert answer["schema"] == "lcagent.answer/2"
    assert answer["coverage"]["pages"] == answer["coverage"]["pages_read"] == 39
    row = next(c for c in answer["citations"] if "48,216" in c["quote"])
    assert (row["page"], row["page_label"], row["status"]) == (20, "14", "exact")
    assert row["end"] - row["start"] == len(row["quote"])
    (box,) = row["boxes"]
    assert 0 < box[0] < box[2] < 420
    assert 0 < box[1] < box[3] < 596


def test_search_lists_passages_of_the_pages_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = _run(
        capsys, "search", str(SAMPLE), "Hesper Gale", "-k", "3", "--pages", "20-", "--json"
    )
    result = json.loads(out)
    assert status == 0
    assert result["schema"] == "lcagent.search/1"
    assert [hit["rank"] for hit in result["hits"]] == [1, 2, 3]
    assert all(hit["page"] >= 20 for hit in result["hits"])


def test_documents_are_added_listed_verified_and_removed(
    capsys: pytest.CaptureFixture[str],
) -> None:
    status, out, _ = _run(capsys, "docs", "add", str(SAMPLE))
    assert (status, out.split()[1:]) == (0, ["39", "pages", "sample.pdf"])
    key = out.split()[0]
    assert _run(capsys, "docs", "ls")[1] == out
    assert json.loads(_run(capsys, "docs", "ls", "--json")[1])["documents"][0]["page_count"] == 39
    status, report, _ = _run(capsys, "docs", "verify")
    assert status == 0
    assert report.startswith(key)
    assert _run(capsys, "docs", "rm", key)[0] == 0
    assert "the store is empty" in _run(capsys, "docs", "ls")[2]


def test_past_runs_are_listed_and_shown(capsys: pytest.CaptureFixture[str]) -> None:
    asked = json.loads(_run(capsys, "ask", str(SAMPLE), QUESTION, "--json")[1])
    listed = _run(capsys, "runs", "ls")[1]
    assert asked["run_id"][:12] in listed
    assert QUESTION in listed
    shown = json.loads(_run(capsys, "runs", "show", asked["run_id"][:12], "--json")[1])
    assert shown["citations"] == asked["citations"]
    assert QUESTION in _run(capsys, "runs", "show", asked["run_id"][:12])[1]
    assert _run(capsys, "runs", "show", "ffff")[0] == 2


def test_doctor_says_what_is_there(capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = _run(capsys, "doctor")
    assert status == 0
    assert "embedder: none" in out
    assert "0 documents, sound" in out
    findings = json.loads(_run(capsys, "doctor", "--json")[1])["findings"]
    assert {finding["ok"] for finding in findings} == {True}


def test_config_shows_sources_and_hides_passwords(
    capsys: pytest.CaptureFixture[str], own_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own_home.mkdir()
    (own_home / "config.toml").write_text("concurrency = 3\n")
    monkeypatch.setenv("LCAGENT_DATABASE_URL", "postgresql://me:hush@localhost/b?password=hush")
    out = _run(capsys, "config", "show")[1]
    assert "concurrency = 3  (file)" in out
    assert "embedder = none  (environment)" in out
    assert "ocr = False  (default)" in out
    assert "hush" not in out
    assert "://me:***@localhost" in out


def test_the_version_and_the_help_are_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert _run(capsys, "--version")[1].startswith("lcagent 0.")
    assert "ask" in _run(capsys, "--help")[1]


def test_every_command_and_option_has_a_help_text() -> None:
    import typer.main  # noqa: PLC0415

    def check(command: object, path: str) -> None:
        assert getattr(command, "help", None), path
        for parameter in getattr(command, "params", []):
            if parameter.name not in ("help", "install_completion", "show_completion"):
                assert parameter.help, f"{path} {parameter.name}"
        for name, inner in getattr(command, "commands", {}).items():
            check(inner, f"{path} {name}")

    check(typer.main.get_command(app), "lcagent")
