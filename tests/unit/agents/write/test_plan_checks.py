"""A plan is made to fit by program, and what is wrong with one is said in words."""

from hypothesis import given
from hypothesis import strategies as st

from lcagent.agents.write.article_plan import (
    ArticlePlan,
    PlanLimits,
    PlannedParagraph,
    find_plan_problems,
    find_uncovered_items,
    parse_plan,
    plan_by_program,
    remove_repeated_points,
    rescale_plan,
    without_placeholders,
)


def _plan(*words: int) -> ArticlePlan:
    return ArticlePlan(tuple(PlannedParagraph(f"point {at}", one) for at, one in enumerate(words)))


@given(st.lists(st.integers(0, 3_000), min_size=1, max_size=40), st.data())
def test_a_rescaled_plan_adds_up_and_keeps_to_the_limits(
    words: list[int], data: st.DataObject
) -> None:
    target = data.draw(st.integers(200 * len(words), 1_000 * len(words)))
    scaled = rescale_plan(_plan(*words), target, PlanLimits())
    assert abs(scaled.words - target) <= 0.05 * target
    assert all(200 <= one.words <= 1_000 for one in scaled.paragraphs)


def test_a_plan_that_is_near_enough_stays_as_it_is() -> None:
    plan = _plan(500, 480, 500)
    assert rescale_plan(plan, 1_500, PlanLimits()) == plan


def test_a_target_that_no_paragraph_may_be_long_enough_for_is_met_all_the_same() -> None:
    assert rescale_plan(_plan(500, 500), 6_000, PlanLimits()).words == 6_000
    assert rescale_plan(_plan(500, 500), 150, PlanLimits()).words == 150


def test_main_points_that_say_the_same_are_left_out() -> None:
    plan = parse_plan(
        "1. How the old ferry crossed the sound in winter - 300 words\n"
        "2. How the old ferry crossed the sound in the winter - 300 words\n"
        "3. How the lighthouse was built - 300 words"
    )
    kept, repeats = remove_repeated_points(plan)
    assert [one.point[-6:] for one in kept.paragraphs] == ["winter", " built"]
    assert len(repeats) == 1


def test_what_is_wrong_with_a_plan_is_said() -> None:
    limits = PlanLimits(most_paragraphs=3)
    assert find_plan_problems(ArticlePlan(()), "x", 500, limits) == [
        "it has no line of the form asked for"
    ]
    assert find_plan_problems(_plan(500, 500), "x", 1_000, limits) == []
    (few,) = find_plan_problems(_plan(500, 500), "x", 3_000, limits)
    assert "need at least 3" in few
    many = find_plan_problems(_plan(*[200] * 4), "x", 400, limits)
    assert ["at most 3" in many[0], "enough for 2 only" in many[1]] == [True, True]


def test_items_that_an_instruction_lists_must_be_in_the_plan() -> None:
    plan = parse_plan("1. The building of the lighthouse - 300 words\n2. Ferries - 300 words")
    instruction = "Write on:\n- how the lighthouse was built\n- the ferry\n- the tidal mills"
    assert find_uncovered_items(plan, instruction) == ["the tidal mills"]


def test_a_plan_is_made_by_program_of_what_the_instruction_lists() -> None:
    limits = PlanLimits(100, 300, 20)
    listed = "Write about the harbour:\n- its ferry\n- its lighthouse\n- its trade"
    plan = plan_by_program(listed, "", 600, limits)
    assert [one.point for one in plan.paragraphs] == ["its ferry", "its lighthouse", "its trade"]
    assert sum(one.words for one in plan.paragraphs) == 600
    of_sources = plan_by_program(
        "Write a report.", "book.pdf: The harbour\n- The ferry\n- The light\n", 400, limits
    )
    assert [one.point for one in of_sources.paragraphs] == ["The ferry", "The light"]
    bare = plan_by_program("Write about\nlighthouses.", "", 0, limits)
    assert bare.paragraphs[0].point == "Write about lighthouses. (1/3)"
    assert len(bare.paragraphs) == 3


def test_lines_that_repeat_the_form_of_a_plan_are_no_plan() -> None:
    reply = "Paragraph 1 - Main Point: [what the paragraph says, in detail] - Word Count: 100 words"
    assert without_placeholders(parse_plan(reply)).paragraphs == ()
