"""`lcagent write`: plans that come back edited, files, and refusals before anything is paid for."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import docx
import pytest

SAMPLE = Path(__file__).parents[2] / "examples" / "sample.pdf"


@pytest.fixture(scope="module")
def base_url() -> Iterator[str]:
    """Yield the URL of a server that plans and writes."""
    command = (sys.executable, "-m", "lcagent.testing", "--script", "writer")
    with subprocess.Popen(command, stdout=subprocess.PIPE) as server:
        assert server.stdout is not None
        yield server.stdout.readline().decode().strip()
        server.kill()


@pytest.fixture
def write(call: Callable[..., Any], base_url: str) -> Callable[..., Any]:
    """Return what runs `lcagent write` with the scripted writer."""

    def write(*arguments: str | Path) -> Any:
        model = ("-m", "openai:scripted", "--base-url", base_url, "--window", "16000")
        return call("write", *arguments, *model)

    return write


def test_a_report_from_a_document_with_its_sources(
    write: Callable[..., Any], tmp_path: Path
) -> None:
    report = tmp_path / "report.md"
    done = write("A report on the tide mill", "--from", SAMPLE, "--words", "1200", "-o", report)
    done.assert_done()
    text = report.read_text(encoding="utf-8")
    assert "## Sources\n\n[1] sample.pdf, p. " in text
    assert done.out.startswith(f"{report}: 1,2")


def test_a_plan_can_be_edited_and_written_by(write: Callable[..., Any], tmp_path: Path) -> None:
    planned = write("The tides", "--words", "1500", "--plan-only")
    planned.assert_done()
    lines = planned.out.strip().splitlines()
    assert len(lines) == 3
    plan = tmp_path / "plan.txt"
    plan.write_text("\n".join([lines[2], lines[0]]), encoding="utf-8")
    article = json.loads(write("The tides", "--plan", plan, "--json").out)
    assert [one["planned_words"] for one in article["plan"]] == [500, 500]
    assert article["plan"][0]["point"] in lines[2]
    assert article["schema"] == "lcagent.article/1"


def test_the_text_is_printed_as_it_grows_and_once(write: Callable[..., Any]) -> None:
    done = write("The tides", "--words", "600")
    article = json.loads(write("The tides", "--words", "600", "--json").out)
    assert done.out.strip() == article["text"].strip()
    assert "S_l 100.0" in done.err


@pytest.mark.parametrize("suffix", ["docx", "html"])
def test_other_formats(write: Callable[..., Any], tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"text.{suffix}"
    write("The tides", "--words", "400", "-o", path).assert_done()
    if suffix == "docx":
        assert docx.Document(str(path)).paragraphs
    else:
        assert path.read_text(encoding="utf-8").startswith("<!doctype html>")


def test_a_dry_run_asks_nothing(write: Callable[..., Any]) -> None:
    done = write("The tides", "--words", "3000", "--dry-run", "--max-calls", "0", "--json")
    plan = json.loads(done.out)
    assert (plan["strategy"], plan["calls"], plan["depth"]) == ("write", 7, 7)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("",), "empty"),
        (("The tides", "--words", "5"), "20 to"),
        (("The tides", "-o", "text.pdf"), "text.pdf"),
        (("The tides", "--paragraph-words", "many"), "200-1000"),
        (("The tides", "--plan", "nowhere.txt"), "nowhere.txt"),
        (("The tides", "--plan", "README.md"), "no line like"),
        (("The tides", "--plan", os.devnull), "the plan is empty"),
    ],
)
def test_wrong_usage_is_refused(
    write: Callable[..., Any], arguments: tuple[str, ...], words: str
) -> None:
    write(*arguments).assert_refused(2, words)


def test_without_a_model_it_says_what_to_do(call: Callable[..., Any]) -> None:
    call("write", "The tides", "--from", SAMPLE).assert_refused(2, "language model", "summarize")
