"""Finding and checking the weights."""

import json
from pathlib import Path

import numpy as np
import pytest

from lcagent.retrieval.embedding.minilm import MiniLM
from lcagent.retrieval.embedding.minilm_weights import (
    REPOSITORY,
    WEIGHTS_SHA256,
    ModelFiles,
    WrongWeights,
    _cache_folders,
    check_sha256,
    map_tensors,
)


def write_safetensors(path: Path, name: str, tensor: np.ndarray) -> None:
    shape, end = list(tensor.shape), tensor.nbytes
    header = json.dumps({name: {"dtype": "F32", "shape": shape, "data_offsets": [0, end]}})
    padded = header.ljust(-(-len(header) // 8) * 8).encode()
    path.write_bytes(len(padded).to_bytes(8, "little") + padded + tensor.tobytes())


def test_weights_with_another_hash_are_refused(tmp_path: Path) -> None:
    write_safetensors(tmp_path / "model.safetensors", "w", np.zeros((2, 3), np.float32))
    with pytest.raises(WrongWeights, match="expected 53aa51172d142c89"):
        check_sha256(tmp_path / "model.safetensors", WEIGHTS_SHA256)


def test_the_installed_weights_are_the_published_ones(minilm: MiniLM) -> None:
    check_sha256(minilm.files.weights, WEIGHTS_SHA256)


def test_an_embedder_with_other_weights_embeds_nothing(minilm: MiniLM, tmp_path: Path) -> None:
    fake = tmp_path / "model.safetensors"
    write_safetensors(fake, "w", np.zeros((2, 3), np.float32))
    with pytest.raises(WrongWeights):
        MiniLM(ModelFiles(fake, minilm.files.tokenizer)).embed_query("anything")


def test_mapped_tensors_are_those_that_were_written(tmp_path: Path) -> None:
    written = np.arange(6, dtype=np.float32).reshape(2, 3)
    write_safetensors(tmp_path / "t.safetensors", "layer.weight", written)
    np.testing.assert_array_equal(map_tensors(tmp_path / "t.safetensors")["layer.weight"], written)


def test_the_hugging_face_cache_is_looked_through(empty_cache: Path) -> None:
    assert _cache_folders() == []
    folder = empty_cache / f"models--{REPOSITORY.replace('/', '--')}" / "snapshots" / "abc"
    folder.mkdir(parents=True)
    assert _cache_folders() == [folder]
