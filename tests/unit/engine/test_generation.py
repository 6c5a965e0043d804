"""Sampling, stop strings, and replies that run beside each other."""

from collections import Counter
from dataclasses import replace
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from tiny_models import draw_tokens, tiny

from lcagent.engine.adapters import AdaptedModel
from lcagent.engine.config import MemoryConfig
from lcagent.engine.generation.requests import Prompt, start
from lcagent.engine.generation.sampling import Sampler, Sampling
from lcagent.engine.generation.scheduling import Scheduler
from lcagent.engine.generation.sequences import Order, Piece, Sequence
from lcagent.engine.generation.writing import Writer
from lcagent.engine.loading.opening import Opened
from lcagent.engine.reading import new_reading, read_ahead
from lcagent.errors import ContextTooLong, LcagentError, ModelUnavailable, UsageError

SIZES = MemoryConfig(
    init_tokens=4, window_tokens=16, block_tokens=4, chunk_tokens=8, looked_up_blocks=3
)
LOGITS = torch.tensor([0.0, 3.0, 2.0, 1.0, -9.0])


class Letters:
    """A text of one letter per token, as a tokenizer would give it."""

    def decode(self, tokens: list[int]) -> str:
        return "".join(chr(ord("a") + token % 26) for token in tokens)


@pytest.fixture(scope="module")
def opened() -> Opened:
    text: Any = Letters()
    return Opened("tiny", AdaptedModel(tiny()), text, frozenset())


def _start(opened: Opened, tokens: list[int], order: Order, count: int = 1) -> tuple[Sequence, ...]:
    return start(opened, SIZES, Prompt(tokens), order, 500, count)


def _drawn(sampling: Sampling, times: int = 300) -> Counter[int]:
    return Counter(
        Sampler(replace(sampling, seed=seed), frozenset()).choose(LOGITS).token
        for seed in range(times)
    )


@pytest.mark.parametrize(
    ("sampling", "possible"),
    [
        (Sampling(temperature=0), {1}),
        (Sampling(temperature=2, top_k=2), {1, 2}),
        (Sampling(temperature=1, top_p=0.7), {1, 2}),
        (Sampling(temperature=1, min_p=0.3), {1, 2}),
        (Sampling(temperature=2), {0, 1, 2, 3}),
        (Sampling(temperature=1e-300), {1}),
        (Sampling(temperature=1, top_p=1e-300), {1}),
        (Sampling(temperature=1e-300, repetition_penalty=0.01, frequency_penalty=100), {1}),
    ],
)
def test_only_possible_tokens_are_drawn(sampling: Sampling, possible: set[int]) -> None:
    assert set(_drawn(sampling)) == possible


def test_tokens_are_drawn_as_often_as_they_are_likely() -> None:
    drawn = _drawn(Sampling(temperature=1), times=2000)
    for token, likely in enumerate(LOGITS.softmax(-1).tolist()):
        assert drawn[token] / 2000 == pytest.approx(likely, abs=0.035)


@pytest.mark.parametrize(
    "penalty", [{"presence_penalty": 1.5}, {"frequency_penalty": 1.5}, {"repetition_penalty": 2.0}]
)
def test_penalties_make_a_reply_turn_to_other_tokens(penalty: dict[str, float]) -> None:
    sampler = Sampler(Sampling(**penalty), frozenset())  # type: ignore[arg-type]
    assert [sampler.choose(LOGITS).token for _ in range(2)] == [1, 2]


def test_a_repetition_penalty_counts_the_prompt() -> None:
    assert Sampler(Sampling(repetition_penalty=2.0), frozenset({1})).choose(LOGITS).token == 2


def test_logprobs_are_those_of_the_model() -> None:
    choice = Sampler(Sampling(temperature=9, top_logprobs=2, seed=0), frozenset()).choose(LOGITS)
    logprobs = LOGITS.log_softmax(-1)
    assert choice.logprob == pytest.approx(float(logprobs[choice.token]))
    assert [token for token, _ in choice.top] == [1, 2]


@pytest.mark.parametrize(
    "wrong", [{"temperature": -1}, {"top_p": 0}, {"top_k": -1}, {"min_p": 2}, {"top_logprobs": 21}]
)
def test_sampling_without_meaning_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        Sampling(**wrong)


@given(st.text("abc", max_size=30), st.lists(st.text("abc", min_size=1, max_size=4), max_size=3))
def test_stop_strings_work_across_tokens(text: str, stop: list[str]) -> None:
    writer = Writer(lambda tokens: "".join(map(chr, tokens)), tuple(stop))
    pieces: list[str] = []
    for letter in text:
        if writer.is_stopped:
            break
        pieces.append(writer.add(ord(letter)))
    pieces.append(writer.finish())
    ends = [text.find(one) + len(one) for one in stop if one in text]
    seen = text[: min(ends)] if ends else text
    places = [seen.find(one) for one in stop if one in seen]
    wanted = seen[: min(places)] if places else seen
    assert "".join(pieces) == writer.text == wanted


def test_characters_that_are_split_over_tokens_come_whole() -> None:
    writer = Writer(lambda tokens: bytes(tokens).decode(errors="replace"))
    pieces = [writer.add(byte) for byte in "aé€🙂b".encode()]
    assert [piece for piece in pieces if piece] == ["a", "é", "€", "🙂", "b"]


def test_bytes_that_are_no_character_do_not_hold_text_back() -> None:
    writer = Writer(lambda tokens: bytes(tokens).decode(errors="replace"))
    pieces = [writer.add(byte) for byte in b"\xff\xff\xff\xffa"]
    assert "".join(pieces) + writer.finish() == "\N{REPLACEMENT CHARACTER}" * 4 + "a"


def test_a_reply_is_the_same_whatever_else_runs(opened: Opened) -> None:
    orders = [Order(6 + n, Sampling(top_logprobs=2)) for n in range(5)]
    prompts = [draw_tokens(9 + 11 * n, seed=n) for n in range(5)]
    alone: list[Sequence] = []
    for tokens, order in zip(prompts, orders, strict=True):
        (reply,) = _start(opened, tokens, order)
        scheduler = Scheduler(opened.model, width=3)
        scheduler.add(reply)
        scheduler.run()
        alone.append(reply)
    scheduler = Scheduler(opened.model, width=3)
    together = [_start(opened, *both)[0] for both in zip(prompts, orders, strict=True)]
    for reply in together:
        scheduler.add(reply)
    scheduler.run()
    assert [reply.choices for reply in together] == [reply.choices for reply in alone]
    assert [len(reply.choices) for reply in alone] == [6, 7, 8, 9, 10]
    assert {reply.finish for reply in together} == {"length"}


def test_a_long_prompt_does_not_hold_up_running_replies(opened: Opened) -> None:
    scheduler = Scheduler(opened.model, width=2)
    (short,) = _start(opened, draw_tokens(5), Order(30))
    (long,) = _start(opened, draw_tokens(200), Order(2))
    scheduler.add(short)
    scheduler.add(long)
    for _ in range(12):
        scheduler.step()
    assert len(short.choices) >= 11
    assert not long.is_prefilled


def test_several_replies_share_the_reading_of_their_prompt(opened: Opened) -> None:
    told: list[tuple[int, int]] = []
    order = Order(5, Sampling(temperature=1, seed=3))
    replies = _start(opened, draw_tokens(60), order, count=3)
    replies[0].on_progress = lambda done, total: told.append((done, total))
    scheduler = Scheduler(opened.model, width=2)
    scheduler.add(replies[0])
    scheduler.run()
    assert len({tuple(reply.choices) for reply in replies}) == 3
    assert [reply.finish for reply in replies] == ["length"] * 3
    assert told == [(n, 60) for n in range(8, 60, 8)]
    (single,) = _start(
        opened, draw_tokens(60), replace(order, sampling=Sampling(temperature=1, seed=4))
    )
    scheduler.add(single)
    scheduler.run()
    assert single.choices == replies[1].choices


def test_a_cancelled_reply_ends_at_once_and_others_go_on(opened: Opened) -> None:
    scheduler = Scheduler(opened.model, width=3)
    replies = [_start(opened, draw_tokens(5, seed=n), Order(20))[0] for n in range(2)]
    pieces: list[Piece] = []
    replies[0].on_piece = pieces.append
    for reply in replies:
        scheduler.add(reply)
    for _ in range(4):
        scheduler.step()
    replies[0].cancel()
    scheduler.run()
    assert (replies[0].finish, pieces[-1].finish) == ("cancelled", "cancelled")
    assert len(replies[0].choices) < len(replies[1].choices) == 20
    assert replies[0].reading is None


def test_a_reply_that_runs_out_of_memory_ends_alone(
    opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    scheduler = Scheduler(opened.model, width=2)
    (first,) = _start(opened, draw_tokens(5), Order(8))
    scheduler.add(first)
    scheduler.step()
    (second,) = _start(opened, draw_tokens(30), Order(8))
    scheduler.add(second)

    def full(*_: object, **__: object) -> None:
        raise RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory")

    with monkeypatch.context() as patch:
        patch.setattr("lcagent.engine.generation.scheduling.read_chunk", full)
        scheduler.step()
    scheduler.run()
    assert isinstance(second.error, ModelUnavailable)
    assert (first.finish, len(first.choices)) == ("length", 8)


def test_a_prompt_goes_on_from_a_memory(opened: Opened) -> None:
    tokens = draw_tokens(80)
    memory = new_reading(opened.model, SIZES)
    memory.tokens = tokens[:60]
    read_ahead(opened.model, memory)
    replies = [
        start(opened, SIZES, Prompt(tokens, known), Order(5), 500)[0] for known in (None, memory)
    ]
    scheduler = Scheduler(opened.model)
    for reply in replies:
        scheduler.add(reply)
    scheduler.run()
    assert replies[0].choices == replies[1].choices
    assert [reply.reused_tokens for reply in replies] == [0, 56]


def test_a_prompt_that_ends_where_a_memory_does_is_read_anew(opened: Opened) -> None:
    memory = new_reading(opened.model, SIZES)
    memory.tokens = draw_tokens(60)
    read_ahead(opened.model, memory)
    prompt = Prompt(memory.tokens[: memory.read], memory)
    (reply,) = start(opened, SIZES, prompt, Order(5), 500)
    scheduler = Scheduler(opened.model)
    scheduler.add(reply)
    scheduler.run()
    assert (reply.reused_tokens, reply.finish) == (0, "length")


@pytest.mark.parametrize(
    ("tokens", "order", "error"),
    [
        ([], Order(5), UsageError),
        ([97], Order(5), UsageError),
        ([5], Order(0), UsageError),
        ([5], Order(500), ContextTooLong),
        ([5], Order(5, stop=("",)), UsageError),
    ],
)
def test_prompts_that_cannot_be_answered_are_refused(
    opened: Opened, tokens: list[int], order: Order, error: type[LcagentError]
) -> None:
    with pytest.raises(error):
        _start(opened, tokens, order)
