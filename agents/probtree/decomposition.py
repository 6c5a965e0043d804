"""Decomposition: from a model's reply to a tree of questions that can be answered.

Cao et al., https://arxiv.org/abs/2311.13982, section 3.1: one reply gives the whole tree, as a JSON
object of questions and the questions each is made of. Lists are found one by one, so prose round
the object, keys given twice, trailing commas and a missing end are passed over. Whatever the reply
says, the tree ends: no question stands below itself, and there are limits.
"""

import json
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import regex

from lcagent.agents.probtree.candidate_drafts import DecomposerPrompt, LogprobClient
from lcagent.agents.probtree.confidence import mean_logprob_over, normalize_answer
from lcagent.agents.probtree.question_tree import (
    MAX_DEPTH,
    MAX_NODES,
    QuestionNode,
    QuestionTree,
    Reference,
    find_references,
)
from lcagent.errors import UnusableReply
from lcagent.models.chat_model import Reply

TREE_SCHEMA: dict[str, Any] = {
    "type": "object",
    "additionalProperties": {"type": "array", "items": {"type": "string"}},
}
"""The form of a decomposer's reply."""

UNREADABLE_TREE = "the decomposition could not be read, so the question was answered as it is"

FORM_WORDS = frozenset(("simpler question", "question about 1", "question"))
"""What the prompt has in the place of questions, as answers are compared. Weak models copy it."""


@dataclass(frozen=True, slots=True)
class _List:
    """A question of the reply, and what it is made of; `span` is that of the list."""

    question: str
    children: tuple[str, ...]
    span: tuple[int, int]


@dataclass(slots=True)
class _Draft:
    """A question whose place in the tree is known."""

    text: str
    parent: int | None
    above: tuple[str, ...]
    place: int = 0
    children: list[int] = field(default_factory=list[int])
    score: float | None = None
    flags: list[str] = field(default_factory=list[str])


async def decompose(question: str, client: LogprobClient) -> QuestionTree:
    """Ask a model for the tree of a question."""
    request = client.request(DecomposerPrompt(question), "decomposition")
    try:
        return build_tree(question, await client.complete(replace(request, schema=TREE_SCHEMA)))
    except UnusableReply as error:
        return QuestionTree((QuestionNode(0, question),), (str(error),))


def build_tree(question: str, reply: Reply) -> QuestionTree:
    """Return the tree that a reply describes; of one that describes none, the question alone."""
    found = list(_lists(reply.text))
    flags: list[str] = []
    if not found and "{}" not in "".join(reply.text.split()):
        flags.append(UNREADABLE_TREE)
    drafts = _grown(question, _by_question(question, found, flags), reply)
    literal = find_references(question)
    questions: list[QuestionNode] = []
    for index, draft in enumerate(drafts):
        references = () if index == 0 else _references(draft, drafts, questions, literal)
        if any(each.node is None for each in references):
            draft.flags.append("refers to a question that is not answered before it")
        questions.append(
            QuestionNode(
                index,
                draft.text,
                draft.parent,
                tuple(draft.children),
                references,
                draft.score,
                tuple(draft.flags),
            )
        )
    return QuestionTree(tuple(questions), tuple(flags))


def _grown(question: str, lists: dict[str, _List], reply: Reply) -> list[_Draft]:
    """Return the questions of the tree, level by level.

    Level by level and not depth first, so that the limit of nodes cuts the deepest questions.
    """
    drafts = [_Draft(question, None, ())]
    waiting = deque([0])
    while waiting:
        index = waiting.popleft()
        draft = drafts[index]
        found = lists.get(normalize_answer(draft.text)) if index else lists.get("")
        objection = _objection(draft, found, len(drafts))
        if objection:
            draft.flags.append(objection)
        if found is None or objection:
            continue
        draft.score = mean_logprob_over(reply.text, reply.logprobs or (), found.span)
        for place, text in enumerate(found.children):
            draft.children.append(len(drafts))
            waiting.append(len(drafts))
            drafts.append(_Draft(text, index, (*draft.above, normalize_answer(draft.text)), place))
    return drafts


def _objection(draft: _Draft, found: _List | None, so_far: int) -> str:
    """Say why a question stays without the children that the reply gives it."""
    if found is None:
        return ""
    if normalize_answer(draft.text) in map(normalize_answer, found.children):
        return "made of itself, so it was answered as it is"
    if normalize_answer(draft.text) in draft.above:
        return "stands below itself, so it was answered as it is"
    if len(draft.above) + 1 >= MAX_DEPTH:
        return f"deeper than {MAX_DEPTH} questions, so it was answered as it is"
    if so_far + len(found.children) > MAX_NODES:
        return f"more than {MAX_NODES} questions, so it was answered as it is"
    return ""


def _by_question(question: str, found: Sequence[_List], flags: list[str]) -> dict[str, _List]:
    """Return the lists by their questions, that of the root by the empty one.

    Models word the question anew; then the root is the one that is no part of another.
    """
    lists: dict[str, _List] = {}
    for each in found:
        if normalize_answer(each.question) in lists:
            flags.append(f"two lists for one question, the first was taken: {each.question[:80]}")
        lists.setdefault(normalize_answer(each.question), each)
    parts = {normalize_answer(child) for each in lists.values() for child in each.children}
    tops = [each for key, each in lists.items() if key not in parts] or list(lists.values())
    root = lists.get(normalize_answer(question)) or next(iter(tops), None)
    return lists if root is None else {**lists, "": root}


def _references(
    draft: _Draft,
    drafts: Sequence[_Draft],
    questions: Sequence[QuestionNode],
    literal: dict[str, int],
) -> tuple[Reference, ...]:
    """Return what a question refers to: an earlier sibling, else what its parent refers to.

    What looks like a reference and stands in the question that was asked is none ("the #1 song").
    """
    assert draft.parent is not None
    siblings = drafts[draft.parent].children
    of_parent = {each.written: each.node for each in questions[draft.parent].references}
    found: list[Reference] = []
    for written, number in find_references(draft.text).items():
        if 1 <= number <= draft.place:
            found.append(Reference(written, siblings[number - 1]))
        elif written not in literal:
            found.append(Reference(written, of_parent.get(written)))
    return tuple(found)


def _lists(text: str) -> Iterator[_List]:
    for found in _ENTRY.finditer(text):
        children = map(_string, found.captures("child"))
        said = (child.strip() for child in children)
        kept = tuple(child for child in said if child and normalize_answer(child) not in FORM_WORDS)
        if kept:
            yield _List(_string(found["key"]).strip(), kept, found.span("list"))


def _string(quoted: str) -> str:
    try:
        return str(json.loads(f'"{quoted}"', strict=False))
    except ValueError:
        return quoted


_QUOTED = r'"(?<{}>(?:[^"\\]|\\.)*)"'
_ENTRY = regex.compile(
    rf"{_QUOTED.format('key')}\s*:\s*(?<list>\[\s*(?:{_QUOTED.format('child')}\s*,?\s*)*\]?)",
    regex.DOTALL,
)
