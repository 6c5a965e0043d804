"""Every place where the engine touches transformers.

No model class is patched. The attention interface hands over queries, keys and values; the model's
rotary embedding is wrapped so that they arrive un-rotated; a cache that keeps nothing carries the
memories to the attention function, as an attribute of the keys it was given. All else of a model
(norms, projections, experts, caps) stays its own.
"""

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from transformers import AttentionInterface
from transformers.cache_utils import Cache, CacheLayerMixin

from lcagent.engine.attention.partial import Scoring
from lcagent.engine.config import MemoryConfig
from lcagent.engine.layer import LayerMemory
from lcagent.engine.policies.make import make_policy
from lcagent.engine.rotation import MakeTables, Rotation, Turn
from lcagent.engine.store.places import Allocator
from lcagent.errors import ModelNotUsable

ATTENTION = "lcagent_memory"
TESTED_FAMILIES = frozenset(
    {
        *("llama", "mistral", "qwen2", "qwen3", "phi3", "gemma2", "gemma3_text"),
        *("gpt_oss", "olmo2", "glm4", "granite", "smollm3"),
    }
)
_NO_POSITIONS_WITHOUT_WINDOW = frozenset({"cohere2"})
_LAYER_TYPES = {"full_attention", "sliding_attention"}


@dataclass(slots=True)
class TextMemory:
    """What all layers remember of one text; a layer's part is made when it first reads."""

    config: MemoryConfig
    allocator: Allocator
    layers: dict[int, LayerMemory] = field(default_factory=dict[int, LayerMemory])

    def fork(self) -> "TextMemory":
        """Return a memory that goes on on its own."""
        layers = {number: layer.fork() for number, layer in self.layers.items()}
        return TextMemory(self.config, self.allocator, layers)


class AdaptedModel:
    """A causal language model of transformers that reads into memories."""

    def __init__(self, model: Any) -> None:
        refuse_unsupported(model)
        self.model: Any = model
        self.model.eval()
        self.config: Any = model.config.get_text_config(decoder=True)
        self._decoder: Any = self.model.get_decoder()
        self._original: nn.Module = self._decoder.rotary_emb
        self._rotations: dict[str | None, Rotation] = {}
        self.attach()

    @property
    def device(self) -> torch.device:
        """Where the model is."""
        device: torch.device = self.model.device
        return device

    @property
    def dtype(self) -> torch.dtype:
        """What the model computes in."""
        dtype: torch.dtype = self.model.dtype
        return dtype

    def attach(self) -> None:
        """Take the attention of the model over."""
        AttentionInterface.register(ATTENTION, self._dispatch)
        self.model.set_attn_implementation(ATTENTION)
        self._decoder.rotary_emb = StillRotary(self._original)

    def detach(self) -> None:
        """Give the model its own eager attention back."""
        self.model.set_attn_implementation("eager")
        self._decoder.rotary_emb = self._original

    @torch.inference_mode()
    def read(
        self, tokens: Tensor, memories: Sequence[TextMemory], *, wants_logits: bool
    ) -> Tensor | None:
        """Read tokens (rows, n), each row into its memory; return the last tokens' logits.

        Rows without a memory are padding: they keep a batch at one width. The result is
        (rows, vocabulary), float32, or None if no logits are wanted.
        """
        reach = torch.arange(tokens.shape[1], device=self.device).expand(tokens.shape)
        given: dict[str, Any] = {
            "input_ids": tokens.to(self.device),
            "position_ids": reach,
            "past_key_values": _Carrier(_Call(self, memories), self.config.num_hidden_layers),
            "use_cache": True,
        }
        if not wants_logits:
            self._decoder(**given)
            return None
        logits: Tensor = self.model(**given, logits_to_keep=1).logits
        return logits[:, -1].float()

    def attend(
        self,
        module: Any,
        states: tuple[Tensor, Tensor, Tensor],
        how: Scoring,
        call: "_Call",
        sliding_window: int | None,
    ) -> Tensor:
        """Return the attention of one layer, (rows, n, num_heads, head_dim)."""
        queries, keys, values = states
        out = queries.new_zeros(queries.shape).transpose(1, 2)
        for row, memory in enumerate(call.memories):
            layer = memory.layers.get(module.layer_idx)
            if layer is None:
                layer = self.new_layer(module, memory, queries.shape, sliding_window)
                memory.layers[module.layer_idx] = layer
            out[row] = layer.attend(queries[row], keys[row], values[row], how).transpose(0, 1)
        return out

    def new_layer(
        self, module: Any, memory: TextMemory, shape: tuple[int, ...], sliding_window: int | None
    ) -> LayerMemory:
        """Return an empty memory for a layer; `shape` (rows, num_heads, n, head_dim)."""
        policy = make_policy(memory.config, sliding_window)
        rotation = self._rotation_of(module, shape[3], sliding_window)
        return LayerMemory(memory.config, policy, rotation, memory.allocator, shape[1], self.dtype)

    def _rotation_of(self, module: Any, head_dim: int, sliding_window: int | None) -> Rotation:
        kind: str | None = None
        if isinstance(getattr(self._original, "layer_types", None), (list, set, tuple)):
            kind = module.layer_type
        if not getattr(module, "use_rope", True) or (
            self.config.model_type in _NO_POSITIONS_WITHOUT_WINDOW and sliding_window is None
        ):
            return Rotation(None, _no_turn)
        if kind not in self._rotations:
            make = self._table_maker(kind)
            turn = _make_turn(module, head_dim, make(1))
            self._rotations[kind] = Rotation(make, turn)
        return self._rotations[kind]

    def _table_maker(self, kind: str | None) -> MakeTables:
        like = torch.empty(0, dtype=self.dtype, device=self.device)
        extra = () if kind is None else (kind,)

        def make(positions: int) -> tuple[Tensor, Tensor]:
            reach = torch.arange(positions, device=self.device)[None]
            cos, sin = self._original(like, reach, *extra)
            return cos[0], sin[0]

        return make

    @staticmethod
    def _dispatch(
        module: nn.Module,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        mask: object = None,
        **given: Any,
    ) -> tuple[Tensor, None]:
        """Be the attention function that transformers calls; (rows, heads, n, head_dim) each."""
        del mask
        call: _Call = key.lcagent_call  # type: ignore[attr-defined]
        scale = given.get("scaling")
        scale = query.shape[-1] ** -0.5 if scale is None else float(scale)
        how = Scoring(scale, given.get("softcap"), given.get("s_aux"))
        window = given.get("sliding_window")
        return call.model.attend(module, (query, key, value), how, call, window), None


@dataclass(frozen=True, slots=True)
class _Call:
    """What one forward pass needs in every layer."""

    model: AdaptedModel
    memories: Sequence[TextMemory]


class _CarrierLayer(CacheLayerMixin):  # type: ignore[no-untyped-call]
    """Keeps nothing: hands the call over with the keys."""

    def __init__(self, call: _Call) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._call = call
        self.is_initialized = True

    def lazy_initialization(self, key_states: Tensor, value_states: Tensor) -> None:
        """Have nothing to prepare."""

    def update(
        self, key_states: Tensor, value_states: Tensor, *args: Any, **kwargs: Any
    ) -> tuple[Tensor, Tensor]:
        """Return what was given."""
        del args, kwargs
        key_states.lcagent_call = self._call  # type: ignore[attr-defined]
        return key_states, value_states

    def get_mask_sizes(self, query_length: int) -> tuple[int, int]:
        """Say that nothing precedes the queries: no mask is made of it."""
        return query_length, 0

    def get_seq_length(self) -> int:
        """Say that nothing is kept."""
        return 0

    def get_max_length(self) -> int:
        """Say that there is no limit."""
        return -1


class _Carrier(Cache):
    """A cache of carriers."""

    def __init__(self, call: _Call, num_layers: int) -> None:
        super().__init__(layers=[_CarrierLayer(call) for _ in range(num_layers)])


class StillRotary(nn.Module):
    """Stands where the model's rotary embedding stood and turns nothing: cosine 1, sine 0."""

    def __init__(self, original: nn.Module) -> None:
        super().__init__()
        self._original = (original,)  # not a submodule: the model's own still owns it
        self._widths: dict[tuple[Any, ...], int] = {}

    def forward(self, states: Tensor, position_ids: Tensor, *kind: Any, **named: Any) -> Any:
        """Return tables like the original's, (rows, n, width) each."""
        key = (*kind, *named.values())
        if key not in self._widths:
            cos, _ = self._original[0](states[:, :1], position_ids[:, :1] * 0, *kind, **named)
            self._widths[key] = cos.shape[-1]
        shape = (*position_ids.shape, self._widths[key])
        return states.new_ones(shape), states.new_zeros(shape)


def refuse_unsupported(model: Any) -> None:
    """Say why a model cannot read into memories.

    Raises:
        ModelNotUsable: Its attention is of a kind that the engine does not know.
    """
    config: Any = model.config.get_text_config(decoder=True)
    reason = unsupported_reason(config)
    if reason is None and not model._can_set_attn_implementation():  # noqa: SLF001
        reason = "does not use transformers' attention interface"
    if reason is None and not isinstance(
        getattr(model.get_decoder(), "rotary_emb", None), nn.Module
    ):
        reason = "does not know positions by rotary embeddings"
    if reason is not None:
        raise ModelNotUsable(f"the engine cannot run {config.model_type}: its model {reason}")


def unsupported_reason(config: Any) -> str | None:
    """Return what in a configuration the engine does not know, or None."""
    if getattr(config, "is_encoder_decoder", False):
        return "has an encoder"
    if getattr(config, "kv_lora_rank", None):
        return "has multi-head latent attention (MLA)"
    if getattr(config, "num_kv_shared_layers", 0):
        return "shares keys and values between layers"
    strange = set(getattr(config, "layer_types", None) or ()) - _LAYER_TYPES
    if strange or "llama4" in str(config.model_type):
        return f"has layers of other kinds ({', '.join(sorted(map(str, strange))) or 'chunked'})"
    return None


def _make_turn(module: Any, head_dim: int, tables: tuple[Tensor, Tensor]) -> Turn:
    """Return the family's own way of turning; where it turns a part only, the rest is kept."""
    apply: Callable[..., tuple[Tensor, Tensor]] | None = getattr(
        sys.modules[type(module).__module__], "apply_rotary_pos_emb", None
    )
    if apply is None:
        raise ModelNotUsable(f"{type(module).__name__} turns its keys in a way of its own")
    cos, sin = tables
    whole = cos.new_zeros(1, 1, 1, head_dim)
    try:
        width = apply(whole, whole, cos[None], sin[None])[0].shape[-1]
    except RuntimeError:  # it wants only the channels that it turns
        width = cos.shape[-1]

    def turn(states: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
        part = states[None, ..., :width]
        turned, _ = apply(part, part[:, :0], cos[None], sin[None])
        if width == head_dim:
            return turned[0]
        return torch.cat([turned[0], states[..., width:]], dim=-1)

    return turn


def _no_turn(states: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    del cos, sin
    return states
