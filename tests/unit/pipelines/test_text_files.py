"""Texts come out as Markdown, HTML or DOCX: whole, escaped, and in place of what was there."""

import stat
from pathlib import Path

import docx
import pytest

from lcagent.errors import UsageError
from lcagent.pipelines.text_files import as_html, blocks_of, check_output, save_text

TEXT = """## The ferry & the <tide>

It is **old** and *grey*, and costs 3 * 4 * 5 pounds
a <script>year</script>.

- one
- two

1. first

[1] book.pdf, p. 3: “old”"""


def test_html_is_escaped_and_has_headings_lists_and_emphasis() -> None:
    page = as_html(TEXT, "a & b")
    assert "<title>a &amp; b</title>" in page
    assert "<h2>The ferry &amp; the &lt;tide&gt;</h2>" in page
    assert "<strong>old</strong> and <em>grey</em>, and costs 3 * 4 * 5 pounds a &lt;script" in page
    assert "<ul>\n<li>one</li>\n<li>two</li>\n</ul>\n<ol>\n<li>first</li>\n</ol>" in page
    assert "<script" not in page


def test_docx_holds_every_block(tmp_path: Path) -> None:
    path = tmp_path / "text.docx"
    save_text(path, TEXT + "\n\nA bell \x07 rings.")
    document = docx.Document(str(path))
    found = [paragraph.text for paragraph in document.paragraphs]
    assert found[0] == "The ferry & the <tide>"
    assert found[1].startswith("It is old and grey")
    assert [paragraph.style.name for paragraph in document.paragraphs if paragraph.style][2:5] == [
        "List Bullet", "List Bullet", "List Number",
    ]  # fmt: skip
    assert "\ufffd" in found[-1]


def test_no_text_is_lost_between_blocks() -> None:
    blocks = list(blocks_of(TEXT))
    assert [block.kind for block in blocks] == [
        "heading", "paragraph", "item", "item", "numbered item", "paragraph",
    ]  # fmt: skip


def test_a_file_is_replaced_at_once_and_keeps_its_mode(tmp_path: Path) -> None:
    path = tmp_path / "text.md"
    path.write_text("old", encoding="utf-8")
    path.chmod(0o640)
    with path.open(encoding="utf-8") as before:
        save_text(path, "new")
        assert before.read() == "old"
    assert path.read_text(encoding="utf-8") == "new\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert list(tmp_path.glob(".*")) == []


def test_where_writing_fails_the_old_file_stays(tmp_path: Path) -> None:
    path = tmp_path / "text.md"
    path.write_text("old", encoding="utf-8")
    with pytest.raises(UnicodeEncodeError):
        save_text(path, "a lone surrogate: \ud800")
    assert path.read_text(encoding="utf-8") == "old"
    assert list(tmp_path.glob(".*")) == []


@pytest.mark.parametrize("name", ["text.pdf", "text", "nowhere/text.md"])
def test_a_file_that_cannot_be_written_is_refused_at_once(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError):
        check_output(tmp_path / name)


HOSTILE = "# Lamps\n\nIt \x1b]0;owned\x07 is\u202e <script>alert(1)</script> lit \x9b31m."


@pytest.mark.parametrize("name", ["a.md", "a.markdown", "a.txt", "a.html", "a.docx"])
def test_no_file_holds_what_controls_a_terminal_or_runs(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    save_text(path, HOSTILE)
    if name.endswith(".docx"):
        written = "\n".join(each.text for each in docx.Document(str(path)).paragraphs)
    else:
        written = path.read_text(encoding="utf-8")
    assert not any(each in written for each in "\x1b\x07\x9b\u202e")
    assert "⟨U+202E⟩" in written
    if name in ("a.md", "a.markdown"):
        assert "\\<script>" in written
    if name == "a.html":
        assert "<script" not in written


def test_markdown_fetches_no_picture_and_has_no_link_of_a_reply(tmp_path: Path) -> None:
    path = tmp_path / "a.md"
    save_text(path, "![a](http://there.example/?q=secret) [b](javascript:alert(1)) **c** [1]")
    written = path.read_text(encoding="utf-8")
    assert written.endswith("**c** [1]\n")
    assert "](" not in written
