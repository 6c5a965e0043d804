"""What is wrapped round an answer is taken off, and the answer is never touched."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lcagent.agents.marks import find_marks, strip_marks
from lcagent.agents.replies import clean_reply

from .damaged_replies import (
    ANSWER,
    CITED,
    CONTENT,
    IN_JSON,
    MARK,
    QUESTION,
    REFUSALS,
    SHOWN,
    WRAPPED,
)


def test_there_are_many_kinds() -> None:
    assert len({*WRAPPED, *IN_JSON, *REFUSALS}) >= 133


@pytest.mark.parametrize("reply", WRAPPED, ids=lambda reply: repr(reply)[:60])
def test_what_is_wrapped_round_an_answer_is_taken_off(reply: str) -> None:
    assert clean_reply(reply, QUESTION, SHOWN).text == CITED


@pytest.mark.parametrize("reply", IN_JSON, ids=lambda reply: repr(reply)[:60])
def test_json_is_read_with_what_it_cites(reply: str) -> None:
    text = clean_reply(reply.replace("%s", ANSWER), QUESTION, SHOWN).text
    assert strip_marks(text) == f"{ANSWER}."
    assert list(find_marks(text)) == list(find_marks(MARK))


@pytest.mark.parametrize("reply", REFUSALS, ids=lambda reply: repr(reply)[:60])
def test_a_reply_without_an_answer_has_no_text(reply: str) -> None:
    cleaned = clean_reply(reply, QUESTION, SHOWN)
    assert cleaned.text == ""


@pytest.mark.parametrize("reply", CONTENT, ids=lambda reply: repr(reply)[:60])
def test_an_answer_stays_as_it_is(reply: str) -> None:
    cleaned = clean_reply(reply, QUESTION, SHOWN)
    assert (cleaned.text, cleaned.abstains) == (reply, False)


@pytest.mark.parametrize("reply", [f"{CITED} NOT_IN_DOCUMENT", f"NOT_IN_DOCUMENT\n{CITED}"])
def test_not_in_the_document_beside_an_answer_leaves_both(reply: str) -> None:
    cleaned = clean_reply(reply, QUESTION, SHOWN)
    assert (cleaned.text, cleaned.abstains) == (CITED, True)


def test_a_reply_that_is_a_quote_says_what_it_quotes() -> None:
    assert clean_reply(MARK).text == f"{ANSWER} {MARK}."


@given(text=st.text(alphabet="<|>[]{}\"'*#`S1 ab.:\n\x1b/_", max_size=80))
def test_no_reply_is_an_error_and_cleaning_twice_changes_nothing(text: str) -> None:
    once = clean_reply(text).text
    assert clean_reply(once).text == once
