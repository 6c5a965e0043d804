"""What an error of a server means: which of our errors it is, in one line that says what to do.

An error is the same whether it comes with a status, in a body of status 200, or in a stream, where
its own code counts. What is sent again and what is final is decided here. All of an error's words
are read; only what is shown of them is short, and without the key.
"""

import math
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any

from lcagent.credentials import BaseUrl, Secret, Secrets, hide, secrets_of
from lcagent.errors import ContextTooLong, LcagentError, ModelNotUsable, ModelUnavailable
from lcagent.models.error_bodies import ErrorWords, read_error, words_of
from lcagent.models.overflows import is_overflow, limit_in

UNKNOWN = 0
"""The status of an error in a body or stream that names none."""

_RETRYABLE = {408, 409, 425, 429}
_FINAL_ABOVE_500 = {501, 505, 511}
_NEVER_LENGTH = (401, 402, 403, 404)
_NO_CREDIT = re.compile(
    r"insufficient[_ ](?:quota|balance|credits?|funds)|billing_(?:hard_limit_reached|not_active)|"
    r"payment.required|credit balance is too low|(?:no|more|out of|enough) credits?\b|"
    r"requires? (?:more|additional) credits?|account .{0,40}(?:overdue|arrears)|余额不足|欠费",
    re.IGNORECASE,
)
_NO_KEY = re.compile(
    r"invalid[_ ]api[_ ]?key|incorrect api key|(?:no|missing|invalid|bad) (?:auth\w*|credentials)|"
    r"authentication_?error|unauthenticated|unauthori[sz]ed|api[_ ]key (?:is )?(?:missing|invalid|"
    r"not (?:valid|found|provided))|no (?:api[_ ]key|auth credentials)",
    re.IGNORECASE,
)
_NO_MODEL = re.compile(
    r"model_not_found|no such model|model .{0,120}(?:not found|does ?n[o']t exist|not exist|"
    r"is not available)|unknown model|invalid model",
    re.IGNORECASE,
)
_STATUSES = (  # of words in which errors without a number say what they are
    (402, _NO_CREDIT),
    (401, _NO_KEY),
    (404, _NO_MODEL),
    (429, re.compile(r"rate.?limit|too many requests|resource_exhausted", re.IGNORECASE)),
    (403, re.compile(r"permission_?(?:error|denied)|forbidden", re.IGNORECASE)),
    (503, re.compile(r"overloaded|unavailable|timed? ?out|capacity|busy|try again", re.IGNORECASE)),
    (400, re.compile(r"invalid[_ ](?:request|arg|param)|bad.?request|badrequest", re.IGNORECASE)),
)
_LONGEST = 200
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_WAIT = re.compile(
    r"(?:try again|retry|wait)[^.;]{0,20}? (?:in|after|for) ((?:\d+(?:\.\d+)?(?:ms|s|m|h|d))+|"
    r"\d+(?:\.\d+)?(?= ?sec))",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Refusal:
    """An error as a server sent it.

    Attributes:
        status: Of the response, or the one that the error itself names.
        message: What it says, in full; empty where nothing can be shown.
        code: The codes and types that it names.
        param: The parameter that is wrong, where the server names it.
        secrets: The key and what else servers may repeat.
    """

    status: int
    message: str
    code: str
    param: str | None
    headers: Mapping[str, str]
    secrets: tuple[Secret, ...] = ()
    window_tokens: int | None = None

    @property
    def is_about_length(self) -> bool:
        """Whether prompt and reply do not fit into the window."""
        if self.status == 413:
            return True
        return self.status not in _NEVER_LENGTH and is_overflow(f"{self.code} {self.message}")

    @property
    def limit_tokens(self) -> int | None:
        """The window that the server tells of, where it is about that."""
        return (self.window_tokens or limit_in(self.message)) if self.is_about_length else None

    @property
    def shown(self) -> str:
        """What it says, as it may be shown."""
        return one_line(self.message, self.secrets)


def read_refusal(status: int, headers: Mapping[str, str], body: bytes, secrets: Secrets) -> Refusal:
    """Read the response of an error.

    Args:
        secrets: The key, which some servers echo; it is masked where the error is shown.
    """
    return _refusal(status, headers, read_error(body), secrets)


def refusal_of(told: Any, headers: Mapping[str, str], secrets: Secrets) -> Refusal:
    """Read an error that came in place of a completion, under status 200."""
    words = words_of(told)
    return _refusal(_own_status(words), headers, words, secrets)


def _refusal(
    status: int, headers: Mapping[str, str], words: ErrorWords, secrets: Secrets
) -> Refusal:
    found = _WAIT.search(words.message)
    wait = words.wait or (found[1] if found else "")
    if wait and not any(name.lower().startswith(("retry-after", "x-rate")) for name in headers):
        seconds = _duration(wait)
        headers = {**headers, "retry-after": f"{seconds:g}"} if seconds is not None else headers
    codes = " ".join(words.codes)
    held = secrets_of(secrets)
    return Refusal(status, words.message, codes, words.param, headers, held, words.window_tokens)


def _own_status(words: ErrorWords) -> int:
    """Return the status that an error itself names, by number or by its words."""
    numbers = (int(code) for code in words.codes if code.isdigit())
    number = next((each for each in numbers if 400 <= each < 600), None)
    text = f"{' '.join(words.codes)} {words.message}"
    by_words = next((status for status, said in _STATUSES if said.search(text)), UNKNOWN)
    return number or by_words


def error_for(refusal: Refusal, host: str, model: str) -> LcagentError:
    """Return the error of ours that an error of a server means."""
    told = f": {refusal.shown}" if refusal.message else ""
    if refusal.is_about_length:
        limit = refusal.limit_tokens
        return ContextTooLong(
            f"{host} says that prompt and reply do not fit into the window of {model}{told}; "
            f"give its real window with --window{f' {limit}' if limit else ''}"
        )
    if refusal.status == 402 or _NO_CREDIT.search(f"{refusal.code} {refusal.message}"):
        return ModelNotUsable(f"the account at {host} has no credit left{told}")
    if _may_pass(refusal):
        wait_s = retry_after_s(refusal.headers)
        return ModelUnavailable(_unavailable(refusal, host) + told, wait_s)
    return ModelNotUsable(_unusable(refusal, host, model, told))


def _may_pass(refusal: Refusal) -> bool:
    """Say whether the same request may be answered the next time."""
    if refusal.status in _RETRYABLE or refusal.status == UNKNOWN:
        return True
    is_said_final = _NO_KEY.search(f"{refusal.code} {refusal.message}") or _NO_MODEL.search(
        refusal.message
    )
    return refusal.status >= 500 and refusal.status not in _FINAL_ABOVE_500 and not is_said_final


def one_line(text: str, secrets: Secrets = ()) -> str:
    """Return the beginning of a text in one line, without the key."""
    line = hide(" ".join(text.split()), secrets)
    return line if len(line) <= _LONGEST else f"{line[:_LONGEST]}..."


def _unavailable(refusal: Refusal, host: str) -> str:
    if refusal.status == 429:
        return f"{host} is asked too much or too often (status 429)"
    if refusal.status == UNKNOWN:
        return f"{host} sent an error in place of a reply"
    return f"{host} cannot answer now (status {refusal.status})"


def _unusable(refusal: Refusal, host: str, model: str, told: str) -> str:
    if refusal.status in (401, 403):
        return f"the key was refused by {host} (status {refusal.status}){told}; set LCAGENT_API_KEY"
    if refusal.status == 404:
        return (
            f"{host} has no model {model!r}, or the base URL is wrong (status 404){told}; "
            "see what `lcagent doctor` lists"
        )
    if 300 <= refusal.status < 400:
        place = BaseUrl(one_line(refusal.headers.get("location", "elsewhere"), refusal.secrets))
        return f"{host} points to {place}, which is not followed; set the base URL to where it is"
    return f"{host} refused the request to {model} (status {refusal.status}){told}"


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
