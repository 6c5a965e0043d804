"""The store behaves the same on SQLite and on PostgreSQL."""

from dataclasses import replace

from lcagent.documents import Chunk, Document, HiddenText, Line, OutlineEntry, Page, Span
from lcagent.storage.database import Database
from lcagent.storage.document_store import DocumentStore
from lcagent.storage.profile_store import ProfileStore
from lcagent.storage.reply_store import ReplyStore
from lcagent.storage.run_store import RunStore, StoredStep
from lcagent.storage.search_store import SearchStore


def _document(key: str = "a", name: str = "book.pdf", body: str = "One. Two.") -> Document:
    pages = (
        Page(
            index=0,
            text=body,
            number=1,
            label="i",
            section="Preface",
            lines=(Line(0, 4, (10.0, 20.5, 30.0, 40.0)), Line(5, 9, (10.0, 50.0, 30.0, 60.2))),
            hidden=(HiddenText("psst", "tiny"),),
        ),
        Page(index=1, text="", number=2, problem="no text layer"),
        Page(index=2, text="第三回 賈雨村 🦊", number=3, is_ocr=True),
    )
    outline = (OutlineEntry("Preface", 1, 0),)
    return Document(key * 64, name, "application/pdf", "pdf/1", pages, outline, "A Book", "en")


def _without_lines(document: Document) -> list[Page]:
    return [replace(page, lines=()) for page in document.pages]


def test_a_document_comes_back_as_it_was(database: Database) -> None:
    store = DocumentStore(database)
    saved = _document()
    store.save(saved)
    loaded = store.load(saved.id)
    assert loaded is not None
    assert list(loaded.pages) == _without_lines(saved)
    assert loaded.outline == saved.outline
    assert (loaded.name, loaded.title, loaded.language) == ("book.pdf", "A Book", "en")
    assert store.with_lines(saved.id, loaded.pages[0]) == saved.pages[0]


def test_saving_again_replaces_the_older_reading(database: Database) -> None:
    store = DocumentStore(database)
    store.save(_document(body="Old."))
    store.save(_document(body="New."))
    loaded = store.load("a" * 64)
    assert loaded is not None
    assert loaded.pages[0].text == "New."
    assert [stored.page_count for stored in store.listed()] == [3]


def test_the_revision_of_a_document_changes_when_it_does(database: Database) -> None:
    store = DocumentStore(database)
    saved = _document()
    assert store.revision(saved.id) is None
    store.save(saved)
    assert store.revision(saved.id) == ("pdf/1", 3, 1)
    store.update_page(saved.id, Page(index=1, text="Seen.", number=2, is_ocr=True))
    assert store.revision(saved.id) == ("pdf/1", 3, 2)
    store.save(replace(saved, pages=(), reader="pdf/2"))
    assert store.revision(saved.id) == ("pdf/2", 0, 0)


def test_removing_a_document_takes_all_that_was_made_of_it(database: Database) -> None:
    store, search = DocumentStore(database), SearchStore(database)
    document = _document()
    store.save(document)
    store.save_chunks("rule", [Chunk(Span(document.id, 0, 0, 9), 0, "One. Two.")])
    search.save_terms(document.id, "1", b"terms")
    store.remove(document.id)
    assert store.load(document.id) is None
    assert store.load_chunks("rule", document) == []
    assert search.load_terms(document.id, "1") is None


def test_chunks_come_back_with_their_text(database: Database) -> None:
    store = DocumentStore(database)
    document = _document()
    store.save(document)
    chunks = [
        Chunk(Span(document.id, 0, 0, 4), 0, "One."),
        Chunk(Span(document.id, 0, 4, 9), 1, " Two."),
    ]
    store.save_chunks("rule", chunks)
    assert store.load_chunks("rule", document) == chunks
    assert store.load_chunks("another rule", document) == []


def test_a_new_reading_of_a_page_drops_what_was_made_of_the_old_one(database: Database) -> None:
    store, search = DocumentStore(database), SearchStore(database)
    document = _document()
    store.save(document)
    store.save_chunks("rule", [Chunk(Span(document.id, 0, 0, 9), 0, "One. Two.")])
    search.save_terms(document.id, "1", b"terms")
    recognised = Page(index=1, text="Recognised.", number=2, is_ocr=True)
    store.update_page(document.id, recognised)
    loaded = store.load(document.id)
    assert loaded is not None
    assert loaded.pages[1] == recognised
    assert loaded.pages[2].text == document.pages[2].text
    assert store.load_chunks("rule", loaded) == []
    assert search.load_terms(document.id, "1") is None


def test_ids_are_found_by_how_they_begin_and_wildcards_mean_themselves(database: Database) -> None:
    store = DocumentStore(database)
    for key in ("a", "b"):
        store.save(_document(key))
    assert store.with_prefix("aaaa") == ["a" * 64]
    assert store.with_prefix("%") == []


def test_vectors_are_kept_by_embedder_and_the_first_one_stays(database: Database) -> None:
    search = SearchStore(database)
    search.save_vectors("one", {"h1": b"1111", "h2": b"2222"})
    search.save_vectors("one", {"h2": b"xxxx", "h3": b"3333"})
    assert search.load_vectors("one", ["h1", "h2", "h3", "h4"]) == {
        "h1": b"1111",
        "h2": b"2222",
        "h3": b"3333",
    }
    assert search.load_vectors("another", ["h1"]) == {}


def test_more_vectors_than_a_database_takes_parameters_for(database: Database) -> None:
    search = SearchStore(database)
    keys = [f"{number:064d}" for number in range(1_201)]
    search.save_vectors("one", dict.fromkeys(keys, b"1234"))
    assert len(search.load_vectors("one", keys)) == 1_201


def _begin(runs: RunStore, number: int) -> str:
    run_id = f"{number}" * 32
    runs.begin(run_id, verb="ask", question=f"q{number}", strategy="quote", request={"k": number})
    return run_id


def test_runs_are_listed_newest_first(database: Database) -> None:
    runs = RunStore(database)
    for number in range(3):
        _begin(runs, number)
    assert [run.question for run in runs.listed(2)] == ["q2", "q1"]


def test_a_run_is_running_until_it_is_done(database: Database) -> None:
    runs = RunStore(database)
    run_id = _begin(runs, 1)
    (begun,) = runs.with_prefix("111")
    assert (begun.status, begun.result, begun.request) == ("running", None, {"k": 1})
    runs.update(run_id, status="done", result={"n": 1})
    (done,) = runs.with_prefix("111")
    assert (done.status, done.result, done.error) == ("done", {"n": 1}, None)


def test_a_step_that_is_done_again_replaces_itself(database: Database) -> None:
    runs = RunStore(database)
    run_id, other = _begin(runs, 1), _begin(runs, 2)
    for key, said in (("a", "first"), ("b", "second"), ("a", "again")):
        runs.record_step(run_id, StoredStep(key, {"text": said}, [{"usd": None}]))
    runs.record_step(other, StoredStep("a", {}, []))
    assert [(step.key, step.detail["text"]) for step in runs.steps(run_id)] == [
        ("b", "second"),
        ("a", "again"),
    ]


def test_a_stored_reply_stays_as_it_is(database: Database) -> None:
    replies = ReplyStore(database)
    assert replies.load("k") is None
    replies.save("k", "gpt", {"text": "one"})
    replies.save("k", "gpt", {"text": "two"})
    assert replies.load("k") == {"text": "one"}
    replies.discard("k")
    assert replies.load("k") is None


def test_the_newest_profile_of_a_model_on_a_server_is_kept(database: Database) -> None:
    profiles = ProfileStore(database)
    profiles.save("m", "http://a", {"gives_marks": True})
    profiles.save("m", "http://a", {"gives_marks": False})
    profiles.save("m", "http://b", {"gives_marks": True})
    assert profiles.load("m", "http://a") == {"gives_marks": False}
    assert profiles.load("m", "http://b") == {"gives_marks": True}
    assert profiles.load("n", "http://a") is None
