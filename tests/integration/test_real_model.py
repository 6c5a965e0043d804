"""A real model behind a real server: what no script of ours thought of.

The server, the model and their environment are those of `.ci/real-models`.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from llama_server import RunningServer

LETTER = Path(__file__).parents[2] / "examples" / "sample" / "letter.md"

pytestmark = pytest.mark.real_model


def test_a_question_is_answered_end_to_end(
    call: Callable[..., Any], real_model: RunningServer
) -> None:
    server = ("-m", real_model.name, "--base-url", real_model.base_url, "--window", "1500")
    done = call("ask", LETTER, "Who wrote the letter?", *server, "-s", "rag", "--json")
    assert done.status == 0, done.err
    usage = json.loads(done.out)["usage"]
    assert usage["calls"] >= 1
    assert usage["completion_tokens"] > 0
    assert real_model.cpu_s < 60
