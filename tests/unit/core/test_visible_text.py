"""What is printed or written can be seen, controls nothing, and is the text otherwise."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from lcagent.visible_text import inert, printable, printable_json, printable_piece

HTML = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])


@pytest.mark.parametrize(
    "control",
    ["\x1b[31m", "\x1b]0;owned\x07", "\x9b31m", "\x9d0;owned\x9c", "\x08", "\r", "\x7f", "\x00"],
)
def test_no_control_sequence_is_left(control: str) -> None:
    shown = printable(f"a{control}b")
    assert "\ufffd" in shown
    assert shown.isprintable()


@pytest.mark.parametrize(
    ("hidden", "shown"),
    [
        ("a\u202eb", "a⟨U+202E⟩b"),
        ("\u2066a\u2069", "⟨U+2066⟩a⟨U+2069⟩"),
        ("pass\u200bword", "pass⟨U+200B⟩word"),
        ("pass\u200dword", "pass⟨U+200D⟩word"),
        ("\ufeffa\u2060b\u00ad", "⟨U+FEFF⟩a⟨U+2060⟩b\u00ad"),
        ("a\u200eb", "a⟨U+200E⟩b"),
        ("Hi\U000e0049\U000e0047", "Hi⟨U+E0049⟩⟨U+E0047⟩"),
        ("a\U000e0100b\ufe01", "a⟨U+E0100⟩b⟨U+FE01⟩"),
        ("\U0001f3f4\U000e0069\U000e0067\U000e007f", "\U0001f3f4⟨U+E0069⟩⟨U+E0067⟩⟨U+E007F⟩"),
        ("\u3164a\u115f", "⟨U+3164⟩a⟨U+115F⟩"),
    ],
)
def test_what_is_not_seen_is_written_out(hidden: str, shown: str) -> None:
    assert printable(hidden) == shown


@pytest.mark.parametrize(
    "text",
    [
        "نیم\u200cفاصله", "क्\u200dष", "👩\u200d👧 ❤\ufe0f 1\ufe0f\u20e3", "葛\U000e0100城",
        "\U0001f3f4\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f",
        "שלום\u200e (2019)", "tab\tand\nline", "naïve café — “quoted” 文書",
    ],
)  # fmt: skip
def test_what_belongs_to_a_script_stays(text: str) -> None:
    assert printable(text) == text


def test_a_line_of_windows_ends_as_a_line() -> None:
    assert printable("a\r\nb") == "a\nb"


@given(st.lists(st.sampled_from(["نیم", "\u200c", "فا", "👩", "\u200d", "👧", "a", "\x1b"])))
def test_pieces_of_a_stream_hide_nothing_but_a_joiner(pieces: list[str]) -> None:
    shown = "".join(map(printable_piece, pieces))
    assert "\x1b" not in shown
    assert shown.replace("\u200c", "").replace("\u200d", "").isprintable()


@given(st.text())
def test_json_says_the_same_and_shows_no_control(text: str) -> None:
    told = printable_json(json.dumps({"text": text, "\u202e": [text]}, ensure_ascii=False))
    assert json.loads(told) == {"text": text, "\u202e": [text]}
    assert printable(told) == told


ACTIVE = [
    "<script>alert(1)</script>",
    r"\<script>alert(1)</script>",
    r"\\<script>alert(1)</script>",
    "![a](http://there.example/a.png)",
    r"\![a](http://there.example/a.png)",
    r"\\![a](http://there.example/a.png)",
    "![a][1]\n\n[1]: http://there.example/a.png",
    "![a]\n\n  [a]: http://there.example/a.png",
    "[![a](http://there.example/a.png)](javascript:alert(1))",
    "[a](javascript:alert(1))",
    "[a](java&#115;cript:alert(1))",
    "[a\\](javascript:alert(1)) [b](javascript:alert(1))",
    "[a]\n\n> - [a]: javascript:alert(1)",
    "[a\nb]\n\n[a\nb]: javascript:alert(1)",
    "<javascript:alert(1)>",
    "<img src=x onerror=alert(1)>",
    "<!-- --><iframe src='//there.example'>",
    "a\n<table><tr><td>\n\n[a](data:text/html,x)",
]


@pytest.mark.parametrize("text", ACTIVE)
def test_nothing_of_a_text_acts_when_its_markdown_is_rendered(text: str) -> None:
    for shown in (inert(text), inert(inert(text)), inert(f"- one\n- {text}\n")):
        html = HTML.render(shown)
        assert not any(tag in html for tag in ("<script", "<img", "<a", "<iframe", "<table"))


def test_text_that_does_nothing_stays_as_it_is() -> None:
    text = "# A *heading*\n\n1. **bold** [1], 3 > 2, `code`\n\n> [2] said: so (a) [b] (c)"
    assert inert(text) == text


@given(st.text(alphabet="\\<![]():ax\n >-`"))
def test_no_mixture_of_signs_makes_a_picture_a_link_or_a_tag(text: str) -> None:
    html = HTML.render(inert(text))
    assert not any(tag in html for tag in ("<img", "<a", "<x", "<!"))
