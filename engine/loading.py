"""A checkpoint into memory: first what is known without its weights, then the model itself.

Tokenizer and configuration are read at once and are enough to count tokens and to lay a KV cache
out. Weights take from seconds to minutes.
"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from lcagent.engine.adapters import AdaptedModel, load_pretrained, load_tokenizer, read_config
from lcagent.engine.checkpoint.chat_tokenizer import ChatTokenizer
from lcagent.engine.checkpoint.dims import BYTES_OF
from lcagent.engine.checkpoint.files import Checkpoint, CheckpointFiles, check_folder
from lcagent.engine.checkpoint.gguf_files import is_gguf
from lcagent.engine.config import KVCacheConfig, cache_config_for
from lcagent.engine.failures import as_lcagent_error
from lcagent.errors import LcagentError, MissingExtra, ModelNotUsable
from lcagent.local_options import LocalOptions


@dataclass(frozen=True, slots=True)
class LoadedModel:
    """A model with its weights.

    Attributes:
        eos_token_ids: Tokens by which it ends a reply.
    """

    name: str
    model: AdaptedModel
    tokenizer: ChatTokenizer
    eos_token_ids: frozenset[int]


def read_checkpoint(
    files: CheckpointFiles,
    options: LocalOptions,
    *,
    context_tokens: int,
    cache_config: KVCacheConfig | None = None,
) -> Checkpoint:
    """Read configuration and tokenizer, and lay KV caches out.

    Args:
        cache_config: By default what suits the model, the options and the context.

    Raises:
        ModelNotUsable: Something cannot be read, or does not fit the rest or this machine.
    """
    _check_placing(options.device, options.dtype)
    try:
        config = read_config(files.path).get_text_config(decoder=True)
        tokenizer = ChatTokenizer(load_tokenizer(files.path))
    except (LcagentError, MemoryError):
        raise
    except Exception as error:  # transformers raises many kinds, with what is wrong in words
        raise ModelNotUsable(f"{files.path} cannot be loaded: {_first_line(error)}") from error
    tokenizer.check(int(config.vocab_size))
    fitting = cache_config or cache_config_for(
        options, config, context_tokens=context_tokens, own_tokens=files.dims.window_tokens
    )
    return Checkpoint(files, tokenizer, options, fitting, context_tokens)


def load_weights(checkpoint: Checkpoint) -> LoadedModel:
    """Return the model of a checkpoint, which takes as long as reading its weights. Blocks.

    Raises:
        ModelNotUsable: They cannot be loaded, or do not fit.
    """
    files, options = checkpoint.files, checkpoint.options
    try:
        loaded = load_model(files.path, device=options.device, dtype=options.dtype)
    except (MemoryError, RuntimeError) as error:  # torch's own kind is a RuntimeError
        reason = as_lcagent_error(error)
        raise ModelNotUsable(f"{files.name} cannot be loaded: {reason}") from error
    return replace(loaded, name=files.name)


def load_model(
    source: str | Path,
    *,
    device: str = "auto",
    dtype: str = "auto",
    lora: Path | None = None,
    trusts_remote_code: bool = False,
) -> LoadedModel:
    """Load a checkpoint folder or a GGUF file.

    Args:
        dtype: "auto" for that of the checkpoint, or a name such as "float32" or "bfloat16".
        lora: Folder of a LoRA adapter, merged into the weights (extra `lora`).

    Raises:
        ModelNotUsable: It cannot be loaded, or its attention is of a kind that is not known.
        MissingExtra: An adapter is given, and peft is not installed.
    """
    source = Path(source)
    if source.is_dir():
        check_folder(source)
    elif not is_gguf(source):
        raise ModelNotUsable(f"{source} is no folder with a model, and no GGUF file")
    trust = trusts_remote_code
    try:
        placed = resolve_device(device)
        model = load_pretrained(source, dtype, placed, trusts_remote_code=trust)
        tokenizer = ChatTokenizer(load_tokenizer(source, trusts_remote_code=trust))
    except (LcagentError, MemoryError, torch.OutOfMemoryError):
        raise
    except Exception as error:  # transformers raises many kinds, with what is wrong in words
        raise ModelNotUsable(f"{source} cannot be loaded: {_first_line(error)}") from error
    if lora is not None:
        merge_lora(model, lora)
    tokenizer.check(int(model.config.vocab_size))
    return LoadedModel(source.name, model, tokenizer, _eos_token_ids(model, tokenizer))


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


def resolve_device(device: str) -> str:
    """Return the device that a user's choice means: "auto" is a GPU where there is one."""
    if device != "auto":
        return device
    return "cuda" if torch.cuda.is_available() else "cpu"


def device_name(device: str | torch.device) -> str:
    """Return what a device is called: a GPU by its product's name; "auto" as models take it."""
    placed = torch.device(resolve_device(str(device)))
    if placed.type == "cuda":
        return torch.cuda.get_device_name(placed)
    return f"{placed.type}, {torch.get_num_threads()} threads"


def _check_placing(device: str, dtype: str) -> None:
    """Refuse a device that is not here, or a type that no model computes in."""
    if dtype not in {"auto", *BYTES_OF}:
        raise ModelNotUsable(f"{dtype} is no type to compute in: auto, {', '.join(BYTES_OF)}")
    try:
        torch.empty(0, device="cpu" if device == "auto" else device)
    except (RuntimeError, AssertionError) as error:  # torch asserts that it was built for a GPU
        reason = str(error).strip().splitlines()[0]
        raise ModelNotUsable(f"the device {device} is not here: {reason}") from error


def _eos_token_ids(model: AdaptedModel, tokenizer: ChatTokenizer) -> frozenset[int]:
    generation: Any = getattr(model.model, "generation_config", None)
    found: set[int] = set()
    for holder in (generation, model.config, tokenizer.tokenizer):
        ids = getattr(holder, "eos_token_id", None)
        found |= {ids} if isinstance(ids, int) else set(ids or ())
    return frozenset(found)


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return lines[0][:300]
