"""A checkpoint is checked and told apart without loading it."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from lcagent.engine.checkpoint import files as checkpoint_files
from lcagent.engine.checkpoint.files import checkpoint_fingerprint, find_files
from lcagent.errors import ModelNotUsable

RECALL_MODEL = Path(__file__).parents[3] / "examples" / "recall-model"


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    return Path(shutil.copytree(RECALL_MODEL, tmp_path / "model"))


def _cut_short(folder: Path) -> None:
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-4])


def _no_header(folder: Path) -> None:
    (folder / "model.safetensors").write_bytes(b"x" * 100)


def _pickled(folder: Path) -> None:
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")


def _no_weights(folder: Path) -> None:
    (folder / "model.safetensors").unlink()


def _no_tokenizer(folder: Path) -> None:
    for path in folder.glob("tokenizer*"):
        path.unlink()


def _latent_attention(folder: Path) -> None:
    path = folder / "config.json"
    config = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps({**config, "kv_lora_rank": 8}), encoding="utf-8")


def _missing_tensor(folder: Path) -> None:
    path = folder / "model.safetensors"
    content = path.read_bytes()
    length = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + length])
    header.pop("model.layers.1.mlp.up_proj.weight")
    shorter = json.dumps(header).encode()
    path.write_bytes(len(shorter).to_bytes(8, "little") + shorter + content[8 + length :])


def _missing_shard(folder: Path) -> None:
    index = {"weight_map": {"a": "model.safetensors", "b": "other.safetensors"}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index), encoding="utf-8")


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (_cut_short, r"model\.safetensors is incomplete: it has \d+ of \d+ bytes"),
        (_missing_tensor, "incomplete: it has 673,792 of 722,944 parameters"),
        (_no_header, "no weights in the format of safetensors"),
        (_pickled, "a pickle, which can run any code"),
        (_no_weights, "no weights"),
        (_no_tokenizer, "no tokenizer"),
        (_latent_attention, "multi-head latent attention"),
        (_missing_shard, "other.safetensors missing of 2 shards"),
        (shutil.rmtree, "is no folder with a model"),
    ],
    ids=lambda case: getattr(case, "__name__", ""),
)
def test_a_folder_that_cannot_be_loaded_is_refused(
    copy: Path, spoil: Callable[[Path], None], says: str
) -> None:
    spoil(copy)
    with pytest.raises(ModelNotUsable, match=says):
        find_files(str(copy))


@pytest.mark.parametrize(
    "source",
    ["recall", "./recall", "a/b/c", "../x", "some/typo", "models/private-client", "a/b.gguf"],
)
def test_a_path_that_is_not_there_is_told_to_nobody(fetched: list[list[str]], source: str) -> None:
    with pytest.raises(ModelNotUsable, match="is no folder with a model, and no GGUF file") as told:
        find_files(source)
    assert fetched == []
    assert ("local:hub:" in str(told.value)) == (source.count("/") == 1 and source[0] != ".")


@pytest.mark.parametrize("source", ["hub:", "hub:recall", "hub:a/b/c", "hub:./a", "hub:a b/c"])
def test_what_can_be_no_hub_id_is_not_looked_for(fetched: list[list[str]], source: str) -> None:
    with pytest.raises(ModelNotUsable, match="names no model of the hub: local:hub:OWNER/NAME"):
        find_files(source)
    assert fetched == []


def test_a_hub_id_is_not_fetched_where_the_user_forbids_it(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("huggingface_hub")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(ModelNotUsable, match="cannot be had from the Hugging Face hub"):
        find_files("hub:nobody/nothing")


@pytest.fixture
def fetched(copy: Path, monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """Put a copy in the place of the hub; return what patterns are fetched from there."""
    pytest.importorskip("huggingface_hub")
    patterns: list[list[str]] = []

    def download(_: str, *, allow_patterns: list[str]) -> str:
        patterns.append(allow_patterns)
        return str(copy)

    monkeypatch.setattr("huggingface_hub.snapshot_download", download)
    return patterns


def test_a_model_of_the_hub_has_its_name_and_comes_with_its_weights(
    fetched: list[list[str]],
) -> None:
    assert find_files("hub:somebody/recall").name == "recall"
    assert ["*.safetensors" in patterns for patterns in fetched] == [False, True]


def test_the_weights_of_a_model_that_cannot_run_are_not_fetched(
    copy: Path, fetched: list[list[str]]
) -> None:
    _latent_attention(copy)
    with pytest.raises(ModelNotUsable, match="latent attention"):
        find_files("hub:somebody/recall")
    assert ["*.safetensors" in patterns for patterns in fetched] == [False]


@pytest.mark.parametrize("place", [0, 100_000, -1])
def test_a_fingerprint_changes_with_the_samples_of_large_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: int
) -> None:
    monkeypatch.setattr(checkpoint_files, "WHOLE_BYTES", 1_000)
    monkeypatch.setattr(checkpoint_files, "FIRST_BYTES", 1_000)
    content = bytearray(200_000)
    (tmp_path / "model.safetensors").write_bytes(content)
    before = checkpoint_fingerprint(tmp_path)
    assert checkpoint_fingerprint(tmp_path) == before
    content[place] ^= 1
    (tmp_path / "model.safetensors").write_bytes(content)
    assert checkpoint_fingerprint(tmp_path) != before


def test_a_copy_has_the_same_fingerprint(copy: Path) -> None:
    assert checkpoint_fingerprint(copy) == checkpoint_fingerprint(RECALL_MODEL)
    assert find_files(str(copy)).dims.window_tokens == 256
