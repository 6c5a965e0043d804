"""Where a reply begins to repeat itself: small models do so to the end of their tokens.

A loop is the same run of characters over and over at the end of the text, or the same sentence
several times among the last ones. Holtzman et al., The Curious Case of Neural Text Degeneration,
https://arxiv.org/abs/1904.09751, section 3, show why it does not stop by itself.
"""

from dataclasses import dataclass

import regex

MIN_REPEATS = 4
MIN_REPEATED = 160
"""Characters of all repetitions together; shorter ones may be verse, or a column of a table."""
LONGEST_PERIOD = 600
SHORTEST_SENTENCE = 25

_CHECK_EVERY = 48
_LAST_SENTENCES = 16
_LABEL = regex.compile(r"\b[A-Z]\d{1,3}\b|^\s*\d{1,3}[.)]", regex.MULTILINE)
_SENTENCE = regex.compile(r"[^.!?。！？\n]+[.!?。！？\n]+")


def loop_start(text: str) -> int | None:
    """Return where a text that ends in a loop says something for the second time, or None.

    Labels and numbers of lists may count on from one repetition to the next.
    """
    starts = [start for start in (_periodic(text), _labelled(text), _sentences(text)) if start]
    return min(starts, default=None)


@dataclass(slots=True)
class LoopWatch:
    """Looks at a text that arrives in pieces, now and then.

    Attributes:
        start: Where its loop begins, once there is one.
    """

    start: int | None = None
    _checked: int = 0

    def sees_loop(self, text: str) -> bool:
        """Say whether the text so far ends in a loop."""
        if self.start is None and len(text) - self._checked >= _CHECK_EVERY:
            self._checked = len(text)
            self.start = loop_start(text)
        return self.start is not None


def _periodic(text: str) -> int | None:
    """Return where the second of several equal runs at the end of a text begins."""
    size = len(text)
    for period in range(1, min(LONGEST_PERIOD, size // MIN_REPEATS) + 1):
        if text[-1] != text[-1 - period]:
            continue
        repeats = max(MIN_REPEATS, -(-MIN_REPEATED // period))
        if repeats * period > size:
            continue
        unit = text[-period:]
        if text.endswith(unit * repeats) and regex.search(r"[\p{L}\p{N}]", unit):
            return _first_repetition(text, period)
    return None


def _first_repetition(text: str, period: int) -> int:
    """Return the end of the first run, as far back as the period holds."""
    start = len(text) - period
    while start > 0 and text[start - 1] == text[start - 1 + period]:
        start -= 1
    return start + period


def _labelled(text: str) -> int | None:
    """Return the same for runs that differ in their labels only ("S35 ... S36 ...")."""
    tail = text[-LONGEST_PERIOD * MIN_REPEATS :]
    if len(_LABEL.findall(tail)) < MIN_REPEATS:
        return None
    places = list(range(len(text)))
    bare, kept, at = "", [], 0
    for found in _LABEL.finditer(text):
        bare += text[at : found.start()]
        kept += places[at : found.start()]
        at = found.end()
    bare, kept = bare + text[at:], kept + places[at:]
    start = _periodic(bare)
    return kept[start] if start is not None and start < len(kept) else None


def _sentences(text: str) -> int | None:
    """Return where a sentence begins that is said for the second of several times."""
    places: dict[str, list[int]] = {}
    for found in list(_SENTENCE.finditer(text))[-_LAST_SENTENCES:]:
        said = " ".join(found[0].split()).casefold()
        if len(said) >= SHORTEST_SENTENCE:
            places.setdefault(said, []).append(found.start())
    return min((at[1] for at in places.values() if len(at) >= MIN_REPEATS), default=None)
