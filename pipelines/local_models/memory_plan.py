"""What a local model will take, by its config.json or the head of its GGUF: `serve --plan`."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from lcagent.engine.sizing import (
    KNOWN_FAMILIES,
    MemoryEstimate,
    ModelDims,
    ModelFootprint,
    choose_weights_device,
    estimate_memory,
    fetch_small_files,
    footprint,
    free_space,
    read_dims,
)
from lcagent.settings import load_settings

_UNITS = (("TB", 10**12), ("GB", 10**9), ("MB", 10**6), ("kB", 10**3))


@dataclass(frozen=True, slots=True)
class MemoryPlan:
    """What a model and a text of `context_tokens` take, and where that fits on this machine.

    Attributes:
        is_exact: Its family is one whose parameters are known exactly.
        weights_on: "gpu" if they fit there, else "cpu".
    """

    model: str
    family: str
    window_tokens: int
    context_tokens: int
    is_exact: bool
    footprint: ModelFootprint
    weights_on: str
    fits: tuple[MemoryEstimate, ...]

    def as_json(self) -> dict[str, Any]:
        """Return the plan as `--json` prints it."""
        sizes = self.footprint
        return {
            "schema": "lcagent.memory-plan/1",
            "model": self.model,
            "family": self.family,
            "window_tokens": self.window_tokens,
            "context_tokens": self.context_tokens,
            "parameters": sizes.parameters,
            "is_exact": self.is_exact,
            "dtype": sizes.dtype,
            "weights_bytes": sizes.weights_bytes,
            "token_bytes": sizes.token_bytes,
            "int8_token_bytes": sizes.int8_token_bytes,
            "memory_bytes": sizes.memory_bytes(self.context_tokens),
            "int8_memory_bytes": sizes.memory_bytes(self.context_tokens, is_int8=True),
            "weights_on": self.weights_on,
            "fits": [asdict(fit) for fit in self.fits],
        }


def plan_memory(
    model: str, *, context_tokens: int | None = None, dtype: str = "auto"
) -> MemoryPlan:
    """Return what a model takes; no weights are loaded or fetched.

    Args:
        model: A folder, a GGUF file, `hub:OWNER/NAME`, or a file like config.json.
        context_tokens: Prompt and reply; by default what the model was trained for.

    Raises:
        ModelNotUsable: There is no configuration, or it is that of no model the engine can run.
        UsageError: There is no such dtype.
    """
    name = model.removeprefix("local:")
    path = Path(name).expanduser()
    dims = read_dims(path if path.is_file() else fetch_small_files(name))
    return plan_memory_of(name, dims, context_tokens or dims.window_tokens, dtype)


def plan_memory_of(
    name: str, dims: ModelDims, context_tokens: int, dtype: str = "auto"
) -> MemoryPlan:
    """Return what a model of known dimensions takes on this machine."""
    sizes, free = footprint(dims, dtype), free_space(load_settings().home.expanduser())
    return MemoryPlan(
        model=name,
        family=dims.family,
        window_tokens=dims.window_tokens,
        context_tokens=context_tokens,
        is_exact=dims.family in KNOWN_FAMILIES,
        footprint=sizes,
        weights_on=choose_weights_device(sizes, free),
        fits=estimate_memory(sizes, context_tokens, free),
    )


def in_bytes(number: int) -> str:
    """Return a number of bytes in the largest unit that it fills."""
    for unit, size in _UNITS:
        if abs(number) >= size:
            return f"{number / size:.1f} {unit}"
    return f"{number} bytes"
