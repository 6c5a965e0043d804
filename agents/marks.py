"""Marks: what a model says that a statement rests on, `[S2 "words of the passage"]` or `[F3, F7]`.

The letter and number name a source that the model was shown. Models vary the form, so a colon or a
comma before the quote, several entries in one pair of brackets, and the quotation marks of any
language are read, too; `canonical_marks` turns the other forms that real models write into these.
"""
# ruff: noqa: E501, RUF001 - patterns; the quotation marks of many languages look like those of ours

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace

import regex

from lcagent.retrieval.sentences import sentences

MAX_MARK_CHARACTERS = 4_000
"""What opens like a mark and is not closed by then is text."""


@dataclass(frozen=True, slots=True)
class Mark:
    """One source that a statement is said to rest on; `quote` is empty where none was given."""

    source: str
    quote: str = ""


@dataclass(frozen=True, slots=True)
class MarkedClaim:
    """A statement, and the marks that follow it.

    Attributes:
        end: Behind its last word in the text, where a reference to what it rests on belongs.
        offered: The marks of the next statement of its paragraph, where it has none.
    """

    text: str
    marks: tuple[Mark, ...]
    end: int = field(default=-1, compare=False)
    offered: tuple[Mark, ...] = field(default=(), compare=False)


@dataclass(slots=True)
class MarkNumbers:
    """Numbers different marks from 1, in the order in which they appear."""

    _numbers: dict[Mark, int] = field(default_factory=dict[Mark, int])

    def __call__(self, mark: Mark) -> int:
        """Return the number of a mark."""
        return self._numbers.setdefault(mark, len(self._numbers) + 1)

    def marks(self) -> list[Mark]:
        """Return the marks in the order of their numbers."""
        return list(self._numbers)


@dataclass(slots=True)
class MarkStream:
    """Takes the marks out of a text that arrives in pieces.

    What they say is not checked before the text is complete, so no reference is shown until then.
    What may turn out to be a mark is held back until it is complete.
    """

    _held: str = ""

    def feed(self, piece: str) -> str:
        """Return what can be shown now."""
        text = self._held + piece
        start = len(text[: _first_open(text)].rstrip(" \t"))  # the blank before a mark goes, too
        self._held = text[start:]
        return _SPACED_MARK.sub("", text[:start])

    def close(self) -> str:
        """Return what is left at the end."""
        held, self._held = self._held, ""
        return _SPACED_MARK.sub("", held)


def split_claims(text: str) -> list[MarkedClaim]:
    """Return the statements of a text, each with its marks.

    Marks stand behind a statement, or before it where a line begins with them. A sentence is a
    statement; one with marks in its middle is cut behind each run of them, unless what stands
    before is a beginning such as "According to".
    """
    found: list[MarkedClaim] = []
    start = 0
    ahead: tuple[Mark, ...] = ()
    for match in _RUN.finditer(text):
        marks = tuple(find_marks(match["marks"]))
        before = _statements(text, start, match.start())
        is_leading = not before and not text[: match.start()].rpartition("\n")[2].strip(_BULLETS)
        if (is_leading and _SAYS_MORE.match(text, match.end())) or (
            before and _is_opening(before[-1].text) and not match["stop"].strip(",:：、")
        ):
            if not is_leading:
                found.extend(_with_first(before[:-1], ahead))
                ahead = ()
            ahead, start = (*ahead, *marks), match.end()
            continue
        before = _with_first(before, ahead)
        ahead = () if before else ahead
        found.extend(before)
        if before:
            last = before[-1]
            found[-1] = replace(
                last, text=last.text + match["stop"], marks=(*last.marks, *marks), end=match.start()
            )
        elif found:
            found[-1] = replace(found[-1], marks=(*found[-1].marks, *marks))
        start = match.end()
    found.extend(_with_first(_statements(text, start, len(text)), ahead))
    return _offered(text, found)


def canonical_marks(text: str, labels: Collection[str]) -> str:
    """Return a reply with each mark in the form `[S2 "words"]`, whatever form the model gave it.

    Other brackets, small letters, "Source S1", a bare number, quotes without quotation marks,
    superscripts. Without a quote, only a label that was shown is a mark: "(S1)" of a text on
    classes S1 and S2 stays.
    """
    if not labels:
        return text
    known = {label.casefold(): label for label in labels}
    letter = next(iter(labels))[:1]
    text = _QUOTED_LABEL.sub(lambda match: _in_quotes(match, known), text)
    text = _LOOSE.sub(lambda match: _canonical(match, known, letter), text)
    return _RAISED.sub(lambda match: _raised(match, known, letter), text)


def find_marks(text: str) -> Iterator[Mark]:
    """Yield the marks of a text in order."""
    for bracket in _MARK.finditer(text):
        for entry in _ENTRY.finditer(bracket.group()):
            yield Mark(entry["source"], (entry["quote"] or "").strip())


def mark_spans(text: str) -> list[tuple[int, int]]:
    """Return where the marks of a text stand."""
    return [match.span() for match in _MARK.finditer(text)]


def strip_marks(text: str) -> str:
    """Return a text as it reads without its marks."""
    return _SPACE_BEFORE_STOP.sub(r"\1", _MARK.sub("", text)).strip()


def number_marks(text: str, numbers: MarkNumbers) -> str:
    """Return a text with a number in the place of each mark: `[1, 2]`."""

    def number(match: regex.Match[str]) -> str:
        found = dict.fromkeys(numbers(mark) for mark in find_marks(match.group()))
        return f"[{', '.join(map(str, found))}]"

    return _MARK.sub(number, text)


def _with_first(claims: list[MarkedClaim], marks: tuple[Mark, ...]) -> list[MarkedClaim]:
    """Return claims, the first with marks that stood before it."""
    if not claims or not marks:
        return claims
    return [replace(claims[0], marks=(*marks, *claims[0].marks)), *claims[1:]]


def _offered(text: str, claims: list[MarkedClaim]) -> list[MarkedClaim]:
    """Return claims, those without marks with the marks of the next in the same paragraph."""
    marks: tuple[Mark, ...] = ()
    after = len(text)
    for place in range(len(claims) - 1, -1, -1):
        claim = claims[place]
        if "\n" in text[claim.end : after].strip():
            marks = ()
        if claim.marks:
            marks = claim.marks
        else:
            claims[place] = replace(claim, offered=marks)
        after = claim.end
    return claims


def _is_opening(text: str) -> bool:
    return _OPENING_WORDS.fullmatch(text.strip(" ,:")) is not None


def _canonical(match: regex.Match[str], known: Mapping[str, str], letter: str) -> str:
    """Return a bracket as a mark, or as it is where it names nothing that was shown."""
    entries: list[str] = []
    is_round = match.group()[0] in "(（"
    for entry in _LOOSE_ENTRY.finditer(match["inside"]):
        raw, quote = entry["label"], (entry["quote"] or entry["bare"] or "").strip()
        is_number = raw.isdigit()
        label = known.get(f"{letter}{raw}".casefold() if is_number else raw.casefold())
        if label is None:
            # A quote is looked up wherever it stands; a label alone says nothing.
            if is_number or is_round or not entry["quote"] or not raw[:1].isupper():
                return match.group()
            label = raw
        if is_number and not quote and is_round:
            return match.group()
        entries.append(f'{label} "{quote}"' if quote else label)
    return f"[{'; '.join(entries)}]" if entries else match.group()


def _in_quotes(match: regex.Match[str], known: Mapping[str, str]) -> str:
    label = known.get(match["label"].casefold())
    return f'[{label} "{match["quote"].strip()}"]' if label else match.group()


def _raised(match: regex.Match[str], known: Mapping[str, str], letter: str) -> str:
    numbers = match["numbers"].translate(_TO_DIGITS)
    labels = [known.get(f"{letter}{number}".casefold()) for number in regex.split("[,⸴˒]", numbers)]
    found = [label for label in labels if label]
    return f" [{', '.join(found)}]" if len(found) == len(labels) else match.group()


def _first_open(text: str) -> int:
    """Return where a mark begins that is not complete yet, or the length of the text."""
    for match in _OPENING.finditer(text, max(0, len(text) - MAX_MARK_CHARACTERS), partial=True):
        if not _MARK.match(text, match.start()):
            return match.start()
    return len(text)


def _statements(text: str, start: int, end: int) -> list[MarkedClaim]:
    """Return the sentences of a part of a text that say something."""
    found: list[MarkedClaim] = []
    for sentence_start, sentence_end in sentences(text[start:end]):
        sentence = text[start + sentence_start : start + sentence_end].strip()
        last = _LAST_WORD.search(sentence)
        if last is not None:
            behind = start + text[start:end].index(sentence, sentence_start) + last.end()
            found.append(MarkedClaim(sentence, (), behind))
    return found


_OPENING = regex.compile(r"\[(?=\p{Lu}\d)|\[\p{Lu}?$")
_SOURCE = r"\p{Lu}\d{1,6}"
_QUOTE = (
    r"[\"“”„«‹「『](?<quote>(?:(?![\"”“»›」』]\s*(?:[\];]|,\s*\p{Lu}\d)).)+)"
    r"[\"”“»›」』](?=\s*(?:[\];]|,\s*\p{Lu}\d))"
)
_ENTRY = regex.compile(rf"(?<source>{_SOURCE})(?!\w)\s*(?:[:,]?\s*{_QUOTE})?", regex.DOTALL)
_BARE_QUOTE = _QUOTE.replace("?<quote>", "?:")
_BARE_ENTRY = rf"{_SOURCE}(?!\w)\s*(?:[:,]?\s*{_BARE_QUOTE})?"
_BRACKET = rf"\[\s*{_BARE_ENTRY}\s*(?:[;,]\s*{_BARE_ENTRY}\s*)*\]"
_MARK = regex.compile(_BRACKET, regex.DOTALL)
_SPACED_MARK = regex.compile(rf"[ \t]*{_BRACKET}", regex.DOTALL)
_RUN = regex.compile(
    rf"\s*(?<marks>{_BRACKET}(?:\s*{_BRACKET})*)(?<stop>[.!?,;:。！？]?)", regex.DOTALL
)
_LAST_WORD = regex.compile(r"[\p{L}\p{N}][^\p{L}\p{N}]*?(?=[\s.!?,;:。！？…]*$)")
_SPACE_BEFORE_STOP = regex.compile(r"[ \t]+([.!?,;:。！？]|$)")
_BULLETS = " \t-*•·>0123456789.)"
_SAYS_MORE = regex.compile(r"[ \t]*+(?:[:–—-][ \t]*+)?\n?[\p{L}\p{N}\"“'*_]")
# What leads up to a mark and says nothing of its own.
_OPENING_WORDS = regex.compile(
    r"\W*(?:(?i:according to|as (?:stated|noted|shown|mentioned|described|reported) (?:in|by)|as|in|see|from|per"
    r"|based on|laut|nach|gemäß|wie in|selon|d['’]après|según|como|по данным|согласно)"
    r"|根据|據|依据|によると)?\W*(?i:the\s+)?(?i:source|passage|document|text|section|page|quelle|fuente)?\W*"
)
_NAMED = r"(?:(?i:sources?|passages?|quelle|fuente|ref(?:erence)?|来源|出典)\s*[:#]?\s*)?"
_LABEL = r"(?<label>\p{L}\d{1,6}|\d{1,3})(?![\p{L}\d])"
_OPEN, _CLOSE = "\"“”„«‹「『'‘", "\"“”»›」』'’"
_LOOSE_QUOTE = rf"[{_OPEN}](?<quote>(?:(?![{_CLOSE}]\s*(?:[\]】)）］;,]|$)).)+)[{_CLOSE}](?=\s*(?:[\]】)）］;,]|$))"
_LOOSE_ENTRY = regex.compile(
    rf"\s*{_NAMED}{_LABEL}\s*(?:[:,|–—-]?\s*(?:{_LOOSE_QUOTE}|(?<bare>[^\[\]\"“”;,\s][^\[\]\"“”]{{11,}}))|)"
    r"\s*(?:[;,]|$|(?=\p{L}\d))",
    regex.DOTALL,
)
_LOOSE = regex.compile(
    rf"(?<open>[\[【(（［])(?<inside>\s*{_NAMED}(?:\p{{L}}\d{{1,6}}|\d{{1,3}})(?![\p{{L}}\d])"
    rf"(?:[^\[\]【】()（）［］\"“”„«»「」『』\n]|[\"“„«「『](?:(?![\"”“»」』]\s*[\]】)）］;,]).)*[\"”“»」』]|\([^()\n]*\))*)"
    r"[\]】)）］]",
    regex.DOTALL,
)
_QUOTED_LABEL = regex.compile(
    r"(?:[\[(【（]\s*)?[\"“](?<label>\p{L}\d{1,6})\s*[:：]\s*(?<quote>[^\"“”]{12,})[\"”](?:\s*[\])】）])?"
)
_RAISED = regex.compile(
    r"(?<=[.!?,;:\"”»)。！？]|\p{L}{4})(?<numbers>[¹²³⁰⁴-⁹]{1,3}(?:[,⸴˒][¹²³⁰⁴-⁹]{1,3})*)(?![\p{L}\d])"
)
_TO_DIGITS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹", "0123456789")
