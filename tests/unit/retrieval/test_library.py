"""Documents are read once by their content; what cannot be read is left out and named."""

import asyncio
import os
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from lcagent.documents import Document
from lcagent.errors import PasswordNeeded, UnreadableDocument, UsageError
from lcagent.retrieval import library as library_module
from lcagent.retrieval.library import Collection, Library, content_hash
from lcagent.retrieval.sources import Source, StoredId
from lcagent.storage.database import open_database
from lcagent.storage.document_store import DocumentStore

TEXT = "The ferry leaves at noon."


@pytest.fixture
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    database = open_database(f"sqlite:///{tmp_path_factory.mktemp('home') / 'store.db'}")
    yield Library(DocumentStore(database))
    database.close()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "ferry.txt"
    path.write_text(TEXT)
    return path


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    path = tmp_path / "broken.pdf"
    path.write_bytes(b"%PDF-1.7\n")
    return path


def _collect(library: Library, *sources: Source) -> Collection:
    return asyncio.run(library.collect(sources))


def test_a_second_call_starts_no_reading_process(
    library: Library, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (read,) = _collect(library, file).documents
    monkeypatch.setattr(sys, "executable", "/nothing/to/run")
    assert _collect(library, file).documents == (read,)
    file.write_text(TEXT + " And at six.")
    with pytest.raises(ExceptionGroup):
        _collect(library, file)


def test_a_document_of_an_older_reader_is_read_again(library: Library, file: Path) -> None:
    (read,) = _collect(library, file).documents
    library.store.save(replace(read, reader="text/0", pages=()))
    assert _collect(library, file).documents == (read,)
    assert library.store.load(read.id) == read


def test_a_document_asked_again_stays_in_memory_as_long_as_it_is_stored_unchanged(
    library: Library, file: Path
) -> None:
    _collect(library, file)
    (first,), (second,) = (_collect(library, file).documents for _ in range(2))
    assert second.pages is first.pages
    recognised = replace(first.pages[0], text="Read from a picture.", is_ocr=True)
    library.store.update_page(first.id, recognised)  # as another process would
    (third,) = _collect(library, StoredId(first.id)).documents
    assert third.pages[0].text == "Read from a picture."
    library.store.remove(first.id)
    with pytest.raises(ExceptionGroup) as caught:
        _collect(library, StoredId(first.id))
    assert caught.group_contains(UsageError)


def test_no_more_pages_stay_in_memory_than_may(
    library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(library_module, "KEPT_PAGES", 1)
    files = [tmp_path / name for name in ("a.txt", "b.txt")]
    for path in files:
        path.write_text(f"{TEXT} {path.name}")
        _collect(library, path)
    (first,) = _collect(library, files[0]).documents
    assert _collect(library, files[0]).documents[0].pages is first.pages
    _collect(library, files[1])
    (again,) = _collect(library, files[0]).documents
    assert again == first
    assert again.pages is not first.pages


def test_progress_is_reported_only_where_something_is_read(library: Library, file: Path) -> None:
    for wanted in ([("ferry.txt", 1, 1)], []):
        reports: list[tuple[str, int, int]] = []
        asyncio.run(library.document(file, progress=lambda *report, to=reports: to.append(report)))
        assert reports == wanted


def test_the_same_content_under_two_names_is_one_document(library: Library, file: Path) -> None:
    copy = file.with_name("copy.txt")
    copy.write_text(TEXT)
    assert len(_collect(library, file, copy).documents) == 1
    assert len(library.store.listed()) == 1


def test_a_document_has_the_name_by_which_it_was_asked_for(library: Library, file: Path) -> None:
    copy = file.with_name("copy\n.txt")
    copy.write_text(TEXT)
    assert [one.name for one in _collect(library, file).documents] == ["ferry.txt"]
    assert [one.name for one in _collect(library, copy).documents] == ["copy\ufffd.txt"]


def test_a_broken_file_is_left_out_of_a_collection_and_named(
    library: Library, file: Path, broken: Path
) -> None:
    missing = file.with_name("missing.txt")
    collection = _collect(library, broken, file, missing)
    assert [document.name for document in collection.documents] == ["ferry.txt"]
    assert [unread.name for unread in collection.unread] == [str(broken), str(missing)]
    assert "cut off" in str(collection.unread[0].error)


def test_a_broken_file_is_not_stored(library: Library, broken: Path) -> None:
    with pytest.raises(UnreadableDocument, match=r"broken.pdf: the PDF is damaged"):
        _collect(library, broken)
    assert library.store.listed() == []


def test_several_broken_files_are_counted(library: Library, broken: Path) -> None:
    with pytest.raises(UnreadableDocument, match=r"none of the 2 files .*broken.pdf"):
        _collect(library, broken, broken.with_name("missing.pdf"))


def test_a_password_error_stays_one(library: Library, file: Path) -> None:
    file.write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage".encode("utf-16-le"))
    with pytest.raises(PasswordNeeded, match=r"ferry.txt: it is an encrypted"):
        _collect(library, file)


def test_a_stored_document_needs_no_file(library: Library, file: Path) -> None:
    (read,) = _collect(library, file).documents
    file.unlink()
    assert _collect(library, StoredId(read.id)).documents == (read,)


def test_an_id_that_is_not_stored_is_refused(library: Library) -> None:
    with pytest.raises(UsageError, match="no stored document"):
        asyncio.run(library.document(StoredId("c" * 64)))


@pytest.mark.parametrize("kind", ["pipe", "device", "folder", "missing"])
def test_only_files_have_a_content(kind: str, tmp_path: Path) -> None:
    path = Path("/dev/zero") if kind == "device" else tmp_path / kind
    if kind == "pipe":
        os.mkfifo(path)
    if kind == "folder":
        path.mkdir()
    with pytest.raises(UnreadableDocument, match=str(path)):
        content_hash(path)


class _CountingStore(DocumentStore):
    saves = 0

    def save(self, document: Document) -> None:
        self.saves += 1
        super().save(document)


def test_questions_asked_at_once_read_a_new_document_once(library: Library, file: Path) -> None:
    store = _CountingStore(library.store._database)
    library = replace(library, store=store)

    async def ten_times() -> list[Collection]:
        return await asyncio.gather(*(library.collect([file]) for _ in range(10)))

    assert len({id(one) for one in asyncio.run(ten_times())}) == 10
    assert store.saves == 1
    assert library._at_work == {}


def test_files_of_one_name_are_told_apart_by_their_folders(
    library: Library, tmp_path: Path
) -> None:
    paths = [tmp_path / "log" / year / "bills" / "rope.txt" for year in ("2023", "2024")]
    for path in (*paths, tmp_path / "other.txt"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"Rope, {path.parent.parent.name}.")
    names = [each.name for each in _collect(library, *paths, tmp_path / "other.txt").documents]
    assert names == ["2023/bills/rope.txt", "2024/bills/rope.txt", "other.txt"]


def test_stored_documents_of_one_name_are_told_apart_by_their_ids(
    library: Library, tmp_path: Path
) -> None:
    paths = [tmp_path / year / "rope.txt" for year in ("2023", "2024")]
    for path in paths:
        path.parent.mkdir()
        path.write_text(f"Rope, {path.parent.name}.")
    ids = [StoredId(each.id) for each in _collect(library, *paths).documents]
    names = [each.name for each in _collect(library, *ids).documents]
    assert names == [f"rope.txt ({each.document_id[:8]})" for each in ids]


def test_a_copy_of_a_file_is_no_second_document_of_its_name(
    library: Library, tmp_path: Path
) -> None:
    paths = [tmp_path / folder / "rope.txt" for folder in ("a", "b")]
    for path in paths:
        path.parent.mkdir()
        path.write_text("Rope.")
    assert [each.name for each in _collect(library, *paths).documents] == ["rope.txt"]
