"""Whether a plan can be written by, and making it fit its target: by program, not by a model."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import ceil

import regex

from lcagent.agents.agent_write.plan import (
    FEWEST_WORDS,
    MOST_WORDS,
    ArticlePlan,
    PlannedParagraph,
)
from lcagent.agents.agent_write.words import words_of

MOST_PARAGRAPHS = 50
"""Upstream gives up a longer plan; a longer text is planned by chapters, each with its own."""

TOLERANCE = 0.05
"""How far a plan may be from its target before it is rescaled."""

ALIKE = 0.85
"""The share of their words from which on two main points are the same."""


@dataclass(frozen=True, slots=True)
class PlanLimits:
    """What a plan must keep to."""

    fewest_words: int = FEWEST_WORDS
    most_words: int = MOST_WORDS
    most_paragraphs: int = MOST_PARAGRAPHS


def without_repeats(plan: ArticlePlan) -> tuple[ArticlePlan, list[PlannedParagraph]]:
    """Return a plan without the paragraphs whose main point an earlier one has, and those."""
    kept: list[PlannedParagraph] = []
    repeats: list[PlannedParagraph] = []
    for paragraph in plan.paragraphs:
        is_repeat = any(_are_alike(paragraph.point, other.point) for other in kept)
        (repeats if is_repeat else kept).append(paragraph)
    return ArticlePlan(tuple(kept)), repeats


def objections(
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
    found.extend(f"nothing in it is on: {item}" for item in uncovered(plan, instruction))
    return found


def uncovered(plan: ArticlePlan, instruction: str) -> list[str]:
    """Return the items that an instruction lists, line by line, and no main point is on."""
    said = {word.casefold() for one in plan.paragraphs for word in words_of(one.point)}
    said |= {word.casefold() for one in plan.paragraphs for word in words_of(one.chapter)}
    missing: list[str] = []
    for match in _ITEM.finditer(instruction):
        wanted = {word.casefold() for word in words_of(match["item"]) if _is_content(word)}
        if wanted and not any(_is_said(word, said) for word in wanted):
            missing.append(match["item"].strip())
    return missing


def rescaled(plan: ArticlePlan, target_words: int, limits: PlanLimits) -> ArticlePlan:
    """Return a plan whose words add up to the target, each paragraph within the limits if it can.

    Paragraphs without a number get the mean of the others. A plan that is near enough stays.
    """
    known = [paragraph.words for paragraph in plan.paragraphs if paragraph.words]
    mean = round(sum(known) / len(known)) if known else FEWEST_WORDS * 2
    words = [paragraph.words or mean for paragraph in plan.paragraphs]
    target = target_words or sum(words)
    low, high = limits.fewest_words, limits.most_words
    is_near = abs(sum(words) - target) <= TOLERANCE * target
    if not is_near or any(not low <= one <= high for one in words):
        if not low * len(words) <= target <= high * len(words):
            low, high = 1, max(target, 1)
        words = _scaled(words, target, low, high)
    return ArticlePlan(
        tuple(
            replace(paragraph, words=one)
            for paragraph, one in zip(plan.paragraphs, words, strict=True)
        )
    )


def _scaled(words: Sequence[int], target: int, low: int, high: int) -> list[int]:
    """Return numbers in these proportions that add up to `target`, none out of bounds."""
    scaled = [float(one) for one in words]
    for _ in range(50):
        factor = target / sum(scaled)
        scaled = [min(float(high), max(float(low), one * factor)) for one in scaled]
    rounded = [round(one) for one in scaled]
    for place in sorted(range(len(rounded)), key=lambda place: -rounded[place]):
        left = target - sum(rounded)
        rounded[place] = min(high, max(low, rounded[place] + left))
    return rounded


def _are_alike(one: str, other: str) -> bool:
    first, second = ({word.casefold() for word in words_of(point)} for point in (one, other))
    return len(first & second) >= ALIKE * len(first | second)


def _is_content(word: str) -> bool:
    return len(word) >= 4 or not word.isascii() or word.isupper() or word.isdigit()


def _is_said(word: str, said: set[str]) -> bool:
    """Say whether a word stands there, perhaps in another form."""
    stem = word[: max(4, len(word) - 2)]
    return any(one.startswith(stem) for one in said)


_ITEM = regex.compile(r"^[ \t]*(?:[-*•+]|\d{1,2}[.)])[ \t]+(?P<item>\S.*?)[ \t]*$", regex.MULTILINE)
