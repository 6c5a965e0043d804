"""Patches cover each pair once; kernels, tiles and mergers agree with a plain softmax."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from lcagent.engine import attention
from lcagent.engine.attention import (
    AttentionParams,
    MaskKind,
    Patch,
    SoftmaxMerger,
    attend,
    attention_received,
    distant_patches,
    window_patches,
)


def _masked(pairs: Tensor) -> dict[MaskKind, Tensor]:
    return {
        MaskKind.FULL: pairs,
        MaskKind.CAUSAL: pairs.tril(),
        MaskKind.ANTI: pairs.triu(),
    }


def _covered(patches: list[Patch], rows: int, columns: int) -> Tensor:
    times = torch.zeros(rows, columns, dtype=torch.int)
    for patch in patches:
        size = (patch.bottom - patch.top, patch.right - patch.left)
        if patch.mask is not MaskKind.FULL:
            assert size[0] == size[1]
        part = torch.ones(size, dtype=torch.int)
        part = {MaskKind.CAUSAL: part.tril(), MaskKind.ANTI: part.triu(), MaskKind.FULL: part}[
            patch.mask
        ]
        times[patch.top : patch.bottom, patch.left : patch.right] += part
    return times


@given(st.integers(0, 30), st.integers(1, 20), st.integers(0, 30), st.integers(1, 25))
def test_patches_cover_each_pair_once(first: int, count: int, start: int, window: int) -> None:
    start = min(start, first)
    end = first + count
    row, column = torch.arange(end)[:, None], torch.arange(end)[None]
    asked = (row >= first) & (column >= start)
    near = asked & (column <= row) & (column > row - window)
    far = asked & (column <= row - window)
    assert torch.equal(_covered(window_patches(first, end, start, window), end, end), near.int())
    assert torch.equal(_covered(distant_patches(first, end, start, window), end, end), far.int())


@pytest.fixture
def states() -> tuple[Tensor, Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    shapes = (6, 11, 8), (2, 11, 8), (2, 11, 8)
    drawn = [torch.randn(shape, generator=generator, dtype=torch.float64) for shape in shapes]
    return drawn[0], drawn[1], drawn[2]


def _weights(queries: Tensor, keys: Tensor, visible: Tensor, softcap: float | None) -> Tensor:
    logits = queries @ keys.repeat_interleave(3, 0).transpose(1, 2) * 0.7
    if softcap is not None:
        logits = softcap * torch.tanh(logits / softcap)
    return logits.masked_fill(~visible, -torch.inf)


@pytest.mark.parametrize("mask", MaskKind)
@pytest.mark.parametrize("softcap", [None, 1.5])
def test_a_part_equals_a_plain_softmax(
    states: tuple[Tensor, Tensor, Tensor],
    mask: MaskKind,
    softcap: float | None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(attention, "TILE", 4)
    queries, keys, values = states
    all_pairs = torch.ones(11, 11, dtype=torch.bool)
    visible = {
        MaskKind.FULL: all_pairs,
        MaskKind.CAUSAL: all_pairs.tril(),
        MaskKind.ANTI: all_pairs.triu(),
    }
    logits = _weights(queries, keys, visible[mask], softcap)
    part = attend(queries, keys, values, mask, AttentionParams(0.7, softcap))
    wanted = logits.softmax(-1) @ values.repeat_interleave(3, 0)
    torch.testing.assert_close(part.values, wanted)
    torch.testing.assert_close(part.lse.double(), logits.logsumexp(-1))
    shares = attention_received(queries, keys, part.lse, mask, AttentionParams(0.7, softcap))
    torch.testing.assert_close(shares.double(), logits.softmax(-1).sum(1))


def test_merged_parts_equal_the_whole_and_sinks_take_their_share(
    states: tuple[Tensor, Tensor, Tensor],
) -> None:
    queries, keys, values = states
    sinks = torch.linspace(-1, 1, 6, dtype=torch.float64)
    params = AttentionParams(0.7, None, sinks)
    merger = SoftmaxMerger()
    for patch in window_patches(0, 11, 0, 4):
        rows, columns = slice(patch.top, patch.bottom), slice(patch.left, patch.right)
        part = attend(queries[:, rows], keys[:, columns], values[:, columns], patch.mask, params)
        merger.add(part, patch.top, 11)
    visible = torch.ones(11, 11, dtype=torch.bool).tril() & torch.ones(11, 11).triu(-3).bool()
    logits = _weights(queries, keys, visible, None)
    with_sink = torch.cat([logits, sinks[:, None, None].expand(6, 11, 1)], dim=-1)
    wanted = with_sink.softmax(-1)[..., :-1] @ values.repeat_interleave(3, 0)
    torch.testing.assert_close(merger.finish(sinks)[0], wanted)
