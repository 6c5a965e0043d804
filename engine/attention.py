"""Attention in parts: which keys each query sees, each part's result, and their merger.

A window that slides over a chunk of queries is a band of their mask. Cut into patches that are
full or triangular it needs no mask: every kernel can do a full or a causal patch, and no patch is
larger than it must be. The log-sum-exp of a part's logits tells how much the part weighs (Dao et
al., FlashAttention, https://arxiv.org/abs/2205.14135, section 3.1), so parts merge without error.
Query heads share key-value heads by views (Ainslie et al., GQA, https://arxiv.org/abs/2305.13245):
no key is repeated, and no matrix of queries times keys is held in memory.

Shapes: H query heads, Hk key-value heads, G = H / Hk heads to a group, L queries, D head_dim.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

import torch
from torch import Tensor

TILE = 1024
"""Keys at once where no kernel does the work."""


class MaskKind(Enum):
    """Which keys of its patch a query sees; CAUSAL and ANTI are square."""

    FULL = "all of them"
    CAUSAL = "the first row the first key, each later row one more"
    ANTI = "the first row all, each later row one less, from the front"


@dataclass(frozen=True, slots=True)
class Patch:
    """Rows (queries) `top` to `bottom` and columns (keys) `left` to `right`, ends excluded."""

    top: int
    bottom: int
    left: int
    right: int
    mask: MaskKind = MaskKind.FULL


@dataclass(frozen=True, slots=True)
class AttentionParams:
    """How a layer turns queries and keys into weights.

    Attributes:
        scale: Of the logits.
        softcap: Logits are bent to lie within it (Gemma 2), after the scale; None for no cap.
        sinks: Logit of each head that takes weight and gives nothing (GPT-OSS), shape (H,).
    """

    scale: float
    softcap: float | None = None
    sinks: Tensor | None = None


@dataclass(frozen=True, slots=True)
class PartialAttention:
    """Attention over some of the keys: values (H, L, D); lse, float32 or wider, (H, L)."""

    values: Tensor
    lse: Tensor


def window_patches(first: int, end: int, start: int, window: int) -> list[Patch]:
    """Return what queries `first` to `end` see of the keys from `start` in their windows.

    A query at i sees the keys j with i - window < j <= i. Every such pair is in one patch. Rows
    and columns count in tokens from one origin.
    """
    return [
        patch
        for top in range(first, end, window)
        for patch in _window_band(top, min(top + window, end), start, window)
        if patch.top < patch.bottom and patch.left < patch.right
    ]


def distant_patches(first: int, end: int, start: int, window: int) -> list[Patch]:
    """Return what those queries see of the keys from `start` that left their windows.

    A query at i sees the keys j with j <= i - window. Every such pair is in one patch.
    """
    return [
        patch
        for top in range(first, end, window)
        for patch in _before_band(top, min(top + window, end), start, window)
        if patch.top < patch.bottom and patch.left < patch.right
    ]


def attend(
    queries: Tensor, keys: Tensor, values: Tensor, mask: MaskKind, params: AttentionParams
) -> PartialAttention:
    """Return the attention of queries over these keys alone.

    Shapes: queries (H, L, D); keys and values (Hk, k_len, D); k_len is L unless the mask is FULL.
    """
    if mask is MaskKind.ANTI:
        # Turned about, an anti-causal patch is a causal one, which kernels know.
        part = attend(queries.flip(1), keys.flip(1), values.flip(1), MaskKind.CAUSAL, params)
        return PartialAttention(part.values.flip(1), part.lse.flip(1))
    if params.softcap is not None or not _has_kernel(queries):
        return _attend_tiled(queries, keys, values, mask, params)
    if mask is MaskKind.FULL:
        return _attend_full(queries, keys, values, params.scale)
    return _attend_causal(queries, keys, values, params.scale)


def attention_received(
    queries: Tensor, keys: Tensor, lse: Tensor, mask: MaskKind, params: AttentionParams
) -> Tensor:
    """Return the probability that each key received from these queries, summed over them.

    The paper's lookup chooses representative tokens by it. InfLLM, section 3.2, means dot products
    with later queries; its released code sums probabilities, those of the key's own query among
    them. This follows the code.

    Shapes: queries (H, L, D); keys (Hk, k_len, D); lse, over all that the queries see, (H, L); the
    result (H, k_len), float32.
    """
    rows = group_heads(queries, keys.shape[0])  # (Hk, G, L, D)
    total = group_heads(lse, keys.shape[0])[..., None]  # (Hk, G, L, 1)
    tiles: list[Tensor] = []
    for start in range(0, keys.shape[1], TILE):
        logits = _tile_logits(rows, keys, start, mask, params)
        tiles.append(torch.exp(logits - total).sum(2).flatten(0, 1))  # (H, tile)
    return torch.cat(tiles, dim=1)


def group_heads(states: Tensor, num_kv_heads: int) -> Tensor:
    """Return (H, ...) as (Hk, G, ...), by a view."""
    return states.reshape(num_kv_heads, -1, *states.shape[1:])


class SoftmaxMerger:
    """Merges attention over parts of the keys into attention over all of them.

    The softmax over a union of keys is the mean of the parts' results, weighted by the
    exponentials of their log-sum-exps: out = sum_i exp(lse_i - lse) out_i, where lse is the
    log-sum-exp of all lse_i. So the order in which parts are added does not matter, and sums of
    exponentials that would overflow are never formed.
    """

    def __init__(self) -> None:
        self._values: Tensor | None = None
        self._lse: Tensor | None = None

    def add(self, part: PartialAttention, top: int, q_len: int) -> None:
        """Merge a part that begins at row `top` of `q_len` rows.

        Rows that no part has reached yet weigh nothing.
        """
        if self._values is None or self._lse is None:
            self._values, self._lse = _over_all_rows(part, top, q_len)
            return
        bottom = top + part.lse.shape[1]
        values, lse = self._values[:, top:bottom], self._lse[:, top:bottom]
        both = torch.logaddexp(lse, part.lse)  # (H, rows)
        old, new = torch.exp(lse - both), torch.exp(part.lse - both)
        merged = values * old[..., None] + part.values * new[..., None]  # (H, rows, D)
        values.copy_(merged)
        lse.copy_(both)

    def finish(self, sinks: Tensor | None) -> tuple[Tensor, Tensor]:
        """Return values (H, L, D) and the log-sum-exp (H, L) over all parts.

        A sink takes its share here, once, of the whole: in a part it would be counted with each.
        """
        assert self._values is not None
        assert self._lse is not None
        if sinks is None:
            return self._values, self._lse
        logits = sinks.to(self._lse.dtype)[:, None]  # (H, 1)
        # exp(lse) / (exp(lse) + exp(sink)), without either exponential.
        share = torch.sigmoid(self._lse - logits)  # (H, L)
        values = (self._values * share[..., None]).to(self._values.dtype)
        return values, torch.logaddexp(self._lse, logits)


def _window_band(top: int, bottom: int, start: int, window: int) -> Iterator[Patch]:
    """Cut the band of at most `window` rows into patches.

    From left to right: what leaves the windows of later rows (a full patch and an anti-causal
    one), what all rows see (full), and the rows' own tokens (causal).
    """
    low = max(start, top - window + 1)
    if bottom == top + 1:  # a decoded token needs one kernel, not two
        yield Patch(top, bottom, low, bottom)
        return
    seen_by_all = max(low, bottom - window)
    yield Patch(top, bottom, top, bottom, MaskKind.CAUSAL)
    yield Patch(top, bottom, seen_by_all, top)
    yield Patch(low + window - 1, seen_by_all + window - 1, low, seen_by_all, MaskKind.ANTI)
    yield Patch(top, low + window - 1, low, seen_by_all)


def _before_band(top: int, bottom: int, start: int, window: int) -> Iterator[Patch]:
    """Cut what is left of the band: full for what left all windows, causal for what leaves them."""
    low = max(start, top - window + 1)
    seen_by_all = max(low, bottom - window)
    yield Patch(top, bottom, start, low)
    yield Patch(low + window, seen_by_all + window, low, seen_by_all, MaskKind.CAUSAL)


def _attend_full(queries: Tensor, keys: Tensor, values: Tensor, scale: float) -> PartialAttention:
    """Let all heads of a group be rows of one, so that each key is read once."""
    num_kv_heads, head_dim = keys.shape[0], keys.shape[2]
    rows = queries.reshape(num_kv_heads, 1, -1, head_dim)  # (Hk, 1, G * L, D)
    out, lse = _kernel(rows, keys[:, None], values[:, None], scale, is_causal=False)
    return PartialAttention(out.reshape(queries.shape), lse.reshape(queries.shape[:2]))


def _attend_causal(queries: Tensor, keys: Tensor, values: Tensor, scale: float) -> PartialAttention:
    num_kv_heads, length, head_dim = keys.shape
    grouped = queries.reshape(num_kv_heads, -1, length, head_dim)  # (Hk, G, L, D)
    shared = (num_kv_heads, grouped.shape[1], length, head_dim)
    shared_keys, shared_values = keys[:, None].expand(shared), values[:, None].expand(shared)
    out, lse = _kernel(grouped, shared_keys, shared_values, scale, is_causal=True)
    return PartialAttention(out.reshape(queries.shape), lse.reshape(queries.shape[:2]))


def _has_kernel(queries: Tensor) -> bool:
    if queries.device.type == "cuda":
        return queries.dtype is not torch.float64 and queries.shape[-1] % 8 == 0
    return queries.device.type == "cpu"


def _kernel(
    queries: Tensor, keys: Tensor, values: Tensor, scale: float, *, is_causal: bool
) -> tuple[Tensor, Tensor]:
    """Call what torch's own scaled_dot_product_attention calls: it alone drops the log-sum-exp."""
    aten = torch.ops.aten
    if queries.device.type == "cpu":
        out, lse = aten._scaled_dot_product_flash_attention_for_cpu(  # noqa: SLF001
            queries, keys, values, 0.0, is_causal, scale=scale
        )
        return out, lse
    if queries.dtype is torch.float32:
        found = aten._scaled_dot_product_efficient_attention(  # noqa: SLF001
            queries, keys, values, None, True, 0.0, is_causal, scale=scale
        )
        return found[0], found[1][..., : queries.shape[2]]  # the kernel pads its log-sum-exps
    found = aten._scaled_dot_product_flash_attention(  # noqa: SLF001
        queries, keys, values, 0.0, is_causal, False, scale=scale
    )
    return found[0], found[1]


def _attend_tiled(
    queries: Tensor, keys: Tensor, values: Tensor, mask: MaskKind, params: AttentionParams
) -> PartialAttention:
    """Attend by plain matrix products, for what no kernel does: capped logits, any device or type.

    Keys are taken a tile at a time with a running maximum (Milakov and Gimelshein,
    https://arxiv.org/abs/1805.02867), so that memory stays small.
    """
    rows = group_heads(queries, keys.shape[0])  # (Hk, G, L, D)
    wide = torch.promote_types(queries.dtype, torch.float32)
    highest = torch.full(rows.shape[:3], -torch.inf, dtype=wide, device=queries.device)
    total, summed = torch.zeros_like(highest), torch.zeros(rows.shape, dtype=wide).to(highest)
    for start in range(0, keys.shape[1], TILE):
        logits = _tile_logits(rows, keys, start, mask, params)
        now = torch.maximum(highest, logits.amax(-1))
        weights = torch.exp(logits - now[..., None])  # (Hk, G, L, tile)
        # What was summed so far is relative to the old maximum.
        kept = torch.exp(highest - now)
        tile = values[:, None, start : start + TILE].to(wide)
        total = total * kept + weights.sum(-1)
        summed = summed * kept[..., None] + weights @ tile
        highest = now
    lse = highest + total.log()
    out = (summed / total[..., None]).to(queries.dtype)
    return PartialAttention(out.flatten(0, 1), lse.flatten(0, 1))


def _tile_logits(
    rows: Tensor, keys: Tensor, start: int, mask: MaskKind, params: AttentionParams
) -> Tensor:
    """Return the logits of one tile of keys, (Hk, G, L, tile), float32 or wider.

    Row i of a CAUSAL patch sees keys up to i, row i of an ANTI patch those from i.
    """
    tile = keys[:, None, start : start + TILE]  # (Hk, 1, tile, D)
    wide = torch.promote_types(rows.dtype, torch.float32)
    logits = (rows @ tile.transpose(-1, -2)).to(wide) * params.scale
    if params.softcap is not None:
        logits = params.softcap * torch.tanh(logits / params.softcap)
    if mask is MaskKind.FULL:
        return logits
    row = torch.arange(rows.shape[2], device=rows.device)[:, None]
    column = torch.arange(start, start + tile.shape[2], device=rows.device)[None]
    hidden = column > row if mask is MaskKind.CAUSAL else column < row
    return logits.masked_fill(hidden, -torch.inf)


def _over_all_rows(part: PartialAttention, top: int, q_len: int) -> tuple[Tensor, Tensor]:
    """Return a part as one over all rows: those it lacks weigh exp(-inf)."""
    if part.lse.shape[1] == q_len:
        return part.values, part.lse
    heads, rows, head_dim = part.values.shape
    values = part.values.new_zeros(heads, q_len, head_dim)
    lse = part.lse.new_full((heads, q_len), -torch.inf)
    values[:, top : top + rows], lse[:, top : top + rows] = part.values, part.lse
    return values, lse
