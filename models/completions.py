"""The body of a completion, whole or streamed, as it comes from a server and is believed."""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from pydantic import BaseModel, ValidationError

from lcagent.models.base import OnText, TokenLogprob
from lcagent.models.thoughts import Thoughts

Finish: TypeAlias = Literal["stop", "length", "filtered"]

_FINISHES: dict[str, Finish] = {
    "length": "length",
    "max_tokens": "length",
    "model_length": "length",
    "content_filter": "filtered",
}


class BadBody(ValueError):
    """A body that is no completion; the text says what it is instead."""


class _Token(BaseModel):
    token: str
    logprob: float
    bytes: list[int] | None = None


class _Logprobs(BaseModel):
    content: list[_Token] | None = None


class _Text(BaseModel):
    content: str | list[dict[str, Any]] | None = None
    refusal: str | None = None


class _Choice(BaseModel):
    index: int = 0
    message: _Text | None = None
    delta: _Text | None = None
    finish_reason: str | None = None
    logprobs: _Logprobs | None = None


class _Details(BaseModel):
    reasoning_tokens: int | None = None


class _Usage(BaseModel):
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    completion_tokens_details: _Details | None = None


class _Body(BaseModel):
    choices: list[_Choice] | None = None
    usage: _Usage | None = None


@dataclass(slots=True)
class Completion:
    """What a server replied, gathered.

    Attributes:
        text: Or the refusal, where it refused.
        finish: None as long as the server has not said that the reply is over.
        prompt_tokens, completion_tokens: None where the server did not tell.
    """

    text: str = ""
    finish: Finish | None = None
    is_refusal: bool = False
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    reasoning_tokens: int = 0
    logprobs: list[TokenLogprob] = field(default_factory=list[TokenLogprob])
    _thoughts: Thoughts = field(default_factory=Thoughts)

    def take(self, body: bytes, on_text: OnText | None = None) -> bool:
        """Add a body, or an event of a stream; say whether it held anything of the reply.

        Raises:
            BadBody: It is neither.
        """
        read = _read(body)
        if read.usage is not None:
            self._take_usage(read.usage)
        chosen = [choice for choice in read.choices or () if choice.index == 0]
        for choice in chosen:
            self._take_choice(choice, on_text)
        return bool(chosen)

    def _take_choice(self, choice: _Choice, on_text: OnText | None) -> None:
        said = choice.message or choice.delta or _Text()
        piece = whole_text(said.content)
        if said.refusal:
            piece, self.is_refusal = said.refusal, True
        piece = self._thoughts.feed(piece)
        if choice.finish_reason is not None:
            piece += self._thoughts.end()
        if piece:
            self.text += piece
            if on_text is not None:
                on_text(piece)
        if choice.logprobs is not None:
            self.logprobs.extend(_logprob(each) for each in choice.logprobs.content or ())
        if choice.finish_reason is not None:
            self.finish = _FINISHES.get(choice.finish_reason, "stop")
        if self.is_refusal and self.finish is not None:
            self.finish = "filtered"

    def rest(self) -> str:
        """Return what was held back of a reply whose end no server told."""
        return self._thoughts.end()

    def _take_usage(self, usage: _Usage) -> None:
        self.prompt_tokens = usage.prompt_tokens or None
        self.completion_tokens = usage.completion_tokens if self.prompt_tokens else None
        details = usage.completion_tokens_details
        self.reasoning_tokens = (details.reasoning_tokens if details else None) or 0


def read_whole(body: bytes, on_text: OnText | None = None) -> Completion:
    """Read a body that was not streamed.

    Raises:
        BadBody: It is no completion.
    """
    completion = Completion()
    if not completion.take(body, on_text):
        raise BadBody("a reply without choices")
    completion.text += completion.rest()
    completion.finish = completion.finish or ("filtered" if completion.is_refusal else "stop")
    return completion


def whole_text(content: str | Sequence[dict[str, Any]] | None) -> str:
    """Return the text of a message, which some servers send in parts."""
    if isinstance(content, str):
        text = content
    else:
        text = "".join(str(part.get("text", "")) for part in content or ())
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


def _read(body: bytes) -> _Body:
    try:
        told = json.loads(body)
    except ValueError as error:
        what = "a page of HTML" if body.lstrip()[:1] == b"<" else "something that is not JSON"
        raise BadBody(what if body.strip() else "an empty body") from error
    if isinstance(told, dict) and told.get("error"):
        raise BadBody(f"an error: {json.dumps(told['error'], ensure_ascii=False)}")
    try:
        return _Body.model_validate(told)
    except ValidationError as error:
        place = ".".join(str(part) for part in error.errors()[0]["loc"])
        raise BadBody(f"JSON that is no completion (at {place or 'its beginning'})") from error


def _logprob(token: _Token) -> TokenLogprob:
    try:
        spelled = bytes(token.bytes or ())
    except ValueError:
        spelled = b""
    logprob = token.logprob if math.isfinite(token.logprob) else -9999.0
    text = whole_text(token.token)
    return TokenLogprob(text, logprob, spelled or text.encode())
