"""Whether a folder holds a whole checkpoint, and one that is safe to load."""

import json
from pathlib import Path
from typing import Any

from lcagent.errors import ModelNotUsable

PICKLES = (".bin", ".pt", ".pth", ".ckpt", ".pkl")
INDEX = "model.safetensors.index.json"


def check_folder(folder: Path) -> None:
    """Refuse a folder that cannot be loaded, saying what it lacks.

    Raises:
        ModelNotUsable: No configuration, no tokenizer, or weights that are missing or pickled.
    """
    config = _json(folder / "config.json")
    if "model_type" not in config:
        raise ModelNotUsable(f"{folder / 'config.json'} names no model_type")
    _check_weights(folder)
    names = ("tokenizer.json", "tokenizer.model", "vocab.json", "tokenizer_config.json")
    if not any((folder / name).is_file() for name in names):
        raise ModelNotUsable(f"{folder} has no tokenizer (tokenizer.json or tokenizer.model)")


def _check_weights(folder: Path) -> None:
    if (folder / INDEX).is_file():
        shards = set(_json(folder / INDEX).get("weight_map", {}).values())
        missing = sorted(name for name in shards if not (folder / name).is_file())
        if missing or not shards:
            named = ", ".join(missing[:3]) or "all shards"
            raise ModelNotUsable(f"{folder} is incomplete: {named} missing of {len(shards)} shards")
        return
    if any(folder.glob("*.safetensors")):
        return
    pickles = sorted(path.name for path in folder.iterdir() if path.suffix in PICKLES)
    if pickles:
        raise ModelNotUsable(
            f"{folder} has its weights in {pickles[0]}, a pickle, which can run any code when it "
            "is opened; convert them to safetensors"
        )
    raise ModelNotUsable(f"{folder} has no weights (*.safetensors)")


def _json(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ModelNotUsable(f"{path.parent} is no model: it has no {path.name}") from error
    except (OSError, ValueError) as error:
        raise ModelNotUsable(f"{path} cannot be read: {error}") from error
    if not isinstance(found, dict):
        raise ModelNotUsable(f"{path} does not hold an object")
    return found
