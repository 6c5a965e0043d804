"""The ladder of confidences: log-probabilities, else agreement of samples, else what is stated.

All candidates of a question are measured in one way, so that what is compared can be compared, and
no question in a better way than those below it: their scores go into its own.
"""

import asyncio
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from lcagent.agents.probtree.asking import Asker, Draft, answers_of
from lcagent.agents.probtree.confidence import Method, agreement, lower, mean_logprob, stated
from lcagent.agents.probtree.deciding import FAILED
from lcagent.agents.probtree.roles import ConfidencePrompt
from lcagent.errors import ContextTooLong, UnusableReply
from lcagent.models.base import Reply, Request

EVEN = -0.6931471805599453
"""The logarithm of one half: what is taken, and said to be, where a model states nothing."""

NOTHING_STATED = "the model did not say how sure it is; one half was taken"
NO_EXPLANATION = "it explains nothing, so there is nothing to measure"

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Measured:
    """How sure an answer is, by itself; `flags` say what was odd."""

    score: float
    flags: tuple[str, ...] = ()


def method_for(drafts: Sequence[Draft], least: Method, samples: int) -> Method:
    """Return the best way in which all drafts can be measured, from `least` on down.

    Args:
        samples: How many may be drawn; with none, the model is asked.
    """
    replies = [draft.reply for draft in drafts if draft.says_something and draft.reply is not None]
    if least == "logprobs" and any(reply.logprobs is None for reply in replies):
        least = "samples"
    return lower(least, "stated") if least == "samples" and not samples else least


async def measure(
    drafts: Sequence[Draft],
    question: str,
    method: Method,
    asker: Asker,
    *,
    samples: int,
    temperature: float,
) -> list[Measured]:
    """Return how sure each draft is; one without an answer has failed, and costs nothing."""

    async def one(draft: Draft) -> Measured:
        if not draft.is_usable or draft.reply is None or draft.request is None:
            return Measured(FAILED)
        if method == "logprobs":
            return _by_logprobs(draft, draft.reply)
        if method == "samples":
            drawn = await _drawn(draft.request, asker, samples, temperature)
            return Measured(agreement(draft.read.answer, answers_of(drawn)))
        return await _by_statement(draft, draft.reply, question, asker)

    return await together([one(draft) for draft in drafts])


async def together(work: Sequence[Awaitable[T]]) -> list[T]:
    """Wait for several things at the same time; return what each gives."""

    async def wait(one: Awaitable[T]) -> T:
        return await one

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(wait(one)) for one in work]
    return [task.result() for task in tasks]


def _by_logprobs(draft: Draft, reply: Reply) -> Measured:
    found = mean_logprob(reply.text, reply.logprobs or (), draft.read.explanation)
    return Measured(FAILED, (NO_EXPLANATION,)) if found is None else Measured(found)


async def _drawn(request: Request, asker: Asker, samples: int, temperature: float) -> list[Reply]:
    """Return several replies to a request; one that cannot be used counts as an empty one."""

    async def draw(number: int) -> Reply:
        again = replace(
            request,
            temperature=temperature,
            sample=number,
            wants_logprobs=False,
            purpose=f"sample {number}, {request.purpose}",
        )
        try:
            return await asker.ask(again)
        except UnusableReply:
            return Reply("")

    return await together([draw(number) for number in range(1, samples + 1)])


async def _by_statement(draft: Draft, reply: Reply, question: str, asker: Asker) -> Measured:
    prompt = ConfidencePrompt(question, draft.material or "(none)", reply.text)
    purpose = f"confidence, {draft.request.purpose}" if draft.request else "confidence"
    request = replace(asker.request(prompt, purpose), wants_logprobs=False)
    try:
        found = stated((await asker.ask(request)).text)
    except (UnusableReply, ContextTooLong):
        found = None
    return Measured(EVEN, (NOTHING_STATED,)) if found is None else Measured(found)
