"""What a model and a text take: bytes of weights, bytes of memory, and what fits where.

Figures are of the blocks themselves. Looking them up takes nothing more where all keys are compared
in place, 4.3 % of their bytes in bfloat16 where their signs are (heads of 128 channels, blocks of
128 tokens); the computation takes some hundred MB.
"""

from dataclasses import dataclass
from types import SimpleNamespace

from lcagent.engine.defaults import default_memory
from lcagent.engine.sizing.parameters import count_parameters
from lcagent.engine.sizing.shape import Shape
from lcagent.errors import UsageError

BYTES_OF = {"float32": 4, "bfloat16": 2, "float16": 2, "float64": 8}
_SCALE_BYTES = 4


@dataclass(frozen=True, slots=True)
class Room:
    """Free bytes of a machine; None for a GPU that is not there or not known."""

    memory_bytes: int
    disk_bytes: int
    gpu_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class Sizes:
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


def sizes_of(shape: Shape, dtype: str = "auto") -> Sizes:
    """Return what a model of a shape takes.

    Raises:
        UsageError: There is no such dtype.
    """
    dtype = shape.dtype if dtype == "auto" else dtype
    if dtype not in BYTES_OF:
        raise UsageError(f"{dtype} is no type that a model computes in: {', '.join(BYTES_OF)}")
    block = default_memory(
        SimpleNamespace(max_position_embeddings=shape.window_tokens)
    ).block_tokens
    values = 2 * shape.num_kv_heads * shape.head_dim
    remembering = sum(window is None for window in shape.windows)
    parameters = count_parameters(shape)
    return Sizes(
        parameters=parameters,
        dtype=dtype,
        weights_bytes=parameters * BYTES_OF[dtype],
        token_bytes=remembering * values * BYTES_OF[dtype],
        int8_token_bytes=remembering * values * (1 + _SCALE_BYTES / block),
        forgetting=tuple(
            (window, values * BYTES_OF[dtype]) for window in shape.windows if window is not None
        ),
    )


@dataclass(frozen=True, slots=True)
class Fit:
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


def fits_of(sizes: Sizes, context_tokens: int, room: Room) -> tuple[Fit, ...]:
    """Return where the memory of a text fits, with the weights on the GPU if they fit there."""
    places = {"cpu": room.memory_bytes, "disk": room.disk_bytes}
    if room.gpu_bytes is not None:
        places = {"gpu": room.gpu_bytes, **places}
    places[place_of_weights(sizes, room)] -= sizes.weights_bytes
    return tuple(_fit(store, free, sizes, context_tokens) for store, free in places.items())


def place_of_weights(sizes: Sizes, room: Room) -> str:
    """Return "gpu" if the weights fit there, else "cpu"."""
    return "gpu" if (room.gpu_bytes or 0) >= sizes.weights_bytes else "cpu"


def _fit(store: str, free_bytes: int, sizes: Sizes, context_tokens: int) -> Fit:
    return Fit(
        store=store,
        free_bytes=free_bytes,
        fits=sizes.memory_bytes(context_tokens) <= free_bytes,
        fits_int8=sizes.memory_bytes(context_tokens, is_int8=True) <= free_bytes,
        tokens=sizes.tokens_that_fit(free_bytes),
        int8_tokens=sizes.tokens_that_fit(free_bytes, is_int8=True),
    )
