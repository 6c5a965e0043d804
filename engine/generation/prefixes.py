"""What prompts have read, kept for prompts that begin alike.

After Zheng et al., SGLang, https://arxiv.org/abs/2312.07104, section 3. Unlike the keys and values
there, a reading cannot be cut back to any length. So it is kept where a prompt's last full chunk
ends, and where the prompt parted from one before it: there a third may go on.
"""

import threading
from bisect import bisect_right
from dataclasses import dataclass, field

from lcagent.engine.generation.requests import continues
from lcagent.engine.reading import Reading


@dataclass(slots=True)
class Prefixes:
    """Readings of the beginnings of prompts. Thread-safe.

    Attributes:
        most: Readings that are kept; the one used longest ago is dropped first. Each holds a window
            of keys and values, and shares its blocks.
    """

    most: int
    _kept: list[Reading] = field(default_factory=list[Reading])
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def find(self, tokens: list[int]) -> Reading | None:
        """Return the reading that has read most of a prompt's beginning; fork it to go on."""
        with self._lock:
            fitting = [each for each in self._kept if continues(tokens, each)]
            best = max(fitting, key=lambda reading: reading.read, default=None)
            if best is not None:
                self._kept.remove(best)
                self._kept.append(best)
            return best

    def places(self, tokens: list[int], chunk_tokens: int) -> frozenset[int]:
        """Return the numbers of tokens after which a reading of this prompt is worth keeping."""
        if not self.most:
            return frozenset()
        with self._lock:
            kept = list(self._kept)
        shared = (_shared_chunks(tokens, each.tokens, chunk_tokens) for each in kept)
        chunks = {(len(tokens) - 1) // chunk_tokens, max(shared, default=0)}
        return frozenset(count * chunk_tokens for count in chunks if count)

    def keep(self, reading: Reading) -> None:
        """Keep a fork of a reading as it is now."""
        kept = reading.fork()
        del kept.tokens[kept.read :]
        with self._lock:
            others = [each for each in self._kept if each.tokens != kept.tokens]
            self._kept = [*others, kept][-self.most :]

    def clear(self) -> None:
        """Forget all."""
        with self._lock:
            self._kept = []


def _shared_chunks(tokens: list[int], others: list[int], size: int) -> int:
    """Return how many whole chunks two texts have in common at their beginning."""
    longest = min(len(tokens), len(others)) // size

    def differs(count: int) -> bool:
        return tokens[: count * size] != others[: count * size]

    return bisect_right(range(1, longest + 1), 0, key=differs)
