"""Scores of blocks, and the blocks that are chosen by them."""

from dataclasses import replace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from lcagent.engine.block_store import Allocator, BlockStore
from lcagent.engine.config import BlockPlace, KVCacheConfig, StoreDtype
from lcagent.engine.lookups.block_index import BlockIndex, GrowableTensor
from lcagent.engine.lookups.block_selection import choose_blocks
from lcagent.engine.lookups.bounds import BoundsIndex
from lcagent.engine.lookups.exact import ExactIndex, InPlaceKeyIndex
from lcagent.engine.lookups.make_index import make_index, resolve_auto_lookup
from lcagent.engine.lookups.representatives import RepresentativeIndex

ONE = KVCacheConfig(looked_up_blocks=1)
HEADS = torch.tensor(
    [
        [90.0, 0.0, 0.0, 0.0],
        [0.0, 0.0, 9.0, 0.0],
        [0.0, 0.0, 9.0, 0.0],
        [0.0, 0.0, 0.0, 9.0],
    ]
)


def _blocks(seed: int, count: int = 5, tokens: int = 6) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(count, 2, tokens, 8, generator=generator)  # (N, Hk, tokens, D)


def _fill(index: BlockIndex, blocks: Tensor) -> Tensor:
    """Return the scores for a query of four heads."""
    received = torch.zeros(index.num_scored_heads, blocks.shape[2])
    store = _store(blocks)
    for keys in blocks:
        index.add(keys, received)
    return index.scores(_query(), store)


def _store(blocks: Tensor) -> BlockStore:
    store = BlockStore(Allocator("cpu", torch.device("cpu")), blocks.dtype)
    for keys in blocks:
        store.append(keys, -keys)
    return store


def _query() -> Tensor:
    return torch.randn(4, 8, generator=torch.Generator().manual_seed(99))


def _best(blocks: Tensor) -> Tensor:
    """Return the highest q k of each block, head by head."""
    rows = [
        [(query @ keys[head // 2].T).max() for keys in blocks]
        for head, query in enumerate(_query())
    ]
    return torch.tensor(rows)


@given(st.integers(0, 1000))
def test_bounds_are_never_below_the_best_key(seed: int) -> None:
    blocks = _blocks(seed)
    assert (_fill(BoundsIndex(), blocks) >= _best(blocks) - 1e-5).all()


def test_bounds_of_a_block_of_one_token_are_its_score() -> None:
    blocks = _blocks(0, tokens=1)
    torch.testing.assert_close(_fill(BoundsIndex(), blocks), _best(blocks))


def test_exact_scores_are_those_of_the_best_key() -> None:
    blocks = _blocks(1, count=600)  # more than are looked at at once
    torch.testing.assert_close(_fill(ExactIndex(), blocks), _best(blocks))
    torch.testing.assert_close(
        _fill(ExactIndex(is_int8=True), blocks), _best(blocks), atol=0.1, rtol=0
    )


@pytest.mark.parametrize("tokens", [1, 6, 128])
def test_keys_in_the_store_score_as_their_copy_does_to_the_last_bit(tokens: int) -> None:
    blocks = _blocks(3, count=300, tokens=tokens)
    assert torch.equal(_fill(InPlaceKeyIndex(), blocks), _fill(ExactIndex(), blocks))


def test_keys_are_scored_in_a_fork_of_the_store() -> None:
    blocks = _blocks(4, count=30)
    store = _store(blocks[:20])
    fork = store.fork()
    for keys in blocks[20:]:
        store.append(-keys, keys)
        fork.append(keys, -keys)
    torch.testing.assert_close(InPlaceKeyIndex().scores(_query(), fork), _best(blocks))
    assert len(fork.spans()) > len(store.spans())
    assert [torch.equal(fork.keys(n, torch.float32), blocks[n]) for n in range(30)] == [True] * 30


def test_a_copy_of_keys_is_made_where_none_was_saved() -> None:
    blocks = _blocks(5, count=30)
    index = ExactIndex()
    index.restore(InPlaceKeyIndex().state(), _store(blocks))
    assert torch.equal(index.scores(_query(), _store(blocks)), _fill(ExactIndex(), blocks))


CPU, GPU = torch.device("cpu"), torch.device("cuda")


@pytest.mark.parametrize(
    ("place", "device", "store_dtype", "lookup"),
    [
        ("cpu", CPU, "model", "exact"),
        ("cpu", CPU, "float32", "exact"),
        ("cpu", CPU, "bfloat16", "signs"),
        ("cpu", CPU, "int8", "signs"),
        ("disk", CPU, "model", "signs"),
        ("cpu", GPU, "model", "signs"),
        ("device", GPU, "model", "exact"),
        ("device", GPU, "int8", "signs"),
    ],
)
def test_all_keys_are_compared_where_that_takes_no_copy(
    place: BlockPlace, device: torch.device, store_dtype: StoreDtype, lookup: str
) -> None:
    config = KVCacheConfig(place=place, store_dtype=store_dtype)
    assert resolve_auto_lookup(config, device, torch.float32).lookup == lookup
    wanted = replace(config, lookup="exact")
    assert resolve_auto_lookup(wanted, device, torch.float32) == wanted
    index = make_index(wanted, 4, device, torch.float32)
    assert isinstance(index, InPlaceKeyIndex if lookup == "exact" else ExactIndex)


def test_representatives_are_the_keys_that_received_most() -> None:
    index = RepresentativeIndex(num_scored_heads=4, count=2)
    (keys,) = _blocks(2, count=1)
    received = torch.zeros(4, 6)
    received[:2, [1, 4]] = 1.0
    received[2:, [0, 5]] = 1.0
    index.add(keys, received)
    wanted = [
        query @ keys[head // 2, [1, 4] if head < 2 else [0, 5]].mean(0)
        for head, query in enumerate(_query())
    ]
    torch.testing.assert_close(
        index.scores(_query(), _store(keys[None]))[:, 0], torch.stack(wanted)
    )


def test_a_loud_head_wins_a_sum_and_not_a_vote() -> None:
    assert choose_blocks(HEADS, 2, 1.0, ONE, is_vote=False) == [[0]]
    assert choose_blocks(HEADS, 2, 1.0, ONE, is_vote=True) == [[2]]


def test_a_vote_is_as_sharp_as_attention() -> None:
    scores = torch.tensor([[8.0, 0.0, 0.0], [0.0, 5.0, 4.9], [0.0, 4.9, 5.0]])
    assert choose_blocks(scores, 1, 1.0, ONE, is_vote=True) == [[0]]
    assert choose_blocks(scores, 1, 0.01, ONE, is_vote=True) == [[1]]


@pytest.mark.parametrize("is_vote", [False, True])
def test_each_key_value_head_may_choose_for_itself(is_vote: bool) -> None:
    per_head = replace(ONE, is_per_head=True)
    assert choose_blocks(HEADS[:, [0, 2, 3]], 2, 1.0, per_head, is_vote=is_vote)[0] == [0]
    assert choose_blocks(HEADS, 4, 1.0, per_head, is_vote=is_vote) == [[0], [2], [2], [3]]


@pytest.mark.parametrize(
    ("blocks", "reach", "chosen"),
    [
        (2, 0, [3, 7]),
        (2, 1, [7, 8]),
        (3, 1, [6, 7, 8]),
        (4, 2, [6, 7, 8, 9]),
        (20, 1, [*range(10)]),
    ],
)
def test_neighbours_of_a_hit_come_with_it(blocks: int, reach: int, chosen: list[int]) -> None:
    scores = torch.zeros(1, 10)
    scores[0, 7], scores[0, 3] = 9, 8
    config = KVCacheConfig(looked_up_blocks=blocks, neighbours=reach)
    found = choose_blocks(scores, 1, 1.0, config, is_vote=False)[0]
    assert len(found) == min(blocks, 10)
    assert sorted(found) == chosen


def test_rows_of_forks_part_where_they_grow() -> None:
    rows = GrowableTensor()
    for number in range(20):
        rows.append(torch.tensor([number]))
    fork = rows.fork()
    fork.append(torch.tensor([-1]))
    rows.append(torch.tensor([-2]))
    assert fork.rows.flatten().tolist() == [*range(20), -1]
    assert rows.rows.flatten().tolist() == [*range(20), -2]
