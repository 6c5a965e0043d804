"""Fixtures of the engine's tests, which are left out where its libraries are not installed."""

import sys
from importlib.util import find_spec
from pathlib import Path

collect_ignore_glob: list[str] = []

if find_spec("torch") is None or find_spec("transformers") is None:
    collect_ignore_glob += ["*.py"]
else:
    import torch

    sys.path.insert(0, str(Path(__file__).parent))
    torch.set_num_threads(1)
if find_spec("fastapi") is None or find_spec("prometheus_client") is None:
    collect_ignore_glob += ["test_server*.py"]
