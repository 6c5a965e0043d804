"""What names mean: files, folders, globs and ids of stored documents."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from lcagent.documents import Document, Page
from lcagent.errors import UsageError
from lcagent.retrieval.sources import StoredId, resolve
from lcagent.storage.database import open_database
from lcagent.storage.document_store import DocumentStore

IDS = ("a" * 63 + "1", "a" * 63 + "2", "b" * 64)


@pytest.fixture
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DocumentStore]:
    database = open_database(f"sqlite:///{tmp_path_factory.mktemp('home') / 'store.db'}")
    store = DocumentStore(database)
    for key in IDS:
        store.save(Document(key, "book.txt", "text/plain", "text/1", (Page(0, "Text."),)))
    yield store
    database.close()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder with documents of all kinds, which is the current one, too."""
    for name in ("b.txt", "a.PDF", "sub/c.md", "sub/.hidden.txt", ".git/d.txt", "picture.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("Text.")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_folder_means_its_documents_sorted_without_hidden_ones(
    folder: Path, store: DocumentStore
) -> None:
    wanted = ["a.PDF", "b.txt", "sub/c.md"]
    assert resolve([folder], store) == [folder / name for name in wanted]
    assert resolve(["."], store) == [Path(name) for name in wanted]


def test_links_in_a_folder_are_not_followed(
    folder: Path, store: DocumentStore, tmp_path_factory: pytest.TempPathFactory
) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (elsewhere / "secret.txt").write_text("Text.")
    (folder / "link.txt").symlink_to(elsewhere / "secret.txt")
    (folder / "links").symlink_to(elsewhere, target_is_directory=True)
    (folder / "sub" / "round").symlink_to(folder, target_is_directory=True)
    wanted = [folder / name for name in ("a.PDF", "b.txt", "sub/c.md")]
    assert resolve([folder], store) == wanted


def test_what_is_named_itself_may_be_hidden_linked_or_of_any_kind(
    folder: Path, store: DocumentStore
) -> None:
    (folder / "link").symlink_to(folder / "b.txt")
    names = [".git/d.txt", "link", "picture.png"]
    assert resolve(names, store) == [Path(name) for name in names]
    assert resolve([".git"], store) == [Path(".git/d.txt")]


def test_pipes_in_a_folder_are_left_out(folder: Path, store: DocumentStore) -> None:
    os.mkfifo(folder / "pipe.txt")
    assert folder / "pipe.txt" not in resolve([folder], store)
    assert resolve(["*.txt"], store) == [Path("b.txt")]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may open everything")
def test_a_folder_that_cannot_be_opened_is_a_source_that_will_fail(
    folder: Path, store: DocumentStore
) -> None:
    (folder / "sub").chmod(0)
    try:
        assert resolve([folder], store) == [folder / "a.PDF", folder / "b.txt", folder / "sub"]
    finally:
        (folder / "sub").chmod(0o700)


@pytest.mark.parametrize(
    ("pattern", "wanted"),
    [
        ("*.txt", ["b.txt"]),
        ("**/*.md", ["sub/c.md"]),
        ("[ab].*", ["a.PDF", "b.txt"]),
        ("*", ["a.PDF", "b.txt", "picture.png"]),
    ],
)
def test_a_glob_means_the_files_it_matches_sorted(
    pattern: str, wanted: list[str], folder: Path, store: DocumentStore
) -> None:
    assert resolve([pattern], store) == [Path(name) for name in wanted]
    assert resolve([folder / pattern], store) == [folder / name for name in wanted]


@pytest.mark.parametrize("pattern", ["**/*.txt", "./**/*.txt", "**", "sub/**/*.txt"])
def test_a_glob_enters_a_folder_once_however_links_lead_to_it(
    pattern: str, folder: Path, store: DocumentStore
) -> None:
    (folder / "sub" / "deep.txt").write_text("Text.")
    for name in ("a", "b", "sub/c"):
        (folder / name).symlink_to(folder, target_is_directory=True)
    found = resolve([pattern], store)
    assert len(found) == len({Path(str(path)).resolve() for path in found})
    assert (folder / "sub" / "deep.txt") in {Path(str(path)).resolve() for path in found}
    absolute = resolve([str(folder / pattern)], store)
    assert {Path(str(path)).resolve() for path in absolute} == {
        Path(str(path)).resolve() for path in found
    }


def test_a_name_with_the_characters_of_a_glob_is_first_of_all_a_name(
    folder: Path, store: DocumentStore
) -> None:
    (folder / "[ab].txt").write_text("Text.")
    assert resolve(["[ab].txt"], store) == [Path("[ab].txt")]


def test_a_tilde_is_the_home_or_part_of_a_name(
    folder: Path, store: DocumentStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(folder))
    (folder / "~nobody.txt").write_text("Text.")
    assert resolve(["~/b.txt"], store) == [folder / "b.txt"]
    assert resolve(["~/b*"], store) == [folder / "b.txt"]
    assert resolve(["~nobody.txt"], store) == [Path("~nobody.txt")]


def test_an_id_may_be_short_but_must_mean_one_document(store: DocumentStore) -> None:
    assert resolve(["b" * 8, IDS[0]], store) == [StoredId(IDS[2]), StoredId(IDS[0])]
    with pytest.raises(UsageError, match="2 stored documents"):
        resolve(["a" * 8], store)


def test_a_file_that_is_called_like_an_id_is_a_file(folder: Path, store: DocumentStore) -> None:
    (folder / ("b" * 8)).write_text("Text.")
    assert resolve(["b" * 8], store) == [Path("b" * 8)]


def test_what_is_named_twice_comes_once_in_the_order_of_the_names(
    folder: Path, store: DocumentStore
) -> None:
    names = [folder / "sub" / "c.md", folder / "b.txt", folder]
    assert resolve(names, store) == [*names[:2], folder / "a.PDF"]


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("nothing.pdf", "no such file: nothing.pdf"),
        ("", "is empty"),
        ("*.epub", "no file matches"),
        ("c" * 8, "no stored document"),
        ("b" * 7, "no such file, and no stored document with the id"),
        ("nothing", "no such file, and no stored document with the id nothing"),
        ("x" * 300, "cannot be opened"),
        ("~nobody-at-all/a.txt", "no such file"),
        ("empty", "no documents in the folder empty"),
    ],
)
def test_what_means_nothing_is_refused(name: str, says: str, store: DocumentStore) -> None:
    Path("empty").mkdir()
    with pytest.raises(UsageError, match=says):
        resolve([name], store)
