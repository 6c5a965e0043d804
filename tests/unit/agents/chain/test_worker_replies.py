"""Workers' replies: whatever a model writes, only what stands in its chunk becomes a fact."""

import json

import pytest

from lcagent.agents.chain.notes import NotedFact, Notes, NotesDelta, format_sentences
from lcagent.agents.chain.worker_chunks import WorkerChunk, split_for_workers
from lcagent.agents.chain.worker_replies import (
    MAX_COPIED_FACTS,
    NOT_IN_THE_TEXT,
    cannot_take_notes,
    parse_copied_reply,
    parse_notes_reply,
)
from lcagent.documents import Document, Page, Span
from lcagent.retrieval.quotes.checking import QuoteChecker

TEXTS = (
    "Hector Vane kept the light until 1938.\nHe wrote to nobody.",
    "The ferry carries 184 passengers across.\nIt has carried cars since 1954.\nNobody paid.",
)
BOOK = Document(
    "b" * 64, "book.pdf", "application/pdf", "pdf/1",
    tuple(Page(index, text, index + 1) for index, text in enumerate(TEXTS)),
)  # fmt: skip
CHECKER = QuoteChecker([BOOK])
QUESTION = "How many passengers does the ferry carry?"


def _chunk() -> WorkerChunk:
    (chunk,) = split_for_workers([BOOK], 1_000, len)
    return chunk


def _copied(reply: str, notes: Notes | None = None) -> NotesDelta:
    def find_support(said: str, _question: str, chunk: WorkerChunk) -> tuple[str, Span] | None:
        return ("The ferry carries 184 passengers", chunk.pages[1]) if "184" in said else None

    return parse_copied_reply(reply, QUESTION, _chunk(), notes or Notes(), CHECKER, find_support)


@pytest.mark.parametrize(
    "reply",
    [
        "The ferry carries 184 passengers across.",
        "The sentence of the part that answers is:\n\n“The ferry carries 184 passengers across.”",
        "- The ferry carries 184 passengers across.",
        "1. The ferry carries 184 passengers across",
        "<part 3f9a11c2>\nThe ferry carries 184 passengers across.\n</part 3f9a11c2>",
    ],
    ids=["bare", "introduced", "bullet", "number", "fence"],
)
def test_a_copied_sentence_is_a_fact_with_its_page(reply: str) -> None:
    (fact,) = _copied(reply).facts
    assert (fact.label, fact.status, fact.page.page_index) == ("F1", "exact", 1)
    assert "The ferry carries 184 passengers across" in fact.quote


def test_what_the_part_does_not_say_is_left_out_and_said_so() -> None:
    delta = _copied("The ferry carries 900 passengers across. Hector Vane kept the light.")
    assert [fact.text for fact in delta.facts] == ["Hector Vane kept the light."]
    assert (delta.flags, delta.message) == ((NOT_IN_THE_TEXT,), None)


def test_a_sentence_in_other_words_rests_on_what_the_program_finds() -> None:
    (fact,) = _copied("It takes 184 people.").facts
    assert (fact.quote, fact.found_by) == ("The ferry carries 184 passengers", "lcagent")


def test_lines_that_do_not_stand_together_are_looked_up_one_by_one() -> None:
    delta = _copied("The ferry carries 184 passengers across\nHector Vane kept the light")
    assert [fact.page.page_index for fact in delta.facts] == [1, 0]


def test_of_a_part_that_was_copied_from_end_to_end_the_nearest_sentences_count() -> None:
    facts = _copied("\n".join(TEXTS)).facts
    assert len(facts) == MAX_COPIED_FACTS < 5
    assert any("184 passengers" in fact.quote for fact in facts)


@pytest.mark.parametrize(
    "reply",
    ["", "None.", "The text does not say.", QUESTION, "The answer to the question is as follows:"],
)
def test_what_says_nothing_leaves_no_fact_and_no_message(reply: str) -> None:
    delta = _copied(reply)
    assert (delta.facts, delta.message) == ((), None)


def test_what_was_noted_before_is_not_noted_again() -> None:
    reply = "The ferry carries 184 passengers across."
    assert not _copied(reply, Notes().apply(_copied(reply))).facts


def test_a_note_taker_whose_quotes_are_all_made_up_cannot_take_notes() -> None:
    def read(reply: str) -> NotesDelta:
        return parse_notes_reply(reply, _chunk(), Notes(), CHECKER)

    made_up = json.dumps({"facts": [{"text": "It is so", "quote": "the words that say so"}]})
    half = json.dumps({"facts": ["Hector Vane kept the light", "not a soul in the village"]})
    assert [fact.is_proved for fact in read(half).facts] == [True, False]
    assert [cannot_take_notes(read(one)) for one in (made_up, "Well.", half, '{"facts": []}')] == [
        True, True, False, False,
    ]  # fmt: skip


def test_a_plain_manager_sees_what_is_proved_and_the_heads_of_its_columns() -> None:
    def fact(label: str, text: str, heads: str = "", *, is_proved: bool = True) -> NotedFact:
        status = "exact" if is_proved else "not_found"
        return NotedFact(label, text, text, Span("b", 0), status, "lcagent", heads)

    notes = Notes(facts=(fact("F1", "made up", is_proved=False),), message="A message.")
    assert format_sentences(notes, 100, len, QUESTION) == "A message."
    notes = Notes(facts=(*notes.facts, fact("F2", "Passengers 7 8", "2019 2020")), message="M.")
    assert format_sentences(notes, 100, len, QUESTION) == "- 2019 2020 Passengers 7 8"
    assert format_sentences(notes, 5, len, QUESTION) == ""
