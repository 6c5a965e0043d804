"""Running the model over sequences: prefill in chunks, then decode token by token.

A prompt is prefilled in chunks that begin at multiples of `chunk_tokens`, and its last token alone
(as InfLLM does it). Tokens that do not fill a chunk wait. So results do not depend, to the last
bit, on how a text was handed over, nor on whether a part of it was prefilled yesterday.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import torch
from torch import Tensor

from lcagent.engine.adapters import AdaptedModel
from lcagent.engine.block_store import Allocator
from lcagent.engine.config import KVCacheConfig
from lcagent.engine.kv_cache import KVCache
from lcagent.engine.loading import LoadedModel, device_name
from lcagent.engine.lookups.make_index import resolve_auto_lookup
from lcagent.errors import UsageError

PrefillProgress: TypeAlias = Callable[[int, int], None]
"""Called with the tokens prefilled so far and the tokens in all."""

PREFILL_FOR_S, DECODE_FOR_S = 3.0, 2.0
_MOST_CHUNKS, _MOST_DECODED = 16, 64


@dataclass(slots=True, eq=False)
class SequenceState:
    """The tokens of a sequence and the KV cache of those that the model has read.

    Attributes:
        tokens: All tokens that were handed over.
        num_computed: How many of them are in the cache.
    """

    cache: KVCache
    tokens: list[int] = field(default_factory=list[int])
    num_computed: int = 0

    @property
    def config(self) -> KVCacheConfig:
        """How the cache is laid out."""
        return self.cache.config

    def fork(self) -> "SequenceState":
        """Return an independent copy: blocks are shared, the window is copied."""
        return SequenceState(self.cache.fork(), list(self.tokens), self.num_computed)

    def is_prefix_of(self, prompt: list[int]) -> bool:
        """Say whether a prompt begins with what is in the cache, and is longer."""
        count = self.num_computed
        return count < len(prompt) and prompt[:count] == self.tokens[:count]

    def next_chunk_end(self) -> int:
        """Return where the chunk that begins now ends, if it were full."""
        size = self.config.chunk_tokens
        return (self.num_computed // size + 1) * size


def new_sequence_state(
    model: AdaptedModel, config: KVCacheConfig, tokens: Sequence[int] = ()
) -> SequenceState:
    """Return the state of a sequence with an empty cache; the lookup "auto" is resolved."""
    resolved = resolve_auto_lookup(config, model.device, model.dtype)
    cache = KVCache(resolved, Allocator(config.place, model.device, config.folder))
    return SequenceState(cache, list(tokens))


def prefill_chunk(model: AdaptedModel, state: SequenceState) -> bool:
    """Prefill the next full chunk if more tokens follow it; say whether there was such a chunk."""
    end = state.next_chunk_end()
    if end >= len(state.tokens):
        return False
    _compute(model, state, end, needs_logits=False)
    return True


def prefill(
    model: AdaptedModel, state: SequenceState, progress: PrefillProgress | None = None
) -> None:
    """Prefill all full chunks that more tokens follow, and report after each."""
    while prefill_chunk(model, state):
        if progress is not None:
            progress(state.num_computed, len(state.tokens))


def prefill_last(model: AdaptedModel, state: SequenceState) -> Tensor:
    """Prefill what is left after `prefill`: less than a chunk, then the last token alone.

    Returns:
        The logits of the next token, (vocabulary,), float32.
    """
    last = len(state.tokens) - 1
    if state.num_computed < last:
        _compute(model, state, last, needs_logits=False)
    logits = _compute(model, state, last + 1, needs_logits=True)
    assert logits is not None
    return logits


def prefill_all(
    model: AdaptedModel, state: SequenceState, progress: PrefillProgress | None = None
) -> Tensor:
    """Prefill all tokens and return the logits of the next, (vocabulary,), float32.

    Raises:
        UsageError: There is no token to read.
    """
    if state.num_computed >= len(state.tokens):
        raise UsageError("the prompt has no tokens; at least one is needed")
    prefill(model, state, progress)
    return prefill_last(model, state)


def decode(
    model: AdaptedModel, states: Sequence[SequenceState], tokens: Sequence[int], width: int
) -> Tensor:
    """Read one more token of each sequence; return the logits of the next, (sequences, vocabulary).

    The batch always has `width` rows: with another number of rows, matrix products round
    otherwise, and a reply would depend on what else is decoded.
    """
    padded = [*tokens, *[0] * (width - len(tokens))]
    caches = [state.cache for state in states]
    logits = model.forward(torch.tensor(padded)[:, None], caches, needs_logits=True)
    assert logits is not None
    for state, token in zip(states, tokens, strict=True):
        state.tokens.append(token)
        state.num_computed += 1
    return logits[: len(states)]


@dataclass(frozen=True, slots=True)
class Throughput:
    """Tokens per second, of a text that is still short."""

    device: str
    prefill_per_s: float
    decode_per_s: float


def measure_throughput(loaded: LoadedModel, config: KVCacheConfig) -> Throughput:
    """Prefill a made-up text for a few seconds, then decode after it. Blocks.

    Raises:
        RuntimeError, MemoryError: There is not enough memory even for that.
    """
    model = loaded.model
    tokens = [number % 64 for number in range(config.chunk_tokens * (_MOST_CHUNKS + 1))]
    state = new_sequence_state(model, config, tokens)
    prefill_chunk(model, state)  # the first chunk pays for what is made once
    first, started = state.num_computed, time.perf_counter()
    while time.perf_counter() - started < PREFILL_FOR_S and prefill_chunk(model, state):
        pass
    _synchronize(model.device)
    prefill_per_s = (state.num_computed - first) / (time.perf_counter() - started)
    del state.tokens[state.num_computed + 1 :]
    prefill_all(model, state)
    decoded, started = 0, time.perf_counter()
    while decoded < _MOST_DECODED and time.perf_counter() - started < DECODE_FOR_S:
        decode(model, [state], [0], 1).cpu()
        decoded += 1
    decode_per_s = decoded / (time.perf_counter() - started)
    return Throughput(device_name(model.device), prefill_per_s, decode_per_s)


def _synchronize(device: torch.device) -> None:
    """Wait for what was begun on a GPU."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def _compute(
    model: AdaptedModel, state: SequenceState, end: int, *, needs_logits: bool
) -> Tensor | None:
    tokens = torch.tensor([state.tokens[state.num_computed : end]])  # (1, n)
    logits = model.forward(tokens, [state.cache], needs_logits=needs_logits)
    state.num_computed = end
    return None if logits is None else logits[0]
