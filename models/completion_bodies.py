"""One body of a chat completion, or one event of its stream, read as far as it can be understood.

Servers that call themselves OpenAI-compatible leave out fields, fill them with null, or write them
in ways of their own. Only the text matters: an oddity beside it is read as if it were not there,
because the reply was paid for.
"""

import json
import math
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, TypeAlias

from pydantic import BaseModel, BeforeValidator, ValidationError, WrapValidator

from lcagent.models.chat_model import TokenLogprob

LEAST_LOGPROB = -9999.0
"""In place of minus infinity, which JSON has not; as OpenAI writes it."""

_WRAPPERS = ("data", "result", "response", "output", "body")
_NO_ERROR = ("", "0", "200", "ok", "success", "none", "null", "false")
_UNSAID = ("thinking", "reasoning", "thought", "redacted_thinking")
"""Types of parts that are no text of the reply."""


class BadBody(ValueError):
    """A body that is no completion; the message says what it is instead."""


class NoApi(BadBody):
    """A page for people: it is no API that answers."""


class SentError(BadBody):
    """An error in place of a completion.

    Attributes:
        told: What the server sent, to be read as the body of an error is.
        comes_late: A part of the reply came before it.
    """

    def __init__(self, told: Any) -> None:
        shown = told.get("error") or told if isinstance(told, dict) else told
        super().__init__(f"an error: {json.dumps(shown, ensure_ascii=False)}")
        self.told = told
        self.comes_late = False


class BrokenOff(ValueError):
    """A reply that its server gave up and says so; the message is its reason.

    Attributes:
        told: The error that it sent, if any.
    """

    def __init__(self, reason: str, told: Any = None) -> None:
        super().__init__(reason)
        self.told = told


def _none_if_odd(value: Any, read: Any) -> Any:
    try:
        return read(value)
    except ValidationError:
        return None


def plain_text(content: Any) -> str:
    """Return the text of a message, which some servers send in parts, or as the JSON it is.

    Half of a surrogate pair, which JSON may hold and UTF-8 may not, is replaced; NUL, which no
    text has and no database takes, is left out.
    """
    is_json = isinstance(content, dict) and not content.keys() & {"type", "text", "thought"}
    text = json.dumps(content, ensure_ascii=False) if is_json and content else _joined(content)
    text = text.replace("\0", "")
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


def _joined(content: Any) -> str:
    if isinstance(content, str):
        return content
    if isinstance(content, int | float) and not isinstance(content, bool):
        return str(content)
    if isinstance(content, Mapping):
        if content.get("type") in _UNSAID or content.get("thought") is True:
            return ""
        named = (content.get(name) for name in ("text", "content", "value", "refusal"))
        return next((_joined(each) for each in named if each), "")
    if isinstance(content, Sequence) and not isinstance(content, bytes):
        return "".join(_joined(part) for part in content)
    return ""


def _count(value: Any) -> int | None:
    """Return a number of tokens, however it is written; None where it can be none."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    is_count = not isinstance(value, bool) and math.isfinite(number) and number > 0
    return math.ceil(number) if is_count else None


def _finish(value: Any) -> str | None:
    return None if value is None or value is False else str(value)


Text: TypeAlias = Annotated[str, BeforeValidator(plain_text)]
Count: TypeAlias = Annotated[int | None, BeforeValidator(_count)]
Finish: TypeAlias = Annotated[str | None, BeforeValidator(_finish)]


def _as_message(told: Any) -> Any:
    return {"content": told} if isinstance(told, str) else told


class SentMessage(BaseModel):
    """The text of a choice, and what may stand beside it."""

    content: Text = ""
    refusal: Text = ""
    reasoning: Any = None
    reasoning_content: Any = None
    tool_calls: Any = None
    function_call: Any = None

    @property
    def text(self) -> str:
        """The reply, or the refusal in its place."""
        return self.refusal or self.content

    @property
    def has_reasoning(self) -> bool:
        """Whether reasoning stands in a field of its own."""
        return bool(self.reasoning or self.reasoning_content)


class _Token(BaseModel):
    token: str
    logprob: float
    bytes: list[int] | None = None


class _Logprobs(BaseModel):
    content: list[_Token] | None = None


class _Details(BaseModel):
    reasoning_tokens: Count = None


class SentUsage(BaseModel):
    """Tokens as OpenAI names them, or as Anthropic does."""

    prompt_tokens: Count = None
    completion_tokens: Count = None
    total_tokens: Count = None
    input_tokens: Count = None
    output_tokens: Count = None
    cache_read_input_tokens: Count = None
    cache_creation_input_tokens: Count = None
    completion_tokens_details: Annotated[_Details | None, WrapValidator(_none_if_odd)] = None

    @property
    def prompt(self) -> int | None:
        """Tokens of the prompt, those that the server had in its cache included."""
        if self.prompt_tokens is None and self.input_tokens is not None:
            cached = (self.cache_read_input_tokens or 0) + (self.cache_creation_input_tokens or 0)
            return self.input_tokens + cached
        return self.prompt_tokens

    @property
    def completion(self) -> int | None:
        """Tokens of the reply; some servers count those of the reasoning in the total only."""
        told = self.completion_tokens or self.output_tokens
        if told is None or self.prompt is None:
            return None
        return max(told, (self.total_tokens or 0) - self.prompt)

    @property
    def reasoning(self) -> int:
        """Tokens of the reasoning, as far as the server tells."""
        details = self.completion_tokens_details
        return (details.reasoning_tokens if details else None) or 0


class SentChoice(BaseModel):
    """One of the replies to a request; lcagent asks for one."""

    index: Annotated[int | None, WrapValidator(_none_if_odd)] = None
    message: Annotated[SentMessage | None, BeforeValidator(_as_message)] = None
    delta: Annotated[SentMessage | None, BeforeValidator(_as_message)] = None
    text: Text = ""
    error: Any = None
    finish_reason: Finish = None
    native_finish_reason: Finish = None
    logprobs: Any = None
    usage: Annotated[SentUsage | None, WrapValidator(_none_if_odd)] = None

    def read_logprobs(self) -> list[TokenLogprob] | None:
        """Return the log-probabilities of its tokens; None where any of them cannot be read."""
        try:
            read = _Logprobs.model_validate(self.logprobs)
        except ValidationError:
            return None
        return [_logprob(each) for each in read.content or ()]


def _as_choices(told: Any) -> Any:
    if isinstance(told, dict):
        return [told]
    return [each for each in told if each is not None] if isinstance(told, list) else told


class SentBody(BaseModel):
    """A completion, or an event of one."""

    object: Any = None
    choices: Annotated[list[SentChoice] | None, BeforeValidator(_as_choices)] = None
    usage: Annotated[SentUsage | None, WrapValidator(_none_if_odd)] = None


def read_bodies(event: bytes, charset: str = "") -> list[SentBody]:
    """Return what an event holds: one body, or a list of them.

    Args:
        charset: As the header of the response names it; only used for what is not UTF-8.

    Raises:
        BadBody: It is no completion.
        SentError: It is an error.
    """
    try:
        told = _decoded(event, charset)
    except ValueError:
        if event.lstrip()[:1] == b"<":
            raise NoApi("a page of HTML") from None
        raise BadBody("something that is not JSON") from None
    return [_body(each) for each in told]


def _decoded(event: bytes, charset: str) -> list[Any]:
    told = _loads(event, charset)
    is_several = isinstance(told, list) and bool(told) and all(isinstance(a, dict) for a in told)
    return told if is_several else [told]


def _loads(event: bytes, charset: str) -> Any:
    try:
        return json.loads(event)
    except UnicodeDecodeError:
        try:
            text = event.decode(charset or "cp1252")
        except (LookupError, UnicodeDecodeError):
            text = event.decode("utf-8", "replace")
        return json.loads(text)


def _body(told: Any) -> SentBody:
    if isinstance(told, dict):
        told = _unwrapped(told)
        if _is_error(told):
            raise SentError(told)
    try:
        return SentBody.model_validate(told)
    except ValidationError as error:
        place = ".".join(str(part) for part in error.errors()[0]["loc"])
        raise BadBody(f"JSON that is no completion (at {place or 'its beginning'})") from error


def _unwrapped(told: dict[str, Any]) -> dict[str, Any]:
    """Return the completion that a gateway packed into a body of its own."""
    if told.get("choices"):
        return told
    inner = (told.get(name) for name in _WRAPPERS)
    return next((each for each in inner if isinstance(each, dict) and each.get("choices")), told)


def _is_error(told: dict[str, Any]) -> bool:
    if says_error(told.get("error")):
        return True
    if told.get("choices") or told.get("usage"):
        return False
    names = ("message", "detail", "errors", "error_msg", "error_message", "msg")
    has_failed = str((told.get("base_resp") or {}).get("status_code", 0)) != "0"  # MiniMax's
    return has_failed or told.get("object") == "error" or any(told.get(name) for name in names)


def says_error(error: Any) -> bool:
    """Say whether a field `error` tells of one; beside a reply it often says that there is none."""
    if isinstance(error, dict):
        named = [error.get(name) for name in ("message", "code", "type", "detail", "msg")]
        return any(str(each).lower() not in _NO_ERROR for each in named)
    return bool(error) and str(error).lower() not in _NO_ERROR


def _logprob(token: _Token) -> TokenLogprob:
    try:
        spelled = bytes(token.bytes or ())
    except ValueError:
        spelled = b""
    logprob = token.logprob if math.isfinite(token.logprob) else LEAST_LOGPROB
    text = plain_text(token.token)
    return TokenLogprob(text, logprob, spelled.replace(b"\0", b"") or text.encode())
