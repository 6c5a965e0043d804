"""Results do not depend on how a text is handed over, forked, batched or stored."""

from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import pytest
import torch
from tiny_models import draw_tokens, tiny
from torch import Tensor

from lcagent.engine.adapters import AdaptedModel
from lcagent.engine.config import KVCacheConfig, LookupName, PolicyName
from lcagent.engine.model_runner import (
    SequenceState,
    decode,
    new_sequence_state,
    prefill,
    prefill_all,
)
from lcagent.errors import UsageError

SIZES = KVCacheConfig(
    init_tokens=4, window_tokens=16, block_tokens=4, chunk_tokens=8, looked_up_blocks=3
)
TOKENS = draw_tokens(101)


@pytest.fixture(scope="module")
def model() -> AdaptedModel:
    return AdaptedModel(tiny())


def _answer(model: AdaptedModel, state: SequenceState, steps: int = 6) -> Tensor:
    """Return the logits of the next tokens, each the likeliest after the last."""
    rows = [prefill_all(model, state)]
    for _ in range(steps):
        rows.append(decode(model, [state], [int(rows[-1].argmax())], 2)[0])
    return torch.stack(rows)


def _logits(model: AdaptedModel, config: KVCacheConfig, tokens: list[int] = TOKENS) -> Tensor:
    state = new_sequence_state(model, config)
    state.tokens += tokens
    return _answer(model, state)


@pytest.mark.parametrize("policy", get_args(PolicyName))
@pytest.mark.parametrize("lookup", get_args(LookupName))
def test_pieces_and_forks_change_nothing(
    model: AdaptedModel, policy: PolicyName, lookup: LookupName
) -> None:
    config = replace(SIZES, policy=policy, lookup=lookup)
    wanted = _logits(model, config)
    state = new_sequence_state(model, config)
    for start in range(0, 90, 13):
        state.tokens += TOKENS[start : start + 13]
        prefill(model, state)
        state = state.fork()
    state.tokens += TOKENS[len(state.tokens) :]
    other = state.fork()
    other.tokens += draw_tokens(40, seed=7)
    _answer(model, other)
    assert torch.equal(_answer(model, state), wanted)


@pytest.mark.parametrize("policy", get_args(PolicyName))
@pytest.mark.parametrize("lookup", ["bounds", "sum", "exact", "signs"])
@pytest.mark.parametrize("length", [34, 50])
def test_a_fork_keeps_what_it_was_while_its_origin_goes_on(
    model: AdaptedModel, policy: PolicyName, lookup: LookupName, length: int
) -> None:
    config = replace(SIZES, policy=policy, lookup=lookup)
    state = new_sequence_state(model, config)
    state.tokens += TOKENS[:length]
    prefill_all(model, state)
    wanted = torch.stack([decode(model, [state.fork()], [token], 2)[0] for token in (5, 6)])
    fork = state.fork()
    for token in draw_tokens(30, seed=8):
        decode(model, [state], [token], 2)
    got = torch.stack([decode(model, [fork.fork()], [token], 2)[0] for token in (5, 6)])
    assert torch.equal(got, wanted)


def test_a_fork_shares_blocks_and_grows_on_its_own(model: AdaptedModel) -> None:
    state = new_sequence_state(model, SIZES)
    state.tokens += TOKENS
    prefill(model, state)
    fork = state.fork()
    for text, seed in ((state, 1), (fork, 2)):
        text.tokens += draw_tokens(60, seed)
        prefill(model, text)
    stores = [text.cache.layers[0].store for text in (state, fork)]
    assert stores[0].spans()[0][0].data_ptr() == stores[1].spans()[0][0].data_ptr()
    last = [store.keys(len(store) - 1, torch.float32) for store in stores]
    assert not torch.equal(*last)


@pytest.mark.parametrize(
    "change", [{"is_per_head": True}, {"neighbours": 1}, {"reselect_every": 3}]
)
def test_other_choices_of_blocks_give_other_results(
    model: AdaptedModel, change: dict[str, int]
) -> None:
    changed = _logits(model, replace(SIZES, **change))
    assert torch.isfinite(changed).all()
    assert not torch.equal(changed, _logits(model, SIZES))


@pytest.mark.parametrize("place", ["device", "cpu", "disk"])
@pytest.mark.parametrize("lookup", ["exact", "signs"])
def test_the_place_of_blocks_changes_nothing(
    model: AdaptedModel, lookup: LookupName, place: str, tmp_path: Path
) -> None:
    here = replace(SIZES, lookup=lookup)
    elsewhere = replace(here, place=place, folder=tmp_path)  # type: ignore[arg-type]
    assert torch.equal(_logits(model, elsewhere), _logits(model, here))
    assert list(tmp_path.iterdir()) == []


def test_int8_blocks_change_little(model: AdaptedModel) -> None:
    wanted = _logits(model, replace(SIZES, lookup="exact", looked_up_blocks=40))
    kept = _logits(model, replace(SIZES, lookup="exact", looked_up_blocks=40, store_dtype="int8"))
    assert 0 < float((kept - wanted).abs().max()) < 0.1


def test_a_text_in_a_batch_equals_the_text_alone(model: AdaptedModel) -> None:
    config = replace(SIZES, lookup="bounds")
    texts = [draw_tokens(length, seed=length) for length in (9, 33, 64)]
    alone = [new_sequence_state(model, config) for _ in texts]
    together = [new_sequence_state(model, config) for _ in texts]
    for state, other, tokens in zip(alone, together, texts, strict=True):
        for each in (state, other):
            each.tokens += tokens
            prefill_all(model, each)
    singles = torch.cat([decode(model, [state], [5], 4) for state in alone])
    assert torch.equal(decode(model, together, [5, 5, 5], 4), singles)


def test_progress_is_told_after_each_chunk(model: AdaptedModel) -> None:
    told: list[tuple[int, int]] = []
    state = new_sequence_state(model, SIZES)
    state.tokens += TOKENS[:20]
    prefill_all(model, state, lambda done, total: told.append((done, total)))
    assert told == [(8, 20), (16, 20)]


@pytest.mark.parametrize(
    ("length", "chunks"), [(1, [1]), (2, [1, 1]), (9, [8, 1]), (16, [8, 7, 1]), (20, [8, 8, 3, 1])]
)
def test_a_text_is_read_in_chunks_and_its_last_token_alone(
    model: AdaptedModel, monkeypatch: pytest.MonkeyPatch, length: int, chunks: list[int]
) -> None:
    read: list[int] = []
    real = model.forward

    def record(tokens: Tensor, caches: Any, *, needs_logits: bool) -> Tensor | None:
        read.append(tokens.shape[1])
        return real(tokens, caches, needs_logits=needs_logits)

    monkeypatch.setattr(model, "forward", record)
    state = new_sequence_state(model, SIZES)
    state.tokens += TOKENS[:length]
    prefill_all(model, state)
    assert read == chunks


def test_chunks_begin_at_the_same_places_after_a_reply(model: AdaptedModel) -> None:
    told: list[tuple[int, int]] = []
    state = new_sequence_state(model, SIZES)
    state.tokens += TOKENS[:20]
    _answer(model, state, steps=1)
    state.tokens += TOKENS[:20]
    prefill_all(model, state, lambda done, total: told.append((done, total)))
    assert told == [(24, 41), (32, 41), (40, 41)]


def test_a_text_without_tokens_is_refused(model: AdaptedModel) -> None:
    with pytest.raises(UsageError, match="no tokens"):
        prefill_all(model, new_sequence_state(model, SIZES))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"lookup": "best"}, "not one of"),
        ({"block_tokens": 0}, "at least 1"),
        ({"representatives": 9}, "too few"),
    ],
)
def test_sizes_that_cannot_work_are_refused(change: dict[str, object], reason: str) -> None:
    with pytest.raises(UsageError, match=reason):
        replace(SIZES, **change)  # type: ignore[arg-type]
