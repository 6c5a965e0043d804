"""Which pages of a document are meant: "10-40", "3", "1-5,9,20-"."""

import re
from dataclasses import dataclass

from lcagent.errors import UsageError

_RANGE = re.compile(r"(\d+)(?:\s*-\s*(\d*))?")


@dataclass(frozen=True, slots=True)
class PageSelection:
    """Page numbers from 1, as inclusive ranges; an end of None means the last page."""

    ranges: tuple[tuple[int, int | None], ...]

    def __contains__(self, number: int) -> bool:
        """Say whether a page is selected."""
        return any(
            first <= number and (last is None or number <= last) for first, last in self.ranges
        )

    def __str__(self) -> str:
        """Return the selection as a user writes it."""
        return ",".join(
            str(first) if first == last else f"{first}-{last or ''}" for first, last in self.ranges
        )


def parse_pages(text: str) -> PageSelection:
    """Parse a selection of pages.

    Raises:
        UsageError: It is not of the form "10-40" or "1-5,9,20-".
    """
    ranges = [_range(part.strip(), text) for part in text.split(",")]
    return PageSelection(tuple(ranges))


def _range(part: str, whole: str) -> tuple[int, int | None]:
    match = _RANGE.fullmatch(part)
    if match is None:
        raise UsageError(f'pages are written like "10-40" or "1-5,9,20-", not {whole!r}')
    first = int(match[1])
    last = first if match[2] is None else int(match[2]) if match[2] else None
    if first < 1 or (last is not None and last < first):
        raise UsageError(f"pages count from 1 and upwards: {whole!r}")
    return first, last


ALL_PAGES = PageSelection(((1, None),))
"""Every page."""
