"""A store of its own, and a small book."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from lcagent.pipelines import Session
from lcagent.settings import load_settings

BOOK = """# The Light

Hector Vance kept the lighthouse from 1907 until he retired in 1938.
The stair inside has 163 steps, and he counted them every evening.

# The Ferry

The ferry Lady Annis carries 184 passengers and 19 cars across the sound.
She does not sail when the wind blows at more than 45 knots.

# The Tide

The wheel called Quern One was lowered to the sea floor on 19 July 2006.
"""


@pytest.fixture
def book(tmp_path: Path) -> Path:
    """Return a Markdown file with three sections."""
    path = tmp_path / "book.md"
    path.write_text(BOOK, encoding="utf-8")
    return path


@pytest.fixture
def session() -> Iterator[Session]:
    """Yield an open store that searches by words only."""
    with Session.open(load_settings(embedder="none")) as opened:
        yield opened
