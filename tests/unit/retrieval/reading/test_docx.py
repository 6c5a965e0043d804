"""Reading DOCX files."""

import zipfile
from pathlib import Path
from typing import Any

import docx
import pytest
from docx.document import Document
from docx.enum.style import WD_STYLE_TYPE
from docx.oxml import parse_xml

from lcagent.documents import HiddenText
from lcagent.errors import UnreadableDocument
from lcagent.retrieval.reading.docx import read
from lcagent.retrieval.reading.parts import LONGEST

W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'


def save(folder: Path, document: Document) -> Path:
    path = folder / "a.docx"
    document.save(str(path))
    return path


def document_of(*paragraphs: str) -> Document:
    """Return a document whose paragraphs hold these runs of WordprocessingML."""
    document = docx.Document()
    for position, runs in enumerate(paragraphs):
        document.element.body.insert(position, parse_xml(f"<w:p {W}>{runs}</w:p>"))
    return document


def text(folder: Path, document: Document) -> str:
    return "".join(page.text for page in read(save(folder, document)).pages)


def run(content: str, properties: str = "") -> str:
    return f"<w:r><w:rPr>{properties}</w:rPr><w:t>{content}</w:t></w:r>"


def test_headings_become_sections(tmp_path: Path) -> None:
    document = docx.Document()
    document.core_properties.title = "A Title"
    document.core_properties.language = "de"
    for heading, level in (("One", 1), ("Two", 2), ("Three", 1)):
        document.add_heading(heading, level)
        document.add_paragraph("text")
    reading = read(save(tmp_path, document))
    assert [page.section for page in reading.pages] == ["One", "One > Two", "Three"]
    assert [(entry.title, entry.level) for entry in reading.outline][:2] == [("One", 1), ("Two", 2)]
    assert (reading.title, reading.language) == ("A Title", "de")


def test_a_heading_by_outline_level_or_by_a_style_based_on_one_counts(tmp_path: Path) -> None:
    document = document_of('<w:pPr><w:outlineLvl w:val="0"/></w:pPr>' + run("One"), run("a"))
    style: Any = document.styles.add_style("My heading", WD_STYLE_TYPE.PARAGRAPH)
    style.base_style = document.styles["Heading 1"]
    document.add_paragraph("Two", style=style)
    document.add_paragraph("b")
    assert [page.section for page in read(save(tmp_path, document)).pages] == ["One", "Two"]


def test_paragraphs_and_tables_come_in_the_order_of_the_document(tmp_path: Path) -> None:
    document = docx.Document()
    document.add_paragraph("before")
    table = document.add_table(2, 2)
    for cell, content in zip(table._cells, ["Year", "Net", "2019", "1\n2"], strict=True):
        cell.text = content
    document.add_paragraph("after")
    assert text(tmp_path, document) == "before\n\nYear | Net\n2019 | 1 2\n\nafter"


def test_a_table_in_a_table_is_read_once(tmp_path: Path) -> None:
    document = docx.Document()
    outer = document.add_table(1, 1)
    outer.cell(0, 0).add_table(1, 1).cell(0, 0).text = "inner"
    assert text(tmp_path, document) == "inner"


def test_deletions_are_not_read_and_insertions_are(tmp_path: Path) -> None:
    runs = (
        f"<w:ins>{run('new')}</w:ins><w:del><w:r><w:delText>old</w:delText></w:r></w:del>"
        f"<w:moveFrom>{run('from')}</w:moveFrom><w:moveTo>{run(' to')}</w:moveTo>"
    )
    assert text(tmp_path, document_of(runs)) == "new to"


def test_hidden_runs_are_reported_and_not_read(tmp_path: Path) -> None:
    runs = (
        run("a")
        + run("secret", "<w:vanish/>")
        + run("b", '<w:vanish w:val="0"/>')
        + run("dust", '<w:sz w:val="2"/>')
    )
    (page,) = read(save(tmp_path, document_of(runs))).pages
    assert page.text == "ab"
    assert page.hidden == (HiddenText("secret", "invisible"), HiddenText("dust", "tiny"))


def test_tabs_breaks_and_special_hyphens_are_characters(tmp_path: Path) -> None:
    runs = "<w:r><w:t>a</w:t><w:tab/><w:t>b</w:t><w:br/><w:noBreakHyphen/><w:t>c</w:t></w:r>"
    assert text(tmp_path, document_of(runs)) == "a\tb\n-c"


def test_links_and_content_controls_are_read(tmp_path: Path) -> None:
    runs = (
        f"<w:hyperlink>{run('link')}</w:hyperlink>"
        f"<w:sdt><w:sdtPr/><w:sdtContent>{run(' field')}</w:sdtContent></w:sdt>"
    )
    assert text(tmp_path, document_of(runs)) == "link field"


def test_a_footnote_follows_the_paragraph_that_calls_it(tmp_path: Path) -> None:
    call = '<w:r><w:footnoteReference w:id="7"/></w:r>'
    path = save(tmp_path, document_of(run("a") + call, run("b")))
    notes = f'<w:footnotes {W}><w:footnote w:id="7"><w:p>{run("note")}</w:p></w:footnote>'
    with zipfile.ZipFile(path, "a") as file:
        file.writestr("word/footnotes.xml", f"{notes}</w:footnotes>")
    assert [page.text for page in read(path).pages] == ["a\n\n[1] note\n\nb"]


def test_a_long_document_without_headings_is_cut_at_paragraphs(tmp_path: Path) -> None:
    document = docx.Document()
    for _ in range(20):
        document.add_paragraph("Some words of a story. " * 30)
    pages = list(read(save(tmp_path, document), first_page=1).pages)
    assert pages[0].section == "paragraphs 8-13"
    assert all(len(page.text) <= LONGEST for page in pages)


def test_a_document_whose_main_part_is_broken_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.docx"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("word/document.xml", "<w:document")
    with pytest.raises(UnreadableDocument, match="document part is unreadable"):
        read(path)
