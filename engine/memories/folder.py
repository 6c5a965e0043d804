"""A reading in a folder: tokens, one file per layer, and a manifest with checksums.

Files are written into a part of their own; then one rename puts a manifest that names the part in
place of the old one. A crash at any moment leaves the old memory whole.
"""

import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file

from lcagent.engine.adapters import AdaptedModel
from lcagent.engine.config import MemoryConfig
from lcagent.engine.memories.fingerprint import fingerprint
from lcagent.engine.memories.layer_files import load_layer, save_layer
from lcagent.engine.memories.manifest import (
    MANIFEST,
    SCHEMA,
    check_files,
    checksum,
    read_manifest,
)
from lcagent.engine.reading import Reading, new_reading
from lcagent.errors import StorageError, UsageError


def save_reading(model: AdaptedModel, reading: Reading, folder: Path, title: str = "") -> None:
    """Write a reading; an older one at the same place is replaced once the new one is whole.

    Raises:
        StorageError: The disk is full or cannot be written; what was there before still is.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        part = Path(tempfile.mkdtemp(prefix="part-", dir=folder))
        try:
            _write(model, reading, part, title)
            (part / MANIFEST).replace(folder / MANIFEST)
        except BaseException:
            shutil.rmtree(part, ignore_errors=True)
            raise
        _remove_other_parts(folder, part)
    except StorageError:
        raise
    except Exception as error:  # safetensors hides errors of the system in its own
        raise StorageError(f"the memory {folder.name} cannot be written: {error}") from error


def load_reading(model: AdaptedModel, folder: Path, *, is_verified: bool = True) -> Reading:
    """Open a saved reading; its blocks are mapped, not read.

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
    reading = new_reading(model, MemoryConfig(**manifest["config"]))
    part = folder / manifest["part"]
    reading.tokens = load_file(part / "tokens.safetensors")["tokens"].tolist()
    reading.read = manifest["read"]
    for number in manifest["layers"]:
        path = part / f"layer-{number:04}.safetensors"
        reading.memory.layers[number] = load_layer(model, reading.memory, number, path)
    return reading


def check_model(model: AdaptedModel, folder: Path, manifest: Mapping[str, Any]) -> None:
    """Compare the model with the one that made a memory; UsageError if it is another."""
    if manifest["model"] != fingerprint(model):
        raise UsageError(
            f"the memory {folder.name} was made by another model ({manifest['model_name']}); "
            "read the text again with this one"
        )


def delete_reading(folder: Path) -> None:
    """Delete a saved reading, be it a damaged one; UsageError if there is none."""
    if not (folder / MANIFEST).is_file():
        raise UsageError(f"there is no memory {folder.name}")
    shutil.rmtree(folder)


def _write(model: AdaptedModel, reading: Reading, folder: Path, title: str) -> None:
    tokens = torch.tensor(reading.tokens, dtype=torch.int64)
    save_file({"tokens": tokens}, folder / "tokens.safetensors")
    for number, layer in reading.memory.layers.items():
        save_layer(layer, folder / f"layer-{number:04}.safetensors")
    files = {path.name: (path.stat().st_size, checksum(path)) for path in folder.iterdir()}
    manifest = {
        "schema": SCHEMA,
        "part": folder.name,
        "title": title,
        "model": fingerprint(model),
        "model_name": str(model.config.model_type),
        "config": reading.config.as_json(),
        "tokens": len(reading.tokens),
        "read": reading.read,
        "layers": sorted(reading.memory.layers),
        "files": files,
    }
    path = folder / MANIFEST
    path.write_text(json.dumps(manifest, indent=1), encoding="utf-8")
    for written in folder.iterdir():
        written.chmod(0o600)
        with written.open("rb") as file:
            os.fsync(file.fileno())


def _remove_other_parts(folder: Path, part: Path) -> None:
    """Remove what older versions and crashes left; who has it open keeps it until he is done."""
    for other in folder.glob("part-*"):
        if other != part:
            shutil.rmtree(other, ignore_errors=True)
