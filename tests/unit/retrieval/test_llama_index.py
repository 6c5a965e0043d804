"""LlamaIndex: our search as its retriever, its readers as ours."""

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from lcagent.documents import Document, Page, Span
from lcagent.errors import UnreadableDocument
from lcagent.pipelines import Session
from lcagent.retrieval.reading.reader import other_type, reader_for, reader_version
from lcagent.retrieval.search.retriever import SearchResults
from lcagent.selection import parse_pages
from lcagent.settings import load_settings

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

READER = """
class Document:
    def __init__(self, text, metadata):
        self.text, self.metadata = text, metadata

    def get_content(self):
        return self.text


class SlideReader:
    def load_data(self, file):
        return [
            Document(text, {"page_label": str(number)})
            for number, text in enumerate(file.read_text("latin-1").split("\\f")[1:], 1)
        ]


class Plain:
    def load_data(self, file):
        return [Document("One part.", {}), Document("Another.", {})]


class Broken:
    def load_data(self, file):
        raise RuntimeError("no such slide")
"""


@pytest.fixture
def slides(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a file of a kind that lcagent does not read, beside a reader that does."""
    (tmp_path / "slide_reader.py").write_text(READER, encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.syspath_prepend(str(tmp_path))
    path = tmp_path / "talk.slides"
    path.write_bytes(b"\x00\x01\x02\x03\x0cThe lamp is red.\x0cThe ferry leaves at noon.")
    return path


def test_our_search_is_a_retriever_of_llama_index(tmp_path: Path) -> None:
    from lcagent.retrieval.llama_index import LlamaIndexRetriever  # noqa: PLC0415 -- a second to import

    book = tmp_path / "book.md"
    book.write_text("# Light\n\nThe lamp is red.\n\n# Ferry\n\nThe ferry leaves at noon.\n")
    with Session.open(load_settings(embedder="none")) as session:
        documents = asyncio.run(session.collect(book)).documents
        retriever = LlamaIndexRetriever(session.services.indexer.over(documents), top_k=1)
        (node,) = retriever.retrieve("When does the ferry leave?")
    assert "leaves at noon" in node.get_content()
    assert node.metadata["document"] == "book.md"
    assert "Ferry" in node.metadata["section"]
    assert node.node.to_dict()["start_char_idx"] is not None


PAGES = ("The lamp is red.", "The ferry leaves at noon.", "The ferry leaves at six.")
BOOK = Document(
    "d", "book.pdf", "application/pdf", "pdf/1",
    tuple(Page(index, text, index + 1) for index, text in enumerate(PAGES)),
)  # fmt: skip


def _search(nodes: Sequence[tuple[str, Mapping[str, object]]], **options: Any) -> SearchResults:
    """Return what is found where LlamaIndex returns these nodes, the best first."""
    from llama_index.core.retrievers import BaseRetriever  # noqa: PLC0415 -- a second to import
    from llama_index.core.schema import NodeWithScore, QueryBundle, TextNode  # noqa: PLC0415

    from lcagent.retrieval.llama_index import LlamaIndexBackend  # noqa: PLC0415

    class Fixed(BaseRetriever):
        def _retrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:  # noqa: ARG002
            return [
                NodeWithScore(node=TextNode(text=text, metadata=metadata), score=1.0 - place / 10)
                for place, (text, metadata) in enumerate(nodes)
            ]

    return asyncio.run(LlamaIndexBackend(Fixed(), [BOOK]).search("When?", **options))


def test_a_retriever_of_llama_index_searches_for_us() -> None:
    found = _search([("ferry leaves at six", {}), ("The lamp", {}), ("noon", {})], top_k=2)
    assert [(one.span, one.text, one.score) for one in found.passages] == [
        (Span("d", 2, 4, 23), "ferry leaves at six", 1.0),
        (Span("d", 0, 0, 8), "The lamp", 0.9),
    ]
    assert found.passages[0].page is BOOK.pages[2]
    assert (found.chunks, found.chunks_read, found.notes) == (3, 3, ())


def test_the_metadata_of_a_node_tell_which_of_several_pages_is_meant() -> None:
    for metadata in ({"page": 3}, {"page_label": "3"}, {"file_name": "book.pdf", "page": "3"}):
        found = _search([("The ferry", metadata)])
        assert found.passages[0].span.page_index == 2
    other = _search([("The ferry", {"file_name": "another.pdf", "page": 3})])
    assert other.passages[0].span.page_index == 1


def test_nodes_that_stand_on_no_page_are_left_out_and_counted() -> None:
    found = _search([("The ferry sinks.", {}), ("The lamp", {}), ("", {})])
    assert [one.text for one in found.passages] == ["The lamp"]
    assert found.notes == ("2 of the 3 passages found stand on no page and were left out",)


def test_only_nodes_on_selected_pages_are_returned() -> None:
    found = _search([("The lamp", {}), ("six", {})], pages=parse_pages("3"))
    assert [one.text for one in found.passages] == ["six"]
    assert found.chunks_read == 1


def test_a_reader_of_llama_index_reads_what_ours_do_not(slides: Path) -> None:
    settings = load_settings(embedder="none", reader="slide_reader.SlideReader")
    with Session.open(settings) as session:
        (document,) = asyncio.run(session.collect(slides)).documents
        assert [(page.number, page.text) for page in document.pages] == [
            (1, "The lamp is red."),
            (2, "The ferry leaves at noon."),
        ]
        (again,) = asyncio.run(session.collect(slides)).documents
    assert again.reader == "llama-index:slide_reader.SlideReader"


def test_without_such_a_reader_the_file_is_refused(slides: Path) -> None:
    with (
        Session.open(load_settings(embedder="none")) as session,
        pytest.raises(UnreadableDocument, match=r"talk\.slides"),
    ):
        asyncio.run(session.collect(slides))


def test_a_reader_that_tells_no_pages_gives_parts(slides: Path) -> None:
    reading = reader_for(other_type("slide_reader.Plain"))(slides)
    assert [(page.number, page.section) for page in reading.pages] == [
        (None, "part 1"),
        (None, "part 2"),
    ]
    assert reader_version(other_type("a.B")) == "llama-index:a.B"


@pytest.mark.parametrize(
    ("class_path", "reason"),
    [
        ("slide_reader.Broken", "failed: RuntimeError: no such slide"),
        ("slide_reader.Missing", "no reader"),
        ("no_such_module.Reader", "no reader"),
        ("nodot", "no reader"),
    ],
)
def test_a_reader_that_fails_is_a_clear_error(slides: Path, class_path: str, reason: str) -> None:
    with pytest.raises(UnreadableDocument, match=reason):
        reader_for(other_type(class_path))(slides)
