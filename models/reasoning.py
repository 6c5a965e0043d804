"""Reasoning that is left in the text of a reply, between `<think>` and `</think>`.

Servers with a reasoning parser send it in a field of its own; others leave it at the beginning of
the text. It is paid for, but no part of the reply: neither its words nor its log-probabilities.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from lcagent.models.chat_model import OnText, TokenLogprob

OPEN, CLOSE = "<think>", "</think>"

_BLOCK = re.compile(f"{OPEN}.*?(?:{CLOSE}|$)", re.DOTALL)


def strip_reasoning(text: str) -> str:
    """Return a complete text without its reasoning, wherever in the text that is."""
    return _BLOCK.sub("", text)


@dataclass(slots=True)
class ReasoningStripper:
    """Removes the reasoning from the beginning of a text that arrives in pieces.

    A piece may end within a tag, so what might be the beginning of one is held back.
    """

    _held: str = ""
    _is_begun: bool = False
    _is_inside: bool = False
    _is_trimming: bool = False

    def feed(self, piece: str) -> str:
        """Add a piece; return what is now known to be a part of the reply, and is new."""
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
        """Return what was held back, as the text is complete; unclosed reasoning is dropped."""
        return "" if self._is_inside else self._rest()

    def _rest(self) -> str:
        held, self._held = self._held, ""
        return held

    def _trimmed(self, piece: str) -> str:
        """Return a piece without the blank lines between the reasoning and the reply."""
        if self._is_trimming:
            piece = piece.lstrip()
            self._is_trimming = not piece
        return piece


@dataclass(slots=True)
class ReplyText:
    """The text of a reply that arrives in pieces, without the reasoning before it.

    Attributes:
        text: What of the reply is known so far.
        on_text: Is given each piece of it.
    """

    on_text: OnText | None = None
    text: str = ""
    _stripper: ReasoningStripper = field(default_factory=ReasoningStripper)

    def feed(self, piece: str) -> None:
        """Add a piece as it came from the model."""
        self._add(self._stripper.feed(piece))

    def end(self) -> None:
        """Add what was held back, as the reply is complete."""
        self._add(self._stripper.end())

    def _add(self, piece: str) -> None:
        if piece:
            self.text += piece
            if self.on_text is not None:
                self.on_text(piece)


def align_logprobs(tokens: Sequence[TokenLogprob], text: str) -> tuple[TokenLogprob, ...] | None:
    """Return the tokens at the end of `tokens` that spell `text`, or None if there are none.

    Tokens of the reasoning, which the text no longer has, may come before them. Blanks at the
    beginning do not count: they were removed from the text, and are often part of a token.
    """
    first, spelled, wanted = len(tokens), b"", text.encode()
    while first and len(spelled) < len(wanted):
        first -= 1
        spelled = tokens[first].data + spelled
    is_whole = spelled.decode("utf-8", "replace").lstrip() == text.lstrip()
    return tuple(tokens[first:]) if is_whole else None
