"""One side of `engine.py` at one length, alone in its process, so that its peak memory is its own.

    python benchmarks/engine_side.py infllm --tokens 32768

Prints one line of JSON. Time is this process's CPU time: user and system, all threads.
"""

import argparse
import json
import resource
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from engine_models import draw_tokens, make_model, weight_bytes
from engine_sizes import SIZES, Size
from peer_infllm import ReleasedInfLLM
from transformers import DynamicCache, LlamaForCausalLM

from lcagent.engine.adapters import AdaptedModel
from lcagent.engine.config import KVCacheConfig
from lcagent.engine.model_runner import SequenceState, decode, new_sequence_state, prefill_all

QUESTION_TOKENS = 32
MB = 1_000_000


@dataclass(frozen=True, slots=True)
class Cost:
    """What one side took.

    Attributes:
        prefill_s: CPU seconds for the whole text, up to the first token of an answer.
        decode_s: CPU seconds for each further token.
        imports_mb: The process before there was a model: Python, torch and transformers.
        again_s: The same as `prefill_s` for a second question on the same text; None where a
            side cannot ask again.
    """

    tokens: int
    prefill_s: float
    decode_s: float
    kv_mb: float
    weights_mb: float
    imports_mb: float
    again_s: float | None = None


def main() -> None:
    """Measure one side."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("side", choices=("infllm", "full", "released"))
    parser.add_argument("--tokens", type=int, required=True)
    parser.add_argument("--decoded", type=int, default=32)
    parser.add_argument("--size", choices=SIZES, default="small")
    parser.add_argument("--memory", type=json.loads, default={}, help="fields of KVCacheConfig")
    parser.add_argument("--infllm-code", type=Path)
    options = parser.parse_args()
    torch.set_num_threads(1)
    size: Size = SIZES[options.size]
    config = KVCacheConfig(**options.memory)
    cost = measure(options.side, size, options.tokens, options.decoded, config, options.infllm_code)
    print(json.dumps(asdict(cost)))


@torch.inference_mode()
def measure(
    side: str,
    size: Size,
    tokens: int,
    decoded: int,
    config: KVCacheConfig,
    code: Path | None = None,
) -> Cost:
    """Let one side read random tokens and decode."""
    imports_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / MB
    model = make_model(size, "cpu", torch.float32)
    text = draw_tokens(tokens, size.vocabulary)
    again_s = None
    if side == "infllm":
        prefill_s, decode_s, again_s = _ours(AdaptedModel(model), config, text, decoded)
    elif side == "full":
        prefill_s, decode_s = _full(model, text, decoded)
    else:
        assert code is not None
        peer = ReleasedInfLLM(model, config, code)
        prefill_s, decode_s = _timed_steps(
            lambda: peer.read(text), lambda token: peer.read([token]), decoded
        )
    kv_mb = tokens * size.kv_bytes(4) / MB
    weights_mb = weight_bytes(model) / MB
    return Cost(tokens, prefill_s, decode_s, kv_mb, weights_mb, imports_mb, again_s)


def _ours(
    model: AdaptedModel, config: KVCacheConfig, text: list[int], decoded: int
) -> tuple[float, float, float]:
    """Read a text as a memory; ask on one fork, decode there, and ask on another."""
    vocabulary = int(model.config.vocab_size)
    memory = new_sequence_state(model, config)
    body, question = text[:-QUESTION_TOKENS], text[-QUESTION_TOKENS:]
    asked: list[SequenceState] = []

    def first() -> None:
        memory.tokens = body
        prefill_all(model, memory)
        ask(question)

    def ask(tokens: list[int]) -> None:
        asked.append(memory.fork())
        asked[-1].tokens += tokens
        prefill_all(model, asked[-1])

    prefill_s = _cpu_s(first)
    step = _cpu_s(lambda: [decode(model, asked[:1], [7], 1) for _ in range(decoded)])
    again_s = _cpu_s(lambda: ask(draw_tokens(QUESTION_TOKENS, vocabulary, seed=1)))
    return prefill_s, step / decoded, again_s


def _full(model: LlamaForCausalLM, text: list[int], decoded: int) -> tuple[float, float]:
    """Let transformers read all at once, which is its fastest way: causal, and no mask is built."""
    cache = DynamicCache(config=model.config)

    def read(tokens: list[int]) -> None:
        given = torch.tensor([tokens])
        model(input_ids=given, past_key_values=cache, use_cache=True, logits_to_keep=1)

    return _timed_steps(lambda: read(text), lambda token: read([token]), decoded)


def _timed_steps(
    prefill: Callable[[], object], step: Callable[[int], object], decoded: int
) -> tuple[float, float]:
    prefill_s = _cpu_s(prefill)
    return prefill_s, _cpu_s(lambda: [step(7) for _ in range(decoded)]) / decoded


def _cpu_s(work: Callable[[], object]) -> float:
    started = time.process_time()
    work()
    return time.process_time() - started


if __name__ == "__main__":
    main()
