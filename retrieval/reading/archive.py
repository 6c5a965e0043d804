"""Zip archives (EPUB, DOCX), read with limits and never unpacked to disk.

`zipfile` reads no more of a member than the archive says it has, so that the sizes it states can
be trusted as upper bounds. Archives inside the archive stay closed.
"""

import lzma
import posixpath
import struct
import zipfile
import zlib
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import unquote
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from lcagent.errors import PasswordNeeded, UnreadableDocument

MAX_UNPACKED_BYTES = 512 * 1024 * 1024
MAX_RATIO = 200
_SMALL_BYTES = 32 * 1024 * 1024
"""Up to here any ratio is harmless."""
MAX_MEMBERS = 20_000
_DIRECTORY_BYTES = 1_000 * MAX_MEMBERS
"""Of the list of members, which is read whole before they can be counted."""
_END_BYTES = 22
_DAMAGES = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    EOFError,
    OSError,  # also what bz2 raises, and a place in the file before its beginning
    ValueError,
    RuntimeError,  # also NotImplementedError: a way of packing that is not known
    IndexError,
)
"""What `zipfile` and the libraries below it raise for an archive that is damaged."""
_ENCRYPTED = 0x1


class Archive:
    """An open archive whose members are read by their names."""

    def __init__(self, file: zipfile.ZipFile) -> None:
        self._file = file
        self.names = frozenset(file.namelist())

    def read(self, name: str, most_bytes: int = -1) -> bytes | None:
        """Return the member's bytes, or its first ones; None if it is missing or damaged."""
        if name not in self.names:
            return None
        try:
            with self._file.open(name) as member:
                return member.read(most_bytes)
        except _DAMAGES:
            return None

    def read_xml(self, name: str) -> Element | None:
        """Return the root of an XML member, or None if it is missing, damaged or unsafe."""
        try:
            root: Element = fromstring(self.read(name) or b"")
        except (ParseError, DefusedXmlException, ValueError, LookupError):
            return None
        return root


@contextmanager
def open_archive(path: Path) -> Generator[Archive, None, None]:
    """Open a zip archive.

    Raises:
        UnreadableDocument: It is damaged, or unpacks to more than the limits allow.
        PasswordNeeded: Its members are encrypted.
    """
    size = path.stat().st_size
    try:
        _check_directory(path, size)
        file = zipfile.ZipFile(path)
    except _DAMAGES as error:
        raise UnreadableDocument(
            f"its zip archive is damaged ({size:,} bytes; cut off?): get a complete copy"
        ) from error
    with file:
        _check(file.infolist(), size)
        yield Archive(file)


def resolve(folder: str, reference: str) -> str | None:
    """Return the member that `reference`, a URL in a file of `folder`, names.

    None if it leads out of the archive.
    """
    target = unquote(reference.partition("#")[0].strip())
    name = posixpath.normpath(posixpath.join(folder, target))
    is_outside = name.startswith(("/", "../")) or name in {"..", "."} or "://" in target
    return None if is_outside or "\\" in name else name


def _check_directory(path: Path, size: int) -> None:
    """Refuse a list of members that takes gigabytes to read."""
    with path.open("rb") as file:
        file.seek(max(0, size - _END_BYTES - 0xFFFF))
        end = file.read()
    at = end.rfind(b"PK\x05\x06")
    if at < 0 or at + _END_BYTES > len(end):
        return  # which `zipfile` refuses with more to say
    _, count, directory_bytes = struct.unpack_from("<HHL", end, at + 8)
    if directory_bytes > _DIRECTORY_BYTES:
        raise UnreadableDocument(
            f"its zip archive lists {count:,} files or more, at most {MAX_MEMBERS:,} are read"
        )


def _check(members: list[zipfile.ZipInfo], packed: int) -> None:
    unpacked = sum(member.file_size for member in members)
    if len(members) > MAX_MEMBERS:
        raise UnreadableDocument(
            f"its zip archive has {len(members):,} files, at most {MAX_MEMBERS:,} are read"
        )
    is_bomb = unpacked > _SMALL_BYTES and unpacked > MAX_RATIO * packed
    if is_bomb or unpacked > MAX_UNPACKED_BYTES:
        raise UnreadableDocument(
            f"its zip archive of {packed:,} bytes unpacks to {unpacked:,}, which is more than is "
            "safe to read"
        )
    if any(member.flag_bits & _ENCRYPTED for member in members):
        raise PasswordNeeded(
            "its zip archive is encrypted, which lcagent cannot open: save it without a password"
        )
