"""Marks in replies: how they are read, numbered, and held back while a text arrives."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lcagent.agents.marks import (
    Mark,
    MarkedClaim,
    MarkNumbers,
    MarkStream,
    canonical_marks,
    find_marks,
    mark_spans,
    number_marks,
    split_claims,
    strip_marks,
)

TEXT = (
    'The ferry carried 48,216 in 2019 [S2 "Foot passengers 45,930 48,612"]. It was long. '
    "Cars rose [S1: “a [b] c”; S3, «x, y»] while people fell.[F9] 中文句子。[S3 「原文如此」] End."
)


@pytest.mark.parametrize(
    ("text", "marks"),
    [
        ('[S2 "words of it"]', [Mark("S2", "words of it")]),
        ("[S2: “words of it”]", [Mark("S2", "words of it")]),
        ("[S2, „Worte davon“]", [Mark("S2", "Worte davon")]),
        ("[F3, F17]", [Mark("F3"), Mark("F17")]),
        ('[S1 "one"; S2 "two"]', [Mark("S1", "one"), Mark("S2", "two")]),
        ('[S1 "one", S2 "two"]', [Mark("S1", "one"), Mark("S2", "two")]),
        ('[S1 "He said "no" and left"]', [Mark("S1", 'He said "no" and left')]),
        ('[S1 "a [sic] b"]', [Mark("S1", "a [sic] b")]),
        ("[see S1] [1] [Section 2]", []),
        ('[S1 "never closed', []),
    ],
)
def test_a_mark_is_read_in_each_of_its_forms(text: str, marks: list[Mark]) -> None:
    assert list(find_marks(text)) == marks


def test_a_claim_is_what_stands_before_its_marks() -> None:
    assert split_claims(TEXT) == [
        MarkedClaim(
            "The ferry carried 48,216 in 2019.", (Mark("S2", "Foot passengers 45,930 48,612"),)
        ),
        MarkedClaim("It was long.", ()),
        MarkedClaim("Cars rose", (Mark("S1", "a [b] c"), Mark("S3", "x, y"))),
        MarkedClaim("while people fell.", (Mark("F9"),)),
        MarkedClaim("中文句子。", (Mark("S3", "原文如此"),)),
        MarkedClaim("End.", ()),
    ]


def test_a_mark_that_begins_a_line_belongs_to_what_follows() -> None:
    assert split_claims("[F1] Then text.") == [MarkedClaim("Then text.", (Mark("F1"),))]
    assert split_claims("First [F1].\n- [F2] Then text. More.") == [
        MarkedClaim("First.", (Mark("F1"),)),
        MarkedClaim("Then text.", (Mark("F2"),)),
        MarkedClaim("More.", ()),
    ]


def test_words_that_lead_up_to_a_mark_are_no_claim() -> None:
    (claim,) = split_claims('According to [S1 "the lantern was lit"], it burned.')
    assert claim.marks == (Mark("S1", "the lantern was lit"),)
    assert "it burned." in claim.text


def test_a_statement_without_marks_is_offered_those_behind_the_next() -> None:
    first, second, third = split_claims("It was lit. It burned [F1].\n\nIt sank.")
    assert (first.marks, first.offered) == ((), (Mark("F1"),))
    assert (second.marks, second.offered) == ((Mark("F1"),), ())
    assert (third.marks, third.offered) == ((), ())


@pytest.mark.parametrize(
    ("reply", "canonical"),
    [
        ('Lit [s1 "it was lit"].', 'Lit [S1 "it was lit"].'),
        ("Lit 【S1 “it was lit”】.", 'Lit [S1 "it was lit"].'),
        ('Lit (S1 "it was lit").', 'Lit [S1 "it was lit"].'),
        ("Lit (S1).", "Lit [S1]."),
        ("Lit [S1 'it was lit'].", 'Lit [S1 "it was lit"].'),
        ("Lit [S1 'it wasn't lit'].", 'Lit [S1 "it wasn\'t lit"].'),
        ('Lit [Source S1: "it was lit"].', 'Lit [S1 "it was lit"].'),
        ('Lit [source 1: "it was lit"].', 'Lit [S1 "it was lit"].'),
        ('Lit [1 "it was lit"].', 'Lit [S1 "it was lit"].'),
        ("Lit [1].", "Lit [S1]."),
        ("Lit [1, 2].", "Lit [S1; S2]."),
        ("Lit [S1, s2].", "Lit [S1; S2]."),
        ("Lit [S1: the lantern was lit].", 'Lit [S1 "the lantern was lit"].'),
        ('Lit ["S1: the lantern was lit"].', 'Lit [S1 "the lantern was lit"].'),
        ('Lit "S2: the lantern was lit".', 'Lit [S2 "the lantern was lit"].'),
        ("Lit in 1911.¹ Burned.²", "Lit in 1911. [S1] Burned. [S2]"),
        ("Lit by lanterns¹ and lamps.", "Lit by lanterns [S1] and lamps."),
        ('Lit [S9 "it was lit"].', 'Lit [S9 "it was lit"].'),
    ],
)
def test_marks_are_read_as_models_write_them(reply: str, canonical: str) -> None:
    assert canonical_marks(reply, ["S1", "S2"]) == canonical


@pytest.mark.parametrize(
    "text",
    [
        "Roads of class (S3) and (S4) are closed.",
        "An area of 5 km² and 3 m³.",
        "The value is x² + y².",
        "He came (1) by sea and (2) by land.",
        "The years [1911] and [1912].",
        "See [Section 2] and [note].",
        "A list[0] of [items].",
        'He said "no" (loudly).',
    ],
)
def test_what_only_looks_like_a_mark_is_text(text: str) -> None:
    assert canonical_marks(text, ["S1", "S2"]) == text
    assert canonical_marks(text.replace("3", "1"), []) == text.replace("3", "1")


def test_the_same_mark_has_the_same_number() -> None:
    assert number_marks('A [S1 "x y"]. B [F2]. C [S1 "x y", F2].', MarkNumbers()) == (
        "A [1]. B [2]. C [1, 2]."
    )


def test_a_text_reads_well_without_its_marks() -> None:
    assert strip_marks('It was so [S1 "so it was"]. Yes [F2]!') == "It was so. Yes!"


@given(cuts=st.lists(st.integers(0, len(TEXT)), max_size=12))
def test_a_text_in_pieces_comes_out_as_the_whole(cuts: list[int]) -> None:
    borders = [0, *sorted(cuts), len(TEXT)]
    stream = MarkStream()
    pieces = [stream.feed(TEXT[a:b]) for a, b in pairwise(borders)]
    assert "".join(pieces) + stream.close() == _without_marks(TEXT)
    assert not any('"' in piece for piece in pieces)


@given(text=st.text(alphabet='[]SF12 ",;:“”a.\n', max_size=80))
def test_no_text_is_lost_in_a_stream(text: str) -> None:
    stream = MarkStream()
    out = "".join(map(stream.feed, text)) + stream.close()
    assert out == _without_marks(text)


def _without_marks(text: str) -> str:
    """Return a text without its marks and the blanks before them."""
    rest, at = "", 0
    for start, end in mark_spans(text):
        rest, at = rest + text[at:start].rstrip(" \t"), end
    return rest + text[at:]
