"""Signs of keys: what they say about products, how they are packed, and that they survive."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from lcagent.engine.block_store import Allocator, BlockStore
from lcagent.engine.lookups.signs import (
    SignIndex,
    pack_signs,
    quantize_to_signs,
    random_rotation,
    unpack_signs,
)

STORE = BlockStore(Allocator("cpu", torch.device("cpu")), torch.float32)


def _drawn(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def _filled(blocks: Tensor) -> SignIndex:
    index = SignIndex()
    for keys in blocks:
        index.add(keys, torch.empty(0))
    return index


def _errors(keys: Tensor, query: Tensor) -> Tensor:
    """Return the errors of estimated products over what theory has as their deviation.

    Gao and Long, theorem 3.2; `fit` is their <o', o>, `across` what of the query is not along
    the key.
    """
    width = len(query)
    turned = keys @ random_rotation(width)
    signs, scales = quantize_to_signs(turned)
    estimates = unpack_signs(signs) @ (query @ random_rotation(width)) * scales
    lengths, wanted = keys.norm(dim=1), keys @ query
    fit = turned.abs().sum(1) / lengths / width**0.5
    across = (query.square().sum() - (wanted / lengths).square()).sqrt()
    deviation = lengths * across * ((1 / fit.square() - 1) / (width - 1)).sqrt()
    return (estimates - wanted) / deviation


@pytest.mark.parametrize("width", [32, 64, 128])
@pytest.mark.parametrize("is_skewed", [False, True])
def test_estimates_are_as_good_as_theory_says(width: int, is_skewed: bool) -> None:
    """Unbiased over rotations: those of 300 frames that keys and query are turned into."""
    errors = []
    for seed in range(300):
        keys, query = _drawn(60, width, seed=seed), _drawn(width, seed=1000 + seed)
        if is_skewed:  # a few strong channels, as large models have
            keys[:, :3] *= 20
        frame = torch.linalg.qr(_drawn(width, width, seed=2000 + seed)).Q
        along = torch.sign(keys @ query)
        errors.append(_errors(keys @ frame, query @ frame) * along)
    found = torch.cat(errors)
    assert abs(float(found.mean())) < 0.1
    assert 0.9 < float(found.square().mean().sqrt()) < 1.1
    assert float(found.abs().max()) < 5.5


def test_scores_rank_blocks_much_as_exact_products_do() -> None:
    blocks = _drawn(300, 2, 16, 64) + 3 * _drawn(300, 2, 1, 64, seed=1)
    query = _drawn(6, 64, seed=2)
    exact = (blocks[:, :, None] @ query.view(2, 3, 64, 1))[..., 0].amax(-1)  # (N, Hk, G)
    scores = _filled(blocks).scores(query, STORE)
    for wanted, got in zip(exact.flatten(1).T, scores, strict=True):
        assert float(torch.corrcoef(torch.stack([wanted, got]))[0, 1]) > 0.95


def test_keys_that_are_alike_are_known_exactly() -> None:
    keys = _drawn(3, 2, 1, 12).expand(3, 2, 5, 12)
    query = _drawn(2, 12, seed=1)
    torch.testing.assert_close(
        _filled(keys).scores(query, STORE), torch.einsum("hd,nhd->hn", query, keys[:, :, 0])
    )


@given(st.integers(1, 40), st.integers(0, 1000))
def test_packed_signs_are_the_signs(width: int, seed: int) -> None:
    states = _drawn(3, width, seed=seed)
    packed = pack_signs(states)
    assert packed.shape == (3, -(-width // 8))
    assert torch.equal(unpack_signs(packed)[:, :width], states.sign())


@pytest.mark.parametrize("width", [12, 64])
def test_a_rotation_turns_and_does_not_stretch(width: int) -> None:
    rotation = random_rotation(width).double()
    torch.testing.assert_close(rotation @ rotation.T, torch.eye(width).double(), atol=1e-6, rtol=0)


def test_a_key_takes_a_bit_a_channel_and_a_scale() -> None:
    state = _filled(_drawn(4, 2, 16, 64)).state()
    assert state["signs"].shape == (4, 2, 16, 8)
    assert state["signs"].element_size() == 1
    assert state["scales"].shape == (4, 2, 16)
    assert state["scales"].element_size() == 2


def test_a_fork_grows_on_its_own_and_what_is_restored_scores_the_same() -> None:
    blocks = _drawn(30, 2, 4, 16)
    query = _drawn(4, 16, seed=1)
    index = _filled(blocks[:20])
    fork, restored = index.fork(), SignIndex()
    restored.restore(index.state(), STORE)
    wanted = _filled(blocks).scores(query, STORE)
    index.add(-blocks[20], torch.empty(0))
    for each in (fork, restored):
        for keys in blocks[20:]:
            each.add(keys, torch.empty(0))
        assert torch.equal(each.scores(query, STORE), wanted)
