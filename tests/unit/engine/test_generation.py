"""SamplingParams, stop strings, and replies that run beside each other."""

from collections import Counter
from dataclasses import replace
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from tiny_models import draw_tokens, tiny

from lcagent.engine.adapters import AdaptedModel
from lcagent.engine.config import KVCacheConfig
from lcagent.engine.engine_core import EngineCore
from lcagent.engine.generation.detokenizer import IncrementalDetokenizer
from lcagent.engine.generation.params import GenerationParams, SamplingParams, StreamChunk
from lcagent.engine.generation.sampler import Sampler
from lcagent.engine.generation.scheduler import Scheduler
from lcagent.engine.generation.sequences import Sequence
from lcagent.engine.loading import LoadedModel
from lcagent.engine.model_runner import new_sequence_state, prefill
from lcagent.errors import ContextTooLong, LcagentError, ModelUnavailable, UsageError

SIZES = KVCacheConfig(
    init_tokens=4, window_tokens=16, block_tokens=4, chunk_tokens=8, looked_up_blocks=3
)
LOGITS = torch.tensor([0.0, 3.0, 2.0, 1.0, -9.0])


class Letters:
    """A text of one letter per token, as a tokenizer would give it."""

    def decode(self, tokens: list[int]) -> str:
        return "".join(chr(ord("a") + token % 26) for token in tokens)


@pytest.fixture(scope="module")
def loaded() -> LoadedModel:
    text: Any = Letters()
    return LoadedModel("tiny", AdaptedModel(tiny()), text, frozenset())


def _start(
    loaded: LoadedModel, prompt: list[int], params: GenerationParams, count: int = 1
) -> tuple[Sequence, ...]:
    return EngineCore(loaded, SIZES, 500).create_sequences(prompt, params, n=count)


def _drawn(sampling: SamplingParams, times: int = 300) -> Counter[int]:
    return Counter(
        Sampler(replace(sampling, seed=seed), frozenset()).choose(LOGITS).token
        for seed in range(times)
    )


@pytest.mark.parametrize(
    ("sampling", "possible"),
    [
        (SamplingParams(temperature=0), {1}),
        (SamplingParams(temperature=2, top_k=2), {1, 2}),
        (SamplingParams(temperature=1, top_p=0.7), {1, 2}),
        (SamplingParams(temperature=1, min_p=0.3), {1, 2}),
        (SamplingParams(temperature=2), {0, 1, 2, 3}),
        (SamplingParams(temperature=1e-300), {1}),
        (SamplingParams(temperature=1, top_p=1e-300), {1}),
        (SamplingParams(temperature=1e-300, repetition_penalty=0.01, frequency_penalty=100), {1}),
    ],
)
def test_only_possible_tokens_are_drawn(sampling: SamplingParams, possible: set[int]) -> None:
    assert set(_drawn(sampling)) == possible


def test_tokens_are_drawn_as_often_as_they_are_likely() -> None:
    drawn = _drawn(SamplingParams(temperature=1), times=2000)
    for token, likely in enumerate(LOGITS.softmax(-1).tolist()):
        assert drawn[token] / 2000 == pytest.approx(likely, abs=0.035)


@pytest.mark.parametrize(
    "penalty", [{"presence_penalty": 1.5}, {"frequency_penalty": 1.5}, {"repetition_penalty": 2.0}]
)
def test_penalties_make_a_reply_turn_to_other_tokens(penalty: dict[str, float]) -> None:
    sampler = Sampler(SamplingParams(**penalty), frozenset())  # type: ignore[arg-type]
    assert [sampler.choose(LOGITS).token for _ in range(2)] == [1, 2]


def test_a_repetition_penalty_counts_the_prompt() -> None:
    assert Sampler(SamplingParams(repetition_penalty=2.0), frozenset({1})).choose(LOGITS).token == 2


def test_logprobs_are_those_of_the_model() -> None:
    sampled = Sampler(SamplingParams(temperature=9, top_logprobs=2, seed=0), frozenset()).choose(
        LOGITS
    )
    logprobs = LOGITS.log_softmax(-1)
    assert sampled.logprob == pytest.approx(float(logprobs[sampled.token]))
    assert [token for token, _ in sampled.top] == [1, 2]


@pytest.mark.parametrize(
    "wrong", [{"temperature": -1}, {"top_p": 0}, {"top_k": -1}, {"min_p": 2}, {"top_logprobs": 21}]
)
def test_sampling_without_meaning_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        SamplingParams(**wrong)


@given(st.text("abc", max_size=30), st.lists(st.text("abc", min_size=1, max_size=4), max_size=3))
def test_stop_strings_work_across_tokens(text: str, stop: list[str]) -> None:
    detokenizer = IncrementalDetokenizer(lambda tokens: "".join(map(chr, tokens)), tuple(stop))
    pieces: list[str] = []
    for letter in text:
        if detokenizer.is_stopped:
            break
        pieces.append(detokenizer.add(ord(letter)))
    pieces.append(detokenizer.finish())
    ends = [text.find(one) + len(one) for one in stop if one in text]
    seen = text[: min(ends)] if ends else text
    places = [seen.find(one) for one in stop if one in seen]
    wanted = seen[: min(places)] if places else seen
    assert "".join(pieces) == detokenizer.text == wanted


def test_characters_that_are_split_over_tokens_come_whole() -> None:
    detokenizer = IncrementalDetokenizer(lambda tokens: bytes(tokens).decode(errors="replace"))
    pieces = [detokenizer.add(byte) for byte in "aé€🙂b".encode()]
    assert [piece for piece in pieces if piece] == ["a", "é", "€", "🙂", "b"]


def test_bytes_that_are_no_character_do_not_hold_text_back() -> None:
    detokenizer = IncrementalDetokenizer(lambda tokens: bytes(tokens).decode(errors="replace"))
    pieces = [detokenizer.add(byte) for byte in b"\xff\xff\xff\xffa"]
    assert "".join(pieces) + detokenizer.finish() == "\N{REPLACEMENT CHARACTER}" * 4 + "a"


def test_a_reply_is_the_same_whatever_else_runs(loaded: LoadedModel) -> None:
    wanted_of = [GenerationParams(6 + n, SamplingParams(top_logprobs=2)) for n in range(5)]
    prompts = [draw_tokens(9 + 11 * n, seed=n) for n in range(5)]
    alone: list[Sequence] = []
    for tokens, params in zip(prompts, wanted_of, strict=True):
        (reply,) = _start(loaded, tokens, params)
        scheduler = Scheduler(loaded.model, width=3)
        scheduler.add(reply)
        scheduler.run()
        alone.append(reply)
    scheduler = Scheduler(loaded.model, width=3)
    together = [_start(loaded, *both)[0] for both in zip(prompts, wanted_of, strict=True)]
    for reply in together:
        scheduler.add(reply)
    scheduler.run()
    assert [reply.tokens for reply in together] == [reply.tokens for reply in alone]
    assert [len(reply.tokens) for reply in alone] == [6, 7, 8, 9, 10]
    assert {reply.finish for reply in together} == {"length"}


def test_a_long_prompt_does_not_hold_up_running_replies(loaded: LoadedModel) -> None:
    scheduler = Scheduler(loaded.model, width=2)
    (short,) = _start(loaded, draw_tokens(5), GenerationParams(30))
    (long,) = _start(loaded, draw_tokens(200), GenerationParams(2))
    scheduler.add(short)
    scheduler.add(long)
    for _ in range(12):
        scheduler.step()
    assert len(short.tokens) >= 11
    assert not long.is_prefilled


def test_several_replies_share_the_reading_of_their_prompt(loaded: LoadedModel) -> None:
    told: list[tuple[int, int]] = []
    params = GenerationParams(5, SamplingParams(temperature=1, seed=3))
    replies = _start(loaded, draw_tokens(60), params, count=3)
    replies[0].on_prefilled = lambda state: told.append((state.num_computed, len(state.tokens)))
    scheduler = Scheduler(loaded.model, width=2)
    scheduler.add(replies[0])
    scheduler.run()
    assert len({tuple(reply.tokens) for reply in replies}) == 3
    assert [reply.finish for reply in replies] == ["length"] * 3
    assert told == [(n, 60) for n in range(8, 60, 8)]
    (single,) = _start(
        loaded, draw_tokens(60), replace(params, sampling=SamplingParams(temperature=1, seed=4))
    )
    scheduler.add(single)
    scheduler.run()
    assert single.tokens == replies[1].tokens


def test_a_cancelled_reply_ends_at_once_and_others_go_on(loaded: LoadedModel) -> None:
    scheduler = Scheduler(loaded.model, width=3)
    replies = [_start(loaded, draw_tokens(5, seed=n), GenerationParams(20))[0] for n in range(2)]
    pieces: list[StreamChunk] = []
    replies[0].on_chunk = pieces.append
    for reply in replies:
        scheduler.add(reply)
    for _ in range(4):
        scheduler.step()
    replies[0].cancel()
    scheduler.run()
    assert (replies[0].finish, pieces[-1].finish) == ("cancelled", "cancelled")
    assert len(replies[0].tokens) < len(replies[1].tokens) == 20
    assert replies[0].state is None


def test_a_reply_that_runs_out_of_memory_ends_alone(
    loaded: LoadedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    scheduler = Scheduler(loaded.model, width=2)
    (first,) = _start(loaded, draw_tokens(5), GenerationParams(8))
    scheduler.add(first)
    scheduler.step()
    (second,) = _start(loaded, draw_tokens(30), GenerationParams(8))
    scheduler.add(second)

    def full(*_: object, **__: object) -> None:
        raise RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory")

    with monkeypatch.context() as patch:
        patch.setattr("lcagent.engine.generation.scheduler.prefill_chunk", full)
        scheduler.step()
    scheduler.run()
    assert isinstance(second.error, ModelUnavailable)
    assert (first.finish, len(first.tokens)) == ("length", 8)


def test_a_prompt_goes_on_from_a_memory(loaded: LoadedModel) -> None:
    tokens = draw_tokens(80)
    memory = new_sequence_state(loaded.model, SIZES)
    memory.tokens = tokens[:60]
    prefill(loaded.model, memory)
    core = EngineCore(loaded, SIZES, 500)
    replies = [
        core.create_sequences(tokens, GenerationParams(5), memory=known)[0]
        for known in (None, memory)
    ]
    scheduler = Scheduler(loaded.model)
    for reply in replies:
        scheduler.add(reply)
    scheduler.run()
    assert replies[0].tokens == replies[1].tokens
    assert [reply.cached_tokens for reply in replies] == [0, 56]


def test_a_prompt_that_ends_where_a_memory_does_is_read_anew(loaded: LoadedModel) -> None:
    memory = new_sequence_state(loaded.model, SIZES)
    memory.tokens = draw_tokens(60)
    prefill(loaded.model, memory)
    prompt = memory.tokens[: memory.num_computed]
    core = EngineCore(loaded, SIZES, 500)
    (reply,) = core.create_sequences(prompt, GenerationParams(5), memory=memory)
    scheduler = Scheduler(loaded.model)
    scheduler.add(reply)
    scheduler.run()
    assert (reply.cached_tokens, reply.finish) == (0, "length")


@pytest.mark.parametrize(
    ("tokens", "params", "error"),
    [
        ([], GenerationParams(5), UsageError),
        ([97], GenerationParams(5), UsageError),
        ([5], GenerationParams(0), UsageError),
        ([5], GenerationParams(500), ContextTooLong),
        ([5], GenerationParams(5, stop=("",)), UsageError),
    ],
)
def test_prompts_that_cannot_be_answered_are_refused(
    loaded: LoadedModel, tokens: list[int], params: GenerationParams, error: type[LcagentError]
) -> None:
    with pytest.raises(error):
        _start(loaded, tokens, params)
