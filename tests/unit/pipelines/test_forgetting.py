"""A document is forgotten: what else knows it is said, and removed where asked for."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from lcagent.cli import app
from lcagent.engine.engine import MANIFEST
from lcagent.errors import UsageError
from lcagent.pipelines import Session, ask_async, remove_documents
from lcagent.settings import load_settings
from lcagent.testing import ScriptedModel

pytestmark = pytest.mark.anyio

KEEPER = "Osla Brand"
TEXT = f"The lantern of the chapel was lit by {KEEPER} in the winter of 1931. " * 12
OTHER = "The bell of the school was repaired by Ivar Dunmore in the spring of 1932. " * 12


@pytest.fixture(autouse=True)
def words_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """Search without an embedder."""
    monkeypatch.setenv("LCAGENT_EMBEDDER", "none")


async def _ask(path: Path, text: str, question: str) -> None:
    path.write_text(text, encoding="utf-8")
    said = text.partition(".")[0] + "."
    async with Session.open() as session:
        await ask_async(path, question, session=session)
        model = ScriptedModel(lambda _: said)
        await ask_async(path, question, model=model, strategy="rag", session=session)


@pytest.fixture
async def two(tmp_path: Path) -> tuple[Path, Path]:
    """Return two documents that were asked about, each without and with a model."""
    secret, other = tmp_path / "secret.txt", tmp_path / "other.txt"
    await _ask(secret, TEXT, "Who lit the lantern of the chapel?")
    await _ask(other, OTHER, "Who repaired the bell of the school?")
    return secret, other


def _memory(home: Path, name: str) -> Path:
    folder = home / "memories" / name
    folder.mkdir(parents=True)
    (folder / MANIFEST).write_text("{}", encoding="utf-8")
    return folder


def _everything(home: Path) -> str:
    with closing(sqlite3.connect(home / "lcagent.db")) as store, store:
        return "\n".join(store.iterdump())


async def test_what_else_knows_a_document_is_said(
    two: tuple[Path, Path], own_home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with Session.open() as session:
        (document,) = [
            each for each in session.services.documents.listed() if each.name == "secret.txt"
        ]
    memory = _memory(own_home, f"secret-{document.id[:8]}")
    assert app.run(["docs", "rm", str(two[0])]) == 0
    printed = capsys.readouterr()
    assert printed.out == f"removed {document.id[:12]}  secret.txt\n"
    assert "still known to 2 runs, 1 reply of a model, 1 memory" in printed.err
    assert memory.exists()
    assert KEEPER in _everything(own_home)
    assert app.run(["docs", "rm", "--everything", document.id]) == 0
    assert not memory.exists()
    assert KEEPER not in _everything(own_home)


async def test_everything_is_removed_and_nothing_of_others(
    two: tuple[Path, Path], own_home: Path
) -> None:
    others = _memory(own_home, "other-01234567")
    (removed,) = remove_documents([two[0]], everything=True)
    assert removed.name == "secret.txt"
    assert len(removed.traces.runs) == 2
    left = _everything(own_home)
    assert KEEPER not in left
    assert "secret.txt" not in left
    assert "Ivar Dunmore" in left
    assert others.exists()
    with Session.open(load_settings()) as session:
        assert len(session.services.runs.listed()) == 2
        assert len(session.services.replies.keys()) == 1


async def test_a_document_that_nothing_else_knows_needs_no_word(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "a.txt"
    path.write_text(TEXT, encoding="utf-8")
    app.run(["docs", "add", str(path)])
    capsys.readouterr()
    assert app.run(["docs", "rm", str(path)]) == 0
    assert capsys.readouterr().err == ""


async def test_a_name_that_means_nothing_removes_nothing(two: tuple[Path, Path]) -> None:
    with pytest.raises(UsageError, match="no such file"):
        remove_documents([two[0], "nowhere.txt"], everything=True)
    with Session.open() as session:
        assert len(session.services.documents.listed()) == 2
