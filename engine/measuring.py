"""How fast a model reads and writes here, by a run of a few seconds."""

import time
from dataclasses import dataclass

import torch

from lcagent.engine.config import MemoryConfig
from lcagent.engine.loading.opening import Opened
from lcagent.engine.reading import decode, new_reading, read_chunk, read_to_end

READS_FOR_S, WRITES_FOR_S = 3.0, 2.0
_MOST_CHUNKS, _MOST_WRITTEN = 16, 64


@dataclass(frozen=True, slots=True)
class Speed:
    """Tokens per second; of a text that is still short."""

    device: str
    read_per_s: float
    written_per_s: float


def measure(opened: Opened, memory: MemoryConfig) -> Speed:
    """Read a made-up text for a few seconds, then write after it. Blocks.

    Raises:
        RuntimeError, MemoryError: There is not enough memory even for that.
    """
    model, reading = opened.model, new_reading(opened.model, memory)
    reading.tokens = [number % 64 for number in range(memory.chunk_tokens * (_MOST_CHUNKS + 1))]
    read_chunk(model, reading)  # the first chunk pays for what is made once
    first, started = reading.read, time.perf_counter()
    while time.perf_counter() - started < READS_FOR_S and read_chunk(model, reading):
        pass
    _wait(model.device)
    read_per_s = (reading.read - first) / (time.perf_counter() - started)
    del reading.tokens[reading.read + 1 :]
    read_to_end(model, reading)
    written, started = 0, time.perf_counter()
    while written < _MOST_WRITTEN and time.perf_counter() - started < WRITES_FOR_S:
        decode(model, [reading], [0], 1).cpu()
        written += 1
    return Speed(device_name(model.device), read_per_s, written / (time.perf_counter() - started))


def _wait(device: torch.device) -> None:
    """Wait for what was begun on a GPU."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def device_name(device: torch.device | str) -> str:
    """Return what a device is called: a GPU by its product's name; "auto" as models take it."""
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    if torch.device(device).type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"{torch.device(device).type}, {torch.get_num_threads()} threads"
