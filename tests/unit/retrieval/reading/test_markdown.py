"""Reading Markdown."""

from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lcagent.retrieval.reading.markdown import read
from lcagent.retrieval.reading.reader import Reading

LINES = [
    "# One",
    "## Two",
    "Set",
    "===",
    "---",
    "```",
    "- a",
    "> # b",
    "    # c",
    "",
    "text `x`",
    "|a|",
]


def reading(folder: Path, source: str) -> Reading:
    file = folder / "a.md"
    file.write_text(source, newline="")
    return read(file)


def sections(folder: Path, source: str) -> list[str | None]:
    return [page.section for page in reading(folder, source).pages]


def test_headings_become_sections_and_the_source_stays_as_it_is(tmp_path: Path) -> None:
    source = "Before.\n\n# One *big* `x`\n\n**a**\n\nTwo\n---\n\n- b\n"
    assert sections(tmp_path, source) == ["paragraph 1", "One big x", "One big x > Two"]
    assert "".join(page.text for page in reading(tmp_path, source).pages) == source


def test_what_looks_like_a_heading_in_code_or_a_quotation_is_none(tmp_path: Path) -> None:
    source = "# One\n\n```\n# two\n```\n\n    # three\n\n> # four\n\n- # five\n"
    assert sections(tmp_path, source) == ["One"]


def test_front_matter_gives_title_and_language_and_no_heading(tmp_path: Path) -> None:
    found = reading(tmp_path, '---\ntitle: "A Title"\nlang: de\n---\n\ntext\n')
    assert (found.title, found.language, found.outline) == ("A Title", "de", ())


def test_a_rule_at_the_start_is_no_front_matter(tmp_path: Path) -> None:
    assert sections(tmp_path, "---\n\n# One\n\ntext\n")[-1] == "One"


def test_comments_are_hidden_and_everything_else_keeps_its_place(tmp_path: Path) -> None:
    source = "# One <!-- x -->\n\n<!-- y\n\nz -->\n\n## Two\n\na `<!-- code -->` <!-- v --> b\n"
    first, *rest = reading(tmp_path, source).pages
    assert [page.section for page in (first, *rest)] == ["One > Two"]
    assert first.text == "# One \n\n\n\n## Two\n\na `<!-- code -->`  b\n"
    assert [hidden.text for hidden in first.hidden] == [
        "<!-- x -->",
        "<!-- y\n\nz -->",
        "<!-- v -->",
    ]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(st.lists(st.sampled_from(LINES) | st.text(alphabet="#-=` ab\n", max_size=20), max_size=30))
def test_nothing_but_comments_is_lost(tmp_path: Path, lines: list[str]) -> None:
    source = "\n".join(lines)
    assert "".join(page.text for page in reading(tmp_path, source).pages) == source
