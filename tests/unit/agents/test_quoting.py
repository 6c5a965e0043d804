"""Choosing sentences that answer, and knowing when none does."""

from collections.abc import Sequence

from lcagent.agents.quoting import Quote, choose_quotes
from lcagent.documents import Document, Page, Passage, Span
from lcagent.retrieval.chunking import cut_chunks
from lcagent.retrieval.embedding.wordpiece_estimate import WordPieceEstimate
from lcagent.retrieval.search.layout import running_lines
from lcagent.retrieval.search.query import analyse
from lcagent.retrieval.search.ranking import index_terms
from lcagent.retrieval.search.retriever import SearchResults
from lcagent.retrieval.search.terms import extract_terms

FILLER = "The sea was grey and the wind blew from the west on most days of the long winter. " * 3


def _ask(question: str, pages: Sequence[str], language: str = "en") -> list[Quote]:
    """Return the quotes when every page is found, the first being the best."""
    made = tuple(Page(index, text, index + 1) for index, text in enumerate(pages))
    document = Document("a" * 64, "book", "m", "r", made, language=language)
    terms = extract_terms(document, cut_chunks(document, WordPieceEstimate()))
    passages = tuple(
        Passage(
            Span(document.id, page.index, 0, len(page.text)),
            page.text,
            document.name,
            page,
            score=1.0 - page.index / 100,
        )
        for page in made
    )
    query = analyse(question, [terms.language], index_terms([terms]))
    chosen = choose_quotes(
        SearchResults(passages, query, len(made), len(made), {document.id: running_lines(document)})
    )
    return [*chosen.quotes] if chosen.are_answer else []


def test_the_sentence_that_says_most_of_the_question_comes_first() -> None:
    answer = "Hector Vance kept the lighthouse from 1907 until he retired in 1938."
    quotes = _ask("Who kept the lighthouse in 1907?", [FILLER, f"{FILLER}{answer} {FILLER}"])
    assert quotes[0].text == answer
    assert quotes[0].span.page_index == 1


def test_offsets_are_those_of_the_page() -> None:
    page = f"{FILLER}Hector Vance kept the lighthouse for thirty years. {FILLER}"
    for quote in _ask("Who kept the lighthouse?", [page]):
        assert page[quote.span.start : quote.span.end] == quote.text


def test_a_question_about_something_else_gets_no_quotes() -> None:
    assert _ask("Who wrote the opera about the barber of Seville?", [FILLER, FILLER]) == []


def test_a_name_that_is_not_in_the_documents_counts_against_an_answer() -> None:
    pages = [FILLER, "The keeper mended the old lamp with a saucepan handle in the storm."]
    assert _ask("Which lamp was mended by the keeper?", pages)
    assert not _ask("Which lamp was mended by keeper Zebulon Quist at sea?", pages)


def test_a_question_of_stop_words_gets_no_quotes() -> None:
    assert _ask("What is it?", [FILLER]) == []


def test_a_table_row_comes_with_the_years_above_it() -> None:
    table = (
        "Passengers by year\n2017 2018 2019\nCars 5,100 5,200 5,300\n"
        "Foot passengers 45,930 48,612 48,216\nGoods 100 200 300"
    )
    best = _ask("How many foot passengers were there in 2019?", [FILLER, table])[0]
    assert best.text == "Foot passengers 45,930 48,612 48,216"
    assert best.column_heads is not None
    assert table[best.column_heads.start : best.column_heads.end] == "2017 2018 2019"


def test_column_heads_too_short_to_be_checked_are_not_quoted() -> None:
    table = "Passengers by year\n2018 2019\nFoot passengers 48,612 48,216\nCars 100 200\nGoods 1 2"
    best = _ask("How many foot passengers were there in 2019?", [FILLER, table])[0]
    assert best.text == "Foot passengers 48,612 48,216"
    assert best.column_heads is None


def test_prose_has_no_column_heads() -> None:
    page = "In 2017 and 2018 it rained. Hector Vance kept the lighthouse for years."
    assert all(quote.column_heads is None for quote in _ask("Who kept the lighthouse?", [page]))


def test_a_question_for_a_number_prefers_a_sentence_with_one() -> None:
    page = "The stair has more steps than anybody likes. The stair has exactly 163 steps."
    assert "163" in _ask("How many steps has the stair?", [page])[0].text
    assert "163" not in _ask("Has the stair many steps?", [page])[0].text


def test_the_same_words_are_quoted_once() -> None:
    page = f"Hector Vance kept the lighthouse. {FILLER}"
    assert [quote.text for quote in _ask("Who kept the lighthouse?", [page, page])] == [
        "Hector Vance kept the lighthouse."
    ]


def test_a_running_head_is_not_part_of_a_sentence() -> None:
    pages = [
        f"Keeping the Light {number}\nHector Vance kept lighthouse number {number} for us."
        for number in range(1, 6)
    ]
    assert all("Keeping" not in quote.text for quote in _ask("Who kept the lighthouse?", pages))


def test_one_character_is_found() -> None:
    pages = ["港には船が三隻ある。風は西から吹いている。", "この島の人口は四百人である。"]
    quotes = _ask("島の人口はどれくらいですか", pages, "ja")
    assert quotes[0].text == pages[1]
    assert _ask("島", pages, "ja")[0].span.page_index == 1


def test_the_heads_of_columns_are_no_answer_to_a_question_that_has_their_year() -> None:
    answer = "At the end of December 2022 the company had 412 keepers."
    table = (
        "Years ended December 2022 2021 2020\nSalaries of keepers 408 359 333\n"
        "Net loss of the company 391 500 581\nOther income 10 151 91"
    )
    quotes = _ask(
        "How many keepers had the company in December 2022?", [f"{answer} {FILLER}", table]
    )
    assert quotes[0].text == answer


def test_a_second_page_is_quoted_rather_than_a_page_again() -> None:
    page = "The keeper mended the lamp. The lamp was mended by its keeper. " + FILLER
    other = "A keeper who mended a lamp wrote it down in the book. " + FILLER
    quotes = _ask("Who mended the lamp?", [page, other])
    assert {quote.span.page_index for quote in quotes[:2]} == {0, 1}


def test_words_scattered_over_a_long_page_are_no_answer() -> None:
    words = ("The egg was white.", "They boil the tar.", "There was no king.")
    scattered = f" {FILLER} ".join(words)
    together = f"{FILLER} They boil an egg for the king."
    question = "How is an egg boiled for a king?"
    assert not _ask(question, [scattered, *[FILLER] * 6])
    assert _ask(question, [together, *[FILLER] * 6])


def test_common_words_of_a_foreign_question_are_no_answer_in_chinese() -> None:
    pages = ["守灯塔的老人名叫王海，他在岛上住了三十年。", "那天的水很凉，他把灯点亮了。"]
    assert not _ask("水的沸点是多少度？", pages, "zh")
    assert _ask("守灯塔的老人叫什么？", pages, "zh")[0].span.page_index == 0
