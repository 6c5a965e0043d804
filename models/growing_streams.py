"""Streams that say the text so far again and again, in place of what is new of it.

OpenAI's events carry the next piece. Some gateways send the whole text so far with each event, or
the whole text once more with the last one, in the piece itself or in a message beside it.
"""

from dataclasses import dataclass
from itertools import pairwise

_CERTAIN = 3
"""So many pieces in a row that each begin with all of the one before are no coincidence."""
_LONG = 24
"""Characters; a piece that is as long, and is the whole text before it, is that text again."""


@dataclass(slots=True)
class StreamedText:
    """Tells what of each event is new.

    While each piece begins with the one before, it may be either kind of stream, so nothing is
    handed on. With an ordinary one this is over at its second piece.
    """

    _said: str = ""  # the text, as far as it is known to be one
    _held: tuple[str, ...] = ()
    _is_known: bool = False
    _grows: bool = False

    def piece(self, piece: str, *, is_last: bool = False) -> tuple[str, ...]:
        """Return what is new in the next piece of a stream, and in those that were held back.

        Args:
            is_last: The server says with it that the reply has ended.
        """
        if not piece:
            return ()
        if self._is_known:
            return self._say(self._rest(piece, is_last=is_last))
        is_growing = not self._held or piece.startswith(self._held[-1])
        self._held += (piece,)
        growths = _growths(self._held)
        if is_growing and growths < _CERTAIN and len(self._held) <= _CERTAIN + 2 * growths:
            return ()
        grows = is_growing and growths >= _CERTAIN and not _is_repetition(self._held)
        return self._decide(grows=grows, is_last=is_last)

    def whole(self, text: str) -> tuple[str, ...]:
        """Return what is new in a message that holds the text so far, beside the pieces."""
        new: tuple[str, ...] = ()
        if not self._is_known and len(self._held) > 1:
            new = self._decide(grows=self._held[-1] == text)
        elif not self._is_known and self._held:
            return ()  # of one piece both are true
        if not text.startswith(self._said):
            return new
        self._is_known = self._is_known or bool(text)
        return new + self._say(text[len(self._said) :])

    def end(self) -> tuple[str, ...]:
        """Return what was held back, as the stream has ended."""
        return () if self._is_known else self._decide(grows=_is_one_text(self._held))

    def _decide(self, *, grows: bool, is_last: bool = False) -> tuple[str, ...]:
        held, self._held = self._held or ("",), ()
        self._is_known, self._grows = True, grows
        new = () if grows else self._say(*held[:-1])
        return new + self._say(self._rest(held[-1], is_last=is_last))

    def _rest(self, piece: str, *, is_last: bool) -> str:
        if self._grows and piece.startswith(self._said):
            return piece[len(self._said) :]
        bare, said = piece.strip(), self._said.strip()
        is_long = len(piece) >= _LONG
        is_again = bare == said and (is_last or is_long) and " " in bare
        # What comes with the end may be the text without the reasoning that was said before it.
        return "" if is_again or (is_last and is_long and said.endswith(bare)) else piece

    def _say(self, *new: str) -> tuple[str, ...]:
        self._said += "".join(new)
        return new


def _growths(pieces: tuple[str, ...]) -> int:
    return sum(len(later) > len(earlier) for earlier, later in pairwise(pieces))


def _is_repetition(pieces: tuple[str, ...]) -> bool:
    """Say whether it is one run of characters over and over, as in a rule of equal signs."""
    first, last = pieces[0], pieces[-1]
    return (first * len(last)).startswith(last)


def _is_one_text(pieces: tuple[str, ...]) -> bool:
    """Say whether a few pieces, each of which begins with the one before, are one text that grew.

    Two may also be one word that begins like the other ("a", "ardvark").
    """
    if _growths(pieces) != 1:
        return _growths(pieces) > 1 and not _is_repetition(pieces)
    first, rest = pieces[0], pieces[-1][len(pieces[0]) :]
    has_mark_only = len(first) > 2 and not any(character.isalnum() for character in rest)
    return has_mark_only or " " in pieces[-1].strip()
