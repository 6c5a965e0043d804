"""Notes: quotes are looked up when they are noted, nothing is lost, and what is shown fits."""

import json

from hypothesis import given
from hypothesis import strategies as st

from lcagent.agents.chain.notes import (
    NotedFact,
    Notes,
    NotesDelta,
    cells_asked_for,
    fit_to_budget,
)
from lcagent.agents.chain.worker_chunks import WorkerChunk, split_for_workers
from lcagent.agents.chain.worker_replies import parse_notes_reply
from lcagent.documents import Document, Page, Span
from lcagent.retrieval.quotes.checking import QuoteChecker

TEXTS = ("Hector kept the light until 1938.", "The ferry carries 184 passengers across.")
BOOK = Document(
    "b" * 64, "book.pdf", "application/pdf", "pdf/1",
    tuple(Page(index, text, index + 1) for index, text in enumerate(TEXTS)),
)  # fmt: skip


def _chunk() -> WorkerChunk:
    (chunk,) = split_for_workers([BOOK], 1_000, len)
    return chunk


def _read(reply: str, notes: Notes | None = None) -> NotesDelta:
    return parse_notes_reply(reply, _chunk(), notes or Notes(), QuoteChecker([BOOK]))


def _reply(*facts: tuple[str, str], **more: object) -> str:
    return json.dumps({"facts": [{"text": text, "quote": quote} for text, quote in facts], **more})


def test_a_quote_is_looked_up_on_the_pages_of_the_chunk() -> None:
    change = _read(
        _reply(
            ("It carries many", "The ferry carries 184 passengers"),
            ("Nobody slept", "not a soul in the village slept"),
        )
    )
    assert [(fact.label, fact.status, fact.page.page_index) for fact in change.facts] == [
        ("F1", "exact", 1),
        ("F2", "not_found", 0),
    ]
    assert change.flags == ("quotes not found",)


def test_a_fact_that_is_known_is_not_noted_again() -> None:
    known = Notes().apply(_read(_reply(("Hector kept it.", "Hector kept the light"))))
    change = _read(_reply(("hector  kept it", "x"), ("New", "Hector kept the light")), known)
    assert [(fact.label, fact.text) for fact in change.facts] == [("F2", "New")]


def test_a_reply_in_another_form_takes_the_place_of_the_summary_and_keeps_the_facts() -> None:
    notes = Notes().apply(_read(_reply(("Hector kept it.", "Hector kept the light"))))
    notes = notes.apply(_read("A summary in words.")).apply(_read("A later one."))
    assert notes.message == "A later one."
    assert [fact.label for fact in notes.facts] == ["F1"]


def test_a_change_is_the_same_after_it_was_stored() -> None:
    change = _read(_reply(("a", "Hector kept the light"), open_questions=["why?"], answer="he"))
    assert NotesDelta.from_json(json.loads(json.dumps(change.as_json()))) == change


def test_only_chosen_facts_are_kept() -> None:
    facts = tuple(NotedFact(f"F{n}", f"fact {n}", "", Span("b", 0), "exact") for n in range(4))
    notes = Notes().apply(NotesDelta(facts=facts)).apply(NotesDelta(kept=("F1", "F3")))
    assert [fact.label for fact in notes.facts] == ["F1", "F3"]


@given(budget=st.integers(20, 400), many=st.integers(0, 30))
def test_what_is_shown_fits_and_nothing_is_forgotten(budget: int, many: int) -> None:
    facts = tuple(
        NotedFact(f"F{n}", f"the ferry {n} sailed", "q" * n, Span("b", 0), "exact")
        for n in range(many)
    )
    notes = Notes(facts=facts)
    view = fit_to_budget(notes, budget, len, "Which ferry sailed 7?", with_quotes=True)
    assert len(view.text) <= budget
    shown = {fact.label for fact in facts if f"[{fact.label}]" in view.text}
    assert shown | {fact.label for fact in view.left_out} == {fact.label for fact in facts}


def test_whatever_workers_leave_open_what_is_shown_fits() -> None:
    notes = Notes().apply(
        _read(
            _reply(
                ("Hector kept it.", "Hector kept the light"),
                open_questions=["why is it so? " * 40] * 4,
                answer="because of this and that " * 60,
            )
        )
    )
    view = fit_to_budget(notes, 200, lambda text: len(text.split()), "Who kept it?")
    assert len(view.text.split()) <= 200
    assert [fact.label for fact in view.left_out] == ["F1"]


def test_of_a_row_the_cells_under_the_heads_that_are_asked_for_are_told_by_name() -> None:
    row, heads = "Foot passengers 45,930 48,612 48,216", "2017 2018 2019"
    asked = cells_asked_for(row, heads, "How many foot passengers were there in 2019?")
    assert asked == "Foot passengers, 2019: 48,216"
    assert cells_asked_for(row, heads, "How many foot passengers were there?") == row
    assert cells_asked_for("48,612 48,216", heads, "And in 2019?") == "48,612 48,216"
    assert cells_asked_for("It is so.", "", "And in 2019?") == "It is so."
