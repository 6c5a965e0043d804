"""What the documentation shows of recall is what was measured."""

import json
from pathlib import Path

from recall_table import table

ROOT = Path(__file__).parents[3]


def test_the_table_in_the_documentation_is_the_saved_one() -> None:
    found = json.loads((ROOT / "benchmarks" / "recall_results.json").read_text(encoding="utf-8"))
    assert table(found) in (ROOT / "docs" / "engine.md").read_text(encoding="utf-8")


def test_a_cell_is_a_share_and_its_number_of_questions() -> None:
    lines = table({"window": {"1": [3, 4], "64": [0, 8]}}).splitlines()
    assert lines[2] == "| window | 0.75 of 4 |  | 0.00 of 8 |  |  |"
