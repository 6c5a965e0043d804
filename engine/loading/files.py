"""The files of a checkpoint: whole, safe to load, and told apart. Nothing heavy is imported.

What cannot run is refused here, before torch is loaded and before anything is written.
"""

import hashlib
import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from lcagent.engine.loading.folder import check_folder
from lcagent.engine.loading.hub import folder_of
from lcagent.engine.sizing.parameters import KNOWN_FAMILIES, count_parameters
from lcagent.engine.sizing.shape import Shape, read_shape
from lcagent.errors import ModelNotUsable

WHOLE_BYTES = 32_000_000
"""A file up to this size is hashed whole; of a larger one so many slices."""

SLICES, SLICE_BYTES, FIRST_BYTES = 1_024, 4_096, 1_000_000

_TOLD_BY = ("*.json", "*.jinja", "*.txt", "tokenizer.model", "*.safetensors")
_LONGEST_HEADER = 100_000_000


@dataclass(frozen=True, slots=True)
class CheckpointFiles:
    """A folder with all that a model needs.

    Attributes:
        name: Of the folder, or of the model on the hub.
        fingerprint: Changes with weights, tokenizer and configuration.
    """

    name: str
    folder: Path
    shape: Shape
    fingerprint: str


def find_files(source: str) -> CheckpointFiles:
    """Return the files of a model: a folder, or a hub id.

    Raises:
        ModelNotUsable: It is missing, incomplete, pickled, or of a kind that the engine cannot run.
    """
    folder = folder_of(source, check=read_shape)
    check_folder(folder)
    shape = read_shape(folder)
    found = sum(_parameters(path) for path in sorted(folder.glob("*.safetensors")))
    _check_count(folder, shape, found)
    name = Path(source).expanduser().resolve().name
    return CheckpointFiles(name, folder, shape, fingerprint_of(folder))


def fingerprint_of(folder: Path) -> str:
    """Return 32 hexadecimal digits that change with what a folder's model would reply."""
    digest = hashlib.sha256()
    for path in sorted({path for pattern in _TOLD_BY for path in folder.glob(pattern)}):
        digest.update(json.dumps([path.name, path.stat().st_size]).encode())
        for part in _parts(path):
            digest.update(part)
    return digest.hexdigest()[:32]


def _parts(path: Path) -> Iterator[bytes]:
    size = path.stat().st_size
    with path.open("rb") as file:
        if size <= WHOLE_BYTES:
            yield file.read()
            return
        yield file.read(FIRST_BYTES)
        for number in range(SLICES):
            file.seek(FIRST_BYTES + (size - FIRST_BYTES - SLICE_BYTES) * number // (SLICES - 1))
            yield file.read(SLICE_BYTES)


def _check_count(folder: Path, shape: Shape, found: int) -> None:
    """Refuse weights that lack some: what is missing would be drawn by chance.

    More than expected may be there: weights that are tied, or of parts that do not write text.
    """
    is_packed = "quantization_config" in shape.config
    expected = count_parameters(shape)
    if shape.family in KNOWN_FAMILIES and not is_packed and found < expected:
        raise ModelNotUsable(f"{folder} is incomplete: it has {found:,} of {expected:,} parameters")


def _parameters(path: Path) -> int:
    """Return how many parameters a file of weights has; refuse one that was cut short."""
    try:
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            header = json.loads(file.read(min(length, _LONGEST_HEADER)))
        header.pop("__metadata__", None)
        ends = [each["data_offsets"][1] for each in header.values()]
        count = sum(int(math.prod(each["shape"])) for each in header.values())
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ModelNotUsable(f"{path} holds no weights in the format of safetensors") from error
    expected, found = 8 + length + max(ends, default=0), path.stat().st_size
    if found != expected:
        raise ModelNotUsable(f"{path} is incomplete: it has {found} of {expected} bytes")
    return count
