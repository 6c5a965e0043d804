"""Counts of tokens: never too low, and fast."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lcagent.models.chat_model import Message
from lcagent.models.tokens import TokenCounter, _counted_without_tokenizer, encoder

TEXTS = {  # and the most tokens that any of six tokenizers made of it (docs/models.md)
    "Все люди рождаются свободными и равными в своем достоинстве и правах. Они наделены разумом "
    "и совестью и должны поступать в отношении друг друга в духе братства. ": 90,
    "มนุษย์ทั้งหลายเกิดมามีอิสระและเสมอภาคกันในเกียรติศักดิ์และสิทธิ ต่างมีเหตุผลและมโนธรรม "
    "และควรปฏิบัติต่อกันด้วยเจตนารมณ์แห่งภราดรภาพ ": 241,
    "すべての人間は、生まれながらにして自由であり、かつ、尊厳と権利とについて平等である。人間は、理性と"
    "良心とを授けられており、互いに同胞の精神をもって行動しなければならない。": 93,
    "2019 2018 12,345.67 (1,234) 45.2% $ 9,876,543 0.0001 2019-12-31 555-0123 100000000 "
    "314159265358979 ": 98,
    "." * 137
    + " "
    + "_" * 77
    + " "
    + "-" * 333
    + " "
    + "*" * 99
    + "\n" * 20
    + " " * 45
    + "\t" * 9: 80,
}


@pytest.mark.parametrize("text", TEXTS, ids=range(len(TEXTS)))
def test_an_estimate_is_never_below_a_real_tokenizer(text: str) -> None:
    assert TokenCounter().count_text(text) >= TEXTS[text]


@pytest.mark.parametrize("tokenizer", ["o200k_base", "cl100k_base"])
def test_a_known_tokenizer_is_counted_exactly(tokenizer: str) -> None:
    encode = encoder(tokenizer)
    assert encode is not None
    text = "Call me Ishmael. Some years ago - never mind how long precisely - " * 300
    assert TokenCounter(tokenizer).count_text(text) == len(encode(text))


@given(st.text(max_size=200), st.text(max_size=200))
def test_pieces_have_as_many_tokens_as_the_whole_or_more(first: str, second: str) -> None:
    counter = TokenCounter()
    apart = counter.count_text(first) + counter.count_text(second)
    assert apart + 2 >= counter.count_text(first + second)


def test_what_looks_like_a_special_token_is_text() -> None:
    assert TokenCounter("o200k_base").count_text("<|endoftext|><|im_start|>") > 5


@pytest.mark.slow
@pytest.mark.parametrize("tokenizer", ["o200k_base", "unknown"])
@pytest.mark.parametrize("text", ["a", " ", "\n", "中", ".", "é", "9", "\ud800"])
def test_a_megabyte_of_one_character_is_counted_in_no_time(tokenizer: str, text: str) -> None:
    counter = TokenCounter(tokenizer)
    counter.count_text(text)
    started = time.process_time()
    assert counter.count_text(text * 1_000_000) > 0
    assert time.process_time() - started < 2


def test_a_prompt_counts_what_a_template_adds_to_it() -> None:
    counter = TokenCounter("o200k_base")
    one = counter.count_messages([Message("user", "Hi")])
    assert counter.count_messages([Message("user", "Hi")] * 2) > one + 1
    assert one > counter.count_text("Hi") + 50


@pytest.mark.parametrize("words", [100, 5_000])
def test_counts_rise_with_what_a_server_reports_and_never_fall(words: int) -> None:
    prompt = [Message("user", "word " * words)]
    counter = TokenCounter()
    before = counter.count_messages(prompt)
    counter.learn(before, before - 50)
    assert counter.count_messages(prompt) == before
    counter.learn(before, before + 50)
    after = counter.count_messages(prompt)
    assert after >= before + 50
    counter.learn(after, after - 100)
    assert counter.count_messages(prompt) == after


def test_what_a_server_adds_to_a_short_prompt_does_not_stretch_long_ones() -> None:
    long = [Message("user", "word " * 50_000)]
    counter = TokenCounter()
    before = counter.count_messages(long)
    counter.learn(counter.count_messages([Message("user", "Hi")]), 2_000)
    assert before < counter.count_messages(long) < before + 2_000


def test_a_server_that_counts_nonsense_is_believed_within_reason() -> None:
    counter = TokenCounter()
    before = counter.count_text("word " * 5_000)
    counter.learn(before, 1_000 * before)
    assert counter.count_text("word " * 5_000) <= 4 * before + 1


def test_without_any_tokenizer_counts_are_higher_still(tmp_path: Path) -> None:
    for text, most in TEXTS.items():
        assert _counted_without_tokenizer(text) >= most
    assert _in_process("print(TokenCounter('o200k_base').count_text('hello there'))", tmp_path) > 5


def test_a_damaged_file_is_neither_used_nor_fetched_anew(tmp_path: Path) -> None:
    damaged = tmp_path / "fb374d419588a4632f3f557e76b4b70aebbca790"
    damaged.write_bytes(b"YQ== 0\n")
    assert _in_process("print(TokenCounter('o200k_base').count_text('hello there'))", tmp_path) > 5
    assert damaged.read_bytes() == b"YQ== 0\n"


def test_counting_leaves_the_environment_and_llama_index_alone(tmp_path: Path) -> None:
    code = (
        "TokenCounter().count_text('x'); import os, sys;"
        "print(int('TIKTOKEN_CACHE_DIR' in os.environ or 'llama_index.core' in sys.modules))"
    )
    assert _in_process(code, None) == 0
    assert tmp_path.is_dir()


def _in_process(code: str, cache: Path | None) -> int:
    """Run code in a process that has no cache but this one, and cannot connect to anything."""
    hide = "import importlib.util as u; import lcagent.models.tokens as e;"
    hide += "e.find_spec = lambda name: None;" if cache is not None else ""
    guard = "import socket; socket.socket = None;"
    environment = {name: value for name, value in os.environ.items() if "TIKTOKEN" not in name}
    if cache is not None:
        environment["TIKTOKEN_CACHE_DIR"] = str(cache)
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            f"{hide}{guard} from lcagent.models.tokens import TokenCounter; {code}",
        ],
        check=True,
        capture_output=True,
        text=True,
        env=environment,
    )
    return int(done.stdout)
