"""The prefix cache: KV caches of earlier prompts, for prompts that begin alike.

After Zheng et al., SGLang, https://arxiv.org/abs/2312.07104, section 3. Unlike the keys and values
there, a state here cannot be cut back to any length: what left the window is in blocks, and looked
up. So a state is kept at checkpoints: where a prompt's last full chunk ends, for the same text with
another end, and where the prompt parted from one before it, for a third that parts there too.
"""

import threading
from bisect import bisect_right
from dataclasses import dataclass, field

from lcagent.engine.model_runner import SequenceState


@dataclass(slots=True)
class PrefixCache:
    """States of the beginnings of prompts. Thread-safe.

    Attributes:
        max_states: States that are kept; the least recently used is evicted first. Each holds a
            window of keys and values, and shares its blocks.
    """

    max_states: int
    _states: list[SequenceState] = field(default_factory=list[SequenceState])
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def find(self, prompt: list[int]) -> SequenceState | None:
        """Return the state that has the longest beginning of a prompt; fork it to continue."""
        with self._lock:
            fitting = [state for state in self._states if state.is_prefix_of(prompt)]
            best = max(fitting, key=lambda state: state.num_computed, default=None)
            if best is not None:
                self._states.remove(best)
                self._states.append(best)
            return best

    def checkpoints(self, prompt: list[int], chunk_tokens: int) -> frozenset[int]:
        """Return the numbers of tokens after which a state of this prompt is worth keeping.

        A prefix can be taken up only where a chunk ends, as chunks must begin at the same places
        for the same results. The last full chunk of a prompt ends before its last token, which
        is read alone.
        """
        if not self.max_states:
            return frozenset()
        with self._lock:
            states = list(self._states)
        shared = (_shared_chunks(prompt, state.tokens, chunk_tokens) for state in states)
        chunks = {(len(prompt) - 1) // chunk_tokens, max(shared, default=0)}
        return frozenset(count * chunk_tokens for count in chunks if count)

    def keep(self, state: SequenceState) -> None:
        """Keep a fork of a state as it is now."""
        kept = state.fork()
        del kept.tokens[kept.num_computed :]
        with self._lock:
            others = [each for each in self._states if each.tokens != kept.tokens]
            self._states = [*others, kept][-self.max_states :]

    def clear(self) -> None:
        """Evict all."""
        with self._lock:
            self._states = []


def _shared_chunks(tokens: list[int], others: list[int], size: int) -> int:
    """Return how many whole chunks two texts have in common at their beginning.

    Searched by bisection, since a comparison of slices is fast and one of tokens is not.
    """
    longest = min(len(tokens), len(others)) // size

    def differs(count: int) -> bool:
        return tokens[: count * size] != others[: count * size]

    return bisect_right(range(1, longest + 1), 0, key=differs)
