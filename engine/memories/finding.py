"""Which stored memory a prompt goes on from, and opening it: for a process that asks once.

A server keeps memories open (`library`). Here only manifests and tokens are read until one fits.
"""

from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load_file

from lcagent.engine.adapters import AdaptedModel
from lcagent.engine.config import MemoryConfig
from lcagent.engine.lookups.make import with_lookup_settled
from lcagent.engine.memories.fingerprint import fingerprint
from lcagent.engine.memories.folder import load_reading
from lcagent.engine.memories.manifest import MANIFEST, read_manifest
from lcagent.engine.reading import Reading
from lcagent.errors import LcagentError

VERIFIED_BYTES = 1_000_000_000
"""A memory up to this size is read whole and compared with its checksums when it is opened."""


def find_start(
    model: AdaptedModel, config: MemoryConfig, folder: Path, tokens: list[int]
) -> Reading | None:
    """Return the memory that has read most of a prompt's beginning as `config` says, if any.

    One that is damaged, or of another model, is passed over.
    """
    paths = sorted(manifest.parent for manifest in folder.glob(f"[!.]*/{MANIFEST}"))
    own = fingerprint(model) if paths else ""
    config = with_lookup_settled(config, model.device, model.dtype)
    fitting: list[tuple[int, Path]] = []
    for path in paths:
        read = _fits(path, own, config, tokens)
        if read:
            fitting.append((read, path))
    for _, path in sorted(fitting, reverse=True):
        try:
            return open_stored(model, path)
        except LcagentError:  # `lcagent memories verify` says why
            continue
    return None


def open_stored(model: AdaptedModel, path: Path) -> Reading:
    """Open a memory; a large one is trusted to be what it was, but for the sizes of its files.

    Raises:
        UsageError: It was made by another model or version.
        StorageError: It is damaged.
    """
    size = sum(size for size, _ in read_manifest(path)["files"].values())
    return load_reading(model, path, is_verified=size <= VERIFIED_BYTES)


def _fits(path: Path, own: str, config: MemoryConfig, tokens: list[int]) -> int:
    """Return how much of the prompt a memory has read; 0 where it does not begin like it."""
    try:
        manifest = read_manifest(path)
        read = int(manifest["read"])
        if manifest["model"] != own or manifest["config"] != config.as_json():
            return 0
        if not read < len(tokens):
            return 0
        known = load_file(path / manifest["part"] / "tokens.safetensors")["tokens"]
        return read if known[:read].tolist() == tokens[:read] else 0
    except (LcagentError, OSError, SafetensorError, KeyError, TypeError, ValueError):
        return 0
