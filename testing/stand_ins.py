"""Readers and writers that need no language model: they do as much as the prompts ask for.

`read_facts` collects facts, and follows them to an answer. A source holds sentences with ids
(`[[S00042]]`) and facts (`anna --mother--> berta`); a question holds its start and what to follow:
`[[Q anna mother city]]`. A prompt with an id of a source is a worker's, any other a manager's.
Nothing depends on the wording of the prompt around them.

`write_text` plans, writes and notes points. It understands the prompts of `lcagent write` and
`summarize` by the words that they cannot do without: the form of a line of a plan, "about N
words", or a part to note points of. What it writes is drawn from a small vocabulary by the
prompt, so it means nothing, never repeats itself, and is the same for the same prompt.
"""

import hashlib
import json
import random
import re
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

NO_FACTS = "There are no facts."
UNKNOWN = "unknown"

_SOURCE = re.compile(r"\[\[S\d+\]\]")
_FACT = re.compile(r"(\w+) --(\w+)--> (\w+)")
_QUESTION = re.compile(r"\[\[Q (\w+)((?: \w+)*)\]\]")


@dataclass(frozen=True, slots=True)
class Fact:
    """`subject --relation--> target`."""

    subject: str
    relation: str
    target: str

    def __str__(self) -> str:
        return f"{self.subject} --{self.relation}--> {self.target}"


def source_ids(prompt: str) -> list[str]:
    """Return the ids of source sentences in a prompt, in order."""
    return _SOURCE.findall(prompt)


def read_facts(prompt: str, cap: int) -> str:
    """Reply as a worker, with at most `cap` facts, or as a manager, with the answer."""
    facts = list(dict.fromkeys(Fact(*found) for found in _FACT.findall(prompt)))
    question = _QUESTION.search(prompt)
    start, path = (question[1], question[2].split()) if question else ("", [])
    if not source_ids(prompt):
        return _follow(facts, start, path)
    kept = _reachable_first(facts, start)[:cap]
    return "\n".join(str(fact) for fact in kept) or NO_FACTS


def _follow(facts: Sequence[Fact], start: str, path: Sequence[str]) -> str:
    targets = {(fact.subject, fact.relation): fact.target for fact in facts}
    place = start
    for relation in path:
        if (place, relation) not in targets:
            return UNKNOWN
        place = targets[place, relation]
    return place if path else UNKNOWN


def _reachable_first(facts: Sequence[Fact], start: str) -> list[Fact]:
    reached: list[Fact] = []
    seen, waiting = {start}, deque([start])
    while waiting:
        subject = waiting.popleft()
        for fact in facts:
            if fact.subject == subject and fact not in reached:
                reached.append(fact)
                if fact.target not in seen:
                    seen.add(fact.target)
                    waiting.append(fact.target)
    return reached + [fact for fact in facts if fact not in reached]


_TARGET = re.compile(r"\b(?:has|have) ([\d,]+) words\b")
_ABOUT = re.compile(r"\babout\s+([\d,]+)\s+(words|chapters|paragraphs)\b")
_LINE = re.compile(r"^(Chapter|Paragraph) 1 - .*\[number\] words$", re.MULTILINE)
_PASSAGE = re.compile(r"<passage \w+>\n(S\d+) \|[^\n]*\n(.*?)\n</passage", re.DOTALL)
_PART = re.compile(r"<part \w+>\n(.*?)\n</part", re.DOTALL)
_MOST = re.compile(r"Note at most (\d+)")
_NOTED = re.compile(r"^\[([A-Z]\d+)\] ", re.MULTILINE)
_SENTENCE = re.compile(r"[A-Z][^.!?]{20,280}[.!?]")
_VOCABULARY = re.findall(
    r"\w+",
    "ferry light stair harbour keeper winter ledger island mill tide lamp stone gull rope letter "
    "morning north window salt chart bell engine pilot store garden road school clock field boat "
    "carries keeps turns counts follows names holds crosses leaves finds mends paints weighs "
    "slowly often never twice again early late alone quietly still beyond beneath after before",
)


def write_text(prompt: str, share: float = 1.0, invented: float = 0.0) -> str:
    """Reply to a planner's prompt with a plan, to a writer's with a paragraph.

    Args:
        share: Of the words asked for, how many are written.
        invented: The share of quotes that stand in no passage.
    """
    chance = random.Random(hashlib.sha256(prompt.encode()).digest())  # noqa: S311 -- no secret
    part = _PART.search(prompt)
    if part is not None:
        return _points(prompt, part[1], chance, invented)
    line = _LINE.search(prompt)
    if line is not None:
        return _plan(prompt, line[1])
    asked = [number for number, unit in _ABOUT.findall(prompt) if unit == "words"]
    words = int(asked[-1].replace(",", "")) if asked else 100
    passages = [*_PASSAGE.findall(prompt), *((label, "") for label in _NOTED.findall(prompt))]
    return _prose(round(words * share), passages, chance, invented)


def _points(prompt: str, part: str, chance: random.Random, invented: float) -> str:
    most = _MOST.search(prompt)
    said = [one.strip() for one in _SENTENCE.findall(part)]
    chosen = chance.sample(said, min(len(said), int(most[1]) if most else 3))
    facts: list[dict[str, str]] = []
    for one in chosen:
        is_invented = chance.random() < invented
        quote = " ".join(chance.choices(_VOCABULARY, k=9)) if is_invented else one
        facts.append({"text": " ".join(one.split()), "quote": quote})
    return json.dumps({"facts": facts}, ensure_ascii=False)


def _plan(prompt: str, kind: str) -> str:
    target = _TARGET.search(prompt)
    words = int(target[1].replace(",", "")) if target else 3_000
    wanted = [number for number, unit in _ABOUT.findall(prompt) if unit != "words"]
    parts = int(wanted[-1]) if wanted else max(1, round(words / 500))
    title = "Title: Part {0} - " if kind == "Chapter" else ""
    topic = hashlib.sha256(prompt.encode()).hexdigest()[:4]
    return "\n".join(
        f"{kind} {number} - {title.format(number)}Main Point: {_point(number, topic)} "
        f"- Word Count: {round(words / parts)} words"
        for number in range(1, parts + 1)
    )


def _point(number: int, topic: str) -> str:
    first, second, third = random.Random(f"{number} {topic}").sample(_VOCABULARY[:30], 3)  # noqa: S311
    return f"the {first}, the {second} and the {third} of {topic}{number}"


def _prose(
    words: int, passages: list[tuple[str, str]], chance: random.Random, invented: float
) -> str:
    sentences: list[str] = []
    left = words
    while left > 0:
        length = min(left, chance.randint(9, 16))
        said = " ".join(chance.choices(_VOCABULARY, k=length)).capitalize()
        sentences.append(f"{said}{_mark(passages, chance, invented)}.")
        left -= length
    return " ".join(sentences)


def _mark(passages: list[tuple[str, str]], chance: random.Random, invented: float) -> str:
    if not passages:
        return ""
    label, text = chance.choice(passages)
    words = text.split()
    if not words:
        return f" [{label}]"
    start = chance.randrange(max(1, len(words) - 9))
    quote = " ".join(words[start : start + 9])
    if chance.random() < invented:
        quote = " ".join(chance.choices(_VOCABULARY, k=9))
    return f' [{label} "{quote}"]'
