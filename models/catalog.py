"""What is known about models before they are called: windows, prices, tokenizers.

The table is `catalog.toml` beside this module. A user's own table has the same form; what it
says of a model replaces what stands here.
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

from lcagent.errors import UsageError
from lcagent.models.base import ModelCard

DEFAULT_WINDOW_TOKENS = 8_192
"""Of a model that nobody described: small, so that prompts fit."""

_DATE = re.compile(r"-(\d{4}-\d{2}-\d{2}|\d{8}|\d{4})$")


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
