"""One question: which candidate wins, and how confidences are measured."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import pytest

from lcagent.agents.answering import LabelledPassage
from lcagent.agents.probtree.candidate_drafts import (
    ClosedBookPrompt,
    LogprobClient,
    ResolvedQuestion,
)
from lcagent.agents.probtree.confidence import FAILED_SCORE
from lcagent.agents.probtree.node_answerer import NodeAnswerer, format_children
from lcagent.agents.probtree.node_result import NodeResult
from lcagent.agents.probtree.passage_retriever import RetrievalQuery
from lcagent.agents.probtree.question_tree import QuestionNode
from lcagent.documents import Span
from lcagent.errors import ContextTooLong, ModelUnavailable, UnusableReply
from lcagent.models.chat_model import Reply, Request, TokenLogprob
from lcagent.models.choose import choose_model, close_model
from lcagent.testing import ScriptedCall, ScriptedModel, ScriptedReply, ScriptedServer, ServerRules

pytestmark = pytest.mark.anyio

ROLES = ("closed book", "open book", "child aggregating", "finishing", "confidence", "sample")
LEAF, PARENT = QuestionNode(1, "Who rowed?"), QuestionNode(0, "Who rowed?", None, (1,), score=-0.2)


@dataclass(frozen=True)
class Shelf:
    """A book with the same passages always."""

    sources: tuple[LabelledPassage, ...] = (
        LabelledPassage("S1", Span("d", 4), "S1 | d.txt\nAnna rowed the boat."),
        LabelledPassage("S2", Span("d", 7), "S2 | d.txt\nBerta slept."),
    )

    async def retrieve(self, queries: Sequence[RetrievalQuery]) -> list[LabelledPassage]:  # noqa: ARG002
        """Return the passages."""
        return list(self.sources)


def said(answer: str, p: float, explanation: str = "It was so.") -> Reply:
    """Return a reply of which each token of the explanation has the log-probability `p`."""
    pieces = [(explanation, p), (" So the answer is:", -3.0), (f" {answer}.", -3.0)]
    tokens = tuple(TokenLogprob(piece, each, piece.encode()) for piece, each in pieces)
    return Reply("".join(piece for piece, _ in pieces), logprobs=tokens)


def _child(answer: str = "Anna", score: float = -0.3) -> NodeResult:
    leaf = NodeResult.from_json(
        {
            "asked": "Who had oars?",
            "candidates": [{"kind": "open_book", "answer": answer, "score": score}],
            "method": "logprobs",
            "chosen": "open_book",
        }
    )
    assert leaf.is_answered
    return leaf


Replies = Mapping[str, Reply | str | Exception]


def _model(replies: Replies | Callable[[Request], Reply | str]) -> ScriptedModel:
    def reply(request: Request) -> Reply | str:
        if callable(replies):
            return replies(request)
        role = next(role for role in ROLES if request.purpose.startswith(role))
        found = replies[role]
        if isinstance(found, Exception):
            raise found
        return found

    return ScriptedModel(reply)


async def _answered(
    model: ScriptedModel,
    children: Mapping[int, NodeResult] | None = None,
    shelf: Shelf | None = None,
    **options: float,
) -> NodeResult:
    question = PARENT if children else LEAF
    children = children or {}
    asked = ResolvedQuestion(
        question.text,
        (RetrievalQuery(question.text, 5),),
        format_children(children),
        not children,
        "q",
    )
    answerer = NodeAnswerer(
        LogprobClient(model, 100), shelf or Shelf(), samples=int(options.get("samples", 4))
    )
    return await answerer.answer(asked, question, children)


@pytest.mark.parametrize(
    ("closed", "opened", "below", "winner"),
    [
        (-0.1, -0.5, -0.5, "closed_book"),
        (-0.9, -0.1, -0.9, "open_book"),
        (-0.9, -0.8, -0.1, "child_aggregating"),
        (-0.2, -0.2, -0.1, "closed_book"),  # (-0.1 - 0.2 - 0.3) / 3 is -0.2, too
    ],
)
async def test_each_candidate_can_win_and_a_tie_goes_to_the_closed_book(
    closed: float, opened: float, below: float, winner: str
) -> None:
    model = _model(
        {
            "closed book": said("A", closed),
            "open book": said("B", opened),
            "child aggregating": said("C", below),
        }
    )
    answered = await _answered(model, {1: _child()})
    assert answered.chosen == winner
    assert answered.candidates[2].score == pytest.approx((below - 0.2 - 0.3) / 3)
    assert answered.method == "logprobs"


@pytest.mark.parametrize(
    "lost",
    [
        said("Unknown", -0.0001),
        said("ERROR: prompt too long", -0.0001),
        replace(said("Anna", -0.0001), finish="length"),
        replace(said("Anna", -0.0001), finish="filtered"),
        Reply(""),
        Reply("I'm sorry, but I can't help with that."),
        UnusableReply("all of it was reasoning"),
        said("Anna", -0.0001, explanation=""),
    ],
    ids=["Unknown", "ERROR", "cut", "filtered", "empty", "refusal", "reasoning", "unexplained"],
)
async def test_what_is_no_answer_loses_to_a_poor_one(lost: Reply | Exception) -> None:
    answered = await _answered(_model({"closed book": lost, "open book": said("Berta", -4.0)}))
    assert (answered.chosen, answered.choice.answer) == ("open_book", "Berta")
    assert answered.candidates[0].score == FAILED_SCORE


async def test_a_misleading_passage_of_which_the_model_is_unsure_loses() -> None:
    model = _model({"closed book": said("Anna", -0.05), "open book": said("Berta", -1.5)})
    assert (await _answered(model)).choice.answer == "Anna"


@pytest.mark.parametrize("saviour", ["open book", "child aggregating"])
async def test_a_wrong_answer_below_can_be_made_good_above(saviour: str) -> None:
    replies: dict[str, Reply] = dict.fromkeys(ROLES[:3], said("Berta", -2.0))
    replies[saviour] = said("Anna", -0.01)
    answered = await _answered(_model(replies), {1: _child("Berta", -0.5)})
    assert answered.choice.answer == "Anna"


async def test_two_answers_that_are_nearly_equally_sure_are_flagged() -> None:
    model = _model({"closed book": said("A", -0.105), "open book": said("B", -0.1)})
    assert "nearly equally sure" in (await _answered(model)).flags[0]


async def test_quotes_are_kept_as_evidence_and_only_the_open_book_has_any() -> None:
    quoting = 'She rowed [S1 "Anna rowed the boat"; S9 "nowhere at all"].'
    model = _model(
        {
            "closed book": said("Anna", -0.2, quoting),
            "open book": said("Anna", -0.1, quoting),
            "child aggregating": said("Anna", -0.1, f"By Q1 {quoting} [Q1]"),
        }
    )
    closed, opened, below = (await _answered(model, {1: _child()})).candidates
    found = [(one.document_id, one.page_index, one.quote) for one in opened.evidence]
    assert found == [("d", 4, "Anna rowed the boat"), ("", -1, "nowhere at all")]
    assert (closed.evidence, below.evidence, below.used) == ((), (), (1,))
    assert opened.explanation == "She rowed."


async def test_an_unmarked_answer_is_asked_for_once_and_keeps_its_confidence() -> None:
    text = "Anna rowed, I think"
    unmarked = Reply(text, logprobs=(TokenLogprob(text, -0.3, text.encode()),))
    model = _model(
        {
            "closed book": unmarked,
            "finishing": "So the answer is: Anna.",
            "open book": said("Berta", -0.9),
        }
    )
    answered = await _answered(model)
    assert (answered.choice.answer, answered.choice.score) == ("Anna", pytest.approx(-0.3))
    assert "not marked" in answered.choice.flags[0]
    assert len(model.requests) == 3


UNEXPLAINED = [
    Reply("Anna rowed, I think."),
    Reply("S1 | d.txt\nS2 | d.txt\nS1 | d.txt", finish="length"),
]


@pytest.mark.parametrize("unexplained", UNEXPLAINED, ids=["no marker", "a loop"])
async def test_passages_are_asked_plainly_once_where_nothing_was_explained(
    unexplained: Reply,
) -> None:
    text = "Anna rowed the boat. Anna rowed the boat."
    plain = Reply(text, logprobs=(TokenLogprob(text, -3.0, text.encode()),))

    def reply(request: Request) -> Reply:
        if request.purpose.startswith("closed"):
            return said("Berta", -0.01)
        return plain if "plain words" in request.purpose else unexplained

    model = _model(reply)
    answered = await _answered(model)
    assert answered.choice.answer == "Anna rowed the boat"
    (evidence,) = answered.choice.evidence
    assert (evidence.quote, evidence.page_index, evidence.found_by) == (
        "Anna rowed the boat.", 4, "lcagent",
    )  # fmt: skip
    assert "what the passages say" in answered.flags[0]
    assert len(model.requests) == 3
    assert "S1 |" not in model.requests[-1].messages[-1].text


async def test_a_plain_answer_is_as_sure_as_its_least_likely_word() -> None:
    pieces = [("Berta", -0.1), (" rowed", -4.0), (" it.", -0.1), (" She slept.", -9.0)]
    tokens = tuple(TokenLogprob(piece, p, piece.encode()) for piece, p in pieces)
    model = _model(lambda _: Reply("".join(piece for piece, _ in pieces), logprobs=tokens))
    asked = ResolvedQuestion(LEAF.text, (RetrievalQuery(LEAF.text, 5),))
    answerer = NodeAnswerer(LogprobClient(model, 100), Shelf(), is_plain=True)
    answered = await answerer.answer(asked, LEAF, {})
    assert (answered.choice.answer, answered.choice.score) == ("Berta rowed it", -4.0)


async def test_a_model_that_is_asked_plainly_is_not_asked_what_it_knows() -> None:
    model = _model(lambda _: "Berta rowed.")
    asked = ResolvedQuestion(LEAF.text, (RetrievalQuery(LEAF.text, 5),))
    answerer = NodeAnswerer(LogprobClient(model, 100), Shelf(), samples=0, is_plain=True)
    answered = await answerer.answer(asked, LEAF, {})
    assert [one.kind for one in answered.candidates] == ["open_book"]
    assert (answered.choice.answer, answered.choice.is_supported) == ("Berta rowed", False)


@pytest.mark.parametrize(
    "nothing",
    ["Unknown", "I cannot say.", "", "The answer is as follows:", "<passages 3f9a11c2>"],
)
async def test_a_plain_reply_that_says_nothing_fails(nothing: str) -> None:
    model = _model(lambda request: nothing if "plain" in request.purpose else "Hm.")
    asked = ResolvedQuestion(LEAF.text, (RetrievalQuery(LEAF.text, 5),))
    answerer = NodeAnswerer(LogprobClient(model, 100), Shelf(), samples=0, is_plain=True)
    assert not (await answerer.answer(asked, LEAF, {})).is_answered


async def test_an_answer_that_cannot_be_finished_fails() -> None:
    model = _model(
        {"closed book": "It may be.", "finishing": "Hm.", "open book": said("Berta", -0.9)}
    )
    answered = await _answered(model)
    assert (answered.method, answered.choice.answer) == ("logprobs", "Berta")
    assert answered.candidates[0].score == FAILED_SCORE


async def test_without_any_passage_the_book_is_not_asked() -> None:
    model = _model({"closed book": said("Anna", -0.2)})
    answered = await _answered(model, shelf=Shelf(()))
    assert answered.candidates[1].flags == ("no passage was found",)
    assert len(model.requests) == 1


async def test_passages_that_do_not_fit_are_shown_in_part() -> None:
    def reply(request: Request) -> Reply:
        if "Berta slept" in request.messages[-1].text:
            raise ContextTooLong("too long")
        return said("Anna", -0.2)

    assert (await _answered(_model(reply))).candidates[1].answer == "Anna"


def _plain(answers: Mapping[str, Sequence[str]]) -> Callable[[Request], str]:
    """Reply without log-probabilities: the first answer, then one for each sample."""

    def reply(request: Request) -> str:
        role = next(role for role in ROLES[:3] if role in request.purpose)
        return f"It was so. So the answer is: {answers[role][request.sample]}."

    return reply


async def test_without_log_probabilities_the_share_of_agreeing_samples_counts() -> None:
    model = _model(
        _plain(
            {
                "closed book": ["A", "A", "x", "y", "z"],
                "open book": ["B", "B", "the b", "B.", "x"],
                "child aggregating": ["C", "C", "C", "x", "y"],
            }
        )
    )
    answered = await _answered(model, {1: _child()})
    assert (answered.method, answered.choice.answer) == ("samples", "B")
    closed, opened, below = answered.candidates
    assert closed.score == pytest.approx(math.log(2 / 6))
    assert opened.score == pytest.approx(math.log(4 / 6))
    # neither the decomposition nor the child was measured by samples, so neither is in the mean
    assert below.score == pytest.approx(math.log(3 / 6))
    drawn = [request for request in model.requests if request.purpose.startswith("sample")]
    assert len(drawn) == 3 * 4
    assert {request.temperature for request in drawn} == {0.7}
    assert not any(request.wants_logprobs for request in drawn)


async def test_of_equally_many_samples_what_can_be_looked_up_wins() -> None:
    same = dict.fromkeys(ROLES[:3], ["A"] * 5)
    answered = await _answered(_model(_plain({**same, "open book": ["B"] * 5})))
    assert (answered.method, answered.chosen) == ("samples", "open_book")


async def test_one_reply_without_log_probabilities_sends_all_of_a_question_down() -> None:
    def reply(request: Request) -> Reply | str:
        if request.purpose.startswith("closed"):
            return said("A", -0.0001)
        return "It was so. So the answer is: B." if "open book" in request.purpose else said("A", 0)

    answered = await _answered(_model(reply))
    assert (answered.method, answered.choice.answer) == ("samples", "B")
    assert all(one.score > math.log(0.9) * 2 for one in answered.candidates)


async def test_a_question_is_not_measured_better_than_those_below_it() -> None:
    child = replace(_child(), method="stated")
    replies: dict[str, Reply | str] = dict.fromkeys(ROLES[:3], said("A", -0.1))
    answered = await _answered(_model({**replies, "confidence": "70 %"}), {1: child})
    assert answered.method == "stated"
    closed, _, below = answered.candidates
    assert closed.score == pytest.approx(math.log(0.7))
    assert below.score == pytest.approx((math.log(0.7) - 0.3) / 2)


async def test_without_samples_the_model_says_how_sure_it_is() -> None:
    def reply(request: Request) -> str:
        if request.purpose.startswith("confidence"):
            return "90 %" if "open book" in request.purpose else "30"
        return "It was so. So the answer is: B."

    answered = await _answered(_model(reply), samples=0)
    assert (answered.method, answered.chosen) == ("stated", "open_book")
    assert [one.score for one in answered.candidates] == pytest.approx(
        [math.log(0.3), math.log(0.9)]
    )


async def test_a_model_that_does_not_say_how_sure_it_is_is_taken_at_one_half_and_flagged() -> None:
    def reply(request: Request) -> str:
        is_judge = request.purpose.startswith("confidence")
        return "Very." if is_judge else "It was so. So the answer is: B."

    answered = await _answered(_model(reply), samples=0)
    assert answered.choice.score == pytest.approx(math.log(0.5))
    assert "did not say" in answered.choice.flags[0]


@pytest.mark.parametrize("circumstance", ["null", "rejected", "closed"])
async def test_a_server_without_log_probabilities_is_asked_for_samples(circumstance: str) -> None:
    def script(call: ScriptedCall) -> ScriptedReply:
        text = "It was so. So the answer is: A."
        if circumstance == "closed" and call.body.get("logprobs"):
            return ScriptedReply(fault="cut_before")
        return ScriptedReply(text, has_logprobs=False)

    rejected = frozenset({"logprobs"}) if circumstance == "rejected" else frozenset[str]()
    async with ScriptedServer(script, ServerRules(rejected=rejected)) as server:
        model = choose_model("openai:scripted", base_url=server.base_url)
        client = LogprobClient(model, 100)
        asked = ResolvedQuestion(LEAF.text, (RetrievalQuery(LEAF.text, 5),))
        try:
            answered = await NodeAnswerer(client, Shelf(), samples=3).answer(asked, LEAF, {})
        finally:
            await close_model(model)
    assert answered.method == "samples"
    assert [one.score for one in answered.candidates] == pytest.approx([math.log(4 / 5)] * 2)
    assert (client.has_logprobs is False) == (circumstance == "closed")


@pytest.mark.parametrize("has_logprobs", [None, True])
async def test_a_server_that_is_down_is_no_server_without_log_probabilities(
    has_logprobs: bool | None,
) -> None:
    wait_s = None if has_logprobs else 10_000.0
    model = _model({"closed book": ModelUnavailable("down", retry_after_s=wait_s)})
    client = LogprobClient(model, 100, has_logprobs)
    with pytest.raises(ModelUnavailable):
        await client.complete(client.request(ClosedBookPrompt("Who?"), "closed book"))
    assert client.has_logprobs is has_logprobs
    assert len(model.requests) == 1


async def test_a_beam_is_measured_as_the_least_well_measured_answer_of_any_assignment() -> None:
    model = _model(
        {
            "closed book": said("A", -0.1),
            "open book": said("B", -0.1),
            "child aggregating": said("C", -0.1),
            "sample": "So the answer is: C",
        }
    )
    children = [_child(), replace(_child(), method="samples")]
    answerer = NodeAnswerer(LogprobClient(model, 100), Shelf(), samples=1)
    asked = ResolvedQuestion(
        PARENT.text, (RetrievalQuery(PARENT.text, 5),), (), is_leaf=False, name="q"
    )
    answered = await answerer.answer(asked, PARENT, {}, beam=[{1: one} for one in children])
    assert answered.method == "samples"
    assert [len(one.below) for one in answered.candidates] == [0, 0, 1, 1]
