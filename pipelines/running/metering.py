"""Counting the calls of a step: what each was for, and what it cost."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from lcagent.models.base import ChatModel, OnText, Reply, Request
from lcagent.models.wrapping import Wrapping
from lcagent.results import Usage


@dataclass(slots=True)
class Metered(Wrapping):
    """A model that keeps what its calls cost, for one step of a run."""

    model: ChatModel
    calls: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])

    async def complete(self, request: Request, on_text: OnText | None = None) -> Reply:
        """Complete, and keep what it cost."""
        reply = await self.model.complete(request, on_text)
        self.calls.append(_as_row(request, reply))
        return reply


def usage_of(calls: Iterable[Mapping[str, Any]]) -> Usage:
    """Return what calls cost together; cached ones cost nothing."""
    paid = cached = prompt = completion = 0
    usd: float | None = 0.0
    for call in calls:
        if call["is_cached"]:
            cached += 1
            continue
        paid += 1
        prompt += call["prompt_tokens"]
        completion += call["completion_tokens"]
        usd = None if usd is None or call["usd"] is None else usd + call["usd"]
    return Usage(paid, cached, prompt, completion, usd)


def _as_row(request: Request, reply: Reply) -> dict[str, Any]:
    return {
        "purpose": request.purpose,
        "prompt_tokens": reply.prompt_tokens,
        "completion_tokens": reply.completion_tokens,
        "is_estimate": reply.is_estimate,
        "usd": reply.usd,
        "latency_s": round(reply.latency_s, 3),
        "is_cached": reply.is_cached,
        "finish": reply.finish,
        "key": reply.key,
    }
