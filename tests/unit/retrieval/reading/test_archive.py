"""Reading zip archives safely."""

import random
import struct
import zipfile
from contextlib import suppress
from pathlib import Path

import pytest

from lcagent.errors import PasswordNeeded, UnreadableDocument
from lcagent.retrieval.reading.archive import MAX_MEMBERS, open_archive, resolve


def pack(folder: Path, members: dict[str, bytes]) -> Path:
    path = folder / "a.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in members.items():
            file.writestr(name, content)
    return path


def test_members_are_read_by_name(tmp_path: Path) -> None:
    with open_archive(pack(tmp_path, {"a/b.txt": b"text"})) as archive:
        assert archive.read("a/b.txt") == b"text"
        assert archive.read("a/c.txt") is None


def test_a_damaged_member_is_none(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("a", b"some text")
    path.write_bytes(path.read_bytes().replace(b"some text", b"SOME TEXT"))
    with open_archive(path) as archive:
        assert archive.read("a") is None


def test_an_archive_cut_off_is_refused(tmp_path: Path) -> None:
    path = pack(tmp_path, {"a": b"text" * 100})
    path.write_bytes(path.read_bytes()[:40])
    with pytest.raises(UnreadableDocument, match="damaged"), open_archive(path):
        pass


@pytest.mark.parametrize(
    "packing", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA]
)
def test_whatever_is_damaged_in_an_archive_it_is_refused_or_a_member_is_missing(
    packing: int, tmp_path: Path
) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w", packing) as file:
        for name in ("a", "b", "c"):
            file.writestr(name, name.encode() * 60 + bytes(200))
    whole, dice = path.read_bytes(), random.Random(7)  # noqa: S311 -- the same damages each time
    for _ in range(400):
        content, at = bytearray(whole), dice.randrange(len(whole))
        if dice.random() < 0.5:
            del content[at : at + dice.choice((1, 20, 280))]
        else:
            for _ in range(dice.choice((1, 8))):
                content[dice.randrange(len(content))] = dice.choice((0, 0xFF, 0x7F, 1))
        path.write_bytes(content)
        with suppress(UnreadableDocument), open_archive(path) as archive:  # and nothing else
            for name in archive.names:
                archive.read(name)


def test_a_list_of_members_that_takes_gigabytes_to_read_is_refused(tmp_path: Path) -> None:
    path = pack(tmp_path, {"a": b"text"})
    content = bytearray(path.read_bytes())
    end = content.rindex(b"PK\x05\x06")
    struct.pack_into("<HL", content, end + 10, 0xFFFF, 300_000_000)
    path.write_bytes(content)
    with pytest.raises(UnreadableDocument, match="lists 65,535 files or more"), open_archive(path):
        pass


def test_a_zip_bomb_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    path = pack(tmp_path, {"a": bytes(60_000_000)})
    with pytest.raises(UnreadableDocument, match="unpacks to 60,000,000"), open_archive(path):
        pass


def test_too_many_members_are_refused(tmp_path: Path) -> None:
    path = pack(tmp_path, {str(number): b"" for number in range(MAX_MEMBERS + 1)})
    with pytest.raises(UnreadableDocument, match="20,001 files"), open_archive(path):
        pass


def test_an_encrypted_archive_is_refused(tmp_path: Path) -> None:
    path = pack(tmp_path, {"a": b"text"})
    content = bytearray(path.read_bytes())
    content[content.index(b"PK\x01\x02") + 8] |= 1  # the flag in the central directory
    path.write_bytes(content)
    with pytest.raises(PasswordNeeded), open_archive(path):
        pass


def test_xml_with_entities_is_not_read(tmp_path: Path) -> None:
    bomb = b'<!DOCTYPE a [<!ENTITY b "bbbb">]><a>&b;</a>'
    with open_archive(pack(tmp_path, {"a": bomb, "b": b"<a/>"})) as archive:
        assert archive.read_xml("a") is None
        assert archive.read_xml("b") is not None


@pytest.mark.parametrize(
    ("reference", "name"),
    [
        ("b.xhtml#c", "text/b.xhtml"),
        ("../b%20c.xhtml", "b c.xhtml"),
        ("../../etc/passwd", None),
        ("/etc/passwd", None),
        ("https://example.org/a", None),
        ("..\\a", None),
    ],
)
def test_references_lead_to_members_only(reference: str, name: str | None) -> None:
    assert resolve("text", reference) == name
