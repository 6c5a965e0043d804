"""What tells one model from another: its shape and a sample of its weights.

Hashing all weights of a large model takes minutes; every tensor is sampled instead, so that a
model that was trained further, merged or quantised has another fingerprint.
"""

import hashlib
import json
from typing import Any

import torch

from lcagent.engine.adapters import AdaptedModel

SAMPLES = 64


def fingerprint(model: AdaptedModel) -> str:
    """Return 32 hexadecimal digits."""
    digest = hashlib.sha256()
    network: Any = model.model
    for name, weights in sorted(network.state_dict().items()):
        step = max(1, weights.numel() // SAMPLES)
        sample = weights.flatten()[::step][:SAMPLES].to(torch.float32).cpu()
        digest.update(json.dumps([name, list(weights.shape), str(weights.dtype)]).encode())
        digest.update(sample.numpy().tobytes())
    kept = ("rope_parameters", "layer_types", "sliding_window", "model_type")
    digest.update(repr([getattr(model.config, name, None) for name in kept]).encode())
    return digest.hexdigest()[:32]
