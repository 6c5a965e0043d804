"""From tokens to text as a reply grows: whole characters only, and not past a stop string.

A character may be split over tokens, and a stop string too: text is held back while it might still
be the beginning of one.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

Decode: TypeAlias = Callable[[Sequence[int]], str]

UNFINISHED = "\N{REPLACEMENT CHARACTER}"
LONGEST_CHARACTER = 4
"""Tokens that one character may take; more of them are no character."""


@dataclass(slots=True)
class IncrementalDetokenizer:
    """Turns the tokens of one reply into text.

    Attributes:
        is_stopped: A stop string was reached; it and what follows is not part of the text.
    """

    decode: Decode
    stop: tuple[str, ...] = ()
    text: str = ""
    is_stopped: bool = False
    _tokens: list[int] = field(default_factory=list[int])
    _context: int = 0  # tokens from here are decoded with those that are written
    _written: int = 0  # tokens whose text was released
    _held: str = ""  # text that may begin a stop string

    def add(self, token: int) -> str:
        """Add a token and return the text that is certain now, often none."""
        self._tokens.append(token)
        before = self.decode(self._tokens[self._context : self._written])
        now = self.decode(self._tokens[self._context :])
        waiting = len(self._tokens) - self._written
        if now.endswith(UNFINISHED) and waiting < LONGEST_CHARACTER:
            return ""
        # Tokens are decoded with the ones before them, as some tokenizers drop a first space.
        self._context, self._written = self._written, len(self._tokens)
        return self._release(now[len(before) :])

    def finish(self) -> str:
        """Return what was held back, as no more tokens come."""
        if self.is_stopped:
            return ""
        before = self.decode(self._tokens[self._context : self._written])
        rest = self.decode(self._tokens[self._context :])[len(before) :]
        last = self._release(rest)
        held, self._held = self._held, ""  # empty where a stop string was reached
        self.text += held
        return last + held

    def _release(self, piece: str) -> str:
        self._held += piece
        found = [place for stop in self.stop if (place := self._held.find(stop)) >= 0]
        if found:
            self.is_stopped = True
            certain, self._held = self._held[: min(found)], ""
        else:
            keep = max((_overlap(self._held, stop) for stop in self.stop), default=0)
            certain = self._held[: len(self._held) - keep]
            self._held = self._held[len(certain) :]
        self.text += certain
        return certain


def _overlap(text: str, stop: str) -> int:
    """Return how much of the end of `text` could begin `stop`."""
    longest = min(len(text), len(stop) - 1)
    return next((size for size in range(longest, 0, -1) if stop.startswith(text[-size:])), 0)
