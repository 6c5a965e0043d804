"""Merging attention over parts of the keys into attention over all of them.

The softmax over a union of keys is the mean of the parts' results, weighted by the exponentials
of their log-sum-exps.
"""

import torch
from torch import Tensor

from lcagent.engine.attention.partial import Partial


class Merger:
    """Collects partial results of `q_len` queries of all heads."""

    def __init__(self) -> None:
        self._values: Tensor | None = None
        self._lse: Tensor | None = None

    def add(self, part: Partial, top: int, q_len: int) -> None:
        """Merge a part that begins at row `top` of `q_len` rows.

        Rows that no part has reached yet weigh nothing.
        """
        if self._values is None or self._lse is None:
            self._values, self._lse = _whole(part, top, q_len)
            return
        bottom = top + part.lse.shape[1]
        seen, lse = self._values[:, top:bottom], self._lse[:, top:bottom]
        both = torch.logaddexp(lse, part.lse)
        old, new = torch.exp(lse - both), torch.exp(part.lse - both)  # (H, rows)
        merged = seen * old[..., None] + part.values * new[..., None]
        seen.copy_(merged)
        lse.copy_(both)

    def finish(self, sinks: Tensor | None) -> tuple[Tensor, Tensor]:
        """Return values (heads, q_len, head_dim) and the log-sum-exp (heads, q_len) over all parts.

        A sink takes its share once, of the whole.
        """
        assert self._values is not None
        assert self._lse is not None
        if sinks is None:
            return self._values, self._lse
        logits = sinks.to(self._lse.dtype)[:, None]
        share = torch.sigmoid(self._lse - logits)
        values = (self._values * share[..., None]).to(self._values.dtype)
        return values, torch.logaddexp(self._lse, logits)


def _whole(part: Partial, top: int, q_len: int) -> tuple[Tensor, Tensor]:
    """Return a part as one over all rows."""
    if part.lse.shape[1] == q_len:
        return part.values, part.lse
    heads, rows, head_dim = part.values.shape
    values = part.values.new_zeros(heads, q_len, head_dim)
    lse = part.lse.new_full((heads, q_len), -torch.inf)
    values[:, top : top + rows], lse[:, top : top + rows] = part.values, part.lse
    return values, lse
