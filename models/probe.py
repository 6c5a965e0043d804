"""What a model and its server can do, found out by a few tiny calls; for `lcagent doctor`."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

from lcagent.errors import LcagentError
from lcagent.models.chat_model import Message, Reply, Request
from lcagent.models.remote import RemoteModel

_SCHEMA = {
    "type": "object",
    "properties": {"answer": {"type": "string"}},
    "required": ["answer"],
    "additionalProperties": False,
}
_MAX_TOKENS = 16
_REASONING_TOKENS = 512


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was found out.

    Attributes:
        detail: What was seen, or the error.
        is_ok: False where something does not work; some of it may not be needed.
    """

    name: str
    detail: str
    is_ok: bool


async def probe(model: RemoteModel, *, with_window: bool = False) -> list[Finding]:
    """Ask a server what it can do, with at most four tiny calls; a failure is a finding.

    If it cannot be reached, nothing else is tried. `with_window` adds a call that fills half the
    window: some servers cut a prompt that is too long for them without saying so.
    """
    findings = [finding async for finding in _findings(model)]
    if with_window and any(finding.name == "usage" and finding.is_ok for finding in findings):
        findings.append(await _window(model))
    return findings


async def _findings(model: RemoteModel) -> AsyncIterator[Finding]:
    yield await _listed(model)
    plain = await _asked(model, _request(model))
    if isinstance(plain, LcagentError):
        yield Finding("reply", str(plain), is_ok=False)
        return
    yield Finding("reply", f"in {plain.latency_s * 1000:.0f} ms", is_ok=True)
    yield _usage("usage", plain)
    yield await _streaming(model)
    yield await _logprobs(model)
    yield await _json(model)
    capabilities = model.capabilities
    yield Finding("limit of a reply", capabilities.max_tokens_name, is_ok=True)
    system = "taken" if capabilities.has_system_role else "put in front of the question"
    yield Finding("system role", system, capabilities.has_system_role)


async def _listed(model: RemoteModel) -> Finding:
    try:
        names = await model.listed()
    except LcagentError as error:
        return Finding("list of models", str(error), is_ok=False)
    name = model.card.name
    if name in names:
        return Finding("list of models", f"has {name}", is_ok=True)
    some = ", ".join(names[:5]) + (", ..." if len(names) > 5 else "")
    return Finding("list of models", f"has no {name}; has: {some or 'none'}", is_ok=False)


async def _streaming(model: RemoteModel) -> Finding:
    pieces: list[str] = []
    reply = await _asked(model, _request(model), pieces.append)
    if isinstance(reply, LcagentError):
        return Finding("streaming", str(reply), is_ok=False)
    if not model.capabilities.has_streaming:
        return Finding("streaming", "refused; replies come in one piece", is_ok=False)
    told = "no usage" if reply.is_estimate else "usage"
    return Finding("streaming", f"{len(pieces)} pieces, {told}", not reply.is_estimate)


async def _logprobs(model: RemoteModel) -> Finding:
    reply = await _asked(model, _request(model, wants_logprobs=True))
    if isinstance(reply, LcagentError):
        return Finding("log-probabilities", str(reply), is_ok=False)
    has_some = reply.logprobs is not None
    return Finding("log-probabilities", "given" if has_some else "not given", has_some)


async def _json(model: RemoteModel) -> Finding:
    reply = await _asked(model, _request(model, schema=_SCHEMA))
    if isinstance(reply, LcagentError):
        return Finding("JSON", str(reply), is_ok=False)
    mode = model.capabilities.json_mode
    return Finding("JSON", "by prompt only" if mode == "none" else mode, mode != "none")


async def _window(model: RemoteModel) -> Finding:
    """Send words that are a token each, at least, and see how many the server counted."""
    reply_tokens = _reply_tokens(model)
    words = (model.card.window_tokens - reply_tokens) // 2
    text = "yes no " * (words // 2)
    reply = await _asked(model, Request((Message("user", text),), reply_tokens))
    if isinstance(reply, LcagentError):
        return Finding("window", str(reply), is_ok=False)
    if reply.prompt_tokens < words - 1:
        cut = f"only {reply.prompt_tokens} tokens of a prompt of {words} or more were read"
        advice = f"start the server with a longer context, or give --window {reply.prompt_tokens}"
        return Finding("window", f"{cut}; {advice}", is_ok=False)
    return Finding("window", f"a prompt of {reply.prompt_tokens} tokens was read", is_ok=True)


def _usage(name: str, reply: Reply) -> Finding:
    told = "not told; counts are estimates" if reply.is_estimate else "told"
    return Finding(name, told, not reply.is_estimate)


def _request(
    model: RemoteModel, *, wants_logprobs: bool = False, schema: dict[str, object] | None = None
) -> Request:
    messages = (
        Message("system", "You reply in JSON if asked to, else in one word."),
        Message("user", 'Reply with the JSON {"answer": "yes"}.' if schema else "Reply: yes"),
    )
    return Request(messages, _reply_tokens(model), wants_logprobs=wants_logprobs, schema=schema)


def _reply_tokens(model: RemoteModel) -> int:
    return _REASONING_TOKENS if model.card.is_reasoning else _MAX_TOKENS


async def _asked(
    model: RemoteModel, request: Request, on_text: Callable[[str], None] | None = None
) -> Reply | LcagentError:
    try:
        return await model.complete(request, on_text)
    except LcagentError as error:
        return error
