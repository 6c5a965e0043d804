"""Opening a model: checks first, then weights, tokenizer and adapters of weights."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from lcagent.engine.adapters import AdaptedModel, load_pretrained, load_tokenizer
from lcagent.engine.loading.folder import check_folder
from lcagent.engine.loading.text import Text
from lcagent.errors import LcagentError, MissingExtra, ModelNotUsable


@dataclass(frozen=True, slots=True)
class Opened:
    """A model that is ready to read.

    Attributes:
        ends: Tokens by which it ends a reply.
    """

    name: str
    model: AdaptedModel
    text: Text
    ends: frozenset[int]


def open_model(
    source: str,
    *,
    device: str = "auto",
    dtype: str = "auto",
    lora: Path | None = None,
    trusts_remote_code: bool = False,
) -> Opened:
    """Open a checkpoint folder or a hub id.

    Args:
        dtype: "auto" for that of the checkpoint, or a name such as "float32" or "bfloat16".
        lora: Folder of a LoRA adapter, merged into the weights (extra `lora`).

    Raises:
        ModelNotUsable: It cannot be loaded, or its attention is of a kind that is not known.
    """
    if Path(source).is_dir():
        check_folder(Path(source))
    elif Path(source).exists() or source.startswith((".", "/", "~")):
        raise ModelNotUsable(f"{source} is no folder with a model")
    trust = trusts_remote_code
    try:
        where = _device(device)
        model = load_pretrained(source, dtype, where, trusts_remote_code=trust)
        text = Text(load_tokenizer(source, trusts_remote_code=trust))
    except (LcagentError, MemoryError, torch.OutOfMemoryError):
        raise
    except Exception as error:  # transformers raises many kinds, with what is wrong in words
        raise ModelNotUsable(f"{source} cannot be loaded: {_first_line(error)}") from error
    if lora is not None:
        merge_lora(model, lora)
    text.check(int(model.config.vocab_size))
    return Opened(Path(source).name, model, text, _ends(model, text))


def merge_lora(model: AdaptedModel, folder: Path) -> None:
    """Add a LoRA adapter (Hu et al., https://arxiv.org/abs/2106.09685) to the weights."""
    try:
        from peft import PeftModel  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise MissingExtra("a LoRA adapter", "lora") from error
    if not (folder / "adapter_model.safetensors").is_file():
        raise ModelNotUsable(f"{folder} has no adapter_model.safetensors")
    try:
        merged: Any = PeftModel.from_pretrained(model.model, str(folder))
        merged.merge_and_unload()
    except Exception as error:
        reason = _first_line(error)
        raise ModelNotUsable(f"the adapter {folder} does not fit: {reason}") from error


def _device(device: str) -> str:
    if device != "auto":
        return device
    return "cuda" if torch.cuda.is_available() else "cpu"


def _ends(model: AdaptedModel, text: Text) -> frozenset[int]:
    generation: Any = getattr(model.model, "generation_config", None)
    found: set[int] = set()
    for holder in (generation, model.config, text.tokenizer):
        ends = getattr(holder, "eos_token_id", None)
        found |= {ends} if isinstance(ends, int) else set(ends or ())
    return frozenset(found)


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return lines[0][:300]
