"""A GGUF file is a model like a folder is; one that cannot be used is refused in one line."""

import asyncio
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

pytest.importorskip("gguf")

from gguf import GGMLQuantizationType, dequantize, quantize
from tiny_gguf import VOCAB, save_tiny, tensors_of, tiny_of, values_of, write_gguf
from tiny_models import draw_tokens, eager_logits

from lcagent.engine.checkpoint.dims import count_parameters, read_dims
from lcagent.engine.checkpoint.files import find_files
from lcagent.engine.checkpoint.gguf_files import gguf_config, read_gguf
from lcagent.engine.engine import GenerationParams, load_engine, open_checkpoint
from lcagent.engine.loading import load_model
from lcagent.engine.memories.memory_files import model_fingerprint
from lcagent.engine.sizing import footprint
from lcagent.errors import ModelNotUsable
from lcagent.models.chat_model import Message
from lcagent.models.local import LocalModel

pytestmark = pytest.mark.filterwarnings("ignore")

TOKENS = draw_tokens(40)


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("models") / "tiny.gguf"
    save_tiny(path)
    return path


def _logits(path: Path) -> torch.Tensor:
    model = load_model(path).model
    model.detach()
    return eager_logits(model.model, TOKENS)


@pytest.mark.parametrize("architecture", ["llama", "qwen2", "qwen3"])
def test_a_file_has_the_logits_of_the_model_it_was_made_of(
    tmp_path: Path, architecture: str
) -> None:
    model = save_tiny(tmp_path / "model.gguf", architecture)
    torch.testing.assert_close(_logits(tmp_path / "model.gguf"), eager_logits(model, TOKENS))


@pytest.mark.parametrize("kind", ["F16", "BF16", "Q8_0", "Q4_0", "Q4_1", "Q5_0", "Q5_1"])
def test_quantised_weights_are_the_numbers_that_they_stand_for(tmp_path: Path, kind: str) -> None:
    stored = GGMLQuantizationType[kind]
    model = save_tiny(tmp_path / "model.gguf", kind=stored)
    with torch.no_grad():
        for weights in model.parameters():
            if weights.dim() > 1:
                packed = quantize(weights.numpy(), stored)
                weights.copy_(torch.from_numpy(dequantize(packed, stored).copy()))
    loaded = load_model(tmp_path / "model.gguf", dtype="float32").model
    loaded.detach()
    torch.testing.assert_close(eager_logits(loaded.model, TOKENS), eager_logits(model, TOKENS))
    wanted = {"F16": "float16", "BF16": "bfloat16"}.get(kind, "float32")
    assert read_dims(tmp_path / "model.gguf").dtype == wanted


def test_dimensions_are_read_without_weights(path: Path) -> None:
    dims = read_dims(path)
    assert (dims.family, dims.window_tokens, dims.vocab_size) == ("llama", 256, VOCAB)
    model = tiny_of("llama")
    assert count_parameters(dims) == sum(each.numel() for each in model.parameters())
    assert footprint(dims).token_bytes == 2 * 2 * 2 * 8 * 4


@pytest.mark.parametrize(
    "rope",
    [
        {"rope_type": "linear", "factor": 4.0},
        {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 64},
    ],
)
def test_a_stretched_window_is_stretched_alike(tmp_path: Path, rope: dict[str, Any]) -> None:
    model = tiny_of("llama", rope_parameters={"rope_theta": 5_000.0, **rope})
    values = values_of(model, "llama")
    values |= {"llama.rope.scaling.type": rope["rope_type"], "llama.rope.scaling.factor": 4.0}
    if rope["rope_type"] == "yarn":
        values["llama.rope.scaling.original_context_length"] = 64
    write_gguf(tmp_path / "m.gguf", "llama", values, tensors_of(model, "llama"))
    torch.testing.assert_close(_logits(tmp_path / "m.gguf"), eager_logits(model, TOKENS))


def _llama3_factors() -> Any:
    """Return what a converter writes for the settings of Llama 3.1."""
    from transformers import LlamaConfig  # noqa: PLC0415
    from transformers.modeling_rope_utils import ROPE_INIT_FUNCTIONS  # noqa: PLC0415

    stretched = {"low_freq_factor": 1.0, "high_freq_factor": 4.0}
    own = {"original_max_position_embeddings": 8192, "rope_theta": 500_000.0}
    config: Any = LlamaConfig(
        hidden_size=48,
        num_attention_heads=6,
        head_dim=8,
        rope_parameters={"rope_type": "llama3", "factor": 8.0, **stretched, **own},
    )
    slowed, _ = ROPE_INIT_FUNCTIONS["llama3"](config, "cpu")
    plain = 1.0 / 500_000.0 ** (torch.arange(0, 8, 2) / 8)
    return (plain / slowed).numpy().astype(np.float32)


def test_the_rotations_of_llama_3_are_understood(tmp_path: Path) -> None:
    model = tiny_of("llama")
    values = {**values_of(model, "llama"), "llama.rope.freq_base": 500_000.0}
    tensors = tensors_of(model, "llama")
    factors = _llama3_factors()
    write_gguf(tmp_path / "m.gguf", "llama", values, {**tensors, "rope_freqs.weight": factors})
    rope = gguf_config(read_gguf(tmp_path / "m.gguf"))["rope_parameters"]
    assert (rope["rope_type"], rope["factor"]) == ("llama3", 8.0)
    write_gguf(tmp_path / "n.gguf", "llama", values, {**tensors, "rope_freqs.weight": factors + 1})
    with pytest.raises(ModelNotUsable, match="in a way that is not known"):
        find_files(str(tmp_path / "n.gguf"))


def test_the_name_and_place_of_a_file_are_not_its_identity(path: Path, tmp_path: Path) -> None:
    other = Path(shutil.copy(path, tmp_path / "Other-Name.gguf"))
    assert find_files(str(other)).fingerprint == find_files(str(path)).fingerprint
    assert find_files(str(other)).name == "Other-Name"
    template: dict[str, Any] = {"tokenizer.chat_template": "{{ messages[0].content }}"}
    save_tiny(tmp_path / "said.gguf", **template)
    assert find_files(str(tmp_path / "said.gguf")).fingerprint != find_files(str(path)).fingerprint
    assert model_fingerprint(load_model(other).model) == model_fingerprint(load_model(path).model)


def test_a_chat_has_the_template_and_the_tokens_of_the_file(path: Path) -> None:
    model = LocalModel(open_checkpoint(find_files(str(path))))
    tokens = model.encode([Message("user", "ab</s>12<think>")])
    tokenizer = model.checkpoint.tokenizer
    text = tokenizer.tokenizer.decode(tokens)
    assert text == "<|im_start|>user\nab</s>12<think><|im_end|>\n<|im_start|>assistant\n"
    merged = [tokenizer.token_text(token) for token in tokens if token >= 256]
    assert merged == ["<|im_start|>", "ab", "<|im_end|>", "<|im_start|>"]  # digits stand alone
    assert model.load().eos_token_ids == {259}


def test_a_memory_of_a_file_is_used_by_another_process_on_it(path: Path, tmp_path: Path) -> None:
    async def run() -> None:
        first = load_engine(open_checkpoint(find_files(str(path))))
        await first.memorize(draw_tokens(1200), "book", tmp_path / "m" / "book", lambda *_: None)
        again = load_engine(open_checkpoint(find_files(str(path))))
        memory = again.open_memory(tmp_path / "m" / "book")
        prompt, few = [*draw_tokens(1200), 5, 6, 7], GenerationParams(3)
        (reply,) = await again.create_sequences(prompt, few, memory=memory)
        (alone,) = await first.create_sequences(prompt, few)
        for engine, each in ((again, reply), (first, alone)):
            async for _ in engine.generate((each,)):
                pass
        assert reply.cached_tokens > 1000
        assert reply.text == alone.text

    asyncio.run(run())


def _cut(count: int) -> Callable[[Path], object]:
    return lambda path: path.write_bytes(path.read_bytes()[:count])


def _with(**values: Any) -> Callable[[Path], object]:
    return lambda path: save_tiny(path, **{key.replace("__", "."): values[key] for key in values})


def _of_architecture(name: str) -> Callable[[Path], object]:
    return lambda path: write_gguf(path, name, {"general.type": "model"}, {})


def _without_tensor(name: str) -> Callable[[Path], object]:
    def write(path: Path) -> None:
        model = tiny_of("llama")
        tensors = tensors_of(model, "llama")
        del tensors[name]
        write_gguf(path, "llama", values_of(model, "llama"), tensors)

    return write


def _patched(place: int, content: bytes) -> Callable[[Path], object]:
    def patch(path: Path) -> None:
        data = path.read_bytes()
        path.write_bytes(data[:place] + content + data[place + len(content) :])

    return patch


VOCABULARY = "tokenizer.ggml.tokens"
SPOILED: dict[str, tuple[Callable[[Path], object], str]] = {
    "empty": (_cut(0), "no whole GGUF file"),
    "another kind of file": (lambda path: path.write_text("a model"), "no whole GGUF file"),
    "cut in its header": (_cut(3_000), "no whole GGUF file"),
    "cut at its beginning": (_cut(10), "no whole GGUF file"),
    "cut in its weights": (lambda path: _cut(path.stat().st_size - 500)(path), "is incomplete"),
    "a length beyond the file": (_patched(24, b"\xff" * 8), "no whole GGUF file"),
    "counts beyond the file": (_patched(8, b"\xff" * 16), "no whole GGUF file"),
    "a first version": (_patched(4, b"\1\0\0\0"), "version 1"),
    "numbers the other way round": (_patched(4, b"\0\0\0\3"), "version"),
    "an unknown architecture": (_of_architecture("mamba"), "'mamba'; known are llama"),
    "no architecture": (_of_architecture(""), "architecture"),
    "the part that sees": (_of_architecture("clip"), "mmproj"),
    "a part that sees, by its type": (_with(general__type="mmproj"), "mmproj"),
    "an adapter": (_with(general__type="adapter"), "holds no model"),
    "one of many parts": (_with(split__count=3), "one of 3 parts"),
    "no vocabulary": (_with(tokenizer__ggml__tokens=None), "no vocabulary"),
    "an unknown way to split": (_with(tokenizer__ggml__pre="nobody"), "'nobody'"),
    "no way to split": (_with(tokenizer__ggml__pre=None), "how it splits text is not known"),
    "an unknown tokenizer": (_with(tokenizer__ggml__model="rwkv"), "rwkv"),
    "no number of layers": (_with(llama__block_count=None), "number of its block_count"),
    "heads in a list": (_with(**{"llama.attention.head_count": [6, 6]}), "head_count"),
    "experts": (_with(llama__expert_count=8), "mixture of experts"),
    "a part of each head rotated": (_with(**{"llama.rope.dimension_count": 4}), "rotates a part"),
    "an unknown stretch": (_with(**{"llama.rope.scaling.type": "longrope"}), "longrope"),
    "no embeddings": (_without_tensor("token_embd.weight"), "no embeddings"),
    "a tensor missing": (_without_tensor("blk.1.ffn_up.weight"), "of .* parameters"),
}


@pytest.mark.parametrize("case", SPOILED)
def test_a_file_that_cannot_be_used_is_one_clear_line(
    path: Path, tmp_path: Path, case: str
) -> None:
    spoil, says = SPOILED[case]
    spoiled = Path(shutil.copy(path, tmp_path / "model.gguf"))
    spoil(spoiled)
    with pytest.raises(ModelNotUsable, match=says) as raised:
        open_checkpoint(find_files(str(spoiled)))
    assert "\n" not in str(raised.value)
    assert len(str(raised.value)) < 400


def test_weights_that_would_be_left_out_are_told(tmp_path: Path) -> None:
    model = tiny_of("llama")
    more = {**tensors_of(model, "llama"), "blk.0.ffn_up.bias": np.zeros(64, np.float32)}
    write_gguf(tmp_path / "m.gguf", "llama", values_of(model, "llama"), more)
    with pytest.raises(ModelNotUsable, match=r"has no blk\.0\.ffn_up\.bias"):
        load_model(tmp_path / "m.gguf")


def test_a_folder_of_files_asks_which(path: Path) -> None:
    with pytest.raises(ModelNotUsable, match=r"folder of GGUF files; name one: tiny\.gguf"):
        find_files(str(path.parent))
