"""Real runs of ProbTree by its authors, where they are at hand."""

import json
from pathlib import Path
from typing import Any

import pytest

SETS = ("hotpotqa", "musique", "2wiki")


@pytest.fixture(scope="session")
def released(shared_data: Path) -> dict[str, list[list[dict[str, Any]]]]:
    """Return the runs that the authors released: each a list of nodes, the root last."""
    folder = shared_data / "probtree"
    if not folder.is_dir():
        pytest.skip("the released runs are not here")
    return {
        name: json.loads((folder / f"{name}_released.json").read_text(encoding="utf-8"))
        for name in SETS
    }
