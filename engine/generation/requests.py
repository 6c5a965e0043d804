"""From a prompt and an order to replies that a scheduler can run."""

from dataclasses import dataclass, replace

from lcagent.engine.config import MemoryConfig
from lcagent.engine.generation.sampling import Sampler
from lcagent.engine.generation.sequences import Order, Sequence
from lcagent.engine.generation.writing import Writer
from lcagent.engine.loading.opening import Opened
from lcagent.engine.reading import Reading, new_reading
from lcagent.errors import ContextTooLong, UsageError


@dataclass(frozen=True, slots=True)
class Prompt:
    """Tokens to be read, and a reading that may have read their beginning."""

    tokens: list[int]
    start_from: Reading | None = None


def start(
    opened: Opened,
    memory: MemoryConfig,
    prompt: Prompt,
    order: Order,
    context_tokens: int,
    count: int = 1,
) -> tuple[Sequence, ...]:
    """Return `count` replies to a prompt; the first reads it and takes the others along.

    Raises:
        UsageError: The prompt has no tokens, or a limit has no meaning.
        ContextTooLong: Prompt and reply do not fit into `context_tokens`.
    """
    _check(prompt.tokens, order, context_tokens, int(opened.model.config.vocab_size))
    reading, reused = _reading(opened, memory, prompt)
    replies = [_reply(opened, prompt, order, number) for number in range(count)]
    first = replies[0]
    first.reading, first.reused_tokens = reading, reused
    first.siblings = tuple(replies[1:])
    return tuple(replies)


def continues(tokens: list[int], reading: Reading) -> bool:
    """Return whether a prompt begins with what a reading has read, and goes on after it."""
    return reading.read < len(tokens) and tokens[: reading.read] == reading.tokens[: reading.read]


def _reading(opened: Opened, memory: MemoryConfig, prompt: Prompt) -> tuple[Reading, int]:
    old = prompt.start_from
    if old is not None and continues(prompt.tokens, old):
        reading = old.fork()
        # What waited in the reading for a full chunk is part of the prompt, or is not wanted.
        reading.tokens = list(prompt.tokens)
        return reading, old.read
    reading = new_reading(opened.model, memory)
    reading.tokens = list(prompt.tokens)
    return reading, 0


def _reply(opened: Opened, prompt: Prompt, order: Order, number: int) -> Sequence:
    seed = order.sampling.seed
    sampling = order.sampling if seed is None else replace(order.sampling, seed=seed + number)
    return Sequence(
        order=order,
        reading=None,
        writer=Writer(opened.text.decode, order.stop),
        sampler=Sampler(sampling, frozenset(prompt.tokens)),
        prompt_tokens=len(prompt.tokens),
    )


def _check(tokens: list[int], order: Order, context_tokens: int, vocabulary: int) -> None:
    if not tokens:
        raise UsageError("the prompt has no tokens; at least one is needed")
    if not 0 <= min(tokens) <= max(tokens) < vocabulary:
        raise UsageError(f"the prompt has tokens that the model's {vocabulary} do not include")
    if order.max_tokens < 1:
        raise UsageError(f"max_tokens is {order.max_tokens}, but at least 1 is needed")
    if any(not stop for stop in order.stop):
        raise UsageError("a stop string is empty")
    wanted = len(tokens) + order.max_tokens
    if wanted > context_tokens:
        raise ContextTooLong(
            f"a prompt of {len(tokens)} tokens and a reply of {order.max_tokens} make {wanted}; "
            f"the limit is {context_tokens}"
        )
