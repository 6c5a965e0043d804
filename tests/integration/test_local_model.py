"""`lcagent ask` with a model in this process, as users run it."""

import json
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
RECALL_MODEL = ROOT / "examples" / "recall-model"
BOOK = ROOT / "examples" / "sample" / "03-ferry.md"
SAMPLE = ROOT / "examples" / "sample.pdf"

Call = Callable[..., Any]

WITHOUT_TORCH = """
import sys
sys.modules["torch"] = None
from lcagent.cli.app import run
sys.exit(run(sys.argv[1:]))
"""


@pytest.fixture
def babbling(tmp_path: Path) -> Path:
    """Return a model that says something, whatever it is shown: the recall model ends at once."""
    pytest.importorskip("transformers")
    torch = pytest.importorskip("torch")
    files = pytest.importorskip("safetensors.torch")
    folder = shutil.copytree(RECALL_MODEL, tmp_path / "babbling")
    tensors = files.load_file(folder / "model.safetensors")
    chance = torch.Generator().manual_seed(5)
    for name, tensor in tensors.items():
        if tensor.dim() == 2:
            tensors[name] = torch.randn(tensor.shape, generator=chance) * 0.2
    files.save_file(tensors, folder / "model.safetensors", {"format": "pt"})
    return folder


@pytest.mark.parametrize("strategy", ["rag", "chain"])
def test_a_question_runs_through_the_whole_pipeline_within_the_window(
    call: Call, strategy: str, babbling: Path
) -> None:
    asked = ("ask", BOOK, "What carries passengers?", "-s", strategy, "--json")
    done = call(*asked, "-m", f"local:{babbling}", "--window", "2048")
    assert done.status == 0, done.err
    answer = json.loads(done.out)
    assert answer["strategy"] == strategy
    assert answer["usage"]["usd"] == 0
    assert answer["usage"]["prompt_tokens"] <= answer["usage"]["calls"] * 2048
    assert answer["usage"]["calls"] > (1 if strategy == "chain" else 0)
    assert answer["answer"]
    # What it babbles is nowhere in the text: nothing of it is proved, whether it is shown or not.
    assert all(one["status"] == "unsupported" for one in answer["claims"])
    assert answer["claims"] or answer["outcome"] == "nearest"


def test_ctrl_c_ends_a_reply_that_is_being_made(
    start: Callable[..., subprocess.Popen[bytes]],
) -> None:
    pytest.importorskip("transformers")
    long = ("ask", SAMPLE, "What carries passengers?", "-s", "whole", "--explain")
    process = start(*long, "-m", f"local:{RECALL_MODEL}", "--window", "100000")
    assert process.stderr is not None
    while b"cost" not in (line := process.stderr.readline()):
        assert line, "it ended before it could be interrupted"
    time.sleep(2)  # it reads for half a minute
    process.send_signal(signal.SIGINT)
    began = time.monotonic()
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (130, b"")
    assert err.decode().splitlines()[-1] == "Error: interrupted; what was stored is kept"
    assert time.monotonic() - began < 15


def test_what_was_replied_once_is_not_computed_again(call: Call, babbling: Path) -> None:
    asked = ("ask", BOOK, "What carries passengers?", "-s", "rag", "--json")
    model = ("-m", f"local:{babbling}", "--window", "2048")
    first, second = (json.loads(call(*asked, *model).out) for _ in range(2))
    assert (first["usage"]["calls"], first["usage"]["cached_calls"]) == (1, 0)
    assert (second["usage"]["calls"], second["usage"]["cached_calls"]) == (0, 1)
    assert second["answer"] == first["answer"]


def test_a_bad_checkpoint_is_refused_before_anything_is_recorded(
    call: Call, tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(RECALL_MODEL, tmp_path / "model"))
    (folder / "model.safetensors").rename(folder / "model.bin")
    call("ask", BOOK, "Who?", "-m", f"local:{folder}").assert_refused(2, "pickle")
    assert call("runs", "ls").out == ""
    assert call("docs", "ls").out == ""


def _without_torch(*arguments: str | Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-c", WITHOUT_TORCH, *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_without_torch_one_line_names_the_extra() -> None:
    done = _without_torch("ask", BOOK, "Who?", "-m", f"local:{RECALL_MODEL}")
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    assert "pip install 'lcagent[local]'" in done.stderr


def _found(out: str) -> dict[str, tuple[bool, str]]:
    findings = json.loads(out)["findings"]
    return {one["what"]: (one["ok"], one["detail"]) for one in findings}


def test_doctor_says_what_a_local_model_is_and_what_fits(
    call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("transformers")
    monkeypatch.setenv("LCAGENT_MODEL", f"local:{RECALL_MODEL}")
    found = _found(call("doctor", "--json").out)
    assert found["model"][0]
    assert "8,192 tokens (reads it by infllm; it was made for 256)" in found["model"][1]
    assert re.match(
        r"weights of 2.9 MB \(cpu\); a text of [\d,]+ tokens", found["model: memory"][1]
    )
    assert found["model: speed"] == (True, "not measured (see --ask-model)")
    assert "cpu" in found["model: device"][1]


def test_doctor_measures_a_model_where_it_may_ask_it(
    call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("transformers")
    monkeypatch.setattr("lcagent.engine.model_runner.PREFILL_FOR_S", 0.1)
    monkeypatch.setattr("lcagent.engine.model_runner.DECODE_FOR_S", 0.1)
    asked = ("doctor", "--ask-model", "--json", "--model", f"local:{RECALL_MODEL}")
    is_ok, speed = _found(call(*asked).out)["model: speed"]
    assert is_ok
    assert re.match(r"reads [\d,]+ tokens a second and writes [\d,]+, ", speed)


def test_doctor_finds_what_a_model_lacks(call: Call, tmp_path: Path) -> None:
    done = call("doctor", "--json", "--model", f"local:{tmp_path}")
    assert done.status == 1
    assert _found(done.out)["model"] == (False, f"{tmp_path} is no model: it has no config.json")


def test_doctor_without_torch_names_the_extra() -> None:
    done = _without_torch("doctor", "--json", "--model", f"local:{RECALL_MODEL}")
    assert done.returncode == 1
    assert "pip install 'lcagent[local]'" in _found(done.stdout)["model"][1]
