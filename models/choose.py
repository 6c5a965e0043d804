"""A model from its name, as users write it."""

from pathlib import Path

from lcagent.errors import UsageError
from lcagent.local_options import LocalOptions
from lcagent.models.base import ChatModel
from lcagent.models.catalog import find_card
from lcagent.models.hosts import OPENAI_URL, checked_url
from lcagent.models.keys import api_key

READ_TIMEOUT_S = 600.0


def choose_model(
    reference: str,
    *,
    base_url: str | None = None,
    window_tokens: int | None = None,
    user_table: Path | None = None,
    timeout_s: float = READ_TIMEOUT_S,
    local: LocalOptions | None = None,
) -> ChatModel:
    """Return the model that a reference names.

    `openai:NAME` or NAME is one on the server of `base_url`, by default OpenAI's; `local:PATH` one
    that runs here, as `local` says. Nothing is contacted, but for a local model that is not a
    folder: it is fetched from the Hugging Face hub.

    Raises:
        ModelNotUsable: There is no key for the server, or the engine cannot run the model.
        MissingExtra: What runs local models is not installed.
        UsageError: The reference, the base URL or the user's table makes no sense.
    """
    kind, name = split_reference(reference)
    if kind == "local":
        from lcagent.models.local import open_local  # noqa: PLC0415 -- imports the engine

        return open_local(name, window_tokens=window_tokens, options=local)
    from lcagent.models.remote import RemoteModel  # noqa: PLC0415 -- imports the openai SDK

    url = checked_url(base_url or OPENAI_URL)
    card = find_card(name, window_tokens=window_tokens, user_table=user_table)
    return RemoteModel(card, base_url=url, api_key=api_key(url), timeout_s=timeout_s)


def split_reference(reference: str) -> tuple[str, str]:
    """Return the kind of a model ("openai", "local") and its name.

    Raises:
        UsageError: There is no name in it.
    """
    kind, colon, name = reference.strip().partition(":")
    if not (colon and kind in ("openai", "local")):  # names may have colons: llama3.1:8b
        kind, name = "openai", reference.strip()
    if not name or name == "quote":
        raise UsageError(f"{reference!r} names no language model; write openai:NAME or local:PATH")
    return kind, name


def is_local(reference: str) -> bool:
    """Say whether a reference names a model that runs in this process."""
    return split_reference(reference)[0] == "local"


async def close_model(model: ChatModel) -> None:
    """Close the connections of a model, however it is wrapped."""
    inner: object = model
    while (wrapped := getattr(inner, "model", None)) is not None:
        inner = wrapped
    close = getattr(inner, "close", None)
    if close is not None:
        await close()
