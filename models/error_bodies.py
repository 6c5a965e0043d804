"""The body of an error: its words, codes and parameter, wherever a server puts them.

OpenAI's form is `{"error": {"message", "type", "param", "code"}}`. Others send it in a list, as a
string of JSON inside a string, as FastAPI's `detail`, under names of their own, or as a page of
HTML. All words are gathered: gateways put the provider's beside their own.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html import unescape
from typing import Any

_WORDS = (
    "message", "msg", "error", "errors", "detail", "details", "error_message", "error_msg",
    "error_description", "errorMessage", "Message", "status_msg", "title", "reason", "description",
    "faultstring", "fault", "raw", "metadata", "base_resp", "response", "data", "body", "cause",
)  # fmt: skip
_CODES = (
    "code", "type", "error_type", "error_code", "errorCode", "status", "status_code", "statusCode",
    "__type", "errcode", "eb_code",
)  # fmt: skip
_DEEPEST, _MOST = 6, 20
_LONGEST = 4_000
"""Characters of a sentence; what an error is about stands at its beginning."""
_TITLE = re.compile(rb"<title[^>]*>(.{1,200}?)</title", re.IGNORECASE | re.DOTALL)
_PLACE_NAMES = ("body", "query")


@dataclass(frozen=True, slots=True)
class ErrorWords:
    """What an error says.

    Attributes:
        messages: Its sentences, outermost first, each once.
        codes: Its codes and types, as text.
        param: The parameter that is wrong, where it is named.
        window_tokens: The window, where it stands in a field of its own (llama.cpp's `n_ctx`).
        wait: The time to wait, as it is written (Google's `retryDelay`).
    """

    messages: tuple[str, ...] = ()
    codes: tuple[str, ...] = ()
    param: str | None = None
    window_tokens: int | None = None
    wait: str = ""

    @property
    def message(self) -> str:
        """All that it says, in one line."""
        return "; ".join(self.messages)


def read_error(body: bytes) -> ErrorWords:
    """Read the body of an error; empty where nothing can be read."""
    try:
        told = json.loads(body.removeprefix(b"\xef\xbb\xbf"))
    except ValueError:
        return ErrorWords(tuple(_plain(body)))
    return words_of(told)


def words_of(told: Any) -> ErrorWords:
    """Read an error that was JSON."""
    found = _Found()
    found.take(told, 0)
    messages = tuple(dict.fromkeys(found.messages))
    return ErrorWords(
        tuple(
            each for each in messages if not any(each != one and each in one for one in messages)
        ),
        tuple(dict.fromkeys(found.codes)),
        found.param,
        found.window_tokens,
        found.wait,
    )


@dataclass(slots=True)
class _Found:
    messages: list[str] = field(default_factory=list[str])
    codes: list[str] = field(default_factory=list[str])
    param: str | None = None
    window_tokens: int | None = None
    wait: str = ""

    def take(self, told: Any, depth: int) -> None:
        if depth > _DEEPEST or told is None or isinstance(told, bool | int | float):
            return
        if isinstance(told, str):
            self._take_text(told, depth)
        elif isinstance(told, list):
            for each in told[:_MOST]:
                self.take(each, depth + 1)
        elif isinstance(told, dict):
            self._take_fields(told, depth)

    def _take_text(self, text: str, depth: int) -> None:
        inner = _json_inside(text)
        if inner is not None:
            self.take(inner, depth + 1)
        elif text.strip():
            self.messages.append(" ".join(text[:_LONGEST].split()))

    def _take_fields(self, told: dict[str, Any], depth: int) -> None:
        if isinstance(told.get("msg"), str) and isinstance(told.get("loc"), list):
            self._take_place(told)
            return
        for name in _WORDS:
            self.take(told.get(name), depth + 1)
        for name in _CODES:
            if isinstance(told.get(name), str | int) and told[name] not in ("", 0, False, True):
                self.codes.append(str(told[name]))
        if isinstance(told.get("param"), str):
            self.param = self.param or told["param"]
        if isinstance(told.get("n_ctx"), int):
            self.window_tokens = told["n_ctx"]
        if isinstance(told.get("retryDelay"), str):
            self.wait = told["retryDelay"]

    def _take_place(self, told: dict[str, Any]) -> None:
        """Take an error of FastAPI's, which says where the fault is."""
        place = ".".join(str(part) for part in told["loc"] if part not in _PLACE_NAMES)
        self.messages.append(f"{place}: {told['msg']}" if place else told["msg"])
        self.param = self.param or place or None


def _json_inside(text: str) -> Any:
    """Return what a string of JSON holds, or one that stands at the end of a sentence."""
    for start in (0, text.find("{")):
        if start < 0 or text[start : start + 1] not in ("{", "["):
            continue
        try:
            inner = json.loads(text[start:])
        except ValueError:
            continue
        return [text[:start].rstrip(" :-"), inner] if start else inner
    return None


def _plain(body: bytes) -> Iterator[str]:
    """Yield the words of a body that is not JSON: the title of a page, or a short text."""
    found = _TITLE.search(body[:100_000])
    if found:
        yield " ".join(unescape(found[1].decode("utf-8", "replace")).split())
    elif body.strip() and not body.lstrip().startswith(b"<"):
        text = " ".join(body[:2_000].decode("utf-8", "replace").split())
        if text.isprintable() and "\ufffd" not in text:
            yield text
