"""A finding of `lcagent doctor`, whichever part of it looked."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that `lcagent doctor` looked at."""

    what: str
    detail: str
    is_ok: bool = True

    def as_dict(self) -> dict[str, Any]:
        """Return the finding for `--json`."""
        return {"what": self.what, "detail": self.detail, "ok": self.is_ok}
