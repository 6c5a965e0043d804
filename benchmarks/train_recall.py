"""Train the recall model: a small Llama that answers for the key-value pairs in its window.

    python benchmarks/train_recall.py examples/recall-model

Three layers of width 128 learn texts of 32, then 64, 128 and 256 tokens; the next length begins
when the last is known, and at the end all are mixed while the rate falls. A gap of random size
stands in the positions before the questions, so that distance does not tell what is asked. No
position is ever past the window.

Two heads of the first layer begin as heads that look one and two tokens back, by their biases.
Training finds such heads by itself, and what finds a key is made of them (Olsson et al.,
https://arxiv.org/abs/2209.11895), but only after a plateau of unforeseeable length.
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
KNOWN = 0.97
TOKENS_PER_STEP = 2048
RATE = 1e-3
FOCUS = 6.0
"""Size of the first biases: large enough that the token meant gets nearly all weight."""


def main() -> None:
    """Train, and save the model and what was learnt."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--cpu-minutes", type=float, default=40.0, help="train no longer than this")
    parser.add_argument("--polish", type=int, default=2500, help="steps at the falling rate")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)
    model = LlamaForCausalLM(configuration())
    torch.nn.init.normal_(model.model.embed_tokens.weight)
    let_heads_look_back(model)
    deadline = time.process_time() + options.cpu_minutes * 60
    train(model, torch.Generator().manual_seed(options.seed), deadline, options.polish)
    model.save_pretrained(options.folder)
    save_tokenizer(options.folder, WINDOW)
    print(json.dumps({"cpu_minutes": round(time.process_time() / 60, 1)}))


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
        rope_parameters={"rope_type": "default", "rope_theta": 100_000.0},
        attention_bias=True,
        initializer_range=0.08,
        tie_word_embeddings=False,
        bos_token_id=BEGIN,
        eos_token_id=END,
        pad_token_id=PADDING,
    )


@torch.no_grad()
def let_heads_look_back(model: LlamaForCausalLM) -> None:
    """Turn the biases of the first two heads to the keys one and two tokens before."""
    attention = model.model.layers[0].self_attn
    half = attention.head_dim // 2
    speeds = model.model.rotary_emb.inv_freq
    attention.k_proj.bias[:half] = FOCUS
    for head in range(2):
        angles = (head + 1) * speeds
        turned = FOCUS * torch.cat([angles.cos(), -angles.sin()])
        attention.q_proj.bias[2 * head * half : 2 * (head + 1) * half] = turned


def train(
    model: LlamaForCausalLM, generator: torch.Generator, deadline: float, polish_steps: int
) -> None:
    """Teach each length until it is known, then all at a falling rate, or until time is up."""
    optimizer = torch.optim.AdamW(model.parameters(), lr=RATE, betas=(0.9, 0.98), weight_decay=0.0)
    step = 0
    for length in LENGTHS:
        known = 0.0
        while known < KNOWN and time.process_time() < deadline:
            step += 1
            optimizer.param_groups[0]["lr"] = RATE * min(1.0, step / 100)
            known = 0.97 * known + 0.03 * learn(model, optimizer, length, generator)
            if step % 50 == 0:
                print(f"step {step}, length {length}: {known:.3f}", flush=True)
    polish(model, optimizer, generator, deadline, polish_steps)


def polish(
    model: LlamaForCausalLM,
    optimizer: torch.optim.Optimizer,
    generator: torch.Generator,
    deadline: float,
    steps: int,
) -> None:
    """Learn all lengths mixed at a falling rate, so that short texts are not forgotten."""
    known = 0.0
    for step in range(steps):
        if time.process_time() > deadline:
            break
        optimizer.param_groups[0]["lr"] = RATE * (1 - step / steps)
        right = learn(model, optimizer, LENGTHS[-1 - step % 3], generator)
        known = 0.97 * known + 0.03 * right
        if step % 50 == 0:
            print(f"polish {step}: {known:.4f}", flush=True)


def learn(
    model: LlamaForCausalLM,
    optimizer: torch.optim.Optimizer,
    length: int,
    generator: torch.Generator,
) -> float:
    """Make one step on texts of one length; return the share of answers that were right before."""
    tokens, is_learnt, positions = make_batch(length, generator)
    # Without a mask, transformers takes a gap in the positions for the start of another text.
    mask = torch.ones_like(tokens)
    given = {"input_ids": tokens, "attention_mask": mask, "position_ids": positions}
    logits = model(**given, use_cache=False).logits
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
    gaps = torch.randint(0, WINDOW - length + 1, (len(lessons), 1), generator=generator)
    is_asked = is_learnt.cumsum(1) > 0
    is_asked[:, :-2] |= is_asked[:, 2:].clone()  # `KEY k` before the first answer
    return tokens, is_learnt, torch.arange(length) + gaps * is_asked


if __name__ == "__main__":
    main()
