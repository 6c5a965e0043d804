"""What an error of a server means: which of our errors it is, in one line that says what to do.

Servers word the same error in many ways and put it in many places; each pattern here stands for one
that was seen. How long a server asks to wait is in its headers, in one of several forms.
"""

import json
import math
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any

from lcagent.errors import ContextTooLong, LcagentError, ModelNotUsable, ModelUnavailable

_RETRYABLE = {408, 409, 425, 429}
_TOO_LONG = re.compile(
    r"context_length_exceeded|exceed_context_size|"  # codes of OpenAI and llama.cpp
    r"maximum context length|max(imum)? (model|context|sequence) len|context (length|window|size)|"
    r"`?inputs`? (tokens )?\+ `?max_new_tokens`? must be|`?inputs`? must have less than|"  # TGI
    r"longer than the (maximum )?(model|context)|prompt is too long|exceeds? the available context|"
    r"too many tokens in|input (is|length) (too long|exceeds)",
    re.IGNORECASE,
)
_NO_CREDIT = ("insufficient_quota", "billing_hard_limit_reached", "billing_not_active")
_LONGEST = 200
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


@dataclass(frozen=True, slots=True)
class Refusal:
    """An error as a server sent it.

    Attributes:
        message: What it says, in one line; empty where nothing can be shown.
        code: The code or type, as OpenAI and others name them.
        param: The parameter that is wrong, where the server names it.
    """

    status: int
    message: str
    code: str
    param: str | None
    headers: Mapping[str, str]

    @property
    def is_about_length(self) -> bool:
        """Whether prompt and reply do not fit into the window."""
        is_refused = self.status in (400, 413, 422, 500)
        return is_refused and bool(_TOO_LONG.search(f"{self.code} {self.message}"))


def read_refusal(status: int, headers: Mapping[str, str], body: bytes, secret: str) -> Refusal:
    """Read the body of an error: OpenAI's, vLLM's, Ollama's, TGI's, FastAPI's, or a page of HTML.

    Args:
        secret: The key, which some servers echo; it is masked.
    """
    try:
        told = json.loads(body)
    except ValueError:
        told = None
    error = _find_error(told)
    code = " ".join(str(error[key]) for key in ("code", "type", "error_type") if error.get(key))
    param = error.get("param")
    message = one_line(str(error.get("message") or ""), secret)
    return Refusal(status, message, code, param if isinstance(param, str) else None, headers)


def error_for(refusal: Refusal, host: str, model: str) -> LcagentError:
    """Return the error of ours that an error of a server means."""
    told = f": {refusal.message}" if refusal.message else ""
    if refusal.is_about_length:
        return ContextTooLong(
            f"{host} says that prompt and reply do not fit into the window of {model}{told}; "
            "give its real window with --window"
        )
    if any(code in refusal.code for code in _NO_CREDIT):
        return ModelNotUsable(f"the account at {host} has no credit left{told}")
    if refusal.status in _RETRYABLE or refusal.status >= 500:
        return ModelUnavailable(_unavailable(refusal, host) + told, retry_after_s(refusal.headers))
    return ModelNotUsable(_unusable(refusal, host, model, told))


def one_line(text: str, secret: str = "") -> str:
    """Return the beginning of a text in one line, without the key."""
    line = " ".join(text.split())
    if secret:
        line = line.replace(secret, "***")
    return line if len(line) <= _LONGEST else f"{line[:_LONGEST]}..."


def _unavailable(refusal: Refusal, host: str) -> str:
    if refusal.status == 429:
        return f"{host} is asked too much or too often (status 429)"
    return f"{host} cannot answer now (status {refusal.status})"


def _unusable(refusal: Refusal, host: str, model: str, told: str) -> str:
    if refusal.status in (401, 403):
        return f"the key was refused by {host} (status {refusal.status}); set LCAGENT_API_KEY"
    if refusal.status == 404:
        return (
            f"{host} has no model {model!r}, or the base URL is wrong (status 404){told}; "
            "see what `lcagent doctor` lists"
        )
    if 300 <= refusal.status < 400:
        place = one_line(refusal.headers.get("location", "elsewhere")).split("?")[0]
        return f"{host} points to {place}, which is not followed; set the base URL to where it is"
    return f"{host} refused the request to {model} (status {refusal.status}){told}"


def _find_error(told: Any) -> dict[str, Any]:
    """Return message, code and parameter, wherever they stand."""
    if not isinstance(told, dict):
        return {}
    error = told.get("error", told)
    if isinstance(error, str):
        return {"message": error, "error_type": told.get("error_type")}
    if not isinstance(error, dict):
        return {}
    if "message" not in error and "detail" in error:
        return _detail(error["detail"])
    return error


def _detail(detail: Any) -> dict[str, Any]:
    """Read the errors of FastAPI."""
    if not (isinstance(detail, list) and detail and isinstance(detail[0], dict)):
        return {"message": detail if isinstance(detail, str) else json.dumps(detail)}
    place = [str(part) for part in detail[0].get("loc", ()) if part != "body"]
    return {"message": f"{'.'.join(place)}: {detail[0].get('msg', '')}", "param": ".".join(place)}


def retry_after_s(headers: Mapping[str, str], now: Callable[[], float] = time.time) -> float | None:
    """Return the seconds to wait, or None where no header tells.

    Retry-After comes first (seconds or a date), then what OpenAI and others add. Of their
    `x-ratelimit-reset-` headers the one counts whose `x-ratelimit-remaining-` is 0.
    """
    for name, unit in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        seconds = _number(headers.get(name))
        if seconds is not None:
            return max(0.0, seconds * unit)
    date = _date(headers.get("retry-after"))
    if date is not None:
        return max(0.0, date - now())
    waits = [
        _duration(headers.get(f"x-ratelimit-reset-{what}"))
        for what in ("requests", "tokens")
        if _number(headers.get(f"x-ratelimit-remaining-{what}")) in (None, 0)
    ]
    known = [wait for wait in waits if wait is not None]
    return max(known) if known else None


def _number(text: str | None) -> float | None:
    try:
        number = float(text or "")
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _date(text: str | None) -> float | None:
    try:
        return parsedate_to_datetime(text or "").timestamp()
    except (ValueError, TypeError, OverflowError):
        return None


def _duration(text: str | None) -> float | None:
    """Read "6m0s", "20ms", or plain seconds."""
    found = _DURATION.findall(text or "")
    if found and "".join(number + unit for number, unit in found) == text:
        return sum(float(number) * _SECONDS[unit] for number, unit in found)
    seconds = _number(text)
    return seconds if seconds is not None and 0 <= seconds < 1_000_000 else None
