"""How the memory of a reading is laid out: sizes, policy, lookup and store.

Defaults are those of Xiao et al., InfLLM, https://arxiv.org/abs/2402.04617, except for the lookup:
all keys, or their signs, with a vote of the heads find more than the paper's representative tokens
(see docs/engine.md).
"""

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Literal, TypeAlias, get_args

from lcagent.errors import UsageError

PolicyName: TypeAlias = Literal["infllm", "window", "streaming", "longheads", "full"]
LookupName: TypeAlias = Literal["auto", "exact", "exact-int8", "signs", "bounds", "vote", "sum"]
Place: TypeAlias = Literal["device", "cpu", "disk"]
StoreDtype: TypeAlias = Literal["model", "bfloat16", "float32", "int8"]


@dataclass(frozen=True, slots=True)
class MemoryConfig:
    """What is remembered of a text, and how it is looked up.

    Attributes:
        policy: What later tokens see: "infllm" looks blocks up, "window" and "streaming" forget
            what left the window, "longheads" looks up per head, "full" keeps all.
        lookup: How blocks are compared with a query; "sum" is the paper's. "auto" becomes "exact"
            or "signs" when a reading begins: see `lookups.make.with_lookup_settled`.
        init_tokens: First tokens of the text, always seen.
        window_tokens: Last tokens, seen at their true distances.
        block_tokens: Tokens per block.
        looked_up_blocks: Blocks that a query sees.
        chunk_tokens: Tokens read at once; all of them see the same blocks.
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
    window_tokens: int = 4096
    block_tokens: int = 128
    looked_up_blocks: int = 16
    chunk_tokens: int = 512
    representatives: int = 4
    is_per_head: bool = False
    neighbours: int = 0
    reselect_every: int = 1
    place: Place = "cpu"
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
        """Return all that changes what is remembered; where it is kept does not."""
        kept = [field.name for field in fields(self) if field.name not in {"place", "folder"}]
        return {name: getattr(self, name) for name in kept}


_CHOICES: dict[str, tuple[str, ...]] = {
    "policy": get_args(PolicyName),
    "lookup": get_args(LookupName),
    "place": get_args(Place),
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
