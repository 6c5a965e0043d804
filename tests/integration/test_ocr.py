"""Text on pages that are pictures, with the real RapidOCR."""

import asyncio
import io
from dataclasses import replace
from pathlib import Path

import pypdfium2
import pytest
from PIL import Image
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas

from lcagent.documents import Document
from lcagent.pipelines import Session, ask
from lcagent.settings import load_settings

pytest.importorskip("rapidocr", reason="the extra ocr is not installed")

LINES = ["The keeper was Hector Vance", "The stair has 163 steps"]


def _scan(path: Path) -> Path:
    """Make a PDF whose two pages are pictures of a line of text each."""
    drawn = io.BytesIO()
    canvas = Canvas(drawn, pagesize=(300, 100))
    for line in LINES:
        canvas.setFont("Helvetica", 16)
        canvas.drawString(20, 40, line)
        canvas.showPage()
    canvas.save()
    scan = Canvas(str(path), pagesize=(300, 100))
    for page in pypdfium2.PdfDocument(drawn.getvalue()):
        picture = ImageReader(page.render(scale=3).to_pil())
        scan.drawImage(picture, 0, 0, 300, 100)
        scan.showPage()
    scan.save()
    return path


def _collect(session: Session, path: Path, *, ocr: bool) -> Document:
    return asyncio.run(session.collect(path, ocr=ocr)).documents[0]


def test_a_scan_is_named_as_unread_and_answered_once_it_is_recognised(tmp_path: Path) -> None:
    scan = _scan(tmp_path / "scan.pdf")
    with Session.open(load_settings(embedder="none")) as session:
        before = ask(scan, "Who was the keeper?", session=session)
        assert before.outcome == "nearest"
        assert before.coverage.pages_without_text == (1, 2)
        assert any("--ocr" in note for note in before.notes)
        after = ask(scan, "Who was the keeper?", ocr=True, session=session)
        (citation,) = after.citations
        assert (citation.page, citation.is_ocr, citation.status) == (1, True, "exact")
        assert "Hector Vance" in citation.quote
        (box,) = citation.boxes
        assert box[0] == pytest.approx(20, abs=5)
        assert 40 < box[1] < box[3] < 72


def test_a_page_that_was_recognised_is_not_recognised_again(tmp_path: Path) -> None:
    scan = _scan(tmp_path / "scan.pdf")
    with Session.open(load_settings(embedder="none")) as session:
        document = _collect(session, scan, ocr=False)
        kept = replace(document.pages[0], text="As it was kept.", problem=None, is_ocr=True)
        session.services.documents.update_page(
            document.id, kept
        )  # a run that was killed behind page 1
        first, second = _collect(session, scan, ocr=True).pages
    assert first.text == "As it was kept."
    assert "163 steps" in second.text


def test_a_picture_without_writing_is_read_once_and_not_named_as_unread(tmp_path: Path) -> None:
    photograph = tmp_path / "photograph.pdf"
    canvas = Canvas(str(photograph), pagesize=(300, 100))
    canvas.drawImage(ImageReader(Image.new("RGB", (300, 100), "navy")), 0, 0, 300, 100)
    canvas.save()
    with Session.open(load_settings(embedder="none")) as session:
        answer = ask(photograph, "Who was the keeper?", ocr=True, session=session)
        (page,) = _collect(session, photograph, ocr=False).pages
    assert (page.problem, page.is_ocr) == ("blank", False)
    assert answer.coverage.left_out == ()
    assert not any("--ocr" in note for note in answer.notes)
