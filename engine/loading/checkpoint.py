"""A checkpoint before its weights are loaded, which takes from seconds to minutes.

Its tokenizer and its configuration are enough to count tokens and to lay a memory out.
"""

from dataclasses import dataclass, replace
from typing import Any

import torch

from lcagent.engine.adapters import load_tokenizer, read_config
from lcagent.engine.failures import failure_of
from lcagent.engine.loading.files import CheckpointFiles
from lcagent.engine.loading.opening import Opened, open_model
from lcagent.engine.loading.text import Text
from lcagent.engine.sizing.fits import BYTES_OF
from lcagent.errors import ModelNotUsable


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A model as far as it is known without its weights.

    Attributes:
        config: Of its text part, as transformers reads it.
    """

    files: CheckpointFiles
    config: Any
    text: Text


def read_checkpoint(files: CheckpointFiles) -> Checkpoint:
    """Read configuration and tokenizer.

    Raises:
        ModelNotUsable: One cannot be read, or they do not fit each other.
    """
    folder = str(files.folder)
    try:
        config = read_config(folder).get_text_config(decoder=True)
        text = Text(load_tokenizer(folder))
    except MemoryError:
        raise
    except Exception as error:  # transformers raises many kinds, with what is wrong in words
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0][:300]
        raise ModelNotUsable(f"{folder} cannot be loaded: {reason}") from error
    text.check(int(config.vocab_size))
    return Checkpoint(files, config, text)


def check_placing(device: str, dtype: str) -> None:
    """Refuse a device that is not here, or a type that no model computes in.

    Raises:
        ModelNotUsable: One of them.
    """
    if dtype not in {"auto", *BYTES_OF}:
        raise ModelNotUsable(f"{dtype} is no type to compute in: auto, {', '.join(BYTES_OF)}")
    try:
        torch.empty(0, device="cpu" if device == "auto" else device)
    except (RuntimeError, AssertionError) as error:  # torch asserts that it was built for a GPU
        reason = str(error).strip().splitlines()[0]
        raise ModelNotUsable(f"the device {device} is not here: {reason}") from error


def open_weights(files: CheckpointFiles, *, device: str, dtype: str) -> Opened:
    """Return the model with its weights, which takes as long as reading them. Blocks.

    Raises:
        ModelNotUsable: They cannot be loaded, or do not fit.
    """
    try:
        opened = open_model(str(files.folder), device=device, dtype=dtype)
    except (MemoryError, RuntimeError) as error:  # torch's own kind is a RuntimeError
        raise ModelNotUsable(f"{files.name} cannot be loaded: {failure_of(error)}") from error
    return replace(opened, name=files.name)
