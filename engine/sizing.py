"""What a model and a text take, and what this machine has: bytes, and what fits where.

Nothing heavy is imported: a model is known by its config.json, and the GPU is asked for by its
vendor's command, where there is one. Figures are of the blocks themselves. Looking them up takes
nothing more where all keys are compared in place, 4.3 % of their bytes in bfloat16 where their
signs are (heads of 128 channels, blocks of 128 tokens); the computation takes some hundred MB.
"""

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

from lcagent.engine.checkpoint.dims import (
    BYTES_OF,
    KNOWN_FAMILIES,
    ModelDims,
    count_parameters,
    read_dims,
)
from lcagent.engine.checkpoint.files import fetch_small_files
from lcagent.engine.config import default_cache_config
from lcagent.errors import UsageError

__all__ = [
    "KNOWN_FAMILIES",
    "FreeSpace",
    "MemoryEstimate",
    "ModelDims",
    "ModelFootprint",
    "choose_weights_device",
    "count_parameters",
    "estimate_memory",
    "fetch_small_files",
    "footprint",
    "free_space",
    "read_dims",
]

_SCALE_BYTES = 4
_ANSWERS_WITHIN_S = 10


@dataclass(frozen=True, slots=True)
class FreeSpace:
    """Free bytes of a machine; None for a GPU that is not there or not known."""

    memory_bytes: int
    disk_bytes: int
    gpu_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class ModelFootprint:
    """What a model takes.

    Attributes:
        dtype: What its weights are held in.
        weights_bytes: Of all of them.
        token_bytes: What each token of a text adds to the memory.
        int8_token_bytes: The same in int8, with the scales of each block.
        forgetting: For each layer that forgets, its window and what a token takes there.
    """

    parameters: int
    dtype: str
    weights_bytes: int
    token_bytes: int
    int8_token_bytes: float
    forgetting: tuple[tuple[int, int], ...] = ()

    def memory_bytes(self, tokens: int, *, is_int8: bool = False) -> int:
        """Return what a text takes; a layer that forgets takes no more than its window."""
        each = self.int8_token_bytes if is_int8 else self.token_bytes
        kept = sum(min(tokens, window) * size for window, size in self.forgetting)
        return round(tokens * each) + kept

    def tokens_that_fit(self, free_bytes: int, *, is_int8: bool = False) -> int | None:
        """Return the longest text whose memory fits, or None where there is no longest."""
        each = self.int8_token_bytes if is_int8 else self.token_bytes
        if not each:
            return None
        kept = sum(window * size for window, size in self.forgetting)
        return max(0, int((free_bytes - kept) // each))


def footprint(dims: ModelDims, dtype: str = "auto") -> ModelFootprint:
    """Return what a model takes, without the text that it reads.

    Raises:
        UsageError: There is no such dtype.
    """
    dtype = dims.dtype if dtype == "auto" else dtype
    if dtype not in BYTES_OF:
        raise UsageError(f"{dtype} is no type that a model computes in: {', '.join(BYTES_OF)}")
    block = default_cache_config(
        SimpleNamespace(max_position_embeddings=dims.window_tokens)
    ).block_tokens
    values = 2 * dims.num_kv_heads * dims.head_dim
    remembering = sum(window is None for window in dims.windows)
    parameters = count_parameters(dims)
    return ModelFootprint(
        parameters=parameters,
        dtype=dtype,
        weights_bytes=parameters * BYTES_OF[dtype],
        token_bytes=remembering * values * BYTES_OF[dtype],
        int8_token_bytes=remembering * values * (1 + _SCALE_BYTES / block),
        forgetting=tuple(
            (window, values * BYTES_OF[dtype]) for window in dims.windows if window is not None
        ),
    )


@dataclass(frozen=True, slots=True)
class MemoryEstimate:
    """Whether the memory of a text fits one place.

    Attributes:
        store: "gpu", "cpu" or "disk".
        free_bytes: What is left there beside the weights; negative where they do not fit.
        tokens, int8_tokens: The longest text that fits; None where there is no longest.
    """

    store: str
    free_bytes: int
    fits: bool
    fits_int8: bool
    tokens: int | None
    int8_tokens: int | None


def estimate_memory(
    model: ModelFootprint, context_tokens: int, free: FreeSpace
) -> tuple[MemoryEstimate, ...]:
    """Return where the memory of a text fits, with the weights on the GPU if they fit there."""
    places = {"cpu": free.memory_bytes, "disk": free.disk_bytes}
    if free.gpu_bytes is not None:
        places = {"gpu": free.gpu_bytes, **places}
    places[choose_weights_device(model, free)] -= model.weights_bytes
    return tuple(_estimate(store, left, model, context_tokens) for store, left in places.items())


def choose_weights_device(model: ModelFootprint, free: FreeSpace) -> str:
    """Return "gpu" if the weights fit there, else "cpu"."""
    return "gpu" if (free.gpu_bytes or 0) >= model.weights_bytes else "cpu"


def free_space(folder: Path) -> FreeSpace:
    """Return what is free now, on the disk of `folder` and elsewhere."""
    place = folder
    while not place.exists():
        place = place.parent
    return FreeSpace(_free_memory(), shutil.disk_usage(place).free, _free_on_gpu())


def _estimate(
    store: str, free_bytes: int, model: ModelFootprint, context_tokens: int
) -> MemoryEstimate:
    return MemoryEstimate(
        store=store,
        free_bytes=free_bytes,
        fits=model.memory_bytes(context_tokens) <= free_bytes,
        fits_int8=model.memory_bytes(context_tokens, is_int8=True) <= free_bytes,
        tokens=model.tokens_that_fit(free_bytes),
        int8_tokens=model.tokens_that_fit(free_bytes, is_int8=True),
    )


def _free_memory() -> int:
    """Return what a process may still take: of the machine, or of the group it is in."""
    return min(_available(), _left_in_group())


def _available() -> int:
    try:
        for line in Path("/proc/meminfo").read_text(encoding="ascii").splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    except (OSError, ValueError):
        pass
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def _left_in_group() -> int:
    """Return what a limit on this group of processes (cgroup v2) leaves, or a lot."""
    group = Path("/sys/fs/cgroup")
    try:
        most = int((group / "memory.max").read_text(encoding="ascii"))
        return most - int((group / "memory.current").read_text(encoding="ascii"))
    except (OSError, ValueError):  # no limit, or no such groups
        return 1 << 62


def _free_on_gpu() -> int | None:
    command = shutil.which("nvidia-smi")
    if command is None:
        return None
    asked = [command, "--query-gpu=memory.free", "--format=csv,noheader,nounits"]
    try:
        told = subprocess.run(  # noqa: S603 -- a fixed command
            asked, capture_output=True, text=True, check=True, timeout=_ANSWERS_WITHIN_S
        )
        return int(told.stdout.split()[0]) << 20
    except (OSError, ValueError, IndexError, subprocess.SubprocessError):
        return None
