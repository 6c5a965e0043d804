"""The plan of a text: its paragraphs, as text that people and models write and edit.

Bai et al., LongWriter, https://arxiv.org/abs/2408.07055: a line for each paragraph, with its main
point and its words. Upstream takes every line of a reply for a step; here a line is one if it
looks like one, however it is decorated. Whether a plan can be written by is checked, and made to
fit its target, by program and not by a model.
"""

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from math import ceil

import regex

from lcagent.agents.token_budget import CountTokens
from lcagent.agents.write.word_count import split_words

MIN_PARAGRAPH_WORDS, MAX_PARAGRAPH_WORDS = 200, 1_000
"""Of a paragraph, as the paper has it."""

UNTITLED_CHAPTER = "-"
"""Stands for no heading, under which paragraphs go on after a chapter."""

MAX_PARAGRAPHS = 50
"""Upstream gives up a longer plan; a longer text is planned by chapters, each with its own."""

PLAN_TOLERANCE = 0.05
"""How far a plan may be from its target before it is rescaled."""

SAME_POINT_SHARE = 0.85
"""The share of their words from which on two main points are the same."""


DEFAULT_WORDS = 600
"""Of a text whose length nobody says, where no model plans it."""


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
        for title, members in groupby(
            enumerate(self.paragraphs), key=lambda member: member[1].chapter
        ):
            yield title, list(members)

    def as_text(self) -> str:
        """Return the plan as a model is shown it and a user edits it."""
        lines: list[str] = []
        for title, members in self.chapters():
            if title or lines:
                lines.append(f"\n# {title or UNTITLED_CHAPTER}")
            lines.extend(format_plan_line(place, paragraph) for place, paragraph in members)
        return "\n".join(lines).strip()


@dataclass(frozen=True, slots=True)
class PlanLimits:
    """How many words and paragraphs a plan may have.

    Attributes:
        fewest_words, most_words: Of a paragraph.
    """

    fewest_words: int = MIN_PARAGRAPH_WORDS
    most_words: int = MAX_PARAGRAPH_WORDS
    most_paragraphs: int = MAX_PARAGRAPHS


def format_plan_line(place: int, paragraph: PlannedParagraph) -> str:
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
            chapter, is_open = "" if title == UNTITLED_CHAPTER else title, False
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


def remove_repeated_points(plan: ArticlePlan) -> tuple[ArticlePlan, list[PlannedParagraph]]:
    """Return a plan without the paragraphs whose main point an earlier one has, and those."""
    kept: list[PlannedParagraph] = []
    repeats: list[PlannedParagraph] = []
    for paragraph in plan.paragraphs:
        is_repeat = any(_are_alike(paragraph.point, other.point) for other in kept)
        (repeats if is_repeat else kept).append(paragraph)
    return ArticlePlan(tuple(kept)), repeats


def find_plan_problems(
    plan: ArticlePlan, instruction: str, target_words: int, limits: PlanLimits
) -> list[str]:
    """Return what is wrong with a plan, in words that a planner understands; none if nothing is."""
    number = len(plan.paragraphs)
    if not number:
        return ["it has no line of the form asked for"]
    found: list[str] = []
    if number > limits.most_paragraphs:
        found.append(f"it has {number} paragraphs, at most {limits.most_paragraphs} are allowed")
    target = target_words or plan.words
    fewest = ceil(target / limits.most_words)
    if number < fewest:
        found.append(f"it has {number} paragraphs, but {target:,} words need at least {fewest}")
    most = max(1, target // limits.fewest_words)
    if target_words and number > most:
        found.append(f"it has {number} paragraphs, but {target:,} words are enough for {most} only")
    found.extend(f"nothing in it is on: {item}" for item in find_uncovered_items(plan, instruction))
    return found


def find_uncovered_items(plan: ArticlePlan, instruction: str) -> list[str]:
    """Return the items that an instruction lists, line by line, and no main point is on."""
    said = {
        word.casefold()
        for paragraph in plan.paragraphs
        for word in (*split_words(paragraph.point), *split_words(paragraph.chapter))
    }
    missing: list[str] = []
    for match in _ITEM.finditer(instruction):
        wanted = {word.casefold() for word in split_words(match["item"]) if _is_content(word)}
        if wanted and not any(_is_said(word, said) for word in wanted):
            missing.append(match["item"].strip())
    return missing


def plan_by_program(
    instruction: str, material: str, target_words: int, limits: PlanLimits
) -> ArticlePlan:
    """Return a plan without a model: what the instruction lists, else the headings of the sources.

    Where neither names anything, or there are more headings than paragraphs, so that they would
    stand for the beginning only, each paragraph is a part of what is asked for.

    Args:
        material: Headings stand in lines of it that begin with a dash.
    """
    words = target_words or DEFAULT_WORDS
    many = min(limits.most_paragraphs, max(1, round(words / limits.fewest_words / 2)))
    headings = [line.removeprefix("- ") for line in material.splitlines() if line.startswith("- ")]
    listed = find_uncovered_items(ArticlePlan(()), instruction)
    items = listed or (headings if len(headings) <= many else [])
    subject = " ".join(instruction.split())
    points = items[:many] or [f"{subject} ({part}/{many})" for part in range(1, many + 1)]
    each = max(1, round(words / len(points)))
    return ArticlePlan(tuple(PlannedParagraph(point, each) for point in points))


def without_placeholders(plan: ArticlePlan) -> ArticlePlan:
    """Return a plan without the lines that repeat the form that was asked for."""
    kept = [one for one in plan.paragraphs if not _PLACEHOLDER.fullmatch(one.point)]
    return ArticlePlan(tuple(kept))


def rescale_plan(plan: ArticlePlan, target_words: int, limits: PlanLimits) -> ArticlePlan:
    """Return a plan whose words add up to the target, each paragraph within the limits if it can.

    Paragraphs without a number get the mean of the others. A plan that is near enough stays.
    """
    known = [paragraph.words for paragraph in plan.paragraphs if paragraph.words]
    mean = round(sum(known) / len(known)) if known else MIN_PARAGRAPH_WORDS * 2
    words = [paragraph.words or mean for paragraph in plan.paragraphs]
    target = target_words or sum(words)
    low, high = limits.fewest_words, limits.most_words
    is_near = abs(sum(words) - target) <= PLAN_TOLERANCE * target
    if not is_near or any(not low <= number <= high for number in words):
        # With this number of paragraphs the limits and the target cannot both hold; the target
        # is what the user asked for.
        if not low * len(words) <= target <= high * len(words):
            low, high = 1, max(target, 1)
        words = _scaled(words, target, low, high)
    return ArticlePlan(
        tuple(
            replace(paragraph, words=number)
            for paragraph, number in zip(plan.paragraphs, words, strict=True)
        )
    )


def fit_plan(plan: ArticlePlan, place: int, budget_tokens: int, count: CountTokens) -> str:
    """Return the plan as far as it fits: all of it, else this chapter, else the lines round it.

    Args:
        place: Of the paragraph that is to be written, from 0.
    """
    whole = plan.as_text()
    if count(whole) <= budget_tokens:
        return whole
    by_chapter = _this_chapter(plan, place)
    if count(by_chapter) <= budget_tokens:
        return by_chapter
    return _lines_round(plan, place, budget_tokens, count)


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


def _scaled(words: Sequence[int], target: int, low: int, high: int) -> list[int]:
    """Return numbers in these proportions that add up to `target`, none out of bounds."""
    scaled = list(map(float, words))
    # Each round of clamping changes the sum, which the others then make up for; the bounds leave
    # room for the target, so this converges, and 50 rounds are more than any plan needs.
    for _ in range(50):
        factor = target / sum(scaled)
        scaled = [min(float(high), max(float(low), number * factor)) for number in scaled]
    rounded = list(map(round, scaled))
    # What rounding took or gave goes to the longest, where it shows least.
    for place in sorted(range(len(rounded)), key=lambda place: -rounded[place]):
        left = target - sum(rounded)
        rounded[place] = min(high, max(low, rounded[place] + left))
    return rounded


def _are_alike(point: str, other: str) -> bool:
    words, others = ({word.casefold() for word in split_words(text)} for text in (point, other))
    return len(words & others) >= SAME_POINT_SHARE * len(words | others)


def _is_content(word: str) -> bool:
    return len(word) >= 4 or not word.isascii() or word.isupper() or word.isdigit()


def _is_said(word: str, said: set[str]) -> bool:
    """Say whether a word stands there, perhaps in another form."""
    stem = word[: max(4, len(word) - 2)]
    return any(other.startswith(stem) for other in said)


def _this_chapter(plan: ArticlePlan, place: int) -> str:
    lines: list[str] = []
    for title, members in plan.chapters():
        lines.append(f"# {title}")
        if any(at == place for at, _ in members):
            lines.extend(format_plan_line(at, paragraph) for at, paragraph in members)
    return "\n".join(lines)


def _lines_round(plan: ArticlePlan, place: int, budget_tokens: int, count: CountTokens) -> str:
    lines = [format_plan_line(at, paragraph) for at, paragraph in enumerate(plan.paragraphs)]
    first, last = place, place + 1
    for step in range(1, len(lines)):
        wider = max(0, place - step), min(len(lines), place + step + 1)
        if count("\n".join(lines[slice(*wider)])) > budget_tokens:
            break
        first, last = wider
    before = ["..."] if first else []
    after = ["..."] if last < len(lines) else []
    return "\n".join([*before, *lines[first:last], *after])


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
_ITEM = regex.compile(r"^[ \t]*(?:[-*•+]|\d{1,2}[.)])[ \t]+(?P<item>\S.*?)[ \t]*$", regex.MULTILINE)
_PLACEHOLDER = regex.compile(
    r"\W*(?:what the paragraph says(?:, in detail)?|main point|number|title|point)\W*",
    regex.IGNORECASE,
)
