"""What tells one model from another: its shape, a sum over its weights and a sample of them.

Hashing all weights of a large model takes minutes, adding them up takes seconds. Sums are those of
the weights' bits as whole numbers, which are the same in any order and on any device. A model that
was trained further, merged, edited or quantised has another fingerprint.
"""

import hashlib
import json
from typing import Any
from weakref import WeakKeyDictionary

import torch
from torch import Tensor

from lcagent.engine.adapters import AdaptedModel

SAMPLES = 64
_AS_NUMBERS = {1: torch.int8, 2: torch.int16, 4: torch.int32, 8: torch.int64}
_known: WeakKeyDictionary[AdaptedModel, str] = WeakKeyDictionary()


def fingerprint(model: AdaptedModel) -> str:
    """Return 32 hexadecimal digits; weights are looked at once."""
    if model not in _known:
        _known[model] = _compute(model)
    return _known[model]


def _compute(model: AdaptedModel) -> str:
    digest = hashlib.sha256()
    network: Any = model.model
    for name, weights in sorted(network.state_dict().items()):
        about = [name, list(weights.shape), str(weights.dtype), *_figures(weights)]
        digest.update(json.dumps(about).encode())
    kept = ("rope_parameters", "layer_types", "sliding_window", "model_type")
    digest.update(repr([getattr(model.config, name, None) for name in kept]).encode())
    return digest.hexdigest()[:32]


def _figures(weights: Tensor) -> list[int]:
    numbers = weights.detach().contiguous().view(_AS_NUMBERS[weights.element_size()]).flatten()
    step = max(1, numbers.numel() // SAMPLES) | 1  # odd, so as not to stay in one column
    total = int(numbers.sum(dtype=torch.int64))
    return [total, *numbers[::step].tolist()]
