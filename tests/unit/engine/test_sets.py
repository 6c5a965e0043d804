"""A set of passages has no order, and equals the model's own attention under such a mask."""

from collections.abc import Callable
from itertools import chain, permutations
from typing import Any

import pytest
import torch
from tiny_models import draw_tokens, tiny
from torch import Tensor

from lcagent.engine.adapters import AdaptedModel
from lcagent.engine.config import LookupName, MemoryConfig
from lcagent.engine.reading import new_reading, read_to_end
from lcagent.engine.sets import read_set
from lcagent.errors import UsageError

SIZES = MemoryConfig(init_tokens=4, window_tokens=60, block_tokens=4, chunk_tokens=8)
BEFORE, AFTER = draw_tokens(6, seed=1), draw_tokens(5, seed=2)
PASSAGES = [draw_tokens(length, seed=length) for length in (3, 9, 7)]


def _ask(model: AdaptedModel, passages: list[list[int]], config: MemoryConfig = SIZES) -> Tensor:
    reading = new_reading(model, config)
    reading.tokens += BEFORE
    read_set(model, reading, passages)
    reading.tokens += AFTER
    return read_to_end(model, reading)


def _masked(model: Callable[..., Any], passages: list[list[int]]) -> Tensor:
    """Return the logits of eager attention where passages do not see each other."""
    tokens, positions, owners = list(BEFORE), list(range(len(BEFORE))), [0] * len(BEFORE)
    for number, passage in enumerate(passages, 1):
        tokens += passage
        positions += range(len(BEFORE), len(BEFORE) + len(passage))
        owners += [number] * len(passage)
    after = len(BEFORE) + max(map(len, passages))
    tokens += AFTER
    positions += range(after, after + len(AFTER))
    owners += [-1] * len(AFTER)
    mine = torch.tensor(owners)
    is_seen = (mine[:, None] == mine) | (mine == 0) | (mine[:, None] == -1)
    mask = torch.where(is_seen.tril(), 0.0, torch.finfo(torch.float32).min)[None, None]
    with torch.inference_mode():
        logits: Tensor = model(
            torch.tensor([tokens]),
            attention_mask=mask,
            position_ids=torch.tensor([positions]),
        ).logits[0, -1]
    return logits


@pytest.mark.parametrize("lookup", ["bounds", "sum"])
def test_a_set_equals_attention_under_a_mask(lookup: LookupName) -> None:
    model = tiny()
    wanted = _masked(model, PASSAGES)
    config = MemoryConfig(**{**SIZES.as_json(), "lookup": lookup})  # type: ignore[arg-type]
    got = _ask(AdaptedModel(model), PASSAGES, config)
    torch.testing.assert_close(got, wanted, atol=1e-4, rtol=0)


def test_the_order_of_a_set_changes_nothing() -> None:
    model = AdaptedModel(tiny("qwen3"))
    first, *others = (_ask(model, list(order)) for order in permutations(PASSAGES))
    assert all(torch.equal(first, other) for other in others)


def test_the_order_of_a_text_does_change_something() -> None:
    model = AdaptedModel(tiny("qwen3"))
    one, other = (_ask(model, [list(chain(*order))]) for order in (PASSAGES, PASSAGES[::-1]))
    assert not torch.allclose(one, other, atol=0.01)


def test_a_set_that_does_not_fit_is_refused() -> None:
    model = AdaptedModel(tiny())
    with pytest.raises(UsageError, match="hold 64"):
        _ask(model, [draw_tokens(59)])
    with pytest.raises(UsageError, match="no tokens"):
        _ask(model, [[], [5]])
    with pytest.raises(UsageError, match="some layers"):
        _ask(AdaptedModel(tiny("gemma2")), PASSAGES)
