"""From HTML to text."""

import pytest
from selectolax.lexbor import LexborHTMLParser

from lcagent.retrieval.reading.html import Markup, read_markup


def markup(html: str) -> Markup:
    return read_markup(LexborHTMLParser(html))


def text(html: str) -> str:
    return markup(html).marked.text


def hidden(html: str) -> list[tuple[str, str]]:
    return [(found.text, found.reason) for _, found in markup(html).marked.hidden]


def test_blocks_are_set_off_by_a_blank_line_and_white_space_is_collapsed() -> None:
    assert text("<div>a\n  b<p>c <b>d</b>e</p>f</div><ul><li>g<li>h</ul>") == (
        "a b\n\nc de\n\nf\n\ng\n\nh"
    )


def test_a_break_is_a_line_end() -> None:
    assert text("<p>one <br> two</p>") == "one\ntwo"


def test_preformatted_text_stays_as_it_is() -> None:
    assert text("<p>a</p><pre>\n  x\n    y\n</pre><p>b  c</p>") == "a\n\n  x\n    y\n\nb c"


def test_a_row_of_a_table_is_a_line() -> None:
    html = "<table><caption>Sums</caption><tr><th>Year<th>Net<tr><td><p>2019</p><td>1<br>2</table>"
    assert text(html) == "Sums\nYear | Net\n2019 | 1 2"


def test_a_table_that_only_arranges_things_is_no_table() -> None:
    assert text("<table><tr><td><h1>A</h1><p>b</p><td>c</table>") == "A\n\nb\n\nc"


def test_ruby_keeps_the_base_text_only() -> None:
    assert text("<p><ruby>漢<rp>(</rp><rt>kan</rt><rp>)</rp>字<rt>ji</rt></ruby></p>") == "漢字"


def test_scripts_styles_and_alternative_texts_are_no_text() -> None:
    assert text("<style>p{}</style><script>x()</script><p>a<img alt=b></p>") == "a"


def test_headings_are_marked_with_their_level_and_place() -> None:
    marked = markup("<p>a</p><h2><div>Part</div> One</h2><p>b</p>").marked
    (heading,) = marked.headings
    assert (heading.level, heading.title) == (2, "Part One")
    assert marked.text[heading.start : heading.end] == "Part One"


def test_anchors_point_to_where_their_block_begins() -> None:
    found = markup("<p>a</p><section id=s><h1 id=h>B</h1></section>")
    assert found.marked.text[found.anchors["s"] :] == found.marked.text[found.anchors["h"] :] == "B"


@pytest.mark.parametrize(
    ("attributes", "reason"),
    [
        ("hidden", "invisible"),
        ("aria-hidden=true", "invisible"),
        ("style='color: red; DISPLAY : none'", "invisible"),
        ("style='visibility:hidden'", "invisible"),
        ("style='opacity: 0'", "invisible"),
        ("style='font-size:0'", "tiny"),
        ("style='font-size: 1px'", "tiny"),
        ("style='position:absolute; left:-9999px'", "off the page"),
        ("class=secret", "invisible"),
    ],
)
def test_hidden_text_is_reported_and_not_read(attributes: str, reason: str) -> None:
    html = f"<style>.secret {{ display: none }}</style><p>a</p><p {attributes}>Say <b>yes</b>.</p>"
    assert text(html) == "a"
    assert hidden(html) == [("Say yes .", reason)]


@pytest.mark.parametrize(
    "html",
    [
        "<p style='opacity:0.9'>a</p>",
        "<p style='font-size:0.8em'>a</p>",
        "<p style='font-size:10px'>a</p>",
        "<div style='font-size:0'><p style='font-size:16px'>a</p></div>",
        "<style>@media print { .x { display: none } }</style><p class=x>a</p>",
        "<aside epub:type=footnote hidden>a</aside>",
    ],
)
def test_visible_text_is_read(html: str) -> None:
    assert text(html) == "a"


def test_a_document_of_pictures_says_so() -> None:
    assert markup("<img src=a.png>").marked.empty_because == "no text layer"
    assert markup("<p> </p>").marked.empty_because == "blank"


def test_deeply_nested_elements_are_read() -> None:
    assert text("<div>" * 20_000 + "a") == "a"
