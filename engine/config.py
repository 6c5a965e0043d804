"""How a KV cache is laid out: sizes, policy, lookup and store, and which of them suit a model.

Defaults are those of Xiao et al., InfLLM, https://arxiv.org/abs/2402.04617, except for the lookup:
all keys, or their signs, with a vote of the heads find more than the paper's representative tokens
(see docs/engine.md).
"""

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Literal, TypeAlias, get_args

from lcagent.errors import UsageError
from lcagent.local_options import LocalOptions, PolicyChoice, PolicyName, StoreDtype, StoreName

LookupName: TypeAlias = Literal["auto", "exact", "exact-int8", "signs", "bounds", "vote", "sum"]
BlockPlace: TypeAlias = Literal["device", "cpu", "disk"]

PAPER_WINDOW = 4096

_PLACES: dict[StoreName, BlockPlace] = {"gpu": "device", "cpu": "cpu", "disk": "disk"}


@dataclass(frozen=True, slots=True)
class KVCacheConfig:
    """What is kept of a text, and how it is looked up.

    Attributes:
        policy: What later tokens see: "infllm" looks blocks up, "window" and "streaming" forget
            what left the window, "longheads" looks up per head, "full" keeps all.
        lookup: How blocks are compared with a query; "sum" is the paper's. "auto" becomes "exact"
            or "signs" when a sequence begins: see `lookups.make_index.resolve_auto_lookup`.
        init_tokens: First tokens of the text, always seen.
        window_tokens: Last tokens, seen at their true distances.
        block_tokens: Tokens per block.
        looked_up_blocks: Blocks that a query sees.
        chunk_tokens: Tokens prefilled at once; all of them see the same blocks.
        representatives: Keys that stand for a block ("vote" and "sum").
        is_per_head: Each key-value head looks up blocks of its own.
        neighbours: Blocks before and after a hit that are looked up with it.
        reselect_every: Decoded tokens that share a lookup.
        place: Where blocks are: beside the model, in (pinned) memory, or in mapped files.
        store_dtype: How blocks are kept; "int8" has a scale per channel and block.
        folder: Where the files of place "disk" go; by default where temporary files do.
    """

    policy: PolicyName = "infllm"
    lookup: LookupName = "auto"
    init_tokens: int = 128
    window_tokens: int = PAPER_WINDOW
    block_tokens: int = 128
    looked_up_blocks: int = 16
    chunk_tokens: int = 512
    representatives: int = 4
    is_per_head: bool = False
    neighbours: int = 0
    reselect_every: int = 1
    place: BlockPlace = "cpu"
    store_dtype: StoreDtype = "model"
    folder: Path | None = None

    def __post_init__(self) -> None:
        """Refuse names that do not exist and sizes that cannot work."""
        for name, allowed in _CHOICES.items():
            if getattr(self, name) not in allowed:
                found = getattr(self, name)
                raise UsageError(f"{name} is {found!r}, not one of {', '.join(allowed)}")
        for name, least in _LEAST.items():
            if getattr(self, name) < least:
                raise UsageError(f"{name} is {getattr(self, name)}, but at least {least} is needed")
        if self.representatives > self.block_tokens:
            raise UsageError(
                f"a block has {self.block_tokens} tokens, too few for {self.representatives} "
                "representatives"
            )

    @property
    def plain_tokens(self) -> int:
        """The longest text that is read as the model itself would."""
        return self.window_tokens + self.init_tokens

    def as_json(self) -> dict[str, str | int | bool]:
        """Return all that changes what is kept of a text; where it is kept does not."""
        kept = [field.name for field in fields(self) if field.name not in {"place", "folder"}]
        return {name: getattr(self, name) for name in kept}


@dataclass(frozen=True, slots=True)
class EngineLimits:
    """How much an engine does at once, and keeps.

    Attributes:
        width: Replies that are made at the same time.
        max_waiting: Replies and texts that may be queued; more are refused. None for any number.
        cached_prefixes: States of earlier prompts that are kept for prompts that begin alike. Each
            holds a window of keys and values beside the model.
        open_memories: Stored memories that stay open.
    """

    width: int = 4
    max_waiting: int | None = None
    cached_prefixes: int = 4
    open_memories: int = 8


def default_cache_config(model_config: Any, **changes: Any) -> KVCacheConfig:
    """Return half the model's window as the window, and the paper's sizes where they fit.

    Args:
        model_config: Has `max_position_embeddings`, the window that the model was trained for.
        changes: Fields of `KVCacheConfig` that are not to have their defaults.
    """
    longest = int(getattr(model_config, "max_position_embeddings", None) or 2 * PAPER_WINDOW)
    sizes: dict[str, Any] = {
        "window_tokens": min(PAPER_WINDOW, max(8, longest // 2)),
        "init_tokens": min(128, max(1, longest // 32)),
        "block_tokens": min(128, max(4, longest // 16)),
        "chunk_tokens": min(512, max(4, longest // 4)),
        "looked_up_blocks": 16 if longest >= PAPER_WINDOW else 8,
    }
    return KVCacheConfig(**{**sizes, **changes})


def cache_config_for(
    options: LocalOptions, model_config: Any, *, context_tokens: int, own_tokens: int
) -> KVCacheConfig:
    """Return the layout that users' options mean for a model.

    In its own window a model reads best by itself, with full attention. Past it InfLLM looks up.

    Args:
        context_tokens: Prompt and reply together.
        own_tokens: The window that the model was trained for.
    """
    return default_cache_config(
        model_config,
        policy=_policy_for(options.policy, context_tokens=context_tokens, own_tokens=own_tokens),
        place=_PLACES[options.store],
        store_dtype=options.store_dtype,
    )


def _policy_for(wanted: PolicyChoice, *, context_tokens: int, own_tokens: int) -> PolicyName:
    if wanted == "auto":
        return "full" if context_tokens <= own_tokens else "infllm"
    return wanted


_CHOICES: dict[str, tuple[str, ...]] = {
    "policy": get_args(PolicyName),
    "lookup": get_args(LookupName),
    "place": get_args(BlockPlace),
    "store_dtype": get_args(StoreDtype),
}
_LEAST = {
    "init_tokens": 0,
    "window_tokens": 1,
    "block_tokens": 1,
    "looked_up_blocks": 1,
    "chunk_tokens": 1,
    "representatives": 1,
    "neighbours": 0,
    "reselect_every": 1,
}
