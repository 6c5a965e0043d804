"""The real model, where it is installed."""

from pathlib import Path

import pytest

from lcagent.retrieval.embedding.minilm import MiniLM
from lcagent.retrieval.embedding.minilm_weights import find_model_files


@pytest.fixture(scope="session")
def minilm() -> MiniLM:
    pytest.importorskip("tokenizers")
    files = find_model_files(may_download=False)
    if files is None:
        pytest.skip("the weights are not installed (extra `offline`)")
    return MiniLM(files)


@pytest.fixture
def empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    return tmp_path
