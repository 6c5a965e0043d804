"""LlamaIndex: our search as its retriever, its readers as ours."""

import asyncio
from pathlib import Path

import pytest

from lcagent.errors import UnreadableDocument
from lcagent.pipelines import Runtime
from lcagent.retrieval.reading.formats import other_type, reader_for, reader_version
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
    with Runtime.open(load_settings(embedder="none")) as runtime:
        documents = asyncio.run(runtime.collect(book)).documents
        retriever = LlamaIndexRetriever(runtime.retriever.over(documents), top_k=1)
        (node,) = retriever.retrieve("When does the ferry leave?")
    assert "leaves at noon" in node.get_content()
    assert node.metadata["document"] == "book.md"
    assert "Ferry" in node.metadata["section"]
    assert node.node.to_dict()["start_char_idx"] is not None


def test_a_reader_of_llama_index_reads_what_ours_do_not(slides: Path) -> None:
    settings = load_settings(embedder="none", reader="slide_reader.SlideReader")
    with Runtime.open(settings) as runtime:
        (document,) = asyncio.run(runtime.collect(slides)).documents
        assert [(page.number, page.text) for page in document.pages] == [
            (1, "The lamp is red."),
            (2, "The ferry leaves at noon."),
        ]
        (again,) = asyncio.run(runtime.collect(slides)).documents
    assert again.reader == "llama-index:slide_reader.SlideReader"


def test_without_such_a_reader_the_file_is_refused(slides: Path) -> None:
    with (
        Runtime.open(load_settings(embedder="none")) as runtime,
        pytest.raises(UnreadableDocument, match=r"talk\.slides"),
    ):
        asyncio.run(runtime.collect(slides))


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
