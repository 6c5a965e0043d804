"""A reader that needs no language model: it collects facts, and follows them to an answer.

A source holds sentences with ids (`[[S00042]]`) and facts (`anna --mother--> berta`). A question
holds its start and what to follow: `[[Q anna mother city]]`. A prompt with an id of a source is a
worker's; any other is a manager's. Nothing depends on the wording of the prompt around them, and
the question's marker comes through any prompt that holds the question.
"""

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
