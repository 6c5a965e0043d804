"""Train the recall model: a small Llama that answers for the key-value pairs in its window.

    python benchmarks/train_recall.py examples/recall-model

Three layers of width 128 learn texts of 32, then 64, 128 and 256 tokens; the next length begins
when the last is known. From 128 tokens on a gap of random size stands in the positions before the
questions, so that distance does not tell what is asked. No position is ever past the window.
"""

import argparse
import json
import time
from pathlib import Path

import torch
from recall_texts import BEGIN, END, PADDING, VOCAB, make_lesson
from recall_tokenizer import save_tokenizer
from torch import Tensor
from torch.nn.functional import cross_entropy
from transformers import LlamaConfig, LlamaForCausalLM

WINDOW = 256
LENGTHS = (32, 64, 128, 256)
KNOWN = 0.995
TOKENS_PER_STEP = 4096


def main() -> None:
    """Train, and save the model and what was learnt."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=40.0, help="train no longer than this")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)
    model = LlamaForCausalLM(configuration())
    started = time.monotonic()
    train(model, torch.Generator().manual_seed(options.seed), started + options.minutes * 60)
    options.folder.mkdir(parents=True, exist_ok=True)
    model.save_pretrained(options.folder)
    save_tokenizer(options.folder, WINDOW)
    print(json.dumps({"seconds": round(time.monotonic() - started)}))


def configuration() -> LlamaConfig:
    """Return the shape of the model: 0.7 million parameters."""
    return LlamaConfig(
        vocab_size=VOCAB,
        hidden_size=128,
        intermediate_size=384,
        num_hidden_layers=3,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=WINDOW,
        tie_word_embeddings=True,
        bos_token_id=BEGIN,
        eos_token_id=END,
        pad_token_id=PADDING,
    )


def train(model: LlamaForCausalLM, generator: torch.Generator, deadline: float) -> None:
    """Teach each length until it is known, the last one longer, or until time is up."""
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3, betas=(0.9, 0.98), weight_decay=0.01)
    step = 0
    for length in LENGTHS:
        known = 0.0
        while known < KNOWN and time.monotonic() < deadline:
            step += 1
            optimizer.param_groups[0]["lr"] = 2e-3 * min(1.0, step / 100)
            right = learn(model, optimizer, length, generator)
            known = 0.97 * known + 0.03 * right
            if step % 25 == 0:
                print(f"step {step}, length {length}: {known:.3f}", flush=True)
    polish(model, optimizer, generator, deadline)


def polish(
    model: LlamaForCausalLM,
    optimizer: torch.optim.Optimizer,
    generator: torch.Generator,
    deadline: float,
) -> None:
    """Learn all lengths mixed at a falling rate, so that short texts are not forgotten."""
    steps = 400
    known = 0.0
    for step in range(steps):
        if time.monotonic() > deadline:
            break
        optimizer.param_groups[0]["lr"] = 2e-3 * (1 - step / steps)
        right = learn(model, optimizer, LENGTHS[-1 - step % 3], generator)
        known = 0.97 * known + 0.03 * right
        if step % 25 == 0:
            print(f"polish {step}: {known:.3f}", flush=True)


def learn(
    model: LlamaForCausalLM,
    optimizer: torch.optim.Optimizer,
    length: int,
    generator: torch.Generator,
) -> float:
    """Make one step on texts of one length; return the share of answers that were right before."""
    tokens, is_learnt, positions = make_batch(length, generator)
    logits = model(input_ids=tokens, position_ids=positions, use_cache=False).logits
    guesses, wanted = logits[:, :-1][is_learnt[:, 1:]], tokens[:, 1:][is_learnt[:, 1:]]
    loss = cross_entropy(guesses, wanted)
    optimizer.zero_grad()
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    return float((guesses.argmax(-1) == wanted).float().mean())


def make_batch(length: int, generator: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
    """Return tokens, which of them are learnt, and positions, each (texts, length)."""
    lessons = [make_lesson(length, generator) for _ in range(TOKENS_PER_STEP // length)]
    tokens = torch.stack([text for text, _ in lessons])
    is_learnt = torch.stack([learnt for _, learnt in lessons])
    positions = torch.arange(length).repeat(len(lessons), 1)
    if length >= 128:
        gaps = torch.randint(0, WINDOW - length + 1, (len(lessons), 1), generator=generator)
        is_asked = is_learnt.float().cumsum(1) > 0
        is_asked[:, :-2] |= is_asked[:, 2:].clone()  # `KEY k` before the first answer
        positions = positions + gaps * is_asked
    return tokens, is_learnt, positions


if __name__ == "__main__":
    main()
