"""Fixtures of the benchmarks' tests, which are left out where the engine's libraries are not."""

import sys
from importlib.util import find_spec
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[3] / "benchmarks"))
collect_ignore_glob: list[str] = []

if find_spec("torch") is None or find_spec("transformers") is None:
    collect_ignore_glob += ["test_engine*.py"]
else:
    import torch

    torch.set_num_threads(1)
