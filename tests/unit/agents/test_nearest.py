"""A prompt with little room: the sentences near the question, and rows that can be read."""

from collections.abc import Sequence

from lcagent.agents.answering import LabelledPassage
from lcagent.agents.nearest import pack_nearest
from lcagent.documents import Document, Page, Passage, Span
from lcagent.retrieval.chunking import cut_chunks
from lcagent.retrieval.embedding.wordpiece_estimate import WordPieceEstimate
from lcagent.retrieval.search.layout import running_lines
from lcagent.retrieval.search.query import analyse
from lcagent.retrieval.search.ranking import index_terms
from lcagent.retrieval.search.retriever import SearchResults
from lcagent.retrieval.search.terms import extract_terms

FILLER = "The sea was grey and the wind blew from the west on most days of the long winter. "
TABLE = (
    "Table 2. Traffic of the ferry\n2017 2018 2019\n"
    "Foot passengers 45,930 48,612 48,216\nCars and vans 9,114 9,487 9,502\n"
)


def _near(
    question: str, pages: Sequence[str], budget: int = 60, language: str = "en"
) -> list[LabelledPassage]:
    """Return what is shown when every page is found, the first being the best."""
    made = tuple(Page(index, text, index + 1) for index, text in enumerate(pages))
    document = Document("a" * 64, "book", "m", "r", made, language=language)
    terms = extract_terms(document, cut_chunks(document, WordPieceEstimate()))
    passages = tuple(
        Passage(
            *(Span(document.id, page.index, 0, len(page.text)), page.text, document.name, page),
            score=1.0 - page.index / 100,
        )
        for page in made
    )
    query = analyse(question, [terms.language], index_terms([terms]))
    running = {document.id: running_lines(document)}
    found = SearchResults(passages, query, len(made), len(made), running)
    return pack_nearest(found, {document.id: document}, budget, lambda text: len(text.split()))


def test_the_sentences_near_the_question_are_shown_with_their_neighbours_and_no_more() -> None:
    near = "She climbed up. The keeper of the lamp was Ada Quill. She slept."
    page = f"{FILLER * 9}{near} {FILLER * 9}"
    (shown,) = _near("Who was the keeper of the lamp?", [page], budget=34)
    assert near in shown.text.replace("\n", " ")
    assert len(shown.text.split()) <= 34


def test_the_page_with_the_nearest_sentence_stands_last_before_the_question() -> None:
    pages = ["The keeper of the lamp was Ada Quill. " + FILLER, "A lamp was sold. " + FILLER]
    shown = _near("Who was the keeper of the lamp?", pages, budget=120)
    assert [each.page.page_index for each in shown] == [1, 0]
    assert [each.label for each in shown] == ["S1", "S2"]


def test_no_label_is_shown_that_a_small_model_could_repeat() -> None:
    (shown,) = _near("Who was the keeper of the lamp?", ["The keeper of the lamp was Ada Quill."])
    assert shown.text == "The keeper of the lamp was Ada Quill."


def test_the_value_under_the_year_that_is_asked_for_is_told_as_a_sentence() -> None:
    (shown,) = _near("How many foot passengers crossed in 2018?", [FILLER + "\n" + TABLE])
    assert "The number for “Foot passengers” in 2018 is 48,612." in shown.text
    assert "Foot passengers 45,930 48,612 48,216" in shown.text
    assert "2017 2018 2019" in shown.text


def test_a_value_in_another_language_is_told_without_english_words() -> None:
    (shown,) = _near("Foot passengers 2018?", [FILLER + "\n" + TABLE], language="de")
    assert "Foot passengers (2018): 48,612" in shown.text
    assert "number for" not in shown.text


def test_a_row_with_fewer_values_than_years_is_not_read_under_them() -> None:
    table = TABLE.replace("45,930 48,612 48,216", "45,930 48,612")
    (shown,) = _near("How many foot passengers crossed in 2018?", [FILLER + "\n" + table])
    assert "“Foot passengers”" not in shown.text


def test_words_cut_by_the_end_of_a_line_are_joined() -> None:
    (shown,) = _near("Who kept the lamp?", ["Ada kept the lamp in the light-\nhouse of the town."])
    assert "lighthouse" in shown.text


def test_where_no_sentence_fits_the_best_passage_is_shortened() -> None:
    (shown,) = _near("Who kept the lamp?", ["Ada kept the lamp and " + "slept, " * 400], budget=40)
    assert 0 < len(shown.text.split()) <= 40
