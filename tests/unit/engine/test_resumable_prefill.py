"""A memory that was interrupted goes on, and prompts find the memory that has read most of them."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")

import torch
from tiny_models import draw_tokens, tiny

from lcagent.engine.adapters import AdaptedModel
from lcagent.engine.config import KVCacheConfig, LookupName
from lcagent.engine.engine import AsyncEngine
from lcagent.engine.engine_core import EngineCore
from lcagent.engine.loading import LoadedModel
from lcagent.engine.memories import resumable_prefill
from lcagent.engine.memories.memory_files import load_state
from lcagent.engine.memories.memory_library import MemoryLibrary
from lcagent.engine.model_runner import SequenceState, prefill_all
from lcagent.errors import ModelError, StorageError

SIZES = KVCacheConfig(
    init_tokens=4, window_tokens=16, block_tokens=4, chunk_tokens=8, looked_up_blocks=3
)
TOKENS = draw_tokens(100)


@pytest.fixture(scope="module")
def model() -> AdaptedModel:
    return AdaptedModel(tiny("llama"))


class Killed(BaseException):
    """Ends a process without a chance to save anything."""


def _run(
    model: AdaptedModel, folder: Path, tokens: list[int], progress: Callable[[int, int], None]
) -> None:
    tokenizer: Any = None
    core = EngineCore(LoadedModel("tiny", model, tokenizer, frozenset()), SIZES, 500)
    asyncio.run(AsyncEngine(core).memorize(tokens, "A book", folder, progress))


def _read(
    model: AdaptedModel, folder: Path, tokens: list[int] = TOKENS, *, stop_at: int = 10**6
) -> list[int]:
    """Read a text up to some token; return how far it was after each chunk."""
    told: list[int] = []

    def progress(done: int, _: int) -> None:
        told.append(done)
        if done >= stop_at:
            raise asyncio.CancelledError

    try:
        _run(model, folder, tokens, progress)
    except asyncio.CancelledError:
        assert told[-1] >= stop_at
    return told


def _answers(model: AdaptedModel, state: SequenceState) -> torch.Tensor:
    asked = state.fork()
    asked.tokens += [5, 6, 7]
    return prefill_all(model, asked)


def test_what_was_interrupted_goes_on_and_ends_as_if_it_never_was(
    model: AdaptedModel, tmp_path: Path
) -> None:
    _read(model, tmp_path / "whole")
    assert _read(model, tmp_path / "book", stop_at=40)[-1] == 40
    assert not (tmp_path / "book").exists()
    assert _read(model, tmp_path / "book")[:2] == [40, 48]
    assert not (tmp_path / ".book").exists()
    whole, book = (load_state(model, tmp_path / name) for name in ("whole", "book"))
    assert (book.tokens, book.num_computed) == (TOKENS, 96)
    assert torch.equal(_answers(model, book), _answers(model, whole))


def test_what_was_read_is_saved_now_and_then(
    model: AdaptedModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resumable_prefill, "SAVE_EVERY_S", -1.0)

    def dies(done: int, _: int) -> None:
        if done == 48:
            raise Killed

    with pytest.raises(Killed):
        _run(model, tmp_path / "book", TOKENS, dies)
    assert _read(model, tmp_path / "book")[0] == 40


def test_what_was_read_of_another_text_is_not_gone_on_with(
    model: AdaptedModel, tmp_path: Path
) -> None:
    _read(model, tmp_path / "book", stop_at=40)
    assert _read(model, tmp_path / "book", draw_tokens(100, seed=1))[0] == 0


def test_a_disk_that_is_full_leaves_the_old_memory(
    model: AdaptedModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _read(model, tmp_path / "book")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("lcagent.engine.memories.memory_files.save_layer", full)
    with pytest.raises(StorageError, match="No space left"):
        _read(model, tmp_path / "book", draw_tokens(100, seed=1))
    assert load_state(model, tmp_path / "book").tokens == TOKENS


def test_memory_that_runs_out_is_an_error_of_ours(
    model: AdaptedModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> bool:
        raise MemoryError

    monkeypatch.setattr("lcagent.engine.generation.scheduler.prefill_chunk", fails)
    with pytest.raises(ModelError, match="broke off after 0 tokens: out of memory: MemoryError"):
        _read(model, tmp_path / "book")


def _find(
    model: AdaptedModel, folder: Path, prompt: list[int], lookup: LookupName = "exact"
) -> SequenceState | None:
    return MemoryLibrary(model, folder).find(prompt, replace(SIZES, lookup=lookup))


def test_a_prompt_goes_on_from_what_has_read_most_of_it(
    model: AdaptedModel, tmp_path: Path
) -> None:
    _read(model, tmp_path / "short", TOKENS[:50])
    _read(model, tmp_path / "long")
    _read(model, tmp_path / "other", draw_tokens(200, seed=1))
    found = _find(model, tmp_path, [*TOKENS, 9, 9])
    assert found is not None
    assert found.num_computed == 96
    short = _find(model, tmp_path, TOKENS[:60])
    assert short is not None
    assert short.num_computed == 48
    assert _find(model, tmp_path, TOKENS[:40]) is None
    assert _find(model, tmp_path / "nowhere", TOKENS) is None


def test_a_memory_that_is_damaged_interrupted_or_of_another_kind_is_passed_over(
    model: AdaptedModel, tmp_path: Path
) -> None:
    _read(model, tmp_path / "book")
    prompt = [*TOKENS, 9]
    assert _find(AdaptedModel(tiny("llama", seed=1)), tmp_path, prompt) is None
    model.attach()
    assert _find(model, tmp_path, prompt, "bounds") is None
    _read(model, tmp_path / "interrupted", stop_at=40)
    manifest = json.loads((tmp_path / "book" / "memory.json").read_text(encoding="utf-8"))
    layer = tmp_path / "book" / manifest["part"] / "layer-0000.safetensors"
    layer.write_bytes(layer.read_bytes()[:-1])
    assert _find(model, tmp_path, prompt) is None
