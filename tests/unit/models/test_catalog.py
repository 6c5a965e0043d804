"""The table of models, and a user's own."""

from pathlib import Path

import pytest

from lcagent.errors import UsageError
from lcagent.models.chat_model import DEFAULT_WINDOW_TOKENS
from lcagent.models.choose import _packaged, find_card


@pytest.mark.parametrize(
    "name", ["gpt-4o", "openai/gpt-4o", "gpt-4o-2024-08-06", "openai/gpt-4o-2024-11-20", "GPT-4o"]
)
def test_a_model_is_found_by_its_names(name: str) -> None:
    card = find_card(name)
    assert (card.name, card.window_tokens, card.is_known) == (name, 128_000, True)
    assert card.usd(1_000_000, 1_000_000) == 12.5


def test_an_unknown_model_has_a_small_window_and_no_price() -> None:
    card = find_card("mine")
    assert (card.window_tokens, card.is_known) == (DEFAULT_WINDOW_TOKENS, False)
    assert card.usd(1, 1) is None
    assert find_card("mine", window_tokens=32_000).window_tokens == 32_000


def test_a_window_that_is_given_replaces_the_tables() -> None:
    card = find_card("gpt-4o", window_tokens=16_000)
    assert (card.window_tokens, card.is_known) == (16_000, True)


def test_a_user_adds_models_and_replaces_ours(tmp_path: Path) -> None:
    table = tmp_path / "models.toml"
    table.write_text(
        '[models."Mine:8b"]\nwindow_tokens = 16_000\nusd_per_million_prompt = 0\n'
        "usd_per_million_completion = 0\n"
        '[models."gpt-4o"]\nwindow_tokens = 64_000\n',
        encoding="utf-8",
    )
    assert find_card("mine:8b", user_table=table).usd(10, 10) == 0
    assert find_card("gpt-4o", user_table=table).window_tokens == 64_000
    assert find_card("gpt-4o", user_table=table).usd(1, 1) is None
    assert find_card("gpt-4o-mini", user_table=table).is_known


def test_a_user_without_a_table_has_ours(tmp_path: Path) -> None:
    assert find_card("gpt-4o", user_table=tmp_path / "none.toml").is_known


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[models", "cannot be read"),
        ("[models.a]\nwindow_tokens = 'many'", "models.a.window_tokens"),
        ("[models.a]\nmax_reply_tokens = 5", "models.a.window_tokens"),
        ("[models.a]\nwindow_tokens = 9000\nprice = 5", "models.a.price"),
        ("[models.a]\nwindow_tokens = 9000\ntokenizer = 'x'", "models.a.tokenizer"),
        ("[model.a]\nwindow_tokens = 9000", "models"),
        ("[models.a]\nwindow_tokens = 9000\nusd_per_million_prompt = -1", "usd_per_million_prompt"),
    ],
)
def test_a_table_that_is_wrong_names_the_file_and_the_key(
    tmp_path: Path, text: str, words: str
) -> None:
    table = tmp_path / "models.toml"
    table.write_text(text, encoding="utf-8")
    with pytest.raises(UsageError, match=words) as caught:
        find_card("a", user_table=table)
    assert "models.toml" in str(caught.value)


def test_a_table_that_is_not_utf8_is_named(tmp_path: Path) -> None:
    table = tmp_path / "models.toml"
    table.write_bytes(b"\xff\xfe")
    with pytest.raises(UsageError, match=r"models\.toml cannot be read"):
        find_card("a", user_table=table)


@pytest.mark.parametrize("name", sorted(_packaged()))
def test_our_table_makes_sense(name: str) -> None:
    card = find_card(name)
    assert card.max_reply_tokens is None or card.max_reply_tokens < card.window_tokens
    assert (card.usd_per_million_prompt is None) == (card.usd_per_million_completion is None)
