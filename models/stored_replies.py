"""A reply as a row of the store, and back; a row that is damaged is no reply."""

from typing import Any, Literal

from pydantic import BaseModel

from lcagent.models.base import Reply, TokenLogprob


class _Row(BaseModel):
    text: str
    finish: Literal["stop", "length"]
    prompt_tokens: int
    completion_tokens: int
    is_estimate: bool
    usd: float | None
    latency_s: float
    logprobs: list[tuple[str, float, str]] | None


def to_row(reply: Reply) -> dict[str, Any]:
    """Return what is stored of a reply."""
    return {
        "text": reply.text,
        "finish": reply.finish,
        "prompt_tokens": reply.prompt_tokens,
        "completion_tokens": reply.completion_tokens,
        "is_estimate": reply.is_estimate,
        "usd": reply.usd,
        "latency_s": reply.latency_s,
        "logprobs": None
        if reply.logprobs is None
        else [[each.text, each.logprob, each.data.hex()] for each in reply.logprobs],
    }


def from_row(row: object) -> Reply | None:
    """Return the reply of a row, as it was when it was paid for."""
    try:
        read = _Row.model_validate(row)
        logprobs = None if read.logprobs is None else tuple(_token(each) for each in read.logprobs)
    except ValueError:  # pydantic's errors are of this kind
        return None
    return Reply(**read.model_dump(exclude={"logprobs"}), logprobs=logprobs)


def _token(stored: tuple[str, float, str]) -> TokenLogprob:
    text, logprob, data = stored
    return TokenLogprob(text, logprob, bytes.fromhex(data))
