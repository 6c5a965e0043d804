"""Every place where the engine touches transformers.

No model class is patched. The attention interface hands over queries, keys and values; the model's
rotary embedding is wrapped so that they arrive un-rotated; a cache that keeps nothing carries the
KV caches to the attention function, as an attribute of the keys it was given. All else of a model
(norms, projections, experts, caps) stays its own.
"""

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor, nn
from transformers import (
    MODEL_FOR_CAUSAL_LM_MAPPING,
    AttentionInterface,
    AutoConfig,
    AutoModelForCausalLM,
    AutoTokenizer,
    PreTrainedTokenizerFast,
)
from transformers.cache_utils import Cache, CacheLayerMixin
from transformers.utils import logging

from lcagent.engine.attention import AttentionParams
from lcagent.engine.checkpoint.dims import unsupported_reason
from lcagent.engine.checkpoint.gguf_files import GgufFile, gguf_config, read_gguf, read_weights
from lcagent.engine.kv_cache import KVCache, LayerDims, LayerKVCache
from lcagent.engine.rope import IdentityRotary, Rotation, family_rotary, no_rotary, table_maker
from lcagent.errors import ModelNotUsable

ATTENTION = "lcagent_memory"
_MARKUP = re.compile(r"[^\w\s](.*[^\w\s])?", re.DOTALL)
"""What control tokens look like: `<think>`, `[INST]`, `<|im_end|>`."""

_DIGIT_BY_DIGIT = frozenset({"smollm", "starcoder", "refact", "command-r", "codeshell", "exaone"})
"""Of the ways to split text that llama.cpp names, those of GPT-2 but for numbers."""

_SPECIAL_TOKENS = {
    "bos_token": "bos",
    "eos_token": "eos",
    "unk_token": "unknown",
    "pad_token": "padding",
}

_NO_POSITIONS_WITHOUT_WINDOW = frozenset({"cohere2"})


class AdaptedModel:
    """A causal language model of transformers whose attention goes through our KV caches."""

    def __init__(self, model: Any) -> None:
        refuse_unsupported(model)
        self.model: Any = model
        self.model.eval()
        self.config: Any = model.config.get_text_config(decoder=True)
        self._decoder: Any = self.model.get_decoder()
        self._original: nn.Module = self._decoder.rotary_emb
        self._attentions: dict[int, Any] = {
            module.layer_idx: module
            for module in self._decoder.modules()
            if isinstance(getattr(module, "layer_idx", None), int) and hasattr(module, "scaling")
        }
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
        self._decoder.rotary_emb = IdentityRotary(self._original)

    def detach(self) -> None:
        """Give the model its own eager attention back."""
        self.model.set_attn_implementation("eager")
        self._decoder.rotary_emb = self._original

    @torch.inference_mode()
    def forward(
        self, tokens: Tensor, caches: Sequence[KVCache], *, needs_logits: bool
    ) -> Tensor | None:
        """Read tokens (rows, n), each row into its cache; return the last tokens' logits.

        Rows without a cache are padding: they keep a batch at one width. The result is
        (rows, vocabulary), float32, or None if no logits are needed.
        """
        # Positions are those of the chunk: the model's own rotary embedding rotates nothing.
        reach = torch.arange(tokens.shape[1], device=self.device).expand(tokens.shape)
        given: dict[str, Any] = {
            "input_ids": tokens.to(self.device),
            "position_ids": reach,
            "past_key_values": _Carrier(_Call(self, caches), self.config.num_hidden_layers),
            "use_cache": True,
        }
        if not needs_logits:
            self._decoder(**given)
            return None
        logits: Tensor = self.model(**given, logits_to_keep=1).logits
        return logits[:, -1].float()

    def attend(
        self,
        number: int,
        states: tuple[Tensor, Tensor, Tensor],
        params: AttentionParams,
        call: "_Call",
    ) -> Tensor:
        """Return the attention of one layer, (rows, n, num_heads, head_dim)."""
        queries, keys, values = states
        out = queries.new_zeros(queries.shape).transpose(1, 2)  # (rows, n, H, D)
        for row, cache in enumerate(call.caches):
            if number not in cache.layers:
                window = call.windows.get(number)
                dims = LayerDims(queries.shape[1], queries.shape[3], window)
                cache.layers[number] = self.new_layer(number, cache, dims)
            layer = cache.layers[number]
            seen = layer.attend(queries[row], keys[row], values[row], params)  # (H, n, D)
            out[row] = seen.transpose(0, 1)
        return out

    def new_layer(self, number: int, cache: KVCache, dims: LayerDims) -> LayerKVCache:
        """Return the empty cache of a layer."""
        rotation = self._rotation(self._attentions[number], dims)
        return LayerKVCache(cache.config, dims, rotation, cache.allocator, self.dtype)

    def _rotation(self, module: Any, dims: LayerDims) -> Rotation:
        kind: str | None = None
        if isinstance(getattr(self._original, "layer_types", None), (list, set, tuple)):
            kind = module.layer_type
        if not getattr(module, "use_rope", True) or (
            self.config.model_type in _NO_POSITIONS_WITHOUT_WINDOW and dims.sliding_window is None
        ):
            return Rotation(None, no_rotary)
        if kind not in self._rotations:
            make = table_maker(self._original, kind, self.dtype, self.device)
            apply = family_rotary(module, dims.head_dim, make(1))
            self._rotations[kind] = Rotation(make, apply)
        return self._rotations[kind]

    @staticmethod
    def _dispatch(
        module: Any,
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
        params = AttentionParams(scale, given.get("softcap"), given.get("s_aux"))
        number = module.layer_idx
        call.windows[number] = given.get("sliding_window")
        return call.model.attend(number, (query, key, value), params, call), None


@dataclass(frozen=True, slots=True)
class _Call:
    """What one forward pass needs in every layer."""

    model: AdaptedModel
    caches: Sequence[KVCache]
    windows: dict[int, int | None] = field(default_factory=dict[int, int | None])


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


def refuse_unsupported(model: Any) -> None:
    """Say why a model cannot be run.

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


def load_pretrained(
    source: str | Path, dtype: str, device: str, *, trusts_remote_code: bool = False
) -> AdaptedModel:
    """Load a causal language model from a folder (safetensors, never a pickle) or a GGUF file.

    Raises:
        ModelNotUsable: Weights are missing, which transformers alone would draw at random.
    """
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    if Path(source).is_file():
        loaded = _load_gguf(read_gguf(Path(source)), dtype)
    else:
        loaded = AutoModelForCausalLM.from_pretrained(
            source,
            dtype=dtype,
            use_safetensors=True,
            trust_remote_code=trusts_remote_code,
            output_loading_info=True,
        )
    model, found = cast("tuple[Any, dict[str, Any]]", loaded)  # with `output_loading_info` a pair
    refuse_unsupported(model)
    if missing := sorted(map(str, found["missing_keys"])):
        named = ", ".join(missing[:3])
        raise ModelNotUsable(f"{source} lacks {len(missing)} tensors of its model: {named}")
    return AdaptedModel(model.to(device))


def load_tokenizer(source: str | Path, *, trusts_remote_code: bool = False) -> Any:
    """Load the tokenizer of a folder or a GGUF file."""
    if Path(source).is_file():
        tokenizer = _gguf_tokenizer(read_gguf(Path(source)))
    else:
        tokenizer = AutoTokenizer.from_pretrained(source, trust_remote_code=trusts_remote_code)
    tokenizer.model_max_length = 1 << 40  # it warns of texts longer than the model's window
    if tokenizer.chat_control_tokens is None:
        # Beside special tokens; a vocabulary may also have words and runs of spaces added to it.
        added = (token.content for token in tokenizer.added_tokens_decoder.values())
        tokenizer.chat_control_tokens = [token for token in added if _MARKUP.fullmatch(token)]
    return tokenizer


def read_config(source: str | Path) -> Any:
    """Read the configuration of a folder or a GGUF file; no weights are needed."""
    if Path(source).is_file():
        return _gguf_configuration(read_gguf(Path(source)))
    return AutoConfig.from_pretrained(source)


def _gguf_configuration(file: GgufFile) -> Any:
    told = gguf_config(file)
    return AutoConfig.for_model(told.pop("model_type"), **told)


def _load_gguf(file: GgufFile, dtype: str) -> Any:
    """Return the model of a file, its weights no longer quantised, and what was missing."""
    from gguf import MODEL_ARCH_NAMES, get_tensor_name_map  # noqa: PLC0415 -- not needed otherwise

    config = _gguf_configuration(file)
    numbers = {name: number for number, name in MODEL_ARCH_NAMES.items()}
    names = get_tensor_name_map(numbers[file.architecture], config.num_hidden_layers)
    kind: Any = MODEL_FOR_CAUSAL_LM_MAPPING[type(config)]
    with torch.device("meta"):
        wanted = kind(config).state_dict()
    known = {names.get_name(name, try_suffixes=(".weight", ".bias")) for name in wanted}
    if strange := sorted(file.tensors.keys() - known - {"rope_freqs.weight"}):
        named = ", ".join(strange[:3])
        raise ModelNotUsable(f"{file.path} cannot be used: its architecture has no {named}")
    dtype = str(config.dtype).removeprefix("torch.") if dtype == "auto" else dtype
    placed: torch.dtype = getattr(torch, dtype)
    weights = {
        name: torch.from_numpy(values).to(placed)
        for name, values in read_weights(
            file, wanted, lambda name: names.get_name(name, try_suffixes=(".weight", ".bias"))
        )
    }
    return kind.from_pretrained(
        None, config=config, state_dict=weights, dtype=placed, output_loading_info=True
    )


def _gguf_tokenizer(file: GgufFile) -> Any:
    """Return the tokenizer that a file describes.

    Raises:
        ModelNotUsable: How it splits text into words is not known; it would count differently.
    """
    from transformers.integrations.gguf.gguf_tokenizer_mapping import (  # noqa: PLC0415 -- imports many
        GGUF_PRE_TOKENIZER_SPLITS,
        GGUF_TOKENIZER_MAPPING,
        convert_gguf_tokenizer,
    )

    splitting = str(file.metadata.get("tokenizer.ggml.pre", ""))
    is_bytes = file.metadata.get("tokenizer.ggml.model") == "gpt2"
    single = splitting in _DIGIT_BY_DIGIT
    if is_bytes and not (single or splitting in {"gpt-2", *GGUF_PRE_TOKENIZER_SPLITS}):
        raise ModelNotUsable(
            f"{file.path} cannot be used: how it splits text is not known "
            f"(tokenizer.ggml.pre is {splitting[:40]!r})"
        )
    said = {key.removeprefix("tokenizer."): value for key, value in file.metadata.items()}
    vocabulary, settings = (
        {name: said[key] for key, name in GGUF_TOKENIZER_MAPPING[part].items() if key in said}
        for part in ("tokenizer", "tokenizer_config")
    )
    for name, key in _SPECIAL_TOKENS.items():
        number = said.get(f"ggml.{key}_token_id")
        settings[name] = None if number is None else vocabulary["tokens"][number]
    if said.get("ggml.model") == "llama":
        settings.setdefault("add_bos_token", True)  # as llama.cpp does where a file does not say
    backend, _ = convert_gguf_tokenizer(file.architecture, vocabulary)
    told = json.loads(backend.to_str())
    # transformers adds some by itself, such as `<|endoftext|>`, which the model does not have.
    known = len(vocabulary["tokens"])
    told["added_tokens"] = [each for each in told["added_tokens"] if each["id"] < known]
    if is_bytes and single:
        digits = {"type": "Digits", "individual_digits": True}
        told["pre_tokenizer"] = {
            "type": "Sequence",
            "pretokenizers": [digits, {**told["pre_tokenizer"], "add_prefix_space": False}],
        }
    mended: Any = type(backend).from_str(json.dumps(told))
    made: Callable[..., Any] = PreTrainedTokenizerFast
    return made(tokenizer_object=mended, **settings)
