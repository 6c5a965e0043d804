"""Memories are saved whole, opened only where they fit, and continue as if never closed."""

import json
import stat
from dataclasses import replace
from pathlib import Path
from typing import get_args

import pytest
import torch
from safetensors import safe_open
from tiny_models import draw_tokens, tiny
from torch import Tensor

from lcagent.engine.adapters import AdaptedModel
from lcagent.engine.config import BlockPlace, KVCacheConfig, LookupName, PolicyName, StoreDtype
from lcagent.engine.memories import memory_files
from lcagent.engine.memories.manifest import read_manifest
from lcagent.engine.memories.memory_files import load_state, model_fingerprint, save_state
from lcagent.engine.memories.memory_library import MemoryLibrary
from lcagent.engine.model_runner import (
    SequenceState,
    decode,
    new_sequence_state,
    prefill,
    prefill_all,
)
from lcagent.errors import StorageError, UsageError

SIZES = KVCacheConfig(
    init_tokens=4, window_tokens=16, block_tokens=4, chunk_tokens=8, looked_up_blocks=3
)
CACHE = replace(SIZES, lookup="exact")
"""What the lookup "auto" becomes here."""


@pytest.fixture(scope="module")
def model() -> AdaptedModel:
    return AdaptedModel(tiny("gemma2"))


def _read(model: AdaptedModel, config: KVCacheConfig = SIZES, length: int = 99) -> SequenceState:
    state = new_sequence_state(model, config)
    state.tokens += draw_tokens(length)
    prefill(model, state)
    return state


def _ask(model: AdaptedModel, state: SequenceState) -> Tensor:
    asked = state.fork()
    asked.tokens += draw_tokens(20, seed=3)
    first = prefill_all(model, asked)
    return torch.stack([first, decode(model, [asked], [7], 1)[0]])


def _reopened(model: AdaptedModel, state: SequenceState, folder: Path) -> SequenceState:
    save_state(model, state, folder)
    return load_state(model, folder)


@pytest.mark.parametrize("policy", get_args(PolicyName))
@pytest.mark.parametrize("lookup", get_args(LookupName))
def test_a_saved_memory_goes_on_to_the_last_bit(
    model: AdaptedModel, tmp_path: Path, policy: PolicyName, lookup: LookupName
) -> None:
    config = KVCacheConfig(**{**SIZES.as_json(), "policy": policy, "lookup": lookup})  # type: ignore[arg-type]
    state = _read(model, config)
    save_state(model, state, tmp_path / "m")
    loaded = load_state(model, tmp_path / "m")
    assert torch.equal(_ask(model, loaded), _ask(model, state))


@pytest.mark.parametrize("dtype", get_args(StoreDtype))
def test_every_kind_of_block_is_saved(
    model: AdaptedModel, tmp_path: Path, dtype: StoreDtype
) -> None:
    state = _read(model, KVCacheConfig(**{**SIZES.as_json(), "store_dtype": dtype}))  # type: ignore[arg-type]
    save_state(model, state, tmp_path / "m")
    assert torch.equal(_ask(model, load_state(model, tmp_path / "m")), _ask(model, state))


def test_a_memory_records_the_lookup_it_used_and_saves_no_key_twice(
    model: AdaptedModel, tmp_path: Path
) -> None:
    save_state(model, _read(model), tmp_path / "m")
    assert read_manifest(tmp_path / "m")["config"]["lookup"] == "exact"
    (path,) = (tmp_path / "m").glob("part-*/layer-0001.safetensors")
    with safe_open(path, framework="pt") as file:
        assert not [name for name in file.keys() if name.startswith("index")]  # noqa: SIM118
    assert MemoryLibrary(model, tmp_path).find([*draw_tokens(99), 5], CACHE) is not None
    loaded = load_state(model, tmp_path / "m")
    saved_again = _reopened(model, loaded, tmp_path / "again")
    assert torch.equal(_ask(model, saved_again), _ask(model, _read(model)))


@pytest.mark.parametrize("place", ["disk", "device"])
def test_a_memory_opens_elsewhere_than_it_was_made(
    model: AdaptedModel, tmp_path: Path, place: BlockPlace
) -> None:
    state = _read(model, replace(SIZES, lookup="exact", place=place))
    loaded = _reopened(model, state, tmp_path / "m")
    assert torch.equal(_ask(model, loaded), _ask(model, state))


def test_a_choice_of_blocks_that_several_tokens_share_is_saved(
    model: AdaptedModel, tmp_path: Path
) -> None:
    state = _read(model, replace(SIZES, reselect_every=5))
    prefill_all(model, state)
    save_state(model, state, tmp_path / "m")
    loaded = load_state(model, tmp_path / "m")
    for token in draw_tokens(7, seed=2):
        got, wanted = (decode(model, [each], [token], 1) for each in (loaded, state))
        assert torch.equal(got, wanted)


def test_a_fork_is_saved_without_the_blocks_of_others(model: AdaptedModel, tmp_path: Path) -> None:
    state = _read(model)
    fork = state.fork()
    for text, seed in ((state, 5), (fork, 6)):
        text.tokens += draw_tokens(50, seed)
        prefill(model, text)
    save_state(model, fork, tmp_path / "m")
    assert torch.equal(_ask(model, load_state(model, tmp_path / "m")), _ask(model, fork))


def test_a_memory_of_another_model_is_refused(model: AdaptedModel, tmp_path: Path) -> None:
    save_state(model, _read(model), tmp_path / "m")
    with pytest.raises(UsageError, match="another model"):
        load_state(AdaptedModel(tiny("gemma2", seed=1)), tmp_path / "m")


def test_a_single_other_weight_makes_another_model() -> None:
    network = tiny()
    before = model_fingerprint(AdaptedModel(network))
    with torch.no_grad():
        network.model.layers[1].mlp.up_proj.weight[5, 7] += 0.01
    assert model_fingerprint(AdaptedModel(network)) != before
    assert model_fingerprint(AdaptedModel(tiny())) == before


def test_a_memory_of_another_version_is_refused(model: AdaptedModel, tmp_path: Path) -> None:
    save_state(model, _read(model), tmp_path / "m")
    manifest = json.loads((tmp_path / "m" / "memory.json").read_text())
    (tmp_path / "m" / "memory.json").write_text(json.dumps({**manifest, "schema": "other/9"}))
    with pytest.raises(UsageError, match="another version"):
        load_state(model, tmp_path / "m")


@pytest.mark.parametrize(
    "changes", [{"part": "../elsewhere"}, {"part": None}, {"files": {"../../key": [1, "x"]}}]
)
def test_a_manifest_names_no_files_outside_its_folder(
    model: AdaptedModel, tmp_path: Path, changes: dict[str, object]
) -> None:
    save_state(model, _read(model), tmp_path / "m")
    path = tmp_path / "m" / "memory.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))
    with pytest.raises(StorageError, match="it names other files"):
        load_state(model, tmp_path / "m")


@pytest.mark.parametrize("name", ["layer-0000.safetensors", "tokens.safetensors"])
@pytest.mark.parametrize("damage", ["cut", "altered", "missing"])
def test_damage_is_found(model: AdaptedModel, tmp_path: Path, name: str, damage: str) -> None:
    save_state(model, _read(model), tmp_path / "m")
    (path,) = (tmp_path / "m").glob(f"part-*/{name}")
    content = path.read_bytes()
    if damage == "missing":
        path.unlink()
    else:
        end = content[-9:-8]
        flipped = content[:-9] + bytes([end[0] ^ 1]) + content[-8:]
        path.write_bytes(content[:-9] if damage == "cut" else flipped)
    with pytest.raises(StorageError, match="damaged"):
        load_state(model, tmp_path / "m")


def test_a_crash_while_saving_leaves_the_old_memory_whole(
    model: AdaptedModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = _read(model)
    save_state(model, state, tmp_path / "m", "old")

    def no_space(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(memory_files, "save_layer", no_space)
    with pytest.raises(StorageError, match="No space left"):
        save_state(model, _read(model, length=60), tmp_path / "m", "new")
    with pytest.raises(StorageError, match="No space left"):
        save_state(model, state, tmp_path / "other")
    assert torch.equal(_ask(model, load_state(model, tmp_path / "m")), _ask(model, state))
    assert len(list((tmp_path / "m").glob("part-*"))) == 1
    assert not list((tmp_path / "other").glob("*"))


def test_an_open_memory_outlives_its_replacement(model: AdaptedModel, tmp_path: Path) -> None:
    state = _read(model)
    save_state(model, state, tmp_path / "m")
    loaded = load_state(model, tmp_path / "m")
    save_state(model, _read(model, length=60), tmp_path / "m")
    assert torch.equal(_ask(model, loaded), _ask(model, state))


def test_a_library_lists_opens_and_deletes(model: AdaptedModel, tmp_path: Path) -> None:
    library = MemoryLibrary(model, tmp_path / "memories", most_open=1)
    first = library.add(_read(model), "one")
    library.add(_read(model, length=60), "two", name="two")
    assert {(memory.title, memory.tokens) for memory in library.describe_all()} == {
        ("one", 99),
        ("two", 60),
    }
    assert library.open(first.id).tokens == draw_tokens(99)
    library.delete(first.id)
    assert [memory.id for memory in library.describe_all()] == ["two"]
    for name in (first.id, "../two", ""):
        with pytest.raises(UsageError):
            library.open(name)


def test_a_prompt_finds_the_memory_that_read_most_of_it(
    model: AdaptedModel, tmp_path: Path
) -> None:
    library = MemoryLibrary(model, tmp_path)
    library.add(_read(model, length=50))
    library.add(_read(model, length=99))
    other = MemoryLibrary(model, tmp_path)
    other.open_all()
    for each in (library, other):
        found = each.find([*draw_tokens(99), 5], CACHE)
        assert found is not None
        assert found.num_computed == 96
        assert each.find(draw_tokens(99, seed=4), CACHE) is None


@pytest.mark.parametrize("mode", [None, 0o755, 0o750])
def test_nobody_else_sees_what_was_memorized(
    model: AdaptedModel, tmp_path: Path, mode: int | None
) -> None:
    folder = tmp_path / "home" / "memories"
    if mode is not None:
        folder.mkdir(parents=True)
        folder.chmod(mode)
    library = MemoryLibrary(model, folder)
    library.open_all()
    assert not folder.exists() or stat.S_IMODE(folder.stat().st_mode) == 0o700
    library.add(_read(model), name="m")
    assert [stat.S_IMODE(path.stat().st_mode) for path in (folder, folder / "m")] == [0o700] * 2
