"""Cuts text into sentences, list items, headings and table rows, keeping their offsets.

Rules, not a model: a list of abbreviations, and what the lines of a page look like. The text of a
PDF page has no blank lines between paragraphs, so headings and rows are told by their form.
"""
# ruff: noqa: RUF001 - the marks of many scripts look like those of ours

from collections.abc import Iterator

import regex

LONGEST_SENTENCE = 1200
"""Characters; a longer sentence is cut at a semicolon, colon, comma or blank."""


def sentences(text: str, language: str | None = None) -> list[tuple[int, int]]:
    """Return the spans of the sentences of `text`, in order; only white space lies between them.

    Takes about half a second for every million characters.

    Args:
        language: A tag such as "de"; where it is German, a number with a full stop ("3. Mai") is
            taken for an ordinal.
    """
    is_german = (language or "").lower().startswith("de")
    return [
        piece
        for start, end in _units(text)
        for sentence in _split(text, start, end, is_german=is_german)
        for piece in _limited(text, *sentence)
    ]


def _units(text: str) -> Iterator[tuple[int, int]]:
    """Yield the spans that no sentence crosses: paragraphs, items, headings, rows."""
    for block in _BLOCKS.finditer(text):
        lines = [line.span() for line in _LINES.finditer(text, *block.span())]
        width = max(end - start for start, end in lines)
        start, kind = lines[0][0], "text"
        for number, (line_start, line_end) in enumerate(lines):
            line = text[line_start:line_end]
            before = text[start : lines[number - 1][1]] if number and start < line_start else ""
            after = text[slice(*lines[number + 1])] if number + 1 < len(lines) else ""
            begins = _kind(line, before, after, width, kind)
            if before and (begins != "text" or kind in _ALONE):
                yield start, lines[number - 1][1]
                start, kind = line_start, begins
            elif not before:
                kind = begins
        yield start, lines[-1][1]


def _kind(line: str, before: str, after: str, width: int, kind_before: str) -> str:
    """Tell what a line begins, or "text" where it may go on with what stands before it."""
    if _BULLET.match(line):
        return "item"
    is_free = not before or kind_before in _ALONE or _ENDS.search(before) is not None
    if _NUMBERED.match(line) and (is_free or kind_before == "item" or before[-1] in ":;,"):
        return "item"
    if _ROW.search(line) or _NUMBER_ONLY.fullmatch(line):
        return "row"
    if is_free and _is_heading(line, after, width):
        return "heading"
    return "text"


def _is_heading(line: str, after: str, width: int) -> bool:
    is_short = len(line) <= min(_LONGEST_HEADING, max(width * 0.6, _NARROW))
    return (
        is_short
        and _HEADING.match(line) is not None
        and _STOPS.search(line) is None
        and (not after or _HEADING.match(after) is not None)
    )


def _split(text: str, start: int, end: int, *, is_german: bool) -> Iterator[tuple[int, int]]:
    """Yield the sentences of a unit."""
    first = start
    for stop in _CANDIDATES.finditer(text, start, end):
        following = _NEXT.match(text, stop.end(), end)
        if following and _is_border(text, first, stop, following.group(1), is_german=is_german):
            yield first, stop.end()
            first = following.start(1)
    if first < end:
        yield first, end


def _is_border(
    text: str, start: int, stop: regex.Match[str], following: str, *, is_german: bool
) -> bool:
    mark = stop.group(1)
    if mark[0] in _WIDE:
        return True
    if following[0].islower() or text[stop.end()] not in _BLANKS:
        return False
    if mark != ".":
        return True
    word = _LAST_WORD.search(text, max(start, stop.start() - 24), stop.start())
    if word is None:
        return True
    return not _goes_on(
        word.group(), following, is_first=word.start() == start, is_german=is_german
    )


def _goes_on(word: str, following: str, *, is_first: bool, is_german: bool) -> bool:
    """Tell whether the sentence goes on after `word`, a full stop and `following`."""
    if word.isdigit():
        return is_first or (is_german and len(word) < 3 and not following[0].isdigit())
    if word in _BEFORE_NUMBERS:
        return following[0].isdigit()
    if word.lower() in _MAY_END or _DOTTED.fullmatch(word):
        return following not in _STARTERS
    return word.lower() in _ABBREVIATIONS or (len(word) == 1 and word.isupper())


def _limited(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Yield a sentence, in pieces where it is too long."""
    while end - start > LONGEST_SENTENCE:
        cut = _cut(text, start, start + LONGEST_SENTENCE)
        yield start, start + len(text[start:cut].rstrip())
        rest = _BLANK_RUN.match(text, cut, end)
        start = rest.end() if rest else cut
    if start < end:
        yield start, end


def _cut(text: str, start: int, limit: int) -> int:
    """Return where to cut between the middle and the limit of a sentence that is too long."""
    middle = (start + limit) // 2
    for pattern in _CUTS:
        cuts = [match.end() for match in pattern.finditer(text, middle, limit)]
        if cuts:
            return cuts[-1]
    return limit


_BLANKS = " \t\r\n\xa0\u3000"
_WIDE = "。！？｡؟۔।\u0964\u0965"
_CLOSERS = r"(?:[\"'’”»›\)\]」』）】]|[ \xa0\u202f][»›])"
_LONGEST_HEADING = 80
_NARROW = 30  # a line this short may be a heading however narrow the column is
_ALONE = frozenset(["heading", "row"])

_SPACE = r"\s\x1c-\x1f"  # inside a character class: what str.isspace() says is white
_BLOCKS = regex.compile(
    rf"[^{_SPACE}](?:[^\r\n]|\r\n?(?![^\S\r\n]*[\r\n])|(?<!\r)\n(?![^\S\r\n]*[\r\n]))*"
)
_LINES = regex.compile(rf"[^{_SPACE}](?:[^\r\n]*[^{_SPACE}])?")
_BLANK_RUN = regex.compile(rf"[{_SPACE}]+")
_BULLET = regex.compile(r"[•·▪▫‣◦●○■□◆►✓\uf0b7]\s*|[*\-–—]\s+(?=\S)")
_NUMBERED = regex.compile(
    r"(?:\(?(?:\d{1,3}|[a-zA-Z]|[ivxIVX]{1,5})[.)]|\d{1,2}(?:\.\d{1,2})+\.?)\s+\S"
)
_NUMERIC = r"[($€£¥]*\s?-?\d+(?:[.,]\d+)*\s?[%)]*|[—–-]"
_ROW = regex.compile(rf" \| |\t.*\t|(?:(?:^|\s)(?:{_NUMERIC})(?=\s|$)\s*){{2,}}%?$")
_NUMBER_ONLY = regex.compile(r"\W*\d+\W*")
_HEADING = regex.compile(r"[\p{Lu}\p{Lo}\d\"“'‘(\[§#]")
_STOPS = regex.compile(rf"[.!?…:;,。！？؟۔।，、；：-]{_CLOSERS}*$")
_ENDS = regex.compile(rf"[.!?…:。！？؟۔।]{_CLOSERS}*$")

_CANDIDATES = regex.compile(rf"([.!?…]+|[{_WIDE}]+){_CLOSERS}*(?:\[\d+\])*")
_NEXT = regex.compile(rf"[{_SPACE}]*([^{_SPACE}\w]*\w+|[^{_SPACE}]+)")
_LAST_WORD = regex.compile(r"[\w.]+$")
_DOTTED = regex.compile(r"(?:\p{L}{1,2}\.)+\p{L}{1,2}")
_CUTS = [regex.compile(cut) for cut in (r";\s|；", r":\s|：", r",\s|[，、،]", r"\s")]


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


_BEFORE_NUMBERS = _set("No no Nr Nos nos Art art Abs Vol vol Ch Sec S Bd Kap")
_MAY_END = _set("inc corp co ltd llc plc etc jr sr usw al")
_ABBREVIATIONS = _set(
    """mr mrs ms dr prof rev hon st mt gen col capt lt sgt gov sen rep messrs mme mlle mm me
    vs approx dept est fig figs eq eqs pp ed eds cf ca viz op cit resp jan feb mar apr jun jul aug
    sep sept oct nov dec bzw ggf evtl vgl inkl exkl sog hr fr hrsg str mio mrd tel cie env chap"""
)
_STARTERS = _set(
    """The This These Those That It Its In We Our He She They His Her A An For On At As If But And
    However There When While After Since To By From With You I Der Die Das Es Ein Eine Le La Les Il
    Elle"""
)
