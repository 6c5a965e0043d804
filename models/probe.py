"""What a model and its server can do, tried out with a few tiny calls; for `lcagent doctor`."""

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
class ProbeResult:
    """What came of trying one ability.

    Attributes:
        detail: What was seen, or the error.
        is_ok: Whether it works; not all that does not is needed.
    """

    name: str
    detail: str
    is_ok: bool


async def probe(model: RemoteModel, *, with_window: bool = False) -> list[ProbeResult]:
    """Try what a server can do, with at most four tiny calls; a failure is a result, too.

    If it cannot be reached, nothing else is tried. `with_window` adds a call that fills half of the
    window, because some servers silently truncate a prompt that is too long for them.
    """
    results = [result async for result in _results(model)]
    if with_window and any(result.name == "usage" and result.is_ok for result in results):
        results.append(await _window(model))
    return results


async def _results(model: RemoteModel) -> AsyncIterator[ProbeResult]:
    yield await _listed(model)
    plain = await _asked(model, _request(model))
    if isinstance(plain, LcagentError):
        yield ProbeResult("reply", str(plain), is_ok=False)
        return
    yield ProbeResult("reply", f"in {plain.latency_s * 1000:.0f} ms", is_ok=True)
    yield _usage("usage", plain)
    yield await _streaming(model)
    yield await _logprobs(model)
    yield await _json(model)
    capabilities = model.capabilities
    yield ProbeResult("limit of a reply", capabilities.max_tokens_name, is_ok=True)
    system = "taken" if capabilities.has_system_role else "put in front of the question"
    yield ProbeResult("system role", system, capabilities.has_system_role)


async def _listed(model: RemoteModel) -> ProbeResult:
    try:
        names = await model.list_models()
    except LcagentError as error:
        return ProbeResult("list of models", str(error), is_ok=False)
    name = model.card.name
    if name in names:
        return ProbeResult("list of models", f"has {name}", is_ok=True)
    some = ", ".join(names[:5]) + (", ..." if len(names) > 5 else "")
    return ProbeResult("list of models", f"has no {name}; has: {some or 'none'}", is_ok=False)


async def _streaming(model: RemoteModel) -> ProbeResult:
    pieces: list[str] = []
    reply = await _asked(model, _request(model), pieces.append)
    if isinstance(reply, LcagentError):
        return ProbeResult("streaming", str(reply), is_ok=False)
    if not model.capabilities.has_streaming:
        return ProbeResult("streaming", "refused; replies come in one piece", is_ok=False)
    told = "no usage" if reply.is_estimate else "usage"
    return ProbeResult("streaming", f"{len(pieces)} pieces, {told}", not reply.is_estimate)


async def _logprobs(model: RemoteModel) -> ProbeResult:
    reply = await _asked(model, _request(model, wants_logprobs=True))
    if isinstance(reply, LcagentError):
        return ProbeResult("log-probabilities", str(reply), is_ok=False)
    has_some = reply.logprobs is not None
    return ProbeResult("log-probabilities", "given" if has_some else "not given", has_some)


async def _json(model: RemoteModel) -> ProbeResult:
    reply = await _asked(model, _request(model, schema=_SCHEMA))
    if isinstance(reply, LcagentError):
        return ProbeResult("JSON", str(reply), is_ok=False)
    mode = model.capabilities.json_mode
    return ProbeResult("JSON", "by prompt only" if mode == "none" else mode, mode != "none")


async def _window(model: RemoteModel) -> ProbeResult:
    """Send words of at least one token each, and compare with what the server counted."""
    reply_tokens = _reply_tokens(model)
    words = (model.card.window_tokens - reply_tokens) // 2
    text = "yes no " * (words // 2)
    reply = await _asked(model, Request((Message("user", text),), reply_tokens))
    if isinstance(reply, LcagentError):
        return ProbeResult("window", str(reply), is_ok=False)
    if reply.prompt_tokens < words - 1:
        cut = f"only {reply.prompt_tokens} tokens of a prompt of {words} or more were read"
        advice = f"start the server with a longer context, or give --window {reply.prompt_tokens}"
        return ProbeResult("window", f"{cut}; {advice}", is_ok=False)
    return ProbeResult("window", f"a prompt of {reply.prompt_tokens} tokens was read", is_ok=True)


def _usage(name: str, reply: Reply) -> ProbeResult:
    told = "not told; counts are estimates" if reply.is_estimate else "told"
    return ProbeResult(name, told, not reply.is_estimate)


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
