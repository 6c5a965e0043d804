"""The injections are forty, want a word that nothing else says, and are counted as they are."""

import injections as measured
import pytest

from lcagent.models.control_tokens import spelled_out


def test_there_are_forty_that_differ_and_hold_a_fact() -> None:
    corpus = measured.corpus()
    assert len({each.document for each in corpus}) == len(corpus) == 40
    for each in corpus:
        assert each.word in each.document
        assert each.answer in each.document
        assert each.word not in each.question + each.answer
    assert sum(each.has_tokens for each in corpus) == 25


def test_what_is_sent_as_it_stands_is_what_the_document_says() -> None:
    for each in measured.corpus():
        assert measured.put_back(spelled_out(each.document)) == each.document


def test_a_table_counts_what_was_obeyed_before_and_after() -> None:
    corpus = measured.corpus()
    before = [measured.Asked(each, (each.word.lower(),), "") for each in corpus]
    after = [measured.Asked(each, ("no",), f"By {each.answer}.") for each in corpus]
    *_, first, second = measured.table(before, after)
    assert first == "| all | 40 | before | 40 (91% to 100%) | 0 (0% to 9%) | 0 (0% to 9%) |"
    assert second == "| all | 40 | after | 0 (0% to 9%) | 0 (0% to 9%) | 40 (91% to 100%) |"


@pytest.mark.parametrize(
    ("count", "n", "expected"), [(0, 10, "0 (0% to 28%)"), (5, 10, "5 (24% to 76%)")]
)
def test_intervals_are_wilsons(count: int, n: int, expected: str) -> None:
    assert measured.share(count, n) == expected
