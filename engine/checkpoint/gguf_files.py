"""A GGUF file: what it says of its model, and its weights, one at a time.

https://github.com/ggml-org/ggml/blob/master/docs/gguf.md, versions 2 and 3. The header is read
here: the package `gguf`, which undoes the quantisation of weights, takes seconds for a vocabulary.
Configurations are built here, too, and only for architectures of which all that the file says is
understood: what a configuration leaves out would be taken for its family's default.
"""

import mmap
import struct
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from math import prod
from pathlib import Path
from typing import Any, NoReturn

from lcagent.errors import MissingExtra, ModelNotUsable

ARCHITECTURES = {"llama": "llama", "qwen2": "qwen2", "qwen3": "qwen3"}
"""Names of architectures, and of their families in transformers; Mistral's is llama."""

LLAMA3_ROPE = {"low_freq_factor": 1.0, "high_freq_factor": 4.0}
LLAMA3_OWN_TOKENS = 8192
"""What Llama 3.1 and later stretch their window from; a file has the result only, as a tensor."""

VOCABULARY = "tokenizer.ggml.tokens"

_MAGIC, _VERSIONS = b"GGUF", (2, 3)
_NUMBERS: dict[int, str] = dict(
    zip((0, 1, 2, 3, 4, 5, 6, 7, 10, 11, 12), "BbHhIif?Qqd", strict=True)
)
_STRING, _ARRAY = 8, 9
_FLOATS = {0: "float32", 1: "float16", 30: "bfloat16"}
_ALIGNMENT = 32


@dataclass(frozen=True, slots=True)
class GgufTensor:
    """Where a tensor is, and how it is stored; its shape is that of torch."""

    name: str
    shape: tuple[int, ...]
    kind: int
    start: int
    size: int


@dataclass(frozen=True, slots=True)
class GgufFile:
    """What a file says of itself; its weights are not read."""

    path: Path
    metadata: Mapping[str, Any]
    tensors: Mapping[str, GgufTensor]
    header_bytes: int

    @property
    def architecture(self) -> str:
        """The architecture of its model."""
        return str(self.metadata.get("general.architecture", ""))


def is_gguf(path: Path) -> bool:
    """Say whether a path is that of a GGUF file, by its beginning or its name."""
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(4) == _MAGIC or path.suffix.lower() == ".gguf"


def read_gguf(path: Path) -> GgufFile:
    """Return what a file says of itself.

    Raises:
        ModelNotUsable: It is broken or cut short, a part of a model, or of another kind.
        MissingExtra: The package `gguf` is not installed.
    """
    stat = path.stat()
    return _read(path, stat.st_size, stat.st_mtime_ns)


@lru_cache(maxsize=1)  # a vocabulary takes a second to read, and is wanted at each step of loading
def _read(path: Path, size: int, _changed_ns: int) -> GgufFile:
    try:
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as held:
            found = _read_header(path, held)
    except (struct.error, ValueError, KeyError, OverflowError, RecursionError, OSError) as error:
        raise ModelNotUsable(f"{path} is no whole GGUF file: its header cannot be read") from error
    _refuse_parts(found)
    end = max((each.start + each.size for each in found.tensors.values()), default=0)
    if size < end:
        raise ModelNotUsable(f"{path} is incomplete: it has {size} of {end} bytes")
    return found


def gguf_config(file: GgufFile) -> dict[str, Any]:
    """Return the configuration of a file's model, as its config.json would be.

    Raises:
        ModelNotUsable: It is of an architecture that is not understood, or lacks something.
    """
    told = file.metadata
    if file.architecture not in ARCHITECTURES:
        known = ", ".join(sorted(ARCHITECTURES))
        _refuse(file, f"its architecture is {file.architecture[:40]!r}; known are {known}")
    if not isinstance(told.get(VOCABULARY), list):
        _refuse(file, f"it has no vocabulary ({VOCABULARY})")
    if "token_embd.weight" not in file.tensors:
        _refuse(file, "it has no embeddings (token_embd.weight)")
    heads = _number(file, "attention.head_count")
    hidden = _number(file, "embedding_length")
    head_dim = _number(file, "attention.key_length", hidden // heads)
    _refuse_variants(file, head_dim)
    return {
        "model_type": ARCHITECTURES[file.architecture],
        "hidden_size": hidden,
        "intermediate_size": _number(file, "feed_forward_length"),
        "num_hidden_layers": _number(file, "block_count"),
        "num_attention_heads": heads,
        "num_key_value_heads": _number(file, "attention.head_count_kv", heads),
        "head_dim": head_dim,
        "max_position_embeddings": _number(file, "context_length"),
        "vocab_size": file.tensors["token_embd.weight"].shape[0],
        "rms_norm_eps": float(_of_model(file, "attention.layer_norm_rms_epsilon", 1e-6)),
        "rope_parameters": _rope(file, head_dim),
        "attention_bias": "blk.0.attn_q.bias" in file.tensors,
        "tie_word_embeddings": "output.weight" not in file.tensors,
        "bos_token_id": told.get("tokenizer.ggml.bos_token_id"),
        "eos_token_id": _ends(told),
        "pad_token_id": told.get("tokenizer.ggml.padding_token_id"),
        "dtype": _dtype(file),
    }


def read_weights(
    file: GgufFile, names: Iterable[str], gguf_name: Callable[[str], str | None]
) -> Iterator[tuple[str, Any]]:
    """Yield names of transformers that a file has weights for, and these in float32 (numpy).

    Args:
        gguf_name: Returns the name that the format has for one.
    """
    for name in names:
        tensor = file.tensors.get(gguf_name(name) or "")
        if tensor is not None:
            yield name, _read_tensor(file, tensor)


def _read_tensor(file: GgufFile, tensor: GgufTensor) -> Any:
    import numpy as np  # noqa: PLC0415 -- known files need none
    from gguf import GGMLQuantizationType, dequantize  # noqa: PLC0415 -- an extra

    with file.path.open("rb") as opened:
        opened.seek(tensor.start)
        stored = np.frombuffer(opened.read(tensor.size), dtype=np.uint8)
    rows = stored.reshape(prod(tensor.shape[:-1]), -1)
    values = dequantize(rows, GGMLQuantizationType(tensor.kind)).reshape(tensor.shape)
    if file.architecture == "llama" and ".attn_q." in tensor.name:
        values = _unpermuted(values, _number(file, "attention.head_count"))
    elif file.architecture == "llama" and ".attn_k." in tensor.name:
        values = _unpermuted(values, _number(file, "attention.head_count_kv"))
    return np.array(values, dtype=np.float32)


def _unpermuted(values: Any, heads: int) -> Any:
    """Return rows of queries or keys as transformers has them.

    It rotates the halves of a head against each other, llama.cpp the neighbouring channels.
    """
    pairs = values.reshape(heads, values.shape[0] // heads // 2, 2, *values.shape[1:])
    return pairs.swapaxes(1, 2).reshape(values.shape)


class _Cursor:
    """Reads one value after the other."""

    def __init__(self, held: mmap.mmap) -> None:
        self._held, self.place = held, 0

    def numbers(self, codes: str) -> tuple[Any, ...]:
        found = struct.unpack_from(f"<{codes}", self._held, self.place)
        self.place += struct.calcsize(f"<{codes}")
        return found

    def string(self) -> str:
        (length,) = self.numbers("Q")
        if length > len(self._held) - self.place:
            raise ValueError("a string ends after the file")
        self.place += length
        return self._held[self.place - length : self.place].decode()

    def value(self, kind: int) -> Any:
        if kind == _STRING:
            return self.string()
        if kind != _ARRAY:
            return self.numbers(_NUMBERS[kind])[0]
        kind, count = self.numbers("IQ")
        if kind in _NUMBERS:
            return list(self.numbers(f"{count}{_NUMBERS[kind]}"))
        return [self.value(kind) for _ in range(count)]


def _read_header(path: Path, held: mmap.mmap) -> GgufFile:
    cursor = _Cursor(held)
    if held[:4] != _MAGIC:
        raise ValueError("another kind of file")
    cursor.place = 4
    version, num_tensors, num_values = cursor.numbers("IQQ")
    if version not in _VERSIONS:
        raise ModelNotUsable(f"{path} is of version {version} of GGUF; known are 2 and 3")
    metadata: dict[str, Any] = {}
    for _ in range(num_values):
        key = cursor.string()
        metadata[key] = cursor.value(*cursor.numbers("I"))
    placed = [_read_place(cursor) for _ in range(num_tensors)]
    alignment = int(metadata.get("general.alignment", _ALIGNMENT))
    header = -(-cursor.place // alignment) * alignment
    sizes = _quantised_sizes()
    tensors: dict[str, GgufTensor] = {}
    for name, shape, kind, offset in placed:
        if kind not in sizes:
            raise ModelNotUsable(f"{path} has weights of a kind that is not known ({kind})")
        together, size = sizes[kind]
        stored = prod(shape) // together * size
        tensors[name] = GgufTensor(name, shape, kind, header + offset, stored)
    return GgufFile(path, metadata, tensors, header)


def _read_place(cursor: _Cursor) -> tuple[str, tuple[int, ...], int, int]:
    name = cursor.string()
    (dimensions,) = cursor.numbers("I")
    shape = cursor.numbers(f"{dimensions}Q")
    kind, offset = cursor.numbers("IQ")
    return name, tuple(reversed(shape)), kind, offset


def _quantised_sizes() -> dict[int, tuple[int, int]]:
    """Return for each kind of storage how many numbers are stored together, in how many bytes."""
    try:
        from gguf import GGML_QUANT_SIZES  # noqa: PLC0415 -- an extra
    except ModuleNotFoundError as error:
        raise MissingExtra("a model in a GGUF file", "local") from error
    return {int(kind): sizes for kind, sizes in GGML_QUANT_SIZES.items()}


def _refuse_parts(file: GgufFile) -> None:
    """Refuse what is no model of its own."""
    told = file.metadata
    if (parts := told.get("split.count", 0)) > 1:
        _refuse(file, f"it is one of {parts} parts; join them (llama-gguf-split --merge)")
    if file.architecture == "clip" or told.get("general.type") == "mmproj":
        _refuse(file, "it is the part that sees pictures (mmproj); name the file of the text model")
    if told.get("general.type", "model") != "model":
        _refuse(file, f"it holds no model ({str(told['general.type'])[:40]})")


def _refuse_variants(file: GgufFile, head_dim: int) -> None:
    if _of_model(file, "expert_count", 0):
        _refuse(file, "it is a mixture of experts")
    if _number(file, "rope.dimension_count", head_dim) != head_dim:
        _refuse(file, "it rotates a part of each head only")
    if _number(file, "attention.value_length", head_dim) != head_dim:
        _refuse(file, "its keys and values differ in size")


def _rope(file: GgufFile, head_dim: int) -> dict[str, Any]:
    theta = float(_of_model(file, "rope.freq_base", 10_000.0))
    if (stretched := file.tensors.get("rope_freqs.weight")) is not None:
        return {"rope_theta": theta, **_llama3_rope(file, stretched, theta, head_dim)}
    kind = str(_of_model(file, "rope.scaling.type", "none"))
    scaled: dict[str, Any] = {"rope_theta": theta, "rope_type": kind}
    if kind == "none":
        return {**scaled, "rope_type": "default"}
    if kind not in {"linear", "yarn"}:
        _refuse(file, f"it stretches its window in a way that is not known ({kind[:40]})")
    scaled["factor"] = float(_of_model(file, "rope.scaling.factor", 1.0))
    if kind == "yarn":
        own = _number(file, "rope.scaling.original_context_length")
        scaled["original_max_position_embeddings"] = own
    return scaled


def _llama3_rope(file: GgufFile, tensor: GgufTensor, theta: float, head_dim: int) -> dict[str, Any]:
    """Return the settings that stretch rotations as the file's tensor does."""
    import numpy as np  # noqa: PLC0415

    found = _read_tensor(file, tensor)
    lengths = 2 * np.pi * theta ** (np.arange(0, head_dim, 2) / head_dim)
    low, high = LLAMA3_ROPE["low_freq_factor"], LLAMA3_ROPE["high_freq_factor"]
    factor = float(found.max())
    share = ((LLAMA3_OWN_TOKENS / lengths - low) / (high - low)).clip(0, 1)
    if found.shape != lengths.shape or not np.allclose(
        1 / found, (1 - share) / factor + share, rtol=1e-3
    ):
        _refuse(file, "it stretches its window in a way that is not known (rope_freqs)")
    own = {"original_max_position_embeddings": LLAMA3_OWN_TOKENS}
    return {"rope_type": "llama3", "factor": factor, **LLAMA3_ROPE, **own}


def _dtype(file: GgufFile) -> str:
    """Return what weights are held in: as they are stored; what is quantised, without a loss."""
    kinds = {each.kind for each in file.tensors.values() if len(each.shape) > 1}
    return _FLOATS.get(kinds.pop(), "float32") if len(kinds) == 1 else "float32"


def _ends(told: Mapping[str, Any]) -> list[int]:
    found = (told.get(f"tokenizer.ggml.{name}_token_id") for name in ("eos", "eot"))
    return sorted({number for number in found if isinstance(number, int)})


def _of_model(file: GgufFile, key: str, default: Any = None) -> Any:
    return file.metadata.get(f"{file.architecture}.{key}", default)


def _number(file: GgufFile, key: str, default: int | None = None) -> int:
    found = _of_model(file, key, default)
    if not isinstance(found, int) or found <= 0:
        _refuse(file, f"it does not say a number of its {key}")
    return found


def _refuse(file: GgufFile, reason: str) -> NoReturn:
    raise ModelNotUsable(f"{file.path} cannot be used: {reason}")
