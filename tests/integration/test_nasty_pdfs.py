"""Real files that broke other tools, each through the whole command."""

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.integration.conftest import RunCommand

ROOT = Path(__file__).parents[2]
NASTY = Path(os.environ.get("LCAGENT_TEST_DATA", ROOT.parent / "shared" / "data")) / "nasty"
FILES = sorted(path.name for path in NASTY.glob("*")) or ["(none)"]
QUESTION = "What does this document say about revenue, dates and names?"
MOST_BYTES = 1_500_000_000
MOST_CPU_S = 30


@pytest.mark.parametrize("name", FILES)
def test_a_nasty_file_is_answered_or_refused_in_one_line(
    name: str, shared_data: Path, run: "RunCommand"
) -> None:
    finished = run("ask", shared_data / "nasty" / name, QUESTION, "--json")
    assert finished.peak_bytes < MOST_BYTES
    assert finished.cpu_s < MOST_CPU_S
    if finished.status == 0:
        finished.assert_done()
        assert json.loads(finished.out)["coverage"]["pages"] > 0
    else:
        finished.assert_refused(2, name)


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("opf_encryption_openpassword.pdf", "encrypted"),
        ("derived_truncated_half.pdf", "cut off"),
        ("artur_corrupted.pdf", "damaged"),
        ("opf_minimal_test.pdf", "damaged"),
        ("pdfjs_poppler-395-0-fuzzed.pdf", "damaged"),
    ],
)
def test_a_hopeless_file_is_refused_with_its_reason(
    name: str, says: str, shared_data: Path, call: "RunCommand"
) -> None:
    call("ask", shared_data / "nasty" / name, QUESTION).assert_refused(2, says)


@pytest.mark.parametrize(
    ("name", "password", "pages"),
    [
        ("pdfjs_print_protection.pdf", "1234", 1),
        ("qpdf_enc-R3_V2_U-view_O-master.pdf", "view", 30),
        ("pdfjs_issue6010_2.pdf", "æøå", 1),
    ],
)
def test_each_password_opens_its_file(
    name: str, password: str, pages: int, shared_data: Path, call: "RunCommand"
) -> None:
    path = shared_data / "nasty" / name
    call("ask", path, QUESTION).assert_refused(2, "--password")
    opened = _coverage(call("ask", path, QUESTION, "--password", password, "--json").out)
    assert opened["pages"] == pages


def test_a_report_with_a_broken_cross_reference_table_is_answered(
    shared_data: Path, call: "RunCommand"
) -> None:
    path = shared_data / "nasty" / "derived_bad_startxref.pdf"
    finished = call("ask", path, "In which state is Best Buy incorporated?", "--json")
    finished.assert_done()
    assert _coverage(finished.out)["pages"] == 75
    assert "Minnesota" in json.loads(finished.out)["answer"]


@pytest.mark.parametrize(
    ("name", "page"),
    [
        ("pdfjs_Pages-tree-refs.pdf", 2),
        ("opf_T02-02_002_page-tree-kids-links-recursive.pdf", 1),
    ],
)
def test_a_page_that_fails_is_named(
    name: str, page: int, shared_data: Path, call: "RunCommand"
) -> None:
    finished = call("ask", shared_data / "nasty" / name, QUESTION, "--json")
    left_out = [(one["page"], one["reason"]) for one in _coverage(finished.out)["left_out"]]
    assert (page, "unreadable") in left_out


def test_a_picture_is_said_to_be_one(shared_data: Path, call: "RunCommand") -> None:
    path = shared_data / "nasty" / "pypdf_imagemagick-CCITTFaxDecode.pdf"
    finished = call("ask", path, QUESTION, "--json")
    assert _coverage(finished.out)["pages_without_text"] == [1]
    assert "1 of 1 page is a picture" in finished.err


def _coverage(out: str) -> dict[str, Any]:
    return json.loads(out)["coverage"]
