"""A checkpoint and its files: where they are, if they are whole and safe, and what they are.

A model is a folder, a GGUF file, or a copy of what the Hugging Face hub has, which is fetched only
where it is asked for (`hub:OWNER/NAME`): a mistyped path is not told to anybody. Of the hub the
small files come first, so that a model that cannot run is refused before its weights are fetched,
torch is loaded or anything is written. `HF_HUB_OFFLINE=1` allows only what is here.
"""

import hashlib
import json
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from lcagent.engine.checkpoint.chat_tokenizer import ChatTokenizer
from lcagent.engine.checkpoint.dims import (
    KNOWN_FAMILIES,
    ModelDims,
    count_parameters,
    parse_dims,
    read_dims,
    read_json_object,
)
from lcagent.engine.checkpoint.gguf_files import gguf_config, is_gguf, read_gguf
from lcagent.engine.config import KVCacheConfig
from lcagent.errors import ModelNotUsable
from lcagent.local_options import LocalOptions

WHOLE_BYTES = 32_000_000
"""A file up to this size is hashed whole; of a larger one so many slices."""

SLICES, SLICE_BYTES, FIRST_BYTES = 1_024, 4_096, 1_000_000

PICKLES = (".bin", ".pt", ".pth", ".ckpt", ".pkl")
INDEX = "model.safetensors.index.json"

_SMALL = ["*.json", "*.jinja", "*.txt", "tokenizer.model"]
"""Patterns of the files that say what a model is."""

_WEIGHTS = "*.safetensors"
_TOKENIZERS = ("tokenizer.json", "tokenizer.model", "vocab.json", "tokenizer_config.json")
_LONGEST_HEADER = 100_000_000
HUB = "hub:"
_HUB_ID = re.compile(r"\w[\w.-]*/\w[\w.-]*")


@dataclass(frozen=True, slots=True)
class CheckpointFiles:
    """All that a model needs.

    Attributes:
        name: Of the folder, of the model on the hub, or of the GGUF file without its suffix.
        path: The folder, or the GGUF file.
        fingerprint: Changes with weights, tokenizer and configuration.
    """

    name: str
    path: Path
    dims: ModelDims
    fingerprint: str


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A model as far as it is known without its weights, and how it is to run.

    Attributes:
        cache_config: How KV caches of its texts are laid out.
        context_tokens: Prompt and reply together.
    """

    files: CheckpointFiles
    tokenizer: ChatTokenizer
    options: LocalOptions
    cache_config: KVCacheConfig
    context_tokens: int


def find_files(source: str) -> CheckpointFiles:
    """Return the files of a model: a folder, a GGUF file, or `hub:OWNER/NAME`.

    Raises:
        ModelNotUsable: It is missing, incomplete, pickled, or of a kind that the engine cannot run.
        MissingExtra: What reads GGUF is not installed.
    """
    path = fetch_small_files(source)
    if path.is_file():
        return _find_gguf(path)
    if source.startswith(HUB):
        read_dims(path)  # refuses what cannot run before the weights are fetched
        path = _fetch(source.removeprefix(HUB), [*_SMALL, _WEIGHTS])
    check_folder(path)
    dims = read_dims(path)
    found = sum(_count_in_header(each) for each in sorted(path.glob(_WEIGHTS)))
    _check_count(path, dims, found)
    name = Path(source.removeprefix(HUB)).expanduser().resolve().name
    return CheckpointFiles(name, path, dims, checkpoint_fingerprint(path))


def fetch_small_files(source: str) -> Path:
    """Return the folder or file of what says what a model is; no weights are fetched.

    Raises:
        ModelNotUsable: There is no such folder or file, or the hub does not have or give it.
    """
    if source.startswith(HUB):
        if not _HUB_ID.fullmatch(source.removeprefix(HUB)):
            raise ModelNotUsable(f"{source[:200]} names no model of the hub: local:{HUB}OWNER/NAME")
        return _fetch(source.removeprefix(HUB), _SMALL)
    path = Path(source).expanduser()
    if path.is_dir():
        files = sorted(each.name for each in path.glob("*.gguf"))
        if files and not (path / "config.json").exists():
            raise ModelNotUsable(f"{source} is a folder of GGUF files; name one: {files[0]}")
        return path
    if is_gguf(path):
        return path
    reason = f"{source} is no folder with a model, and no GGUF file"
    if _HUB_ID.fullmatch(source):
        reason += f"; one of the Hugging Face hub is asked for as local:{HUB}{source}"
    raise ModelNotUsable(reason)


def check_folder(folder: Path) -> None:
    """Refuse a folder that cannot be loaded, saying what it lacks.

    Raises:
        ModelNotUsable: No configuration, no tokenizer, or weights that are missing or pickled.
    """
    config = read_json_object(folder / "config.json")
    if "model_type" not in config:
        raise ModelNotUsable(f"{folder / 'config.json'} names no model_type")
    _check_weights(folder)
    if not any((folder / name).is_file() for name in _TOKENIZERS):
        raise ModelNotUsable(f"{folder} has no tokenizer (tokenizer.json or tokenizer.model)")


def checkpoint_fingerprint(folder: Path) -> str:
    """Return 32 hexadecimal digits that change with what a folder's model would reply.

    A checkpoint of 16 GB takes a minute to hash, so slices stand for large files: fine-tuning
    changes weights everywhere, and lengths are part of what is hashed.
    """
    digest = hashlib.sha256()
    patterns = (*_SMALL, _WEIGHTS)
    for path in sorted({path for pattern in patterns for path in folder.glob(pattern)}):
        digest.update(json.dumps([path.name, path.stat().st_size]).encode())
        for part in _hashed_parts(path):
            digest.update(part)
    return digest.hexdigest()[:32]


def _find_gguf(path: Path) -> CheckpointFiles:
    """Return a GGUF file, whose fingerprint does not change with its name."""
    file = read_gguf(path)
    dims = parse_dims(gguf_config(file), str(path))
    _check_count(path, dims, sum(math.prod(each.shape) for each in file.tensors.values()))
    digest = hashlib.sha256(json.dumps(path.stat().st_size).encode())
    for part in _hashed_parts(path, max(file.header_bytes, FIRST_BYTES)):
        digest.update(part)
    return CheckpointFiles(path.resolve().stem, path, dims, digest.hexdigest()[:32])


def _fetch(source: str, patterns: list[str]) -> Path:
    from huggingface_hub import snapshot_download  # noqa: PLC0415 -- not needed for a folder

    try:
        return Path(snapshot_download(source, allow_patterns=patterns))
    except Exception as error:  # the hub's client raises many kinds, with what is wrong in words
        reason = " ".join(str(error).split()).partition(". ")[0][:200]
        raise ModelNotUsable(
            f"{source} cannot be had from the Hugging Face hub: {reason}"
        ) from error


def _check_weights(folder: Path) -> None:
    if (folder / INDEX).is_file():
        shards = set(read_json_object(folder / INDEX).get("weight_map", {}).values())
        missing = sorted(name for name in shards if not (folder / name).is_file())
        if missing or not shards:
            named = ", ".join(missing[:3]) or "all shards"
            raise ModelNotUsable(f"{folder} is incomplete: {named} missing of {len(shards)} shards")
        return
    if any(folder.glob(_WEIGHTS)):
        return
    pickles = sorted(path.name for path in folder.iterdir() if path.suffix in PICKLES)
    if pickles:
        raise ModelNotUsable(
            f"{folder} has its weights in {pickles[0]}, a pickle, which can run any code when it "
            "is opened; convert them to safetensors"
        )
    raise ModelNotUsable(f"{folder} has no weights ({_WEIGHTS})")


def _check_count(folder: Path, dims: ModelDims, found: int) -> None:
    """Refuse weights that lack some: what is missing would be drawn by chance.

    More than expected may be there: weights that are tied, or of parts that do not write text.
    """
    is_packed = "quantization_config" in dims.config
    expected = count_parameters(dims)
    if dims.family in KNOWN_FAMILIES and not is_packed and found < expected:
        raise ModelNotUsable(f"{folder} is incomplete: it has {found:,} of {expected:,} parameters")


def _count_in_header(path: Path) -> int:
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


def _hashed_parts(path: Path, first_bytes: int = 0) -> Iterator[bytes]:
    first_bytes = first_bytes or FIRST_BYTES
    size = path.stat().st_size
    with path.open("rb") as file:
        if size <= WHOLE_BYTES:
            yield file.read()
            return
        yield file.read(first_bytes)
        for number in range(SLICES):
            file.seek(first_bytes + (size - first_bytes - SLICE_BYTES) * number // (SLICES - 1))
            yield file.read(SLICE_BYTES)
