"""The plan of a text: its paragraphs, as text that people and models write and edit.

Bai et al., LongWriter, https://arxiv.org/abs/2408.07055: a line for each paragraph, with its main
point and its words. Upstream takes every line of a reply for a step; here a line is one if it
looks like one, however it is decorated.
"""

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import groupby

import regex

FEWEST_WORDS, MOST_WORDS = 200, 1_000
"""Of a paragraph, as the paper has it."""


@dataclass(frozen=True, slots=True)
class PlannedParagraph:
    """A paragraph to write.

    Attributes:
        words: 0 where the plan does not say.
        chapter: The heading it stands under; empty where there is none.
    """

    point: str
    words: int
    chapter: str = ""


@dataclass(frozen=True, slots=True)
class ArticlePlan:
    """The paragraphs of a text in order."""

    paragraphs: tuple[PlannedParagraph, ...]

    @property
    def words(self) -> int:
        """How many words are planned."""
        return sum(paragraph.words for paragraph in self.paragraphs)

    def chapters(self) -> Iterator[tuple[str, list[tuple[int, PlannedParagraph]]]]:
        """Yield each chapter with its paragraphs and their places in the plan, from 0."""
        for title, members in groupby(enumerate(self.paragraphs), key=lambda one: one[1].chapter):
            yield title, list(members)

    def as_text(self) -> str:
        """Return the plan as a model is shown it and a user edits it."""
        lines: list[str] = []
        for title, members in self.chapters():
            if title or lines:
                lines.append(f"\n# {title or UNTITLED}")
            lines.extend(as_line(place, paragraph) for place, paragraph in members)
        return "\n".join(lines).strip()


UNTITLED = "-"
"""Stands for no heading, under which paragraphs go on after a chapter."""


def as_line(place: int, paragraph: PlannedParagraph) -> str:
    """Return the line of a paragraph at `place`, from 0."""
    count = f" - Word Count: {paragraph.words} words" if paragraph.words else ""
    return f"Paragraph {place + 1} - Main Point: {paragraph.point}{count}"


def parse_plan(text: str) -> ArticlePlan:
    """Return the plan that a text holds; without any line of one, it has no paragraphs."""
    found: list[PlannedParagraph] = []
    chapter, is_open = "", False
    for line in text.splitlines():
        plain = _plain(line)
        heading, step = _HEADING.match(plain), _step(plain)
        if heading is not None and (step is None or not step.words):
            title = _CHAPTER_NUMBER.sub("", heading["title"]).strip()
            chapter, is_open = "" if title == UNTITLED else title, False
        elif step is not None:
            found.append(replace(step, chapter=chapter))
            is_open = not step.words
        elif is_open and (count := _COUNT.match(plain.lstrip(_SEPARATORS))) is not None:
            found[-1] = replace(found[-1], words=_number(count))
            is_open = False
    return ArticlePlan(tuple(found))


def parse_chapters(text: str) -> list[PlannedParagraph]:
    """Return the chapters that a text plans, their titles as `chapter`."""
    chapters: list[PlannedParagraph] = []
    for step in parse_plan(text).paragraphs:
        titled = _TITLE.match(step.point)
        title = titled["title"] if titled else step.point.split(":")[0]
        point = titled["rest"] if titled else step.point
        point = _MAIN_POINT.sub("", point).strip(_SEPARATORS) or title
        chapters.append(PlannedParagraph(point, step.words, title.strip(_SEPARATORS)[:120]))
    return chapters


def _plain(line: str) -> str:
    """Return a line in one spelling: full-width signs as usual, nothing bold, blanks squeezed."""
    normal = unicodedata.normalize("NFKC", line)
    return " ".join(_BOLD.sub("", normal).split())


def _step(line: str) -> PlannedParagraph | None:
    count = _COUNT.search(line)
    label = _LABEL.match(line)
    is_labelled = label is not None and (label["kind"] or label["number"])
    if label is None or (count is None and not label["kind"]):
        return None
    if not is_labelled and count is None:
        return None
    end = count.start() if count is not None else len(line)
    if end < label.end():
        return None
    point = _MAIN_POINT.sub("", line[label.end() : end].strip(_SEPARATORS)).strip(_SEPARATORS)
    if not regex.search(r"\p{L}", point) or _TOTAL.match(point):
        return None
    return PlannedParagraph(point, _number(count) if count is not None else 0)


def _number(count: regex.Match[str]) -> int:
    """Return the words that a count says; of a range, its middle."""
    numbers = [int(regex.sub(r"\D", "", found)) for found in count.captures("number")]
    return round(sum(numbers) / len(numbers))


_SEPARATORS = " -–—:|,;()[]\t"
_BOLD = regex.compile(r"\*\*|__|`")
_HEADING = regex.compile(r"#{1,6}\s*(?P<title>.*\S)")
_CHAPTER_NUMBER = regex.compile(
    r"^(?:chapter|part|kapitel|chapitre|capítulo|глава)\s+\d+\s*[-–—:.]\s*", regex.IGNORECASE
)
_LABEL = regex.compile(
    r"""(?:[-*•+>#]+\s*)?(?:
    (?P<kind>(?:paragraph|para\.?|section|part|chapter|step|absatz|abschnitt|kapitel|teil|paragraphe
        |chapitre|párrafo|capítulo|абзац|глава|段落|章節|章节|الفقرة|فقرة|الفصل|فصل)\s*\#?\d{1,4}
        |第\s*(?:\d+|[一二三四五六七八九十百]+)\s*[段章节節])
    |(?P<number>\d{1,3}\s*[.)、:](?!\d))
    |(?<=[-*•+]\s?))\s*[-–—:.、]?\s*""",
    regex.VERBOSE | regex.IGNORECASE,
)
_NUMBER = r"(?P<number>\d[\d,.]*\d|\d)"
_UNIT = r"(?:words?|字|词|詞|語|wörter|worte|mots|palabras|parole|слов\w*|كلمة|단어)"
_SAYS = r"(?:word\s*count|words|字数|字數|文字数|wortzahl|wörter|nombre\sde\smots|palabras|слов)"
_ABOUT = r"(?:about|around|approx\.?|approximately|roughly|~|≈|约|約|ca\.?|etwa|environ)?\s*"
_RANGE = rf"{_ABOUT}{_NUMBER}(?:\s*(?:-|–|—|~|to|bis|à|至)\s*{_NUMBER})?"
_COUNT = regex.compile(
    rf"(?:{_SAYS}\s*[:=]?\s*[\[(]?\s*{_RANGE}\s*{_UNIT}?|{_RANGE}\s*{_UNIT})[\s.)\]|。;,]*$",
    regex.IGNORECASE,
)
_MAIN_POINT = regex.compile(
    r"^(?:main\s*points?|key\s*points?|topic|主要内容|主要論點|要点|要點|主旨|hauptpunkt|kernaussage"
    r"|idée\sprincipale|idea\sprincipal|главная\sмысль)\s*:\s*",
    regex.IGNORECASE,
)
_TITLE = regex.compile(
    r"^title\s*:\s*(?P<title>.+?)\s*(?:[-–—|;]\s*(?P<rest>main\s*points?\s*:.*)|$)",
    regex.IGNORECASE,
)
_TOTAL = regex.compile(
    r"^(?:total|sum|overall|altogether|gesamt|insgesamt|总|合计|en\stout)", regex.IGNORECASE
)
