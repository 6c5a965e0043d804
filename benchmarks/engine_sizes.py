"""The shapes of the models that `engine.py` measures."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Size:
    """The shape of a Llama."""

    num_layers: int
    hidden: int
    inner: int
    num_heads: int
    num_kv_heads: int
    vocabulary: int

    @property
    def head_dim(self) -> int:
        """Width of a head."""
        return self.hidden // self.num_heads

    def kv_bytes(self, itemsize: int) -> int:
        """Return the bytes of the keys and values of one token."""
        return 2 * self.num_layers * self.num_kv_heads * self.head_dim * itemsize


SIZES = {
    "tiny": Size(2, 32, 64, 4, 2, 128),
    "small": Size(4, 256, 768, 8, 2, 512),
    "8b": Size(32, 4096, 14336, 32, 8, 128_256),
}
