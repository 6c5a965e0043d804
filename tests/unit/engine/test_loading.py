"""Models that cannot run are refused in words; adapters of weights and chat templates are used."""

import asyncio
import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch
from recalling import BOOK, MEMORY, save_recalling
from safetensors.torch import load_file, save_file

from lcagent.engine.config import KVCacheConfig, default_cache_config
from lcagent.engine.engine import (
    AsyncEngine,
    GenerationParams,
    SamplingParams,
    StreamChunk,
    find_files,
    load_engine,
    open_checkpoint,
)
from lcagent.engine.generation.sequences import Sequence
from lcagent.engine.loading import load_model
from lcagent.errors import MissingExtra, ModelNotUsable, UsageError

pytestmark = pytest.mark.filterwarnings("ignore")


@dataclass(frozen=True)
class Said:
    """A message."""

    text: str
    role: str = "user"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    save_recalling(tmp_path / "model")
    return tmp_path / "model"


def _change(path: Path, **changes: object) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


def _lose_a_shard(folder: Path) -> None:
    weights = {"a": "model-00001.safetensors", "b": "model-00002.safetensors"}
    (folder / "model.safetensors").rename(folder / "model-00001.safetensors")
    index = json.dumps({"weight_map": weights})
    (folder / "model.safetensors.index.json").write_text(index)


def _lose_a_tensor(folder: Path) -> None:
    tensors = load_file(folder / "model.safetensors")
    del tensors["model.layers.1.self_attn.q_proj.weight"]
    save_file(tensors, folder / "model.safetensors", {"format": "pt"})


DAMAGES: dict[str, tuple[Callable[[Path], object], str]] = {
    "no configuration": (lambda folder: (folder / "config.json").unlink(), "no config.json"),
    "broken configuration": (lambda folder: _cut(folder / "config.json"), "cannot be read"),
    "no model type": (lambda folder: (folder / "config.json").write_text("{}"), "no model_type"),
    "unknown family": (
        lambda folder: _change(folder / "config.json", model_type="brain"),
        "brain",
    ),
    "attention of another kind": (
        lambda folder: _change(folder / "config.json", kv_lora_rank=8),
        "MLA",
    ),
    "no rotary positions": (
        lambda folder: _change(folder / "config.json", model_type="gpt2", architectures=None),
        "gpt2",
    ),
    "no weights": (lambda folder: (folder / "model.safetensors").unlink(), "no weights"),
    "a pickle": (
        lambda folder: (folder / "model.safetensors").rename(folder / "pytorch_model.bin"),
        "pickle",
    ),
    "a shard is missing": (_lose_a_shard, "model-00002.safetensors missing of 2"),
    "weights cut short": (lambda folder: _cut(folder / "model.safetensors"), "cannot be loaded"),
    "a tensor is missing": (_lose_a_tensor, "q_proj"),
    "no tokenizer": (
        lambda folder: [path.unlink() for path in folder.glob("tokenizer*")],
        "no tokenizer",
    ),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_folder_that_is_no_model_is_refused(folder: Path, damage: str) -> None:
    make, reason = DAMAGES[damage]
    make(folder)
    with pytest.raises(ModelNotUsable, match=reason) as raised:
        load_model(str(folder))
    assert "\n" not in str(raised.value)


def test_a_tokenizer_of_another_model_is_refused(folder: Path) -> None:
    tokens = json.loads((folder / "tokenizer.json").read_text())
    more = {**tokens["added_tokens"][-1], "id": 512, "content": " more"}
    tokens["added_tokens"].append(more)
    (folder / "tokenizer.json").write_text(json.dumps(tokens))
    with pytest.raises(ModelNotUsable, match="does not fit: it has 513 tokens, the model 512"):
        load_model(str(folder))


@pytest.mark.parametrize("name", ["/nowhere", "./model", __file__])
def test_a_path_without_a_model_is_not_looked_for_elsewhere(name: str) -> None:
    with pytest.raises(ModelNotUsable, match="no folder"):
        load_model(name)


def test_a_lora_adapter_changes_the_model(folder: Path, tmp_path: Path) -> None:
    peft: Any = pytest.importorskip("peft")
    before = load_model(str(folder))
    config = peft.LoraConfig(target_modules=["v_proj"], r=2, init_lora_weights=False)
    adapted = peft.get_peft_model(load_model(str(folder)).model.model, config)
    adapted.save_pretrained(str(tmp_path / "adapter"))
    after = load_model(str(folder), lora=tmp_path / "adapter")
    name = "model.layers.1.self_attn.v_proj.weight"
    weights = [each.model.model.state_dict()[name] for each in (before, after)]
    assert weights[0].shape == weights[1].shape
    assert not torch.equal(*weights)
    assert set(after.model.model.state_dict()) == set(before.model.model.state_dict())
    with pytest.raises(ModelNotUsable, match="has no adapter_model"):
        load_model(str(folder), lora=folder)
    shutil.copy(folder / "model.safetensors", tmp_path / "adapter" / "adapter_model.safetensors")
    (tmp_path / "adapter" / "adapter_config.json").write_text("{}")
    with pytest.raises(ModelNotUsable, match="does not fit"):
        load_model(str(folder), lora=tmp_path / "adapter")


def test_a_missing_extra_is_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "peft", None)
    with pytest.raises(MissingExtra, match=r"lcagent\[lora\]"):
        load_model(str(folder), lora=folder)


def _engine(folder: Path, **options: Any) -> AsyncEngine:
    return load_engine(open_checkpoint(find_files(str(folder)), **options))


async def _reply(
    engine: AsyncEngine, text: str, params: GenerationParams, watch: Callable[[Any], None]
) -> tuple[Sequence, list[StreamChunk]]:
    prompt = engine.tokenizer.encode_chat([Said(text)])
    (sequence,) = await engine.create_sequences(prompt, params)
    sequence.on_prefilled = watch
    return sequence, [chunk async for chunk in engine.generate((sequence,))]


def test_an_engine_answers_and_tells_what_it_does(folder: Path) -> None:
    engine = _engine(folder, cache_config=MEMORY)
    told: list[tuple[int, int]] = []
    params = GenerationParams(9, SamplingParams(top_logprobs=1))
    reply, chunks = asyncio.run(
        _reply(
            engine,
            f"{BOOK} KEY baksha",
            params,
            lambda state: told.append((state.num_computed, len(state.tokens))),
        )
    )
    assert reply.text == "".join(chunk.text for chunk in chunks) == " bavsha bavthe"
    assert (reply.finish, len(reply.tokens)) == ("stop", 3)
    assert reply.prompt_tokens == len(engine.tokenizer.encode_chat([Said(f"{BOOK} KEY baksha")]))
    assert told[-1] == (reply.prompt_tokens // 64 * 64, reply.prompt_tokens)
    names = [engine.tokenizer.token_text(sampled.token) for sampled in reply.tokens]
    assert names == [" bavsha", " bavthe", "</s>"]
    assert all(sampled.logprob == sampled.top[0][1] for sampled in reply.tokens)
    assert engine.name == "model"


def test_a_reply_can_be_cancelled(folder: Path) -> None:
    engine = _engine(folder, cache_config=MEMORY)

    async def cancelled() -> Sequence:
        prompt = engine.tokenizer.encode_chat([Said(BOOK)])
        sequences = await engine.create_sequences(prompt, GenerationParams(9))
        chunks = engine.generate(sequences)
        engine.cancel(sequences)
        assert [chunk.finish async for chunk in chunks] == ["cancelled"]
        return sequences[0]

    reply = asyncio.run(cancelled())
    assert (reply.finish, reply.text) == ("cancelled", "")


def test_a_model_without_a_chat_template_says_so(folder: Path) -> None:
    (folder / "chat_template.jinja").unlink()
    tokenizer = open_checkpoint(find_files(str(folder))).tokenizer
    with pytest.raises(UsageError, match="no chat template"):
        tokenizer.encode_chat([Said("a")])


def test_a_template_that_refuses_messages_is_told(folder: Path) -> None:
    (folder / "chat_template.jinja").write_text("{{ raise_exception('roles must alternate') }}")
    tokenizer = open_checkpoint(find_files(str(folder))).tokenizer
    with pytest.raises(UsageError, match="roles must alternate"):
        tokenizer.encode_chat([Said("a")])


def test_the_trained_model_is_whole() -> None:
    loaded = load_model(str(Path(__file__).parents[3] / "examples" / "recall-model"))
    assert loaded.tokenizer.encode("a")[-1] == ord("a")


def test_default_sizes_suit_the_window_of_the_model(folder: Path) -> None:
    loaded = load_model(str(folder))
    sizes = KVCacheConfig(
        window_tokens=128, init_tokens=8, block_tokens=16, chunk_tokens=64, looked_up_blocks=8
    )
    assert default_cache_config(loaded.model.config) == sizes
