"""Where the files of a model are: its folder, or a copy of what the Hugging Face hub has.

Of a folder nothing is fetched. Of a hub id the small files come first, so that a model that cannot
run is refused before its weights are fetched. `HF_HUB_OFFLINE=1` allows only what is here already.
"""

import re
from collections.abc import Callable
from pathlib import Path

from lcagent.errors import ModelNotUsable

SMALL = ["*.json", "*.jinja", "*.txt", "tokenizer.model"]
"""Patterns of the files that say what a model is."""

_ID = re.compile(r"[\w.-]+/[\w.-]+")


def folder_of(source: str, check: Callable[[Path], object]) -> Path:
    """Return the folder of a model, fetched if `source` is a hub id.

    Args:
        check: Looks at the small files before the weights are fetched, and raises.

    Raises:
        ModelNotUsable: There is no such folder, or the hub does not have or give it.
    """
    folder = small_folder_of(source)
    if Path(source).expanduser().is_dir():
        return folder
    check(folder)
    return _fetched(source, [*SMALL, "*.safetensors"])


def small_folder_of(source: str) -> Path:
    """Return the folder of what says what a model is; of a hub id no weights are fetched.

    Raises:
        ModelNotUsable: There is no such folder, or the hub does not have or give it.
    """
    path = Path(source).expanduser()
    if path.is_dir():
        return path
    if path.exists() or source.startswith((".", "/", "~")) or not _ID.fullmatch(source):
        raise ModelNotUsable(f"{source} is no folder with a model")
    return _fetched(source, SMALL)


def _fetched(source: str, patterns: list[str]) -> Path:
    from huggingface_hub import snapshot_download  # noqa: PLC0415 -- not needed for a folder

    try:
        return Path(snapshot_download(source, allow_patterns=patterns))
    except Exception as error:  # the hub's client raises many kinds, with what is wrong in words
        reason = " ".join(str(error).split()).partition(". ")[0][:200]
        raise ModelNotUsable(
            f"{source} is no folder, and cannot be had from the hub: {reason}"
        ) from error
