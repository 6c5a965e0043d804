"""What every policy offers, what it sees of a layer, and how it chooses blocks."""

from typing import Protocol

from torch import Tensor

from lcagent.engine.attention import AttentionParams, SoftmaxMerger
from lcagent.engine.block_store import BlockStore
from lcagent.engine.config import KVCacheConfig
from lcagent.engine.lookups.block_index import BlockIndex
from lcagent.engine.lookups.block_selection import BlockSelection, choose_blocks
from lcagent.engine.rope import Rotation
from lcagent.engine.window_cache import WindowKVCache

UNBOUNDED = 1 << 62


class LayerView(Protocol):
    """What a policy sees of a layer's cache; see `kv_cache.LayerKVCache`.

    Attributes:
        init_keys, init_values: First tokens once they left the window, at position 0,
            (Hk, init_tokens, D).
    """

    config: KVCacheConfig
    rotation: Rotation
    index: BlockIndex
    window: WindowKVCache
    store: BlockStore
    selection: BlockSelection
    init_keys: Tensor
    init_values: Tensor


class Policy(Protocol):
    """Decides what is kept of a text, and how far away it seems. It has no state of its own."""

    @property
    def init_tokens(self) -> int:
        """First tokens that stay visible."""
        ...

    @property
    def window_tokens(self) -> int:
        """Keys that a query sees at their true distances."""
        ...

    @property
    def plain_tokens(self) -> int:
        """The longest text that is read as the model itself would."""
        ...

    @property
    def positions(self) -> int:
        """Positions that are used, from 0: what the model's tables are asked for."""
        ...

    @property
    def is_bounded(self) -> bool:
        """Positions do not grow with the text: what leaves the window is evicted."""
        ...

    @property
    def has_blocks(self) -> bool:
        """What is evicted becomes blocks; else it is forgotten."""
        ...

    @property
    def is_in_order(self) -> bool:
        """Chosen blocks must stand in the order of the text."""
        ...

    def attend_distant(
        self,
        layer: LayerView,
        queries: Tensor,
        first: int,
        params: AttentionParams,
        merger: SoftmaxMerger,
    ) -> None:
        """Merge what queries see of the text behind their windows.

        Args:
            queries: (H, L, D), un-rotated.
            first: BlockPlace in the window cache of the first query's own token.
        """
        ...


def select_blocks(layer: LayerView, distant: Tensor, params: AttentionParams) -> None:
    """Make `layer.selection` what these queries need; a decoded token may keep the last choice.

    Shapes: distant (H, L, D), rotated to where distant keys are seen from. The mean of the queries
    stands for all of them (the paper's choice).
    """
    selection, config = layer.selection, layer.config
    is_decoding = distant.shape[1] == 1
    selection.age += 1
    if not selection.blocks or not is_decoding or selection.age >= config.reselect_every:
        selection.choose(_choose(layer, distant, params))
    selection.load(layer.store, layer.window.keys, config.block_tokens)


def _choose(layer: LayerView, distant: Tensor, params: AttentionParams) -> list[list[int]]:
    count = len(layer.store)
    if count <= layer.config.looked_up_blocks:
        return [list(range(count))]
    scores = layer.index.scores(distant.mean(1), layer.store)  # (H, blocks)
    num_kv_heads = layer.window.keys.shape[0]
    is_vote = layer.index.is_vote
    return choose_blocks(scores, num_kv_heads, params.scale, layer.config, is_vote=is_vote)
