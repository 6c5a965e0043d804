"""The layout of a memory by what users say about it.

In its own window a model reads best by itself, with full attention. Past it there is the memory.
"""

from dataclasses import replace
from typing import Any, Literal, TypeAlias

from lcagent.engine.config import MemoryConfig, Place, PolicyName, StoreDtype
from lcagent.engine.defaults import default_memory

Store: TypeAlias = Literal["gpu", "cpu", "disk"]

_PLACES: dict[Store, Place] = {"gpu": "device", "cpu": "cpu", "disk": "disk"}


def layout(
    model_config: Any, *, policy: PolicyName, store: Store, store_dtype: StoreDtype
) -> MemoryConfig:
    """Return the layout of readings, its sizes those that suit the model's window."""
    return replace(
        default_memory(model_config),
        policy=policy,
        place=_PLACES[store],
        store_dtype=store_dtype,
    )


def fitting_policy(
    wanted: Literal["auto"] | PolicyName, *, context_tokens: int, own_tokens: int
) -> PolicyName:
    """Return "full" for what a model was trained for, "infllm" past that, or what is wanted."""
    if wanted == "auto":
        return "full" if context_tokens <= own_tokens else "infllm"
    return wanted
