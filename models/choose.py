"""From the name of a model, as users write it, to the model, and what is known about it.

Windows, prices and tokenizers stand in `catalog.toml` beside this module. A user's own table has
the same form; what it says of a model replaces what stands there.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from lcagent.credentials import BaseUrl, Secret
from lcagent.errors import UsageError
from lcagent.local_options import LocalOptions
from lcagent.models.chat_model import DEFAULT_WINDOW_TOKENS, ChatModel, ModelCard
from lcagent.models.endpoints import OPENAI_URL, api_key, check_way, normalize_url

READ_TIMEOUT_S = 600.0

_DATE = re.compile(r"-(\d{4}-\d{2}-\d{2}|\d{8}|\d{4})$")


def choose_model(  # noqa: PLR0913 -- all that a user may say of a model
    reference: str,
    *,
    base_url: str | None = None,
    window_tokens: int | None = None,
    user_table: Path | None = None,
    timeout_s: float = READ_TIMEOUT_S,
    local: LocalOptions | None = None,
    key_over_http: bool = False,
) -> ChatModel:
    """Return the model that a reference names.

    `openai:NAME` or NAME is one on the server of `base_url`, by default OpenAI's; `local:PATH` one
    that runs here, as `local` says: a folder or a GGUF file. Nothing is contacted, but for
    `local:hub:OWNER/NAME`, which is fetched from the Hugging Face hub.

    Raises:
        ModelNotUsable: There is no key for the server, it would go over http to where others can
            read it and `key_over_http` does not allow that, or the engine cannot run the model.
        MissingExtra: What runs local models is not installed.
        UsageError: The reference, the base URL or the user's table is malformed.
    """
    kind, name = split_reference(reference)
    if kind == "local":
        from lcagent.models.local import open_local  # noqa: PLC0415 -- imports the engine

        return open_local(name, window_tokens=window_tokens, options=local)
    from lcagent.models.remote import RemoteModel  # noqa: PLC0415 -- imports the openai SDK

    given = BaseUrl(base_url or OPENAI_URL)
    url = BaseUrl(normalize_url(given.whole.reveal()))
    key = api_key(url.whole.reveal())
    if not key_over_http:
        check_way(url, key)
    card = find_card(name, window_tokens=window_tokens, user_table=user_table)
    return RemoteModel(card, base_url=url, api_key=Secret(key), timeout_s=timeout_s)


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


def find_card(
    name: str, *, window_tokens: int | None = None, user_table: Path | None = None
) -> ModelCard:
    """Return what is known about a model; an unknown one gets a small window and no price.

    A name is looked up as it is, then without what stands before its last slash, then without a
    date at its end. `window_tokens` replaces what the table says.

    Raises:
        UsageError: The user's table cannot be read; the message names the file and the key.
    """
    rows = {**_packaged(), **_rows(user_table)}
    row = next((rows[key] for key in _spellings(name) if key in rows), None)
    if row is None:
        return ModelCard(name=name, window_tokens=window_tokens or DEFAULT_WINDOW_TOKENS)
    card = ModelCard(name=name, is_known=True, **row.model_dump())
    return replace(card, window_tokens=window_tokens) if window_tokens else card


def _spellings(name: str) -> Iterator[str]:
    lowered = name.lower()
    bare = lowered.rpartition("/")[2]
    for spelling in (lowered, bare):
        yield spelling
    for spelling in (lowered, bare):
        yield _DATE.sub("", spelling)


class _Row(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    window_tokens: int = Field(ge=256)
    max_reply_tokens: int | None = Field(default=None, ge=1)
    usd_per_million_prompt: float | None = Field(default=None, ge=0)
    usd_per_million_completion: float | None = Field(default=None, ge=0)
    tokenizer: Literal["o200k_base", "cl100k_base", "unknown"] = "unknown"
    is_reasoning: bool = False


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid")

    models: dict[str, _Row]


@cache
def _packaged() -> Mapping[str, _Row]:
    text = files("lcagent.models").joinpath("catalog.toml").read_text(encoding="utf-8")
    return _by_name(tomllib.loads(text))


def _rows(path: Path | None) -> Mapping[str, _Row]:
    if path is None or not path.is_file():
        return {}
    try:
        return _by_name(tomllib.loads(path.read_text(encoding="utf-8")))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        key = ".".join(str(part) for part in first["loc"])
        raise UsageError(f"{path}: {key}: {first['msg']}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise UsageError(f"{path} cannot be read: {error}") from error


def _by_name(told: dict[str, Any]) -> Mapping[str, _Row]:
    return {name.lower(): row for name, row in _Table.model_validate(told).models.items()}
