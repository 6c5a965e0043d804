"""How long a server asks to wait, from the headers of its refusal."""

import math
import re
import time
from collections.abc import Callable, Mapping
from email.utils import parsedate_to_datetime

_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


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
