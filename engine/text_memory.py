"""What all layers of a model remember of one text."""

from dataclasses import dataclass, field

from lcagent.engine.config import MemoryConfig
from lcagent.engine.layer import LayerMemory
from lcagent.engine.store.places import Allocator


@dataclass(slots=True)
class TextMemory:
    """What all layers remember of one text; a layer's part is made when it first reads."""

    config: MemoryConfig
    allocator: Allocator
    layers: dict[int, LayerMemory] = field(default_factory=dict[int, LayerMemory])

    def fork(self) -> "TextMemory":
        """Return a memory that goes on on its own."""
        layers = {number: layer.fork() for number, layer in self.layers.items()}
        return TextMemory(self.config, self.allocator, layers)
