"""The tokenizers of tiktoken, from files that are on this machine; nothing is ever fetched.

A file is looked for where the user says (`TIKTOKEN_CACHE_DIR`), else in what llama-index-core
brings along. Where none is found, or it is damaged, there is no encoding, and counts are estimates.
"""

import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TypeAlias

Encode: TypeAlias = Callable[[str], list[int]]

_FILES = {  # name of the file in a cache of tiktoken, and SHA-256 of its content
    "cl100k_base": (
        "9b5ad71b2ce5302211f9c61530b329a4922fc6a4",
        "223921b76ee99bde995b7ff738513eef100fb51d18c93597a113bcffe865b2a7",
    ),
    "o200k_base": (
        "fb374d419588a4632f3f557e76b4b70aebbca790",
        "446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d",
    ),
}
_FOLDER_VARIABLES = ("TIKTOKEN_CACHE_DIR", "DATA_GYM_CACHE_DIR")


@cache
def encoder(name: str) -> Encode | None:
    """Return what turns text into tokens, or None where it cannot be had offline.

    Costs 0.1 to 0.2 s of CPU at the first call. What looks like a special token is plain text.
    """
    folder = next((place for place in _folders() if _holds(place, name)), None)
    if folder is None:
        return None
    with _cache_folder(folder):
        import tiktoken  # noqa: PLC0415 -- not needed by whoever only quotes

        return tiktoken.get_encoding(name).encode_ordinary


def _folders() -> Iterator[Path]:
    for variable in _FOLDER_VARIABLES:
        if os.environ.get(variable):
            yield Path(os.environ[variable])
    spec = find_spec("llama_index")  # the namespace only: its packages are slow to import
    for place in (spec.submodule_search_locations or ()) if spec else ():
        yield Path(place) / "core" / "_static" / "tiktoken_cache"


def _holds(folder: Path, name: str) -> bool:
    file_name, expected = _FILES[name]
    try:
        content = (folder / file_name).read_bytes()
    except OSError:
        return False
    return hashlib.sha256(content).hexdigest() == expected


@contextmanager
def _cache_folder(folder: Path) -> Iterator[None]:
    """Let tiktoken find its file, then leave the environment as it was."""
    before = os.environ.get("TIKTOKEN_CACHE_DIR")
    os.environ["TIKTOKEN_CACHE_DIR"] = str(folder)
    try:
        yield
    finally:
        if before is None:
            del os.environ["TIKTOKEN_CACHE_DIR"]
        else:
            os.environ["TIKTOKEN_CACHE_DIR"] = before
