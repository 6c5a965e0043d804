"""A writer that could not plan is asked plainly, and its statements are proved by program."""

import pytest

from lcagent.agents.answering import LabelledPassage
from lcagent.agents.write.article_plan import (
    ArticlePlan,
    PlanLimits,
    PlannedParagraph,
    plan_by_program,
)
from lcagent.agents.write.paragraph_draft import ParagraphTask, count_text_words
from lcagent.agents.write.paragraph_proofs import add_proofs
from lcagent.agents.write.paragraph_writer import ParagraphWriter
from lcagent.documents import Span
from lcagent.models.chat_model import Reply
from lcagent.testing import ScriptedModel

pytestmark = pytest.mark.anyio

INSTRUCTION = "Write a 40-word report on the ferry."
PAGE = (
    "# The Ferry\n\nThe ferry Lady Annis carries 184 passengers and 19 cars across the sound.\n"
    "She does not sail when the wind blows at more than 45 knots.\n"
)
SOURCE = LabelledPassage("S2", Span("d", 1), PAGE)
SENTENCE = "The ferry Lady Annis carries 184 passengers and 19 cars across the sound."


def _writer(model: ScriptedModel, point: str = f"{INSTRUCTION} (1/1)") -> ParagraphWriter:
    plan = ArticlePlan((PlannedParagraph(point, 40),))
    return ParagraphWriter(INSTRUCTION, plan, model, is_grounded=True, is_plain=True)


async def test_the_prompt_has_no_plan_no_marks_and_the_instruction_once() -> None:
    model = ScriptedModel(lambda _: "The ferry crosses the sound. " * 8)
    await _writer(model).write(ParagraphTask(0, 40, sources=(PAGE,)))
    prompt = model.requests[0].messages[-1].text
    assert prompt.count(INSTRUCTION) == 1
    assert "Main Point" not in prompt
    assert "[S2" not in prompt
    assert "(1/1)" not in prompt


async def test_a_part_of_a_list_is_named() -> None:
    model = ScriptedModel(lambda _: "The ferry crosses the sound. " * 8)
    await _writer(model, "the pier").write(ParagraphTask(0, 40))
    assert "the pier" in model.requests[0].messages[-1].text


async def test_what_is_too_long_is_cut_at_a_sentence_by_program() -> None:
    sentences = [f"Boat number {at} crossed the grey sea to Havenby." for at in range(30)]
    model = ScriptedModel(lambda _: " ".join(sentences))
    written = await _writer(model).write(ParagraphTask(0, 40))
    assert len(model.requests) == 1
    assert count_text_words(written.text) == 36
    assert written.text.endswith("Havenby.")


async def test_what_is_too_short_goes_on_from_its_end() -> None:
    rest = " ".join(f"Boat number {at} crossed the grey sea to Havenby." for at in range(4))
    replies = iter(["The ferry is old.", f"It has {rest}"])
    model = ScriptedModel(lambda _: Reply(next(replies)))
    written = await _writer(model).write(ParagraphTask(0, 40))
    assert "The ferry is old." in model.requests[1].messages[-1].text
    assert written.text.startswith("The ferry is old. It has")


def test_a_plan_by_program_is_of_the_whole_not_of_the_first_headings() -> None:
    material = "book.pdf\n- Title page\n- Contents\n- The ferry"
    (only,) = plan_by_program(INSTRUCTION, material, 100, PlanLimits(80, 500, 10)).paragraphs
    assert only.point == f"{INSTRUCTION} (1/1)"
    three = plan_by_program(INSTRUCTION, material, 600, PlanLimits(80, 500, 10)).paragraphs
    assert [one.point for one in three] == ["Title page", "Contents", "The ferry"]


def test_what_a_page_says_gets_a_mark_with_its_words() -> None:
    text = "She carries 184 passengers and 19 cars. She was painted green. # not a heading"
    marked, quotes = add_proofs(f"The Lady Annis carries 184 passengers. {text}", [SOURCE], [PAGE])
    assert quotes[0] == SENTENCE
    assert f'The Lady Annis carries 184 passengers [S2 "{SENTENCE}"].' in marked
    assert "She was painted green." in marked


@pytest.mark.parametrize(
    "text",
    [
        "The Lady Annis carries 148 passengers.",
        "She sails when the wind blows at more than 45 knots.",
        "The Ferry",
        "",
        'The Lady Annis carries 184 passengers [S2 "carries 184 passengers and 19 cars"].',
    ],
)
def test_what_no_page_says_or_has_a_mark_is_left_as_it_is(text: str) -> None:
    assert add_proofs(text, [SOURCE], [PAGE]) == (text, ())
