"""The network in torch, against the one in numpy and against transformers."""

from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

torch = pytest.importorskip("torch")

from lcagent.retrieval.embedding import minilm_numpy  # noqa: E402 -- after the skip
from lcagent.retrieval.embedding.embedder import Vectors  # noqa: E402
from lcagent.retrieval.embedding.minilm import MiniLM  # noqa: E402
from lcagent.retrieval.embedding.minilm_torch import (  # noqa: E402
    BATCH_TOKENS,
    TorchMiniLM,
    batches_of_like_length,
)
from lcagent.retrieval.embedding.minilm_weights import map_tensors  # noqa: E402

LENGTHS = (2, 3, 17, 100, 255, 256)


@pytest.fixture(scope="module")
def weights(minilm: MiniLM) -> dict[str, Vectors]:
    return map_tensors(minilm.files.weights)


@pytest.fixture(scope="module")
def ids() -> list[list[int]]:
    rng = np.random.default_rng(0)
    return [[101, *rng.integers(1000, 30000, n - 2).tolist(), 102] for n in LENGTHS]


@pytest.fixture(scope="module")
def exact(weights: dict[str, Vectors], ids: list[list[int]]) -> Vectors:
    return np.array([minilm_numpy.embed_ids(weights, text) for text in ids])


@pytest.fixture(autouse=True)
def same_threads_afterwards() -> Iterator[None]:
    before = torch.get_num_threads()
    yield
    assert torch.get_num_threads() == before


def test_float32_equals_numpy(
    weights: dict[str, Vectors], ids: list[list[int]], exact: Vectors
) -> None:
    vectors = TorchMiniLM(weights, torch.float32).embed_ids(ids)
    assert np.sum(vectors * exact, axis=1).min() > 0.99999
    np.testing.assert_allclose(vectors, exact, atol=2e-5)


@pytest.mark.slow
def test_bfloat16_is_near_enough_to_be_mixed_with_float32(
    weights: dict[str, Vectors], ids: list[list[int]], exact: Vectors
) -> None:
    vectors = TorchMiniLM(weights, torch.bfloat16).embed_ids(ids)
    assert np.sum(vectors * exact, axis=1).min() > 0.999


def test_numpy_equals_transformers(minilm: MiniLM, ids: list[list[int]], exact: Vectors) -> None:
    transformers = pytest.importorskip("transformers")
    model = transformers.AutoModel.from_pretrained(minilm.files.weights.parent).eval()
    for text, vector in zip(ids, exact, strict=True):
        with torch.inference_mode():
            pooled = model(input_ids=torch.tensor([text])).last_hidden_state[0].mean(dim=0)
        expected = (pooled / pooled.norm()).numpy()
        assert float(expected @ vector) > 0.99999


def test_padding_does_not_change_a_vector(
    weights: dict[str, Vectors], ids: list[list[int]]
) -> None:
    model = TorchMiniLM(weights, torch.float32)
    together = model.embed_ids(ids)
    alone = np.concatenate([model.embed_ids([text]) for text in ids])
    np.testing.assert_allclose(together, alone, atol=2e-5)


@given(st.lists(st.integers(2, 256)))
def test_batches_hold_every_text_once_and_stay_under_the_limit(lengths: list[int]) -> None:
    batches = list(batches_of_like_length(lengths))
    assert sorted(index for batch in batches for index in batch) == list(range(len(lengths)))
    assert all(len(b) * max(lengths[i] for i in b) <= BATCH_TOKENS for b in batches)
