"""How often the recall model finds what it read, by length, policy and lookup.

    python benchmarks/recall.py examples/recall-model --save benchmarks/recall_results.json
    python benchmarks/recall_plot.py benchmarks/recall_results.json docs/recall.png

Each text is noise with key-value pairs at random places; all its keys are asked for, one by one,
each on a fork of the same state. An answer is right if both its values are. With `--save`, what
was measured before stays in the file, so that ways can be run one after the other (`--ways`).
"""

import argparse
import json
import time
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from recall_table import table
from recall_texts import MOST_PAIRS, Quiz, make_quiz

from lcagent.engine.adapters import AdaptedModel, load_pretrained
from lcagent.engine.config import KVCacheConfig, default_cache_config
from lcagent.engine.model_runner import decode, new_sequence_state, prefill, prefill_all

TEXTS = {1: 16, 8: 16, 64: 6, 512: 4, 4096: 1}
"""Texts by length, in windows of the model."""
FEW = 4


@dataclass(frozen=True, slots=True)
class Way:
    """One row of the table: a name, what is changed, and how far it is worth following."""

    name: str
    changes: dict[str, object]
    most_times: int
    pairs: int = FEW


WAYS = (
    Way("infllm, bounds", {"lookup": "bounds"}, 512),
    Way("infllm, bounds, 32 keys", {"lookup": "bounds"}, 4096, MOST_PAIRS),
    Way("infllm, exact", {"lookup": "exact"}, 512),
    Way("infllm, exact, 32 keys", {"lookup": "exact"}, 4096, MOST_PAIRS),
    Way("infllm, signs", {"lookup": "signs"}, 512),
    Way("infllm, signs, 32 keys", {"lookup": "signs"}, 4096, MOST_PAIRS),
    Way("infllm, exact on int8 keys", {"lookup": "exact-int8"}, 64),
    Way("infllm, exact on int8 keys, 32 keys", {"lookup": "exact-int8"}, 64, MOST_PAIRS),
    Way("infllm, vote of representatives", {"lookup": "vote"}, 64),
    Way("infllm, sum of representatives", {"lookup": "sum"}, 64),
    Way("infllm, sum of representatives, 32 keys", {"lookup": "sum"}, 64, MOST_PAIRS),
    Way("infllm, bounds per head", {"lookup": "bounds", "is_per_head": True}, 64),
    Way("infllm, bounds, int8 store", {"lookup": "bounds", "store_dtype": "int8"}, 64),
    Way("infllm, bounds, K = 2", {"lookup": "bounds", "looked_up_blocks": 2}, 64),
    Way("infllm, bounds, K = 256", {"lookup": "bounds", "looked_up_blocks": 256}, 64),
    Way("infllm, exact, K = 2", {"lookup": "exact", "looked_up_blocks": 2}, 64),
    Way("infllm, exact, K = 256", {"lookup": "exact", "looked_up_blocks": 256}, 64),
    Way("longheads, bounds", {"policy": "longheads", "lookup": "bounds"}, 64),
    Way("window", {"policy": "window"}, 512),
    Way("streaming", {"policy": "streaming"}, 64),
    Way("full attention", {"policy": "full"}, 64),
    Way("full attention, 32 keys", {"policy": "full"}, 64, MOST_PAIRS),
)


def main() -> None:
    """Measure, save and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--times", type=int, nargs="+", default=list(TEXTS), choices=TEXTS)
    parser.add_argument("--ways", nargs="+", default=[way.name for way in WAYS])
    parser.add_argument("--save", type=Path)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    model = load_pretrained(options.folder, "float32", options.device)
    found = _saved(options.save)
    for way in (way for way in WAYS if way.name in options.ways):
        for times in (times for times in options.times if times <= way.most_times):
            found.setdefault(way.name, {})[str(times)] = measure(model, way, times)
            if options.save:
                options.save.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    print(table(found))


def measure(model: AdaptedModel, way: Way, times: int) -> list[int]:
    """Return how many answers are right and how many were asked for, and print it."""
    config = replace(default_cache_config(model.config), **way.changes)  # type: ignore[arg-type]
    if times == max(TEXTS):
        config = replace(config, chunk_tokens=config.window_tokens)  # half as many lookups
    length = times * int(model.config.max_position_embeddings)
    started = time.process_time()
    right = asked = 0
    for seed in range(TEXTS[times]):
        quiz = make_quiz(length - 4, way.pairs, torch.Generator().manual_seed(1000 + seed))
        right += recall(model, config, quiz)
        asked += way.pairs
    cpu_s = time.process_time() - started
    print(
        f"{way.name:40} {times:5} x window: {right:4} of {asked:4}, {cpu_s:7.1f} CPU s", flush=True
    )
    return [right, asked]


def recall(model: AdaptedModel, config: KVCacheConfig, quiz: Quiz) -> int:
    """Return how many questions about a text are answered right."""
    state = new_sequence_state(model, config)
    state.tokens = quiz.text.tolist()
    prefill(model, state)
    right = 0
    for question, answer in zip(quiz.questions.tolist(), quiz.answers.tolist(), strict=True):
        asked = state.fork()
        asked.tokens += question
        first = int(prefill_all(model, asked).argmax())
        second = int(decode(model, [asked], [first], 1)[0].argmax())
        right += [first, second] == answer
    return right


def _saved(path: Path | None) -> dict[str, dict[str, list[int]]]:
    if path is None or not path.exists():
        return {}
    found: dict[str, dict[str, list[int]]] = json.loads(path.read_text(encoding="utf-8"))
    return found


if __name__ == "__main__":
    main()
