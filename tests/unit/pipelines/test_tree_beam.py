"""A tree in beam mode: which answers are kept, what they cost, and that nothing is asked twice."""

import asyncio
import json
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lcagent.agents.answering import LabelledPassage
from lcagent.agents.probtree.beam_search import max_beam_calls
from lcagent.agents.probtree.confidence import gather, normalize_answer
from lcagent.agents.probtree.node_result import NodeResult
from lcagent.agents.probtree.passage_retriever import RetrievalQuery
from lcagent.agents.probtree.question_tree import QuestionTree
from lcagent.documents import Span
from lcagent.errors import UsageError
from lcagent.models.chat_model import Reply, Request, TokenLogprob
from lcagent.pipelines.methods.tree.options import TreeOptions
from lcagent.pipelines.methods.tree.run import TreeRun
from lcagent.pipelines.methods.tree.tree_log import index_of, sharing
from lcagent.pipelines.run_log import RunLog
from lcagent.testing import ScriptedModel

pytestmark = pytest.mark.anyio

ROOT = "Where was the director of the ferry born?"
DIRECTOR, BORN = "Who directed the ferry?", "Where was #1 born?"
CLOSED, OPEN, BELOW = "closed book", "open book", "child aggregating"


class _OnePassage:
    """A book with one passage for any question."""

    async def retrieve(self, queries: Sequence[RetrievalQuery]) -> list[LabelledPassage]:
        """Return it, with what was looked up."""
        looked_up = "; ".join(f"{one.query} x{one.top_k}" for one in queries)
        return [LabelledPassage("S1", Span("d", 0), f"S1\nLOOKED UP {looked_up}")]


def said(answer: str, score: float) -> Reply:
    """Return an answer that is as sure as `score`."""
    pieces = (("It is so.", score), (f" So the answer is: {answer}", -7.0))
    return Reply(
        "".join(piece for piece, _ in pieces),
        logprobs=tuple(TokenLogprob(piece, p, piece.encode()) for piece, p in pieces),
    )


def _question(request: Request) -> str:
    return re.findall(r"^Question: (.*)$", request.messages[-1].text, re.MULTILINE)[-1]


def _below(request: Request) -> list[str]:
    return re.findall(r"^Answer: (.*)$", request.messages[-1].text, re.MULTILINE)


Replies = Mapping[tuple[str, str], tuple[str, float]]


def _scripted(
    lists: Mapping[str, Sequence[str]], replies: Replies, below: Replies | None = None
) -> Callable[[Request], Reply]:
    """Reply with a tree, to each role and question as listed, else with "Unknown".

    What is put together from answers below goes by the question and the last of them.
    """

    def reply(request: Request) -> Reply:
        if request.purpose == "decomposition":
            text = json.dumps(lists)
            return Reply(text, logprobs=(TokenLogprob(text, -0.1, text.encode()),))
        role, question = request.purpose.split(",")[0], _question(request)
        if role == BELOW:
            return said(*(below or {}).get((question, _below(request)[-1]), ("Unknown", -9.0)))
        return said(*replies.get((role, question), ("Unknown", -9.0)))

    return reply


FERRY = _scripted(
    {ROOT: [DIRECTOR, BORN]},
    {
        (OPEN, DIRECTOR): ("Jim Roe", -0.1),  # the surest, and wrong
        (CLOSED, DIRECTOR): ("Jane Doe", -0.3),
        (OPEN, "Where was Jim Roe born?"): ("Wick", -2.0),
        (CLOSED, "Where was Jim Roe born?"): ("The Wick.", -3.0),
        (OPEN, "Where was Jane Doe born?"): ("Cork", -0.1),
    },
    {(ROOT, "Wick"): ("Wick", -0.2), (ROOT, "Cork"): ("Cork", -0.2)},
)


def _run(reply: Callable[[Request], Reply], question: str = ROOT, **options: Any) -> TreeRun:
    return TreeRun(
        question, ScriptedModel(reply), _OnePassage(), TreeOptions(**options), RunLog(), 100
    )


def _asked(run: TreeRun) -> list[Request]:
    assert isinstance(run.model, ScriptedModel)
    return run.model.requests


async def _finish(run: TreeRun) -> list[list[str]]:
    levels: list[list[str]] = []
    while steps := run.ready():
        levels.append(steps)
        await gather([run.take(step) for step in steps])
    return levels


def _root(run: TreeRun) -> NodeResult:
    return run.known.recorded("tree/node/0")


async def test_a_beam_finds_what_the_second_best_answer_leads_to_and_one_answer_does_not() -> None:
    narrow, wide = _run(FERRY), _run(FERRY, beam=2)
    await _finish(narrow)
    await _finish(wide)
    assert _root(narrow).choice.answer == "Wick"
    assert _root(wide).choice.answer == "Cork"
    assert len(_asked(narrow)) == 1 + 2 + 2 + 3
    assert len(_asked(wide)) == 1 + 2 + 2 * 2 + 4


async def test_each_assignment_is_put_together_the_surest_first() -> None:
    run = _run(FERRY, beam=2)
    await _finish(run)
    assert [_below(one) for one in _asked(run) if BELOW in one.purpose] == [
        ["Jane Doe", "Cork"],
        ["Jim Roe", "Wick"],
    ]
    below = _root(run).candidates[2:]
    assert [one.score for one in below] == pytest.approx(
        [(-0.2 - 0.1 - 0.3 - 0.1) / 4, (-0.2 - 0.1 - 0.1 - 2.0) / 4]
    )
    assert [[pick.asked for pick in one.below] for one in below] == [
        [DIRECTOR, "Where was Jane Doe born?"],
        [DIRECTOR, "Where was Jim Roe born?"],
    ]


async def test_the_answers_that_are_followed_are_those_of_the_winner() -> None:
    run = _run(FERRY, beam=2)
    await _finish(run)
    followed = run.known.followed(run.known.answers())
    assert [followed[at].choice.answer for at in (0, 1, 2)] == ["Cork", "Jane Doe", "Cork"]
    assert len(run.known.every()) == 4


async def test_the_winner_may_rest_on_an_assignment_that_was_not_the_surest() -> None:
    replies = {
        (OPEN, DIRECTOR): ("Jim Roe", -0.1),
        (CLOSED, DIRECTOR): ("Jane Doe", -0.3),
        (OPEN, "Where was Jim Roe born?"): ("Wick", -0.1),
        (OPEN, "Where was Jane Doe born?"): ("Cork", -0.2),
    }
    below = {(ROOT, "Wick"): ("Wick", -5.0), (ROOT, "Cork"): ("Cork", -0.1)}
    run = _run(_scripted({ROOT: [DIRECTOR, BORN]}, replies, below), beam=2)
    await _finish(run)
    assert [one.answer for one in _root(run).candidates[2:]] == ["Wick", "Cork"]
    followed = run.known.followed(run.known.answers())
    assert [followed[at].choice.answer for at in (0, 1, 2)] == ["Cork", "Jane Doe", "Cork"]


async def test_a_question_is_measured_as_the_least_well_measured_of_any_assignment() -> None:
    def reply(request: Request) -> Reply:
        said_so = FERRY(request)
        return replace(said_so, logprobs=None) if "Jim Roe born" in str(request) else said_so

    run = _run(reply, beam=2, samples=0)
    await _finish(run)
    methods = [run.known.recorded(step.key).method for step in run.log.steps("tree/node/")]
    assert sorted(methods) == ["logprobs", "logprobs", "stated", "stated"]
    assert _root(run).method == "stated"


async def test_passages_of_a_question_are_those_of_the_best_answers_below() -> None:
    run = _run(FERRY, beam=2, top_k=4, top_k_below=1)
    await _finish(run)
    (shown,) = [one for one in _asked(run) if OPEN in one.purpose and _question(one) == ROOT]
    looked_up = f"LOOKED UP {ROOT} x4; {DIRECTOR} x1; Where was Jane Doe born? x1"
    assert looked_up in shown.messages[-1].text


async def test_questions_without_references_cost_the_same_in_a_beam() -> None:
    lists = {ROOT: ["Is wick up?", "Is cork up?", "Is the mill up?"]}
    replies = {(role, part): (role, -0.5) for role in (CLOSED, OPEN) for part in lists[ROOT]}
    below = {(ROOT, role): (role, -0.1) for role in (CLOSED, OPEN)}
    counts: list[Counter[str]] = []
    for beam in (1, 2, 3):
        run = _run(_scripted(lists, replies, below), beam=beam)
        levels = await _finish(run)
        assert [len(level) for level in levels] == [1, 3, 1]
        counts.append(Counter(_question(one) for one in _asked(run)[1:]))
    for count, beam in zip(counts, (1, 2, 3), strict=True):
        assert count == {**dict.fromkeys(lists[ROOT], 2), ROOT: 2 + beam}


async def test_answers_that_read_the_same_are_one_and_no_answers_are_none() -> None:
    replies = {
        (OPEN, DIRECTOR): ("The Jane Doe.", -0.1),
        (CLOSED, DIRECTOR): ("jane doe", -0.3),
        (OPEN, "Where was The Jane Doe born?"): ("Cork", -0.1),
    }
    run = _run(_scripted({ROOT: [DIRECTOR, BORN]}, replies), beam=2)
    assert [len(level) for level in await _finish(run)] == [1, 1, 1, 1]
    assert len(_asked(run)) == 1 + 2 + 2 + 3


async def test_where_there_is_no_answer_at_all_one_question_is_asked_with_the_word_for_that() -> (
    None
):
    run = _run(_scripted({ROOT: [DIRECTOR, BORN]}, {}), beam=3)
    await _finish(run)
    assert {_question(one) for one in _asked(run)[1:]} == {
        ROOT,
        DIRECTOR,
        "Where was unknown born?",
    }
    assert not _root(run).is_answered


async def test_an_assignment_with_a_gap_gives_way_to_one_without() -> None:
    replies = {
        (OPEN, DIRECTOR): ("Jim Roe", -0.1),
        (CLOSED, DIRECTOR): ("Jane Doe", -0.3),
        (OPEN, "Where was Jane Doe born?"): ("Cork", -0.1),
    }
    run = _run(_scripted({ROOT: [DIRECTOR, BORN]}, replies), beam=2)
    await _finish(run)
    assert [_below(one) for one in _asked(run) if BELOW in one.purpose] == [["Jane Doe", "Cork"]]


async def test_what_is_not_referred_to_is_not_waited_for() -> None:
    lists = {
        ROOT: ["Is wick up?", DIRECTOR, "Where was #2 born?"],
        "Is wick up?": ["Is the light up?", "Is #1 at the mill?"],
    }
    replies = {
        (OPEN, DIRECTOR): ("Jim Roe", -0.1),
        (OPEN, "Is the light up?"): ("Yes", -0.1),
    }
    levels = await _finish(_run(_scripted(lists, replies), beam=2))
    assert [[step.split("/")[2] for step in level] for level in levels[1:]] == [
        ["4", "2"],
        ["5", "3"],
        ["1"],
        ["0"],
    ]


async def test_what_refers_to_the_same_answer_is_asked_at_the_same_time() -> None:
    replies = {(OPEN, DIRECTOR): ("Jim Roe", -0.1), (CLOSED, DIRECTOR): ("Jane Doe", -0.3)}
    lists = {ROOT: [DIRECTOR, BORN, "Was #1 old?"]}
    levels = await _finish(_run(_scripted(lists, replies), beam=2))
    assert [len(level) for level in levels] == [1, 1, 4, 1]


async def test_below_a_question_with_several_wordings_one_assignment_is_followed() -> None:
    """Else each level would multiply the wordings."""
    lists = {
        ROOT: [DIRECTOR, "Which town of #1?"],
        "Which town of #1?": ["Which house of #1?", "Which street of #1?"],
    }

    def reply(request: Request) -> Reply:
        if request.purpose == "decomposition":
            return Reply(json.dumps(lists))
        role, question = request.purpose.split(",")[0], _question(request)
        return said(f"{question.rstrip('?')} {role}", -0.1)

    run = _run(reply, beam=2)
    await _finish(run)
    tree = run.known.tree
    keys = [step.key for step in run.log.steps("tree/node/")]
    wordings = Counter(tree.questions[index_of(key)].index for key in keys)
    assert (len(tree.questions), wordings) == (5, {0: 1, 1: 1, 2: 2, 3: 2, 4: 2})


async def test_questions_that_read_the_same_are_asked_once() -> None:
    lists = {ROOT: [DIRECTOR, "Is #1 old?", "Is Jim Roe old?"]}
    replies = {(OPEN, DIRECTOR): ("Jim Roe", -0.1), (OPEN, "Is Jim Roe old?"): ("Yes", -0.1)}
    run = _run(_scripted(lists, replies), beam=2)
    await _finish(run)
    count = Counter(_question(one) for one in _asked(run)[1:])
    assert count == {DIRECTOR: 2, "Is Jim Roe old?": 2, ROOT: 3}
    assert [_below(one) for one in _asked(run) if BELOW in one.purpose] == [
        ["Jim Roe", "Yes", "Yes"]
    ]


NAMES = [f"q{n}?" for n in range(7)]
PARTS = st.sampled_from([*NAMES, "is #1 so?", "was <2> at #1?", "who saw #1 at #3?", "was #2?"])


@pytest.mark.slow
@settings(deadline=None, max_examples=100)
@given(
    lists=st.dictionaries(
        st.one_of(st.sampled_from(NAMES), PARTS), st.lists(PARTS, min_size=1, max_size=4),
        max_size=6,
    ),
    beam=st.integers(2, 4),
    seed=st.integers(0, 9),
)  # fmt: skip
def test_any_tree_ends_within_the_calls_that_its_questions_allow_and_asks_nothing_twice(
    lists: dict[str, list[str]], beam: int, seed: int
) -> None:
    run = _run(_varied(lists, seed), "q0?", beam=beam)
    levels = asyncio.run(_finish(run))
    assert len(_asked(run)) <= _most(run.known.tree, beam) <= max_beam_calls(beam)
    _check_that_nothing_is_asked_twice(run)
    assert len(levels) <= 1 + len(run.known.tree.questions)
    followed = run.known.followed(run.known.answers())
    assert len(followed) == len(run.known.tree.questions)
    assert run.known.progress() == (len(followed), len(followed))


def _varied(lists: Mapping[str, Sequence[str]], seed: int) -> Callable[[Request], Reply]:
    """Reply to each question with answers of its own, now and then with none."""

    def reply(request: Request) -> Reply:
        if request.purpose == "decomposition":
            return Reply(json.dumps(lists))
        role = request.purpose.split(",")[0]
        number = sum(map(ord, f"{role}{_question(request)}{_below(request)}")) + seed
        return said("Unknown" if number % 7 == 0 else f"x{number}", -(number % 5) / 5 - 0.1)

    return reply


def _check_that_nothing_is_asked_twice(run: TreeRun) -> None:
    """A question with others below it may read like one without; the two are told apart."""
    questions = run.known.tree.questions
    steps = [step.key for step in run.log.steps("tree/node/")]
    wordings = [(questions[index_of(key)], run.known.recorded(key).asked) for key in steps]
    assert max(Counter(sharing(*wording) for wording in wordings).values()) == 1
    parents = {normalize_answer(asked) for question, asked in wordings if not question.is_leaf}
    prompts = Counter(
        request.messages
        for request in _asked(run)[1:]
        if normalize_answer(_question(request)) not in parents
    )
    assert set(prompts.values()) <= {1}


def _most(tree: QuestionTree, beam: int) -> int:
    wordings = [beam if one.needs else 1 for one in tree.questions]
    each = [2 if one.is_leaf else 3 if one.needs else 2 + beam for one in tree.questions]
    return 1 + sum(count * calls for count, calls in zip(wordings, each, strict=True))


@pytest.mark.parametrize("at", range(11))
async def test_a_beam_that_breaks_off_at_any_call_goes_on_and_takes_no_step_twice(at: int) -> None:
    failing = iter([*[False] * at, True])

    def reply(request: Request) -> Reply:
        if next(failing, False):
            raise UsageError("broken off")
        return FERRY(request)

    run = _run(reply, beam=2)
    with pytest.raises(BaseExceptionGroup):
        await _finish(run)
    taken = Counter(step.key for step in run.log.steps())
    again = _run(FERRY, beam=2)
    again.log = run.log
    levels = await _finish(again)
    taken.update(step for level in levels for step in level)
    assert set(taken.values()) == {1}
    assert _root(again).choice.answer == "Cork"
    stored = json.loads(json.dumps(again.log["tree/node/0"].detail))
    assert NodeResult.from_json(stored["answered"]) == _root(again)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"beam": 0}, "beam is 1 to 8, not 0"),
        ({"beam": 9}, "beam is 1 to 8, not 9"),
        ({"beam": 2, "accept_at": -0.1}, "lazy mode takes an answer without asking for others"),
    ],
)
def test_a_beam_that_makes_no_sense_is_refused(options: dict[str, Any], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        TreeOptions(**options)
