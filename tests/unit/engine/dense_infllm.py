"""InfLLM token by token in float64, as slow and as plain as can be: what the engine must equal.

It keeps every key and builds, for every query on its own, the list of keys that the method shows
it. Nothing here is shared with the engine.
"""

from typing import Any

import torch
from torch import Tensor

from lcagent.engine.attention import AttentionParams
from lcagent.engine.config import KVCacheConfig


class DenseInfLLM:
    """Has the `attend` of a layer's memory; `lookup` is "sum"."""

    def __init__(self, config: KVCacheConfig, theta: float) -> None:
        self.config, self.theta = config, theta
        self.keys: list[Tensor] = []  # (Hk, D) each
        self.values: list[Tensor] = []
        self.received: list[Tensor] = []  # (H,) each
        self.blocks: list[tuple[int, Tensor]] = []  # first token; representatives (H, D)
        self.num_init = 0
        self.tail = 0  # the first token that is neither init nor in a block

    def attend(
        self, queries: Tensor, keys: Tensor, values: Tensor, params: AttentionParams
    ) -> Tensor:
        plain = self.config.window_tokens + self.config.init_tokens - len(self.keys)
        if 0 < plain < queries.shape[1]:
            before = self._chunk(queries[:, :plain], keys[:, :plain], values[:, :plain], params)
            after = self._chunk(queries[:, plain:], keys[:, plain:], values[:, plain:], params)
            return torch.cat([before, after], dim=1).to(queries)
        return self._chunk(queries, keys, values, params).to(queries)

    def _chunk(
        self, queries: Tensor, keys: Tensor, values: Tensor, params: AttentionParams
    ) -> Tensor:
        first = len(self.keys)
        queries = queries.double()
        self.keys += list(keys.double().transpose(0, 1))
        self.values += list(values.double().transpose(0, 1))
        self.received += [torch.zeros(len(queries), dtype=torch.float64) for _ in keys[0]]
        chosen = self._look_up(queries)
        out = [self._query(queries[:, n], first + n, chosen, params) for n in range(keys.shape[1])]
        self._settle()
        return torch.stack(out, dim=1)

    def _look_up(self, queries: Tensor) -> list[int]:
        if len(self.blocks) <= self.config.looked_up_blocks:
            return list(range(len(self.blocks)))
        turned = self.rotate(queries, self.config.window_tokens - 1)
        mean = turned.mean(1)  # (H, D)
        scores = torch.tensor([float((mean * rep).sum()) for _, rep in self.blocks])
        best: list[int] = scores.topk(self.config.looked_up_blocks).indices.tolist()
        return best

    def _query(
        self, query: Tensor, place: int, chosen: list[int], params: AttentionParams
    ) -> Tensor:
        config, size = self.config, self.config.block_tokens
        window = config.window_tokens
        is_plain = len(self.keys) <= window + config.init_tokens
        near = range(place + 1) if is_plain else range(max(0, place - window + 1), place + 1)
        far: list[int] = []
        if not is_plain:
            far += range(self.num_init)
            for block in chosen:
                far += range(self.blocks[block][0], self.blocks[block][0] + size)
            far += range(self.tail, place - window + 1)
        assert not set(near) & set(far)
        group = len(query) // len(self.keys[0])
        out = torch.empty_like(query)
        for head in range(len(query)):
            turned = self.rotate(query[head], place)
            capped = self.rotate(query[head], window - 1)
            logits = [turned @ self.rotate(self.keys[j][head // group], j) for j in near]
            logits += [capped @ self.keys[j][head // group] for j in far]
            weights = torch.softmax(torch.stack(logits) * params.scale, dim=0)
            seen = torch.stack([self.values[j][head // group] for j in (*near, *far)])
            out[head] = weights @ seen
            for weight, j in zip(weights, near, strict=False):
                self.received[j][head] += weight
        return out

    def _settle(self) -> None:
        config, end = self.config, len(self.keys)
        if end < config.window_tokens + config.init_tokens:
            return
        if not self.blocks:
            self.num_init = self.tail = config.init_tokens
        while end - self.tail - config.block_tokens >= config.window_tokens:
            block = range(self.tail, self.tail + config.block_tokens)
            received = torch.stack([self.received[j] for j in block])  # (bs, H)
            group = received.shape[1] // len(self.keys[0])
            reps: list[Any] = []
            for head in range(received.shape[1]):
                best = received[:, head].topk(config.representatives).indices.tolist()
                keys = [self.keys[block[b]][head // group] for b in best]
                reps.append(torch.stack(keys).mean(0))
            self.blocks.append((self.tail, torch.stack(reps)))
            self.tail += config.block_tokens

    def rotate(self, states: Tensor, position: int) -> Tensor:
        half = states.shape[-1] // 2
        angles = position * self.theta ** -(torch.arange(half, dtype=torch.float64) / half)
        low, high = states[..., :half], states[..., half:]
        cos, sin = angles.cos(), angles.sin()
        return torch.cat([low * cos - high * sin, high * cos + low * sin], dim=-1)
