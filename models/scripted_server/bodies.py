"""The bodies of a scripted server, in the form of OpenAI's chat completions."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from lcagent.models.base import TokenLogprob
from lcagent.models.scripted_server.script import (
    Scripted,
    ScriptedCall,
    count_tokens,
    first_tokens,
    pieces_of,
)


@dataclass(frozen=True, slots=True)
class Completion:
    """What the server replies to one call."""

    call: ScriptedCall
    scripted: Scripted
    text: str
    finish: str
    prompt_tokens: int

    def body(self) -> dict[str, Any]:
        """Return the reply in one piece."""
        message = {"role": "assistant", "content": self.text or None}
        if self.scripted.refusal is not None:
            message["refusal"] = self.scripted.refusal
        choice = {"index": 0, "message": message, "finish_reason": self.finish}
        if self._wants_logprobs:
            choice["logprobs"] = {"content": [_logprob(each) for each in self._logprobs()]}
        body = self._head("chat.completion") | {"choices": [choice]}
        return body | ({"usage": self._usage()} if self.scripted.usage != "none" else {})

    def events(self) -> Iterator[dict[str, Any]]:
        """Return the reply as the events of a stream."""
        yield self._event({"role": "assistant", "content": ""}, None)
        if self.scripted.refusal is not None:
            yield self._event({"refusal": self.scripted.refusal}, None)
        if self._wants_logprobs:
            for each in self._logprobs():
                yield self._event({"content": each.text}, None, [_logprob(each)])
        else:
            for piece in pieces_of(self.text):
                yield self._event({"content": piece}, None)
        yield self._event({}, self.finish)
        options = self.call.body.get("stream_options") or {}
        if options.get("include_usage") and self.scripted.usage != "none":
            yield self._head("chat.completion.chunk") | {"choices": [], "usage": self._usage()}

    @property
    def _wants_logprobs(self) -> bool:
        return bool(self.call.body.get("logprobs")) and self.scripted.has_logprobs

    def _head(self, kind: str) -> dict[str, Any]:
        model = self.call.body.get("model", "")
        return {"id": f"scripted-{self.call.number}", "object": kind, "created": 0, "model": model}

    def _event(
        self, delta: dict[str, Any], finish: str | None, logprobs: list[Any] | None = None
    ) -> dict[str, Any]:
        choice = {"index": 0, "delta": delta, "finish_reason": finish}
        if logprobs:
            choice["logprobs"] = {"content": logprobs}
        return self._head("chat.completion.chunk") | {"choices": [choice]}

    def _usage(self) -> dict[str, int]:
        if self.scripted.usage == "zero":
            return {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}
        completion = count_tokens(self.text)
        prompt = self.scripted.prompt_tokens or self.prompt_tokens
        total = prompt + completion
        return {
            "prompt_tokens": prompt,
            "completion_tokens": completion,
            "total_tokens": total,
        }

    def _logprobs(self) -> Sequence[TokenLogprob]:
        if self.scripted.logprobs is not None:
            return self.scripted.logprobs
        return [_made_up(piece) for piece in pieces_of(self.text)]


def complete(call: ScriptedCall, scripted: Scripted, prompt_tokens: int, nonce: str) -> Completion:
    """Cut a scripted text as `max_tokens` says, and mark it with a nonce."""
    limit = max_tokens_of(call)
    text = scripted.text if scripted.refusal is None else ""
    room = max(0, limit - 1) if nonce and text else limit
    is_cut = not scripted.ignores_max_tokens and count_tokens(text) > room
    text = first_tokens(text, room) if is_cut else text
    marked = f"{text} {nonce}" if nonce and text else text
    finish = scripted.finish or ("length" if is_cut else "stop")
    return Completion(call, scripted, marked, finish, prompt_tokens)


def max_tokens_of(call: ScriptedCall) -> int:
    """Return the longest reply that a call allows."""
    given = call.body.get("max_completion_tokens") or call.body.get("max_tokens")
    return given if isinstance(given, int) else 1_000_000


def error_body(message: str, code: str | None, param: str | None) -> dict[str, Any]:
    """Return an error as OpenAI words it."""
    kind = "invalid_request_error"
    return {"error": {"message": message, "type": kind, "param": param, "code": code}}


def _made_up(text: str) -> TokenLogprob:
    return TokenLogprob(text, -math.log1p(len(text) % 5), text.encode())


def _logprob(each: TokenLogprob) -> dict[str, Any]:
    return {"token": each.text, "logprob": each.logprob, "bytes": list(each.data) or None}
