"""`-o` destroys nothing: no source, no file of the user's, no link, no permission."""

import os
import stat
from pathlib import Path

import pytest

from lcagent.errors import UsageError
from lcagent.pipelines import Session, summarize_async, write_async
from lcagent.pipelines.output_files import OutputFile
from lcagent.pipelines.text_files import check_output, replace_file
from lcagent.testing import ScriptedModel

pytestmark = pytest.mark.anyio

NOTES = "The lamp was lit by Osla Brand. " * 20
MINE = "what only the user has"


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    """Return a document that is the only copy of itself."""
    path = tmp_path / "notes.md"
    path.write_text(NOTES, encoding="utf-8")
    return path


async def _summarize(session: Session, source: object, output: Path, **options: object) -> None:
    await summarize_async(
        source,  # type: ignore[arg-type] -- as a user names it
        words=60,
        output=output,
        session=session,
        **options,  # type: ignore[arg-type]
    )


def _link(path: Path, kind: str) -> Path:
    other = path.with_name(f"other-{kind}.md")
    match kind:
        case "hard":
            other.hardlink_to(path)
        case "symbolic":
            other.symlink_to(path)
        case _:
            return path.parent / "x" / ".." / path.name
    return other


@pytest.mark.parametrize("kind", ["same", "hard", "symbolic"])
@pytest.mark.parametrize("may_overwrite", [False, True])
async def test_a_source_is_never_written_over_whatever_it_is_called(
    notes: Path, session: Session, kind: str, may_overwrite: bool
) -> None:
    (notes.parent / "x").mkdir()
    with pytest.raises(UsageError, match="one of the sources"):
        await _summarize(session, notes, _link(notes, kind), may_overwrite=may_overwrite)
    assert notes.read_text(encoding="utf-8") == NOTES


@pytest.mark.parametrize("kind", ["folder", "glob", "id"])
async def test_a_source_is_known_by_whatever_names_it(
    notes: Path, session: Session, kind: str
) -> None:
    (document,) = (await session.collect(notes)).documents
    source = {"folder": notes.parent, "glob": notes.parent / "*.md", "id": document.id}[kind]
    with pytest.raises(UsageError, match="one of the sources"):
        await _summarize(session, source, notes, may_overwrite=True)
    assert notes.read_text(encoding="utf-8") == NOTES


async def test_a_file_of_the_users_is_replaced_only_where_asked_for(
    notes: Path, session: Session, tmp_path: Path
) -> None:
    output = tmp_path / "mine.md"
    output.write_text(MINE, encoding="utf-8")
    with pytest.raises(UsageError, match="--force"):
        await _summarize(session, notes, output)
    assert output.read_text(encoding="utf-8") == MINE
    assert session.services.runs.listed() == []
    await _summarize(session, notes, output, may_overwrite=True)
    assert "Osla Brand" in output.read_text(encoding="utf-8")


async def test_what_a_run_wrote_is_replaced_until_the_user_changes_it(
    notes: Path, session: Session, tmp_path: Path
) -> None:
    output = tmp_path / "ours.md"
    await _summarize(session, notes, output)
    await _summarize(session, notes, output)
    written = output.read_text(encoding="utf-8")
    output.write_text(f"{written}{MINE}", encoding="utf-8")
    with pytest.raises(UsageError, match="not as lcagent wrote it"):
        await _summarize(session, notes, output)
    assert MINE in output.read_text(encoding="utf-8")


async def test_a_copy_elsewhere_of_what_a_run_wrote_is_the_users(
    notes: Path, session: Session, tmp_path: Path
) -> None:
    output, kept = tmp_path / "ours.md", tmp_path / "kept.md"
    await _summarize(session, notes, output)
    kept.write_bytes(output.read_bytes())
    with pytest.raises(UsageError, match="--force"):
        await _summarize(session, notes, kept)


async def test_a_text_is_refused_before_the_model_is_asked(
    session: Session, tmp_path: Path
) -> None:
    model = ScriptedModel(lambda _: "A word.")
    output = tmp_path / "mine.html"
    output.write_text(MINE, encoding="utf-8")
    for plan_only in (False, True):
        with pytest.raises(UsageError, match="--force"):
            await write_async(
                "A note", model=model, output=output, plan_only=plan_only, session=session
            )
    assert model.requests == []


def test_what_the_user_changed_while_a_text_grew_stays(session: Session, tmp_path: Path) -> None:
    output = OutputFile(str(tmp_path / "text.md"), session.services.outputs)
    output.check([])
    output.save("one")
    output.save("one, two")
    Path(output.path).write_text(MINE, encoding="utf-8")
    with pytest.raises(UsageError, match="move it away"):
        output.save("one, two, three")
    assert Path(output.path).read_text(encoding="utf-8") == MINE


def test_a_link_is_followed_and_stays(session: Session, tmp_path: Path) -> None:
    (tmp_path / "far").mkdir()
    link, target = tmp_path / "text.md", tmp_path / "far" / "text.md"
    link.symlink_to(target)
    check_output(link)
    output = OutputFile(str(link), session.services.outputs)
    output.check([])
    output.save("one")
    output.save("two")
    assert link.is_symlink()
    assert target.read_text(encoding="utf-8") == "two\n"


@pytest.mark.parametrize(
    "spoil",
    [
        lambda path: path.chmod(0o444),
        lambda path: path.parent.chmod(0o555),
        lambda path: (path.unlink(), path.symlink_to(path)),
        lambda path: (path.unlink(), path.symlink_to("/dev/null")),
        lambda path: (path.unlink(), os.mkfifo(path)),
        lambda path: (path.unlink(), path.mkdir()),
        lambda path: (path.unlink(), path.symlink_to(path.parent / "nowhere" / "text.md")),
    ],
    ids=["read-only", "folder", "loop", "device", "fifo", "a folder", "nowhere"],
)
def test_what_may_not_be_written_is_refused_before_any_work(tmp_path: Path, spoil: object) -> None:
    (tmp_path / "in").mkdir()
    path = tmp_path / "in" / "text.md"
    path.write_text(MINE, encoding="utf-8")
    spoil(path)  # type: ignore[operator]
    try:
        with pytest.raises(UsageError):
            check_output(path)
    finally:
        path.parent.chmod(0o755)


@pytest.mark.parametrize(("length", "is_possible"), [(255, True), (256, False), (5_000, False)])
def test_a_name_is_tried_before_any_work(
    tmp_path: Path, session: Session, length: int, is_possible: bool
) -> None:
    path = tmp_path / f"{'a' * (length - 3)}.md"
    if not is_possible:
        with pytest.raises(UsageError, match="cannot be written"):
            check_output(path)
        return
    check_output(path)
    assert list(tmp_path.iterdir()) == [tmp_path / "lcagent-home"] or not path.exists()
    OutputFile(str(path), session.services.outputs).save("one")
    assert path.read_text(encoding="utf-8") == "one\n"


def test_a_name_with_a_nul_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be written"):
        check_output(tmp_path / "a\0b.md")


def test_what_a_killed_run_left_is_removed_by_the_next(
    session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "text.md"
    monkeypatch.setattr(Path, "replace", lambda *_: None)  # as if it were killed just before
    replace_file(path, b"half")
    monkeypatch.undo()
    (left,) = tmp_path.glob(".lcagent-*.part")
    os.utime(left, (1, 1))
    other = tmp_path / ".lcagent-another-file.part"
    other.write_bytes(b"")
    OutputFile(str(path), session.services.outputs).check([])
    assert not left.exists()
    assert other.exists()
    assert not path.exists()


def test_a_run_that_is_killed_while_it_writes_finds_its_own_file_again(
    session: Session, tmp_path: Path
) -> None:
    output = OutputFile(str(tmp_path / "text.md"), session.services.outputs)
    output.save("one")
    again = OutputFile(output.path, session.services.outputs)
    again.check([])
    again.save("one, two")
    assert stat.S_IMODE(Path(output.path).stat().st_mode) == 0o666 & ~_umask()


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
