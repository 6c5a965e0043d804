"""Quotes against a small book: found where they stand, and nowhere else."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lcagent.documents import Document, HiddenText, Line, Page, Span
from lcagent.retrieval.quotes.checking import (
    Location,
    QuoteChecker,
    _Wanted,  # pyright: ignore[reportPrivateUsage]
    find_boxes,
)

HARBOUR = (
    "The Harbour Company\r\n"
    "The company did not pay a dividend in 2019, because the new pier had cost 4,250 crowns. "
    "Its \ufb01nance committee was inter-\r\nnational and met “twice a year” "
    "in the old custom house.\r\n"
    "Unaudited revenue increased by 12.5 % to 3,118 crowns — more than anybody had expected.\r\n"
    "The lighthouse keeper wrote that the storm of Novem-\r\n1"
)
STORM = (
    "The Harbour Company\r\n"
    "ber had broken two of the seven great lanterns. Nobody was hurt that night, and the ships\r\n"
    "that lay in the roads were brought into the inner basin before the tide had turned. "
    "In the spring\r\n"
    "Figure 4: the inner basin at low water\r\n"
    "the engineers measured the depth of the channel again. "
    "The report was never printed.\r\n2"
)
PIER = (
    "The Harbour Company\r\n"
    "A year-on\ufffeyear comparison shows that the tolls were 17 crowns lower. "
    "The harbour master kept\r\n"
    "the books himself; he was a careful man and trusted no clerk with them.\r\n"
    "港务局决定，不再\r\n收取船舶停泊费用。理事会没有提出反对意见。\r\n3"
)
LAW = (
    "Tolls are due on arrival. Ships of the navy are free of all tolls under article 9 of the law."
)

BOOK = Document(
    id="book",
    name="book.pdf",
    media_type="application/pdf",
    reader="test/1",
    pages=(
        Page(
            0, HARBOUR, 1, hidden=(HiddenText("The auditors found nothing wrong at all.", "tiny"),)
        ),
        Page(1, STORM, 2),
        Page(2, PIER, 3),
        Page(3, LAW, 4),
    ),
)


def locate(quote: str, page_index: int | None = 0) -> Location:
    claimed = None if page_index is None else Span("book", page_index)
    return QuoteChecker([BOOK]).locate(quote, claimed)


def found(location: Location) -> list[str]:
    return [BOOK.pages[span.page_index].text[span.start : span.end] for span in location.spans]


@pytest.mark.parametrize(
    ("quote", "original"),
    [
        ("did not pay a dividend in 2019", "did not pay a dividend in 2019"),
        (
            "Its finance committee was international",
            "Its \ufb01nance committee was inter-\r\nnational",
        ),
        ('and met "twice a year" in the', "and met “twice a year” in the"),
        ("to 3,118 crowns—more than anybody", "to 3,118 crowns — more than anybody"),
        ("  'the new pier had cost'  ", "the new pier had cost"),
    ],
)
def test_typography_does_not_matter(quote: str, original: str) -> None:
    location = locate(quote)
    assert (location.status, location.score) == ("exact", 1.0)
    assert found(location) == [original]


def test_a_compound_split_at_its_hyphen_is_exact() -> None:
    location = locate("A year-on-year comparison shows", 2)
    assert (location.status, found(location)) == ("exact", ["A year-on\ufffeyear comparison shows"])
    assert locate("The light-house keeper wrote that the storm").status == "fuzzy"


def test_chinese_is_found_over_a_line_break() -> None:
    location = locate("港务局决定,不再收取船舶停泊费用", 2)
    assert (location.status, found(location)) == ("exact", ["港务局决定，不再\r\n收取船舶停泊费用"])


@pytest.mark.parametrize(
    "quote",
    [
        "the engineers measured the depth of the chanel again",
        "The engineers measured depth of the channel again",
        "that lay in the roads were brought in to the inner basin",
        "THAT LAY IN THE ROADS WERE BROUGHT INTO THE INNER BASIN",
    ],
)
def test_a_slip_is_fuzzy_and_keeps_the_borders_of_words(quote: str) -> None:
    location = locate(quote, 1)
    assert location.status == "fuzzy"
    assert location.score >= 0.9
    assert re.fullmatch(r"(the engineers .* again|that lay .* basin)", found(location)[0])


@pytest.mark.parametrize(
    ("quote", "page_index"),
    [
        ("The company did pay a dividend in 2019, because the new pier", 0),
        ("did not pay a dividend in 2018, because the new pier had cost", 0),
        ("because the new pier had cost 4,520 crowns", 0),
        ("Audited revenue increased by 12.5 % to 3,118 crowns", 0),
        ("audited revenue increased by 12.5 % to 3,118 crowns", 0),
        ("Unaudited revenue decreased by 12.5 % to 3,118 crowns", 0),
        ("Unaudited revenue increased by 12.5 % to 3,118 gulden", 0),
        ("had broken three of the seven great lanterns", 1),
        ("he was a careful man and trusted his clerk with them", 2),
        ("港务局决定再收取船舶停泊费用", 2),
    ],
)
def test_a_changed_number_negation_or_direction_is_not_found(quote: str, page_index: int) -> None:
    assert locate(quote, page_index).status == "not_found"


def test_two_distant_sentences_are_no_quote() -> None:
    stitched = "Nobody was hurt that night, and the ships. The report was never printed."
    assert locate(stitched, 1).status == "not_found"


def test_a_short_phrase_from_elsewhere_may_not_ride_on_a_long_quote() -> None:
    long = (
        "The company did not pay a dividend in 2019, because the new pier had cost 4,250 crowns. "
        "Its finance committee was international and met “twice a year” in the old custom house."
    )
    assert locate(long).status == "exact"
    assert locate(f"{long} The mayor approved").status == "not_found"


def test_a_quote_over_a_page_break_is_given_on_the_page_where_it_starts() -> None:
    quote = "wrote that the storm of November had broken two of the seven"
    for page_index in (0, 1):
        location = locate(quote, page_index)
        assert location.status == "exact"
        assert [span.page_index for span in location.spans] == [0, 1]
        assert found(location) == [
            "wrote that the storm of Novem",
            "ber had broken two of the seven",
        ]


def test_a_page_number_glued_to_a_hyphen_is_no_part_of_the_word() -> None:
    pages = (
        Page(0, "The Harbour Company\r\nThe report says that year-on\ufffe11", 11),
        Page(1, "The Harbour Company\r\nyear comparisons are of little use.\r\n12", 12),
    )
    checker = QuoteChecker([Document("d", "d", "application/pdf", "test/1", pages)])
    location = checker.locate("says that year-on-year comparisons", Span("d", 0))
    assert (location.status, len(location.spans)) == ("exact", 2)


def test_a_caption_inside_a_sentence_is_passed_over_but_not_exact() -> None:
    location = locate("In the spring the engineers measured the depth", 1)
    assert location.status == "fuzzy"
    assert found(location) == ["In the spring", "the engineers measured the depth"]


def test_an_interruption_may_begin_and_end_like_the_text_around_it() -> None:
    lines = "The harbour was built in the\nrainy season, in the\nreign of the second queen."
    page = Page(0, lines, 1)
    checker = QuoteChecker([Document("d", "d", "text/plain", "test/1", (page,))])
    location = checker.locate("was built in the reign of the second queen", Span("d", 0))
    assert [lines[span.start : span.end] for span in location.spans] == [
        "was built in the",
        "reign of the second queen",
    ]


def test_a_line_that_denies_may_not_be_passed_over() -> None:
    lines = (
        "The board said that it would\nnot, whatever happened, agree to\nsell the ships this year."
    )
    page = Page(0, lines, 1)
    checker = QuoteChecker([Document("d", "d", "text/plain", "test/1", (page,))])
    stitched = "The board said that it would sell the ships this year."
    assert checker.locate(stitched, Span("d", 0)).status == "not_found"


def test_whole_sentences_between_lines_may_not_be_passed_over() -> None:
    page = Page(0, "Apples are sold here.\nPears are still green.\nPlums are given away.", 1)
    checker = QuoteChecker([Document("d", "d", "text/plain", "test/1", (page,))])
    stitched = "Apples are sold here. Plums are given away."
    assert checker.locate(stitched, Span("d", 0)).status == "not_found"


@pytest.mark.parametrize("mark", [" ... ", "… ", " [...] ", " […] ", " . . . "])
def test_an_ellipsis_stands_for_text_between_pieces_in_order(mark: str) -> None:
    first, second = "did not pay a dividend", "the new pier had cost"
    location = locate(first + mark + second)
    assert (location.status, found(location)) == ("exact", [first, second])
    assert locate(second + mark + first).status == "not_found"


def test_a_piece_beside_an_ellipsis_must_be_long_enough() -> None:
    location = locate("did not pay a dividend ... had cost")
    assert (location.status, location.spans) == ("not_found", ())
    assert "piece" in (location.reason or "")


@pytest.mark.parametrize("quote", ["the company", "", "...", "船舶停泊费"])
def test_a_short_quote_is_no_evidence(quote: str) -> None:
    location = locate(quote, 2)
    assert location.status == "not_found"
    assert "characters" in (location.reason or "")


def test_six_chinese_characters_are_evidence() -> None:
    assert locate("收取船舶停泊费", 2).status == "exact"


def test_hidden_text_is_not_quoted() -> None:
    location = locate("The auditors found nothing wrong at all.")
    assert (location.status, location.reason) == ("not_found", "hidden text")


def test_a_quote_from_another_page_is_misattributed() -> None:
    location = locate("Ships of the navy are free of all tolls", 0)
    assert location.status == "misattributed"
    assert [span.page for span in location.spans] == [Span("book", 3)]


def test_a_claim_of_a_page_that_does_not_exist_is_misattributed() -> None:
    assert locate("Ships of the navy are free of all tolls", 99).status == "misattributed"


@pytest.mark.parametrize(
    ("quote", "status"),
    [
        ("Ships of the navy are free of all tolls", "exact"),
        ("Ships of the nawy are free of all tolls", "fuzzy"),
        ("the storm of November had broken two", "exact"),
    ],
)
def test_without_a_claim_a_quote_may_stand_anywhere(quote: str, status: str) -> None:
    assert locate(quote, None).status == status


def _words(text: str) -> list[tuple[int, int]]:
    return [match.span() for match in re.finditer(r"[^\W\d]+|\d[\d.,]*", text)]


@given(st.data())
def test_words_cut_from_a_page_are_found_there_exactly(data: st.DataObject) -> None:
    page = data.draw(st.sampled_from([BOOK.pages[3], BOOK.pages[1]]))
    words = _words(page.text)
    first = data.draw(st.integers(0, len(words) - 6))
    last = data.draw(st.integers(first + 5, len(words) - 1))
    start, end = words[first][0], words[last][1]
    location = locate(page.text[start:end], page.index)
    assert location.status == "exact"
    assert _words(found(location)[0]) == [
        (a - start, b - start) for a, b in words[first : last + 1]
    ]


@given(st.lists(st.text("bcdfgklmprtvxz", min_size=4, max_size=9), min_size=3, max_size=12))
def test_invented_words_are_not_found(words: list[str]) -> None:
    assert locate(" ".join(words)).status == "not_found"
    assert locate(" ".join(words), None).status == "not_found"


@given(st.integers(0, 11), st.integers(1, 3))
def test_words_from_the_law_are_misattributed_when_claimed_elsewhere(first: int, page: int) -> None:
    words = _words(LAW)
    start, end = words[first][0], words[first + 6][1]
    location = locate(LAW[start:end], page - 1)
    assert (location.status, found(location)) == ("misattributed", [LAW[start:end]])


def test_boxes_cover_the_characters_touched_line_by_line() -> None:
    page = Page(0, "ten chars.\nmore of it", 1, lines=(
        Line(0, 10, (0.0, 0.0, 100.0, 12.0)), Line(11, 21, (0.0, 14.0, 50.0, 26.0))
    ))  # fmt: skip
    assert find_boxes(page, 4, 16) == ((40.0, 0.0, 100.0, 12.0), (0.0, 14.0, 25.0, 26.0))
    assert find_boxes(page, 0, 3) == ((0.0, 0.0, 30.0, 12.0),)
    assert find_boxes(page, 10, 11) == ()


def test_a_line_written_from_right_to_left_is_boxed_whole() -> None:
    line = Line(0, 7, (10.0, 0.0, 80.0, 12.0))
    assert find_boxes(Page(0, "مرحبا ب", 1, lines=(line,)), 0, 3) == (line.box,)


def test_a_quote_of_any_length_is_found_where_it_stands_word_for_word() -> None:
    long = " ".join(f"On day {number} the wind blew from the west." for number in range(400))
    page = Page(0, f"The log. {long} The end.", 1)
    book = Document("log", "log.txt", "text/plain", "test/1", (page,))
    found = QuoteChecker([book]).locate(long, Span("log", 0))
    assert found.status == "exact"
    assert page.text[found.spans[0].start : found.spans[0].end] == long


@pytest.mark.parametrize(
    "quote",
    [
        "the lighthouse keeper wrote " * 1_000,
        "year-on-year " * 5_000,
        "(" * 100_000 + "the storm had broken two lanterns",
        "." * 100_000 + "the storm had broken two lanterns" + " '" * 50_000 + "x",
        " ... ".join(["the storm had broken two"] * 40),
    ],
    ids=["loop", "compounds", "brackets", "dots", "pieces"],
)
def test_a_quote_that_is_too_long_for_slips_says_so(quote: str) -> None:
    found = locate(quote, None)
    assert found.status == "not_found"
    assert found.reason is not None
    assert "slips are allowed up to 1,500 characters" in found.reason


def test_a_long_quote_is_looked_for_in_one_way_only() -> None:
    assert len(_Wanted.of("the whale " * 1_000).searches()) == 1
    assert len(_Wanted.of("the whale " * 100).searches()) == 3


@pytest.mark.parametrize(
    ("quote", "status"),
    [
        ("港务局决定，不再收取船舶停泊费用", "exact"),
        ("港务局决定，不再收取船舶停放费用", "not_found"),
        ("渔务局决定，不再收取船舶停泊费用", "not_found"),
        ("理事会没有提出过反对意见", "fuzzy"),
        ("理事会议员们没有提出反对意见", "not_found"),
    ],
)
def test_another_chinese_character_is_no_slip(quote: str, status: str) -> None:
    assert locate(quote, 2).status == status
