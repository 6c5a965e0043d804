"""Texts as files: Markdown as it is, HTML, or DOCX; whole or not at all.

A file is written beside the one it replaces and takes its name when it is complete.
"""

import hashlib
import html
import importlib.util
import os
import re
import textwrap
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from io import BytesIO
from itertools import groupby
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Literal

import regex

from lcagent.errors import MissingExtra, UsageError
from lcagent.rendering import NOT_CONFIRMED, sign
from lcagent.results import Citation, Claim
from lcagent.visible_text import inert, printable


@dataclass(frozen=True, slots=True)
class Run:
    """Some characters of a block that look alike."""

    text: str
    is_bold: bool = False
    is_italic: bool = False


@dataclass(frozen=True, slots=True)
class Block:
    """A heading, an item of a list, or a paragraph.

    Attributes:
        level: Of a heading, from 1.
    """

    kind: Literal["heading", "item", "numbered item", "paragraph"]
    text: str
    level: int = 0

    def runs(self) -> Iterator[Run]:
        """Yield the text in pieces, the signs for bold and italic taken away."""
        end = 0
        for match in _EMPHASIS.finditer(self.text):
            if match.start() > end:
                yield Run(self.text[end : match.start()])
            yield Run(match["text"], len(match["sign"]) >= 2, len(match["sign"]) != 2)
            end = match.end()
        if end < len(self.text):
            yield Run(self.text[end:])


def blocks_of(text: str) -> Iterator[Block]:
    """Yield the blocks of a text; lines that follow each other are one paragraph."""
    held: list[str] = []
    for line in [*text.splitlines(), ""]:
        block = _block(line)
        if held and (block is not None or not line.strip()):
            yield Block("paragraph", " ".join(held))
            held = []
        if block is not None:
            yield block
        elif line.strip():
            held.append(line.strip())


def _block(line: str) -> Block | None:
    if heading := _HEADING.fullmatch(line):
        return Block("heading", heading["text"], len(heading["signs"]))
    if item := _ITEM.fullmatch(line):
        return Block("item", item["text"])
    if item := _NUMBERED.fullmatch(line):
        return Block("numbered item", item["text"])
    return None


_HEADING = regex.compile(r"(?P<signs>#{1,6})\s+(?P<text>.*?)\s*#*\s*")
_ITEM = regex.compile(r"\s*[-*+]\s+(?P<text>.*\S)\s*")
_NUMBERED = regex.compile(r"\s*\d{1,3}[.)]\s+(?P<text>.*\S)\s*")
_EMPHASIS = regex.compile(
    r"(?<![\w*])(?P<sign>\*{1,3})(?=\S)(?P<text>[^*\n]*[^*\s])(?P=sign)(?![\w*])"
)


OLDEST_UNFINISHED_S = 60.0
"""Nothing takes so long to be written: who wrote it was killed."""

MARKDOWN, HTML, DOCX = (".md", ".markdown", ".txt"), (".html", ".htm"), (".docx",)

_PAGE = """<!doctype html>
<html>
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>body {{ max-width: 42em; margin: 2em auto; padding: 0 1em; line-height: 1.5 }}</style>
</head>
<body>
{body}
</body>
</html>
"""


def check_output(path: str | Path) -> None:
    """Refuse a file that could not be written in the end, before anything is paid for.

    Raises:
        UsageError: Its name says no format of ours, or it cannot be written where it is.
        MissingExtra: DOCX needs an optional part.
    """
    path = Path(path)
    suffix = path.suffix.lower()
    if suffix not in (*MARKDOWN, *HTML, *DOCX):
        raise UsageError(f"{path.name}: texts are written as .md, .txt, .html or .docx")
    try:
        _try_to_write(path, file_behind(path))
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        name = textwrap.shorten(path.name, 60, placeholder="…") or path.name[:60]
        raise UsageError(f"{name} cannot be written: {reason}") from error
    if suffix in DOCX and importlib.util.find_spec("docx") is None:
        raise MissingExtra("writing DOCX", "docx")


def file_behind(path: str | Path) -> Path:
    """Return the file that is written: a symbolic link stays, what it points to is replaced."""
    return Path(os.path.realpath(path))


def _try_to_write(path: Path, target: Path) -> None:
    folder = target.parent
    if not folder.is_dir() or not _may_write(folder):
        raise UsageError(f"{folder}: there is no such folder, or it cannot be written to")
    if target.is_dir():
        raise UsageError(f"{path} is a folder")
    if not os.path.lexists(target):
        os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        target.unlink()
    elif not target.is_file():
        raise UsageError(f"{path} is no file that can be written, but a device or a link to itself")
    elif not _may_write(target):
        raise UsageError(f"{path} may not be written to: its permissions say so")


def _may_write(path: Path) -> bool:
    """Say whether permissions allow it; root is asked to respect them, too."""
    return bool(path.stat().st_mode & 0o222) and os.access(path, os.W_OK)


def save_text(path: str | Path, text: str) -> None:
    """Write a text of Markdown in the format that the name of the file says.

    Raises:
        OSError: The file cannot be written.
    """
    replace_file(file_behind(path), rendered(text, Path(path)))


def replace_file(path: Path, content: bytes) -> None:
    """Put a file in place of another, whole or not at all; owner and mode stay as they were.

    Raises:
        OSError: It cannot be written.
    """
    before = path.stat() if path.exists() else None
    with NamedTemporaryFile(
        dir=path.parent, prefix=_unfinished(path), suffix=".part", delete=False
    ) as file:
        beside = Path(file.name)
        try:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
            if before is not None:
                with suppress(OSError):  # only root can give files away
                    os.chown(beside, before.st_uid, before.st_gid)
            beside.chmod(before.st_mode & 0o777 if before else 0o666 & ~_umask())
            beside.replace(path)
        except BaseException:
            beside.unlink(missing_ok=True)
            raise


def remove_unfinished(path: Path) -> None:
    """Remove what runs left beside a file that were killed while they wrote it."""
    for beside in path.parent.glob(f"{_unfinished(path)}*.part"):
        with suppress(OSError):
            if time.time() - beside.stat().st_mtime > OLDEST_UNFINISHED_S:
                beside.unlink()


def _unfinished(path: Path) -> str:
    """Return how the names begin under which a file is written; short, as its own may be long."""
    return f".lcagent-{hashlib.sha256(os.fsencode(path.name)).hexdigest()[:12]}-"


def rendered(text: str, path: Path) -> bytes:
    """Return the bytes of a file that holds a text, and nothing that controls or runs."""
    suffix = path.suffix.lower()
    if suffix in DOCX:
        return _docx(printable(text))
    if suffix in HTML:
        return as_html(printable(text), printable(path.stem)).encode()
    said = printable(text) if suffix == ".txt" else inert(text)
    return f"{said.rstrip()}\n".encode()


def as_html(text: str, title: str) -> str:
    """Return a text as a page of HTML; whatever stands in it is text."""
    body = "\n".join(
        _list(kind, list(blocks)) if "item" in kind else "\n".join(map(_element, blocks))
        for kind, blocks in groupby(blocks_of(text), key=lambda block: block.kind)
    )
    return _PAGE.format(title=html.escape(title), body=body)


def _element(block: Block) -> str:
    tag = f"h{block.level}" if block.kind == "heading" else "p"
    return f"<{tag}>{_inline(block)}</{tag}>"


def _list(kind: str, blocks: list[Block]) -> str:
    tag = "ul" if kind == "item" else "ol"
    return "\n".join([f"<{tag}>", *(f"<li>{_inline(block)}</li>" for block in blocks), f"</{tag}>"])


def _inline(block: Block) -> str:
    return "".join(_pieces(block))


def _pieces(block: Block) -> Iterator[str]:
    for run in block.runs():
        escaped = html.escape(run.text)
        escaped = f"<em>{escaped}</em>" if run.is_italic else escaped
        yield f"<strong>{escaped}</strong>" if run.is_bold else escaped


def _docx(text: str) -> bytes:
    import docx  # noqa: PLC0415 -- an optional part

    document = docx.Document()
    styles = {"item": "List Bullet", "numbered item": "List Number", "paragraph": "Normal"}
    for block in blocks_of(text):
        if block.kind == "heading":
            paragraph = document.add_heading(level=min(block.level, 9))
        else:
            paragraph = document.add_paragraph(style=styles[block.kind])
        for run in block.runs():
            added = paragraph.add_run(_CONTROLS.sub("\ufffd", run.text))
            added.bold, added.italic = run.is_bold or None, run.is_italic or None
    file = BytesIO()
    document.save(file)
    return file.getvalue()


def _umask() -> int:
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


_CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
"""What no file of XML may hold."""


HEADING = "## Sources"
LONGEST_QUOTE = 300

_DOUBTS = {
    "misattributed": " (found on this page, not on the one cited)",
    "not_found": " (these words were not found in the sources)",
}


def source_list(citations: Sequence[Citation], claims: Sequence[Claim]) -> str:
    """Return the list of sources as it follows a text of Markdown; nothing without any."""
    if not citations:
        return ""
    return "\n\n".join(["", HEADING, *(_source(citation, claims) for citation in citations)])


def _source(citation: Citation, claims: Sequence[Claim]) -> str:
    where = [citation.document or "no such source"]
    if citation.page is not None:
        where.append(f"p. {citation.page}")
    elif citation.section:
        where.append(citation.section)
    quote = textwrap.shorten(" ".join(citation.quote.split()), LONGEST_QUOTE, placeholder="…")
    said = f": “{quote}”" if quote else ""
    is_doubted = sign(citation, claims) == NOT_CONFIRMED
    doubt = " (not confirmed: it does not say all of it)" if is_doubted else ""
    return f"[{citation.id}] {', '.join(where)}{said}{_DOUBTS.get(citation.status, doubt)}"
