"""Reasoning that a server leaves in the text of a reply, between `<think>` and `</think>`.

Servers with a parser for it send it apart; others send it as the beginning of the text. It is paid
for, but it is no part of the reply.
"""

from dataclasses import dataclass

OPEN, CLOSE = "<think>", "</think>"


@dataclass(slots=True)
class Thoughts:
    """Takes the reasoning out of a text that arrives in pieces."""

    _held: str = ""
    _is_begun: bool = False
    _is_inside: bool = False
    _is_trimming: bool = False

    def feed(self, piece: str) -> str:
        """Return what of the text so far is known to be the reply, and was not returned yet."""
        if self._is_begun and not self._is_inside:
            return self._trimmed(piece)
        self._held += piece
        if not self._is_begun:
            bare = self._held.lstrip()
            if len(bare) < len(OPEN) and OPEN.startswith(bare):
                return ""
            self._is_begun = True
            self._is_inside = self._is_trimming = bare.startswith(OPEN)
        if not self._is_inside:
            return self._rest()
        _, closed, after = self._held.partition(CLOSE)
        if not closed:
            return ""
        self._is_inside, self._held = False, after
        return self._trimmed(self._rest())

    def end(self) -> str:
        """Return what was held back, as the text is over; reasoning without an end is none."""
        return "" if self._is_inside else self._rest()

    def _rest(self) -> str:
        held, self._held = self._held, ""
        return held

    def _trimmed(self, piece: str) -> str:
        """Return a piece without the blanks between the reasoning and the reply."""
        if self._is_trimming:
            piece = piece.lstrip()
            self._is_trimming = not piece
        return piece
