"""One layer's memory as a file of tensors (safetensors), and back without copying its blocks."""

from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from lcagent.engine.adapters import AdaptedModel
from lcagent.engine.layer import LayerMemory, LayerShape
from lcagent.engine.text_memory import TextMemory
from lcagent.errors import StorageError


def save_layer(layer: LayerMemory, path: Path) -> None:
    """Write a layer; OSError where the disk is full."""
    tensors: dict[str, Tensor] = {}
    for number, (states, scales) in enumerate(layer.store.runs()):
        tensors[f"blocks.{number}"] = states
        if scales is not None:
            tensors[f"scales.{number}"] = scales
    tail, origin = layer.tail.state()
    tensors |= {f"tail.{name}": tensor for name, tensor in tail.items()}
    if len(layer.store):
        tensors |= {f"index.{name}": tensor for name, tensor in layer.index.state().items()}
    if layer.init_keys.dim() == 3:
        tensors |= {"init.keys": layer.init_keys, "init.values": layer.init_values}
    chosen = torch.tensor(layer.selection.blocks, dtype=torch.int64)
    shape = layer.shape
    window = -1 if shape.sliding_window is None else shape.sliding_window
    numbers = [layer.length, origin, layer.selection.age, shape.num_heads, shape.head_dim, window]
    tensors |= {"selection": chosen, "numbers": torch.tensor(numbers, dtype=torch.int64)}
    save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, path)


def load_layer(model: AdaptedModel, memory: TextMemory, number: int, path: Path) -> LayerMemory:
    """Return a saved layer; its blocks stay in the file, which is mapped.

    Raises:
        StorageError: The file is not what `save_layer` wrote.
    """
    try:
        with safe_open(path, framework="pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        length, origin, age, num_heads, head_dim, window = tensors.pop("numbers").tolist()
        shape = LayerShape(num_heads, head_dim, None if window < 0 else window)
        layer = model.new_layer(number, memory, shape)
        layer.length = length
        layer.selection.restore(tensors.pop("selection").tolist(), age)
        _adopt_blocks(layer, tensors, model.device)
        beside = {name: tensor.to(model.device) for name, tensor in tensors.items()}
        if len(layer.store):
            layer.index.restore(_named(beside, "index."), layer.store)
        layer.tail.restore(_named(beside, "tail."), origin)
        if "init.keys" in beside:
            layer.init_keys, layer.init_values = beside["init.keys"], beside["init.values"]
    except (OSError, SafetensorError, KeyError, ValueError) as error:
        raise StorageError(f"{path.name} of this memory cannot be read: {error}") from error
    return layer


def _adopt_blocks(layer: LayerMemory, tensors: dict[str, Tensor], device: torch.device) -> None:
    number = 0
    while (name := f"blocks.{number}") in tensors:
        states = tensors.pop(name)
        scales = tensors.pop(f"scales.{number}", None)
        if layer.config.place == "device":
            states = states.to(device)
            scales = None if scales is None else scales.to(device)
        layer.store.adopt(states, scales)
        number += 1


def _named(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    # Copies: the file may be deleted or replaced while its memory is in use.
    return {
        name.removeprefix(prefix): tensor.clone()
        for name, tensor in tensors.items()
        if name.startswith(prefix)
    }
