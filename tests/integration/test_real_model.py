"""A real model behind a real server: what no script of ours thought of.

The server, the model and their environment are those of `.ci/real-models`.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from llama_server import RunningServer

SAMPLE = Path(__file__).parents[2] / "examples" / "sample.pdf"
ROW = "Foot passengers 45,930 48,612 48,216"

pytestmark = pytest.mark.real_model


def test_the_example_of_the_readme_has_the_row_of_the_table_and_no_year_of_ours(
    call: Callable[..., Any], real_model: RunningServer
) -> None:
    question = "How many foot passengers did the ferry carry in 2019?"
    server = ("-m", real_model.name, "--base-url", real_model.base_url)
    done = call("ask", SAMPLE, question, *server, "--json")
    assert done.status == 0, done.err
    answer = json.loads(done.out)
    assert answer["usage"]["completion_tokens"] > 0
    assert "1897" not in done.out
    rows = [one for one in answer["citations"] if ROW in " ".join(one["quote"].split())]
    assert [one["page"] for one in rows] == [20]
    if answer["outcome"] == "answered":  # else it says that these are the nearest passages
        assert "48,216" in answer["answer"]
        assert [claim["status"] for claim in answer["claims"]] == ["supported"]
