"""How a model in this process runs, as users say it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

PolicyName: TypeAlias = Literal["infllm", "window", "streaming", "longheads", "full"]
PolicyChoice: TypeAlias = Literal["auto"] | PolicyName
StoreName: TypeAlias = Literal["gpu", "cpu", "disk"]
StoreDtype: TypeAlias = Literal["model", "bfloat16", "float32", "int8"]


@dataclass(frozen=True, slots=True)
class LocalOptions:
    """How a local model runs.

    Attributes:
        device: Where its weights are: "auto" for a GPU where there is one, "cpu", "cuda".
        dtype: What it computes in: "auto" for what its weights are stored in, or a name.
        store: Where what left its window is kept: beside its weights, in memory, or on the disk.
        store_dtype: What that is kept in; "model" for what it computes in.
        policy: What it sees of a text: "auto" for all of it up to its own window and for what
            InfLLM looks up past that, or a policy of the engine.
        memories: Folder of memories that prompts may continue from; None for none.
    """

    device: str = "auto"
    dtype: str = "auto"
    store: StoreName = "cpu"
    store_dtype: StoreDtype = "model"
    policy: PolicyChoice = "auto"
    memories: Path | None = None
