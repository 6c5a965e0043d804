"""The default lookup finds what the recall model read, far beyond its window."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from recall import recall
from recall_texts import make_quiz

from lcagent.engine.adapters import AdaptedModel, load_pretrained
from lcagent.engine.config import default_cache_config

pytestmark = pytest.mark.slow

FOLDER = Path(__file__).parents[3] / "examples" / "recall-model"
TEXTS, PAIRS, TOKENS = 3, 16, 8 * 256


@pytest.fixture(scope="module")
def model() -> AdaptedModel:
    return load_pretrained(str(FOLDER), "float32", "cpu")


def _share(model: AdaptedModel, **changes: object) -> float:
    config = replace(default_cache_config(model.config), **changes)  # type: ignore[arg-type]
    quizzes = (
        make_quiz(TOKENS - 4, PAIRS, torch.Generator().manual_seed(seed)) for seed in range(TEXTS)
    )
    return sum(recall(model, config, quiz) for quiz in quizzes) / (TEXTS * PAIRS)


@pytest.mark.parametrize("store_dtype", ["model", "int8"])
def test_the_default_lookup_recalls_at_eight_windows(model: AdaptedModel, store_dtype: str) -> None:
    """Blocks as they are: all keys are compared; blocks in int8: their signs."""
    assert _share(model, store_dtype=store_dtype) >= 0.95


def test_the_window_alone_recalls_next_to_nothing_there(model: AdaptedModel) -> None:
    assert _share(model, policy="window") <= 0.15
