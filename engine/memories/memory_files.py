"""A sequence's state in a folder: tokens, a file of tensors per layer, a manifest with checksums.

Files (safetensors) are written into a part of their own; then one rename puts a manifest that names
the part in place of the old one. A crash at any moment leaves the old memory whole. Opened blocks
are mapped, not read.
"""

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor

from lcagent.engine.adapters import AdaptedModel
from lcagent.engine.config import KVCacheConfig
from lcagent.engine.kv_cache import KVCache, LayerDims, LayerKVCache
from lcagent.engine.memories.manifest import (
    MANIFEST,
    SCHEMA,
    check_files,
    checksum,
    make_private_folder,
    read_manifest,
)
from lcagent.engine.model_runner import SequenceState, new_sequence_state
from lcagent.errors import StorageError, UsageError

TOKENS = "tokens.safetensors"
WEIGHT_SAMPLES = 64
_AS_NUMBERS = {1: torch.int8, 2: torch.int16, 4: torch.int32, 8: torch.int64}
_fingerprints: WeakKeyDictionary[AdaptedModel, str] = WeakKeyDictionary()


def save_state(model: AdaptedModel, state: SequenceState, folder: Path, title: str = "") -> None:
    """Write a state; an older one at the same place is replaced once the new one is whole.

    Raises:
        StorageError: The disk is full or cannot be written; what was there before still is.
    """
    try:
        make_private_folder(folder.parent)
        make_private_folder(folder)
        part = Path(tempfile.mkdtemp(prefix="part-", dir=folder))
        try:
            _write(model, state, part, title)
            (part / MANIFEST).replace(folder / MANIFEST)
        except BaseException:
            shutil.rmtree(part, ignore_errors=True)
            raise
        _remove_other_parts(folder, part)
    except StorageError:
        raise
    except Exception as error:  # safetensors hides errors of the system in its own
        raise StorageError(f"the memory {folder.name} cannot be written: {error}") from error


def load_state(model: AdaptedModel, folder: Path, *, is_verified: bool = True) -> SequenceState:
    """Open a saved state; its blocks are mapped, not read.

    Args:
        is_verified: Compare all checksums first, which reads all files once. Sizes are compared
            in any case.

    Raises:
        UsageError: There is none, or it was made by another model or version.
        StorageError: A file was cut short or altered.
    """
    manifest = read_manifest(folder)
    check_model(model, folder, manifest)
    check_files(folder, manifest, is_thorough=is_verified)
    state = new_sequence_state(model, KVCacheConfig(**manifest["config"]))
    part = folder / manifest["part"]
    state.tokens = load_tokens(folder, manifest)
    state.num_computed = manifest["read"]
    for number in manifest["layers"]:
        path = part / _layer_file(number)
        state.cache.layers[number] = load_layer(model, state.cache, number, path)
    return state


def load_tokens(folder: Path, manifest: Mapping[str, Any]) -> list[int]:
    """Return the tokens of a saved state."""
    tokens: list[int] = load_file(folder / manifest["part"] / TOKENS)["tokens"].tolist()
    return tokens


def delete_state(folder: Path) -> None:
    """Delete a saved state, be it a damaged one; UsageError if there is none."""
    if not (folder / MANIFEST).is_file():
        raise UsageError(f"there is no memory {folder.name}")
    shutil.rmtree(folder)


def check_model(model: AdaptedModel, folder: Path, manifest: Mapping[str, Any]) -> None:
    """Compare the model with the one that made a memory; UsageError if it is another."""
    if manifest["model"] != model_fingerprint(model):
        raise UsageError(
            f"the memory {folder.name} was made by another model ({manifest['model_name']}); "
            "read the text again with this one"
        )


def model_fingerprint(model: AdaptedModel) -> str:
    """Return 32 hexadecimal digits of a model's layout, a sum over its weights and some of them.

    Hashing all weights of a large model takes minutes, adding them up takes seconds. Sums are
    those of the weights' bits as whole numbers, which are the same in any order and on any device.
    A model that was trained further, merged, edited or quantised has another fingerprint. Weights
    are looked at once.
    """
    if model not in _fingerprints:
        digest = hashlib.sha256()
        network: Any = model.model
        for name, weights in sorted(network.state_dict().items()):
            about = [name, list(weights.shape), str(weights.dtype), *_weight_figures(weights)]
            digest.update(json.dumps(about).encode())
        kept = ("rope_parameters", "layer_types", "sliding_window", "model_type")
        digest.update(repr([getattr(model.config, name, None) for name in kept]).encode())
        _fingerprints[model] = digest.hexdigest()[:32]
    return _fingerprints[model]


def save_layer(layer: LayerKVCache, path: Path) -> None:
    """Write a layer; OSError where the disk is full."""
    tensors: dict[str, Tensor] = {}
    for number, (states, scales) in enumerate(layer.store.spans()):
        tensors[f"blocks.{number}"] = states
        if scales is not None:
            tensors[f"scales.{number}"] = scales
    window, origin = layer.window.state()
    tensors |= {f"tail.{name}": tensor for name, tensor in window.items()}
    if len(layer.store):
        tensors |= {f"index.{name}": tensor for name, tensor in layer.index.state().items()}
    if layer.init_keys.dim() == 3:
        tensors |= {"init.keys": layer.init_keys, "init.values": layer.init_values}
    chosen = torch.tensor(layer.selection.blocks, dtype=torch.int64)
    dims = layer.dims
    sliding = -1 if dims.sliding_window is None else dims.sliding_window
    numbers = [layer.length, origin, layer.selection.age, dims.num_heads, dims.head_dim, sliding]
    tensors |= {"selection": chosen, "numbers": torch.tensor(numbers, dtype=torch.int64)}
    save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, path)


def load_layer(model: AdaptedModel, cache: KVCache, number: int, path: Path) -> LayerKVCache:
    """Return a saved layer; its blocks stay in the file, which is mapped.

    Raises:
        StorageError: The file is not what `save_layer` wrote.
    """
    try:
        with safe_open(path, framework="pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        length, origin, age, num_heads, head_dim, sliding = tensors.pop("numbers").tolist()
        dims = LayerDims(num_heads, head_dim, None if sliding < 0 else sliding)
        layer = model.new_layer(number, cache, dims)
        layer.length = length
        layer.selection.restore(tensors.pop("selection").tolist(), age)
        _adopt_blocks(layer, tensors, model.device)
        beside = {name: tensor.to(model.device) for name, tensor in tensors.items()}
        if len(layer.store):
            layer.index.restore(_with_prefix(beside, "index."), layer.store)
        layer.window.restore(_with_prefix(beside, "tail."), origin)
        if "init.keys" in beside:
            layer.init_keys, layer.init_values = beside["init.keys"], beside["init.values"]
    except (OSError, SafetensorError, KeyError, ValueError) as error:
        raise StorageError(f"{path.name} of this memory cannot be read: {error}") from error
    return layer


def _write(model: AdaptedModel, state: SequenceState, folder: Path, title: str) -> None:
    tokens = torch.tensor(state.tokens, dtype=torch.int64)
    save_file({"tokens": tokens}, folder / TOKENS)
    for number, layer in state.cache.layers.items():
        save_layer(layer, folder / _layer_file(number))
    files = {path.name: (path.stat().st_size, checksum(path)) for path in folder.iterdir()}
    manifest = {
        "schema": SCHEMA,
        "part": folder.name,
        "title": title,
        "model": model_fingerprint(model),
        "model_name": str(model.config.model_type),
        "config": state.config.as_json(),
        "tokens": len(state.tokens),
        "read": state.num_computed,
        "layers": sorted(state.cache.layers),
        "files": files,
    }
    path = folder / MANIFEST
    path.write_text(json.dumps(manifest, indent=1), encoding="utf-8")
    # All is on the disk before the rename makes it the memory.
    for written in folder.iterdir():
        written.chmod(0o600)
        with written.open("rb") as file:
            os.fsync(file.fileno())


def _layer_file(number: int) -> str:
    return f"layer-{number:04}.safetensors"


def _remove_other_parts(folder: Path, part: Path) -> None:
    """Remove what older versions and crashes left; who has it open keeps it until he is done."""
    for other in folder.glob("part-*"):
        if other != part:
            shutil.rmtree(other, ignore_errors=True)


def _adopt_blocks(layer: LayerKVCache, tensors: dict[str, Tensor], device: torch.device) -> None:
    number = 0
    while (name := f"blocks.{number}") in tensors:
        states = tensors.pop(name)
        scales = tensors.pop(f"scales.{number}", None)
        if layer.config.place == "device":
            states = states.to(device)
            scales = None if scales is None else scales.to(device)
        layer.store.adopt(states, scales)
        number += 1


def _with_prefix(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    # Copies: the file may be deleted or replaced while its memory is in use.
    return {
        name.removeprefix(prefix): tensor.clone()
        for name, tensor in tensors.items()
        if name.startswith(prefix)
    }


def _weight_figures(weights: Tensor) -> list[int]:
    numbers = weights.detach().contiguous().view(_AS_NUMBERS[weights.element_size()]).flatten()
    step = max(1, numbers.numel() // WEIGHT_SAMPLES) | 1  # odd, so as not to stay in one column
    total = int(numbers.sum(dtype=torch.int64))
    return [total, *numbers[::step].tolist()]
