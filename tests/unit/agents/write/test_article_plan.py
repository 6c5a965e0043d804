"""A plan is found in whatever a model or a user makes of its form, and comes back as it went."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lcagent.agents.write.article_plan import (
    ArticlePlan,
    PlannedParagraph,
    parse_chapters,
    parse_plan,
)

REPLY = """Sure! Here is a plan of 5,000 words:

**Paragraph 1** - Main Point: Introduce the island - Word Count: 400 words

- Paragraph 2 – Main Point：The light: its history – Word Count：400-500 words
3. The ferry (about 300 words)
* The tide mill — 250 words
第五段 - 主要内容：潮汐磨坊 - 字数：500字
Paragraph 6 - Main Point: On two lines
   Word Count: 350
### Paragraph 7: The end - Word Count: 1,000 words.

Total: 5,000 words
- Total word count: 5000 words
Let me know if you want changes to these 5000 words."""


def test_only_steps_are_steps_however_they_are_decorated() -> None:
    assert [(one.point, one.words) for one in parse_plan(REPLY).paragraphs] == [
        ("Introduce the island", 400),
        ("The light: its history", 450),
        ("The ferry", 300),
        ("The tide mill", 250),
        ("潮汐磨坊", 500),
        ("On two lines", 350),
        ("The end", 1_000),
    ]


def test_headings_are_chapters() -> None:
    plan = parse_plan("# Chapter 1: East\nParagraph 1 - Main Point: A\n\n## West\n2. B - 300 words")
    assert [(one.chapter, one.point) for one in plan.paragraphs] == [("East", "A"), ("West", "B")]


def test_chapters_have_titles() -> None:
    reply = (
        "Chapter 1 - Title: The island - Main Point: where it is - Word Count: 3,000 words\n"
        "Chapter 2: The light: who kept it - Word Count: 2,000 words"
    )
    assert parse_chapters(reply) == [
        PlannedParagraph("where it is", 3_000, "The island"),
        PlannedParagraph("The light: who kept it", 2_000, "The light"),
    ]


@pytest.mark.parametrize("text", ["", "I cannot do that.", "A text of 3,000 words is long.", "---"])
def test_what_is_no_plan_has_no_paragraphs(text: str) -> None:
    assert parse_plan(text) == ArticlePlan(())


_TITLES = st.from_regex(r"[a-zäß]{1,9}( [a-zäß]{1,9}){0,4}", fullmatch=True)
_PARAGRAPHS = st.builds(
    PlannedParagraph, _TITLES, st.integers(0, 5_000), st.one_of(st.just(""), _TITLES)
)


@pytest.mark.slow
@given(st.lists(_PARAGRAPHS, max_size=12))
def test_a_plan_survives_being_printed_and_read(paragraphs: list[PlannedParagraph]) -> None:
    plan = ArticlePlan(tuple(paragraphs))
    assert parse_plan(plan.as_text()) == plan
