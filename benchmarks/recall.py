"""How often the recall model finds what it read, by length, policy and lookup.

    python benchmarks/recall.py examples/recall-model --plot docs/recall.png

Each text is noise with key-value pairs at random places; all its keys are asked for, one by one,
each on a fork of the same reading. An answer is right if both its values are.
"""

import argparse
import json
import resource
import time
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from recall_plot import plot
from recall_texts import MOST_PAIRS, Quiz, make_quiz

from lcagent.engine.adapters import AdaptedModel, load_pretrained
from lcagent.engine.config import MemoryConfig
from lcagent.engine.loading.defaults import default_memory
from lcagent.engine.reading import decode, new_reading, read_ahead, read_to_end

TIMES = (1, 8, 64, 512, 4096)
FEW = 4


@dataclass(frozen=True, slots=True)
class Way:
    """One row of the table: a name, what is changed, and how far it is worth following."""

    name: str
    changes: dict[str, object]
    most_times: int = 4096
    pairs: int = FEW


WAYS = (
    Way("infllm, bounds (default)", {}),
    Way("infllm, bounds, 32 keys", {}, pairs=MOST_PAIRS),
    Way("infllm, exact", {"lookup": "exact"}, 512),
    Way("infllm, exact-int8", {"lookup": "exact-int8"}, 512),
    Way("infllm, bounds per head", {"is_per_head": True}, 512),
    Way("infllm, bounds, int8 store", {"store_dtype": "int8"}, 512),
    Way("infllm, bounds, K = 2", {"looked_up_blocks": 2}, 512),
    Way("infllm, bounds, K = 256", {"looked_up_blocks": 256}, 64),
    Way("infllm, vote", {"lookup": "vote"}, 64),
    Way("infllm, sum (the paper's)", {"lookup": "sum"}, 64),
    Way("infllm, sum, 32 keys", {"lookup": "sum"}, 64, MOST_PAIRS),
    Way("longheads, bounds", {"policy": "longheads"}, 64),
    Way("window", {"policy": "window"}, 512),
    Way("streaming", {"policy": "streaming"}, 512),
    Way("full", {"policy": "full"}, 64),
    Way("full, 32 keys", {"policy": "full"}, 64, MOST_PAIRS),
)


def main() -> None:
    """Print the table; draw it if asked to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--most-times", type=int, default=4096)
    parser.add_argument("--texts", type=int, default=16, help="texts per cell, fewer when long")
    parser.add_argument("--plot", type=Path)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    model = load_pretrained(options.folder, "float32", options.device)
    found: dict[str, dict[int, float]] = {}
    for way in WAYS:
        for times in (t for t in TIMES if t <= min(way.most_times, options.most_times)):
            found.setdefault(way.name, {})[times] = measure(model, way, times, options.texts)
    if options.plot:
        plot(found, options.plot)
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1000
    print(json.dumps({"peak_mb": peak_mb, "recall": found}))


def measure(model: AdaptedModel, way: Way, times: int, texts: int) -> float:
    """Return the share of right answers, and print it."""
    config = replace(default_memory(model.config), **way.changes)  # type: ignore[arg-type]
    length = times * int(model.config.max_position_embeddings)
    count = max(1, min(texts, texts * 64 // times) if times > 64 else texts)
    started = time.process_time()
    right = asked = 0
    for seed in range(count):
        quiz = make_quiz(length - 4, way.pairs, torch.Generator().manual_seed(1000 + seed))
        right += recall(model, config, quiz)
        asked += way.pairs
    cpu_s = time.process_time() - started
    share = right / asked
    print(
        f"{way.name:28} {times:5} x window: {share:.3f} of {asked:4}, {cpu_s:7.1f} CPU s",
        flush=True,
    )
    return share


def recall(model: AdaptedModel, config: MemoryConfig, quiz: Quiz) -> int:
    """Return how many questions about a text are answered right."""
    reading = new_reading(model, config)
    reading.tokens = quiz.text.tolist()
    read_ahead(model, reading)
    right = 0
    for question, answer in zip(quiz.questions.tolist(), quiz.answers.tolist(), strict=True):
        asked = reading.fork()
        asked.tokens += question
        first = int(read_to_end(model, asked).argmax())
        second = int(decode(model, [asked], [first], 1)[0].argmax())
        right += [first, second] == answer
    return right


if __name__ == "__main__":
    main()
