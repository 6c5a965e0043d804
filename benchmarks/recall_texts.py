"""The language of the recall model: key-value pairs in noise, and questions about them.

A text is noise in which pairs `KEY k v1 v2` stand; a question is `KEY k`, its answer `v1 v2` and
the end of the text. The vocabulary has 512 entries: the 256 bytes, so that any prose can be read,
8 marks and 248 words. `recall_tokenizer.py` makes the tokenizer of it.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

VOCAB = 512
BEGIN, END, PADDING, KEY = 256, 257, 258, 259
KEYS = range(264, 344)
VALUES = range(344, 424)
NOISE_WORDS = range(424, VOCAB)
PAIR_TOKENS = 4
QUESTION_TOKENS = 5
MOST_PAIRS = 32


@dataclass(frozen=True, slots=True)
class Quiz:
    """A text to be read, and what can be asked about it.

    Attributes:
        text: Token ids, shape (length,), without any question.
        questions: Shape (pairs, 2): `KEY k`.
        answers: Shape (pairs, 2): the two values of each key.
    """

    text: Tensor
    questions: Tensor
    answers: Tensor


def make_quiz(length: int, pairs: int, generator: torch.Generator) -> Quiz:
    """Return noise of `length` tokens, its first one <s>, with pairs at random places in it."""
    text = _noise(length, generator)
    text[0] = BEGIN
    keys = _draw(KEYS, pairs, generator)
    values = _choose(VALUES, (pairs, 2), generator)
    slots = torch.randperm((length - 1) // PAIR_TOKENS, generator=generator)[:pairs]
    for slot, key, value in zip(slots.tolist(), keys, values, strict=True):
        start = 1 + slot * PAIR_TOKENS
        text[start : start + PAIR_TOKENS] = torch.cat([torch.tensor([KEY]), key[None], value])
    questions = torch.stack([torch.full_like(keys, KEY), keys], dim=1)
    return Quiz(text, questions, values)


def make_lesson(length: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Return a text with its questions answered at the end, and which tokens are to be learnt.

    Shapes: both (length,); the second is true at the answers and the ends after them.
    """
    most = min(MOST_PAIRS, length // 8)
    pairs = int(torch.randint(1, most + 1, (), generator=generator))
    asked = min(pairs, length // 2 // QUESTION_TOKENS)
    quiz = make_quiz(length - asked * QUESTION_TOKENS, pairs, generator)
    order = torch.randperm(pairs, generator=generator)[:asked]
    ends = torch.full((asked, 1), END)
    answered = torch.cat([quiz.questions[order], quiz.answers[order], ends], dim=1)
    is_answer = torch.zeros_like(answered, dtype=torch.bool)
    is_answer[:, 2:] = True
    is_learnt = torch.cat([torch.zeros_like(quiz.text, dtype=torch.bool), is_answer.flatten()])
    return torch.cat([quiz.text, answered.flatten()]), is_learnt


def _noise(length: int, generator: torch.Generator) -> Tensor:
    """Return as many bytes as words, in random order."""
    drawn = torch.randint(0, 2 * len(NOISE_WORDS), (length,), generator=generator)
    letters = torch.randint(32, 127, (length,), generator=generator)
    return torch.where(drawn < len(NOISE_WORDS), drawn + NOISE_WORDS.start, letters)


def _draw(words: range, count: int, generator: torch.Generator) -> Tensor:
    return torch.randperm(len(words), generator=generator)[:count] + words.start


def _choose(words: range, shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
    return torch.randint(words.start, words.stop, shape, generator=generator)
