"""Reasoning that a server leaves in the text of a reply, between `<think>` and `</think>`.

Servers with a parser for it send it apart; others send it as the beginning of the text. It is paid
for, but it is no part of the reply: neither its words nor the log-probabilities of its tokens.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from lcagent.models.chat_model import OnText, TokenLogprob

OPEN, CLOSE = "<think>", "</think>"

_BLOCK = re.compile(f"{OPEN}.*?(?:{CLOSE}|$)", re.DOTALL)


def strip_reasoning(text: str) -> str:
    """Return a text that is complete without its reasoning, wherever that stands in it."""
    return _BLOCK.sub("", text)


@dataclass(slots=True)
class ReasoningStripper:
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
        """Add what was held back, as the model has ended."""
        self._add(self._stripper.end())

    def _add(self, piece: str) -> None:
        if piece:
            self.text += piece
            if self.on_text is not None:
                self.on_text(piece)


def align_logprobs(tokens: Sequence[TokenLogprob], text: str) -> tuple[TokenLogprob, ...] | None:
    """Return the last tokens, those that spell `text`; None if no row of them at the end does.

    Before them may stand the tokens of the reasoning, which the text no longer has, and blanks
    round the text belong to a token as often as not.
    """
    first, spelled, wanted = len(tokens), b"", text.encode()
    while first and len(spelled) < len(wanted):
        first -= 1
        spelled = tokens[first].data + spelled
    is_whole = spelled.decode("utf-8", "replace").lstrip() == text.lstrip()
    return tuple(tokens[first:]) if is_whole else None
