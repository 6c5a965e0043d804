"""Tensors in one of three places: the model's device, the computer's memory, a mapped file."""

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from lcagent.engine.config import Place
from lcagent.errors import StorageError


@dataclass(frozen=True, slots=True)
class Allocator:
    """Makes tensors that hold zeros.

    Attributes:
        folder: Where mapped files are made; None for where temporary files go.
    """

    place: Place
    device: torch.device
    folder: Path | None = None

    def zeros(self, shape: tuple[int, ...], dtype: torch.dtype) -> Tensor:
        """Return a tensor of zeros.

        Raises:
            StorageError: The disk is full or cannot be written.
        """
        if self.place == "device":
            return torch.zeros(shape, dtype=dtype, device=self.device)
        if self.place == "disk":
            return self._mapped(shape, dtype)
        # Copies to a GPU run beside the computation from pinned memory only.
        return torch.zeros(shape, dtype=dtype, pin_memory=self.device.type == "cuda")

    def _mapped(self, shape: tuple[int, ...], dtype: torch.dtype) -> Tensor:
        """Map a file without a name: its space is free again when the tensor is."""
        count = torch.Size(shape).numel()
        try:
            number, name = tempfile.mkstemp(".slab", "lcagent-", self.folder)
            try:
                # Taken now, as a full disk behind a mapped file would kill the process later.
                os.posix_fallocate(number, 0, count * dtype.itemsize)
                return torch.from_file(name, shared=True, size=count, dtype=dtype).view(shape)
            finally:
                os.close(number)
                Path(name).unlink()
        except (OSError, RuntimeError) as error:
            raise StorageError(f"a memory cannot be kept on this disk: {error}") from error
