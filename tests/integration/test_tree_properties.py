"""ProbTree against a scripted server: what is claimed, how deep it is, and what is done without.

The server answers by role, and tells log-probabilities that a test chooses.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from lcagent.models.chat_model import TokenLogprob
from lcagent.pipelines import Session, ask_async
from lcagent.pipelines.events import AnswerText, Event, StepDone
from lcagent.pipelines.methods.tree.options import TreeOptions
from lcagent.proofs import Proof, ProofNode
from lcagent.results import Answer
from lcagent.settings import load_settings
from lcagent.testing import (
    Script,
    ScriptedCall,
    ScriptedReply,
    ScriptedServer,
    ServedCall,
    ServerRules,
)

Call = Callable[..., Any]

pytestmark = pytest.mark.anyio

QUESTION = "Where was the director of The Ferry born?"
DIRECTOR, BORN = "Who directed The Ferry?", "Where was Jane Doe born?"
PARTS = {QUESTION: [DIRECTOR, "Where was #1 born?"]}
BOOK = """# The Ferry

The Ferry was directed by Jane Doe in 1911, and nobody saw it.

# Cork

Jane Doe was born in Cork, on the river Lee, in a house of stone.

# The Light

Hector kept the light until 1938, and he was born in Wick.
"""
QUOTES = {
    DIRECTOR: ("Jane Doe", "The Ferry was directed by Jane Doe in 1911"),
    BORN: ("Cork", "Jane Doe was born in Cork"),
}
ROLES = {
    "decomposer": "break questions down",
    "closed": "from what you know",
    "open": "from passages of them",
    "below": "from the answers to simpler",
    "finisher": "what answer it comes to",
    "judge": "how likely answers are",
}


def role_of(prompt: str) -> str:
    """Return whose prompt it is."""
    return next(role for role, words in ROLES.items() if words in prompt)


def question_of(call: ScriptedCall | ServedCall) -> str:
    """Return the question that a call asks."""
    return str(re.findall(r"^Question: (.*)$", call.messages[-1].text, re.MULTILINE)[-1])


def said(explanation: str, answer: str, p: float) -> ScriptedReply:
    """Return an answer whose explanation is as sure as `p`."""
    pieces = [(explanation, p), (f" So the answer is: {answer}.", -5.0)]
    tokens = tuple(TokenLogprob(text, each, text.encode()) for text, each in pieces)
    return ScriptedReply("".join(text for text, _ in pieces), logprobs=tokens)


def script(
    scores: Mapping[str, float] | None = None,
    parts: Mapping[str, Sequence[str]] = PARTS,
    silent: Sequence[str] = (),
    **more: Callable[[str], ScriptedReply],
) -> Script:
    """Return what answers as the book says, and by each role as sure as `scores`.

    Args:
        silent: Questions on which the passages are said to say nothing.
    """
    sure = {"closed": -0.9, "open": -0.2, "below": -0.1, **(scores or {})}

    def reply(call: ScriptedCall) -> ScriptedReply:
        role, question = role_of(call.prompt), question_of(call)
        if role in more:
            return more[role](question)
        if role == "decomposer":
            text = json.dumps(parts)
            return ScriptedReply(text, logprobs=(TokenLogprob(text, -0.3, text.encode()),))
        if role == "closed":
            return said("I think so.", "Paris", sure["closed"])
        if role == "below":
            return said("She did [Q1], and was born there [Q2].", "Cork", sure["below"])
        found = ("Unknown", "") if question in silent else QUOTES.get(question, ("Unknown", ""))
        return _from_passages(call, *found, sure["open"])

    return reply


def _from_passages(call: ScriptedCall, answer: str, quote: str, p: float) -> ScriptedReply:
    before, found, _ = call.prompt.partition(quote or "nothing")
    if not found:
        return said("They do not say.", "Unknown", -0.01)
    label = re.findall(r"^(S\d+) \|", before, re.MULTILINE)[-1]
    return said(f'They say so [{label} "{quote}"].', answer, p)


@pytest.fixture
def book(tmp_path: Path) -> Path:
    """Return a Markdown file with three sections."""
    path = tmp_path / "book.md"
    path.write_text(BOOK, encoding="utf-8")
    return path


async def _ask(server: ScriptedServer, document: Path, **options: Any) -> Answer:
    async with Session.open(load_settings(embedder="none")) as session:
        return await ask_async(
            document,
            options.pop("question", QUESTION),
            session=session,
            strategy="tree",
            model="openai:scripted",
            base_url=server.base_url,
            window=options.pop("window", 8_000),
            **options,
        )


def _proof(answer: Answer) -> Proof:
    assert answer.proof is not None
    return answer.proof


def _node(answer: Answer, index: int) -> ProofNode:
    return next(node for node in _proof(answer).nodes if node.id == index)


async def test_an_answer_from_below_cites_what_was_quoted_below(book: Path) -> None:
    async with ScriptedServer(script()) as server:
        answer = await _ask(server, book)
    assert answer.answer == "Cork [1, 2]"
    assert [(one.quote, one.status) for one in answer.citations] == [
        (QUOTES[DIRECTOR][1], "exact"),
        (QUOTES[BORN][1], "exact"),
    ]
    assert [(one.text, one.citations, one.status) for one in answer.claims] == [
        ("Cork", ("1", "2"), "supported")
    ]
    assert server.calls == 1 + 2 * 2 + 3
    root = _node(answer, 0)
    assert (root.choice, root.confidence, root.decomposition_score) == (
        "child_aggregating",
        "logprobs",
        pytest.approx(-0.3),
    )
    assert root.candidates[2].score == pytest.approx((-0.1 - 0.3 - 0.2 - 0.2) / 4)
    assert [one.evidence for one in root.candidates] == [(), (), ("1", "2")]
    assert _node(answer, 2).asked == BORN


async def test_own_knowledge_is_called_so_and_cites_nothing(book: Path) -> None:
    async with ScriptedServer(script({"closed": -0.001})) as server:
        answer = await _ask(server, book)
    assert answer.answer == "Paris (the model's own knowledge, not from the documents) [no proof]"
    (claim,) = answer.claims
    assert (claim.citations, claim.status) == ((), "unsupported")
    assert all(
        not one.evidence
        for node in _proof(answer).nodes
        for one in node.candidates
        if one.kind == "closed_book"
    )
    assert any("cites nothing" in note for note in answer.notes) or answer.citations


async def test_what_rests_on_own_knowledge_in_part_cites_nothing_itself(book: Path) -> None:
    def closed(question: str) -> ScriptedReply:
        return said("I know it.", "Jane Doe", -0.001 if question == DIRECTOR else -2.0)

    async with ScriptedServer(script(silent=[DIRECTOR], closed=closed)) as server:
        answer = await _ask(server, book)
    claims = [(one.text.split(" (")[0], one.citations, one.status) for one in answer.claims]
    assert claims == [
        ("Cork", (), "unsupported"),
        ("Jane Doe", (), "unsupported"),
        ("Cork", ("1",), "supported"),
    ]
    assert answer.claims[0].text.endswith(
        "(in part the model's own knowledge, not from the documents)"
    )
    assert "the model's own knowledge" in answer.claims[1].text
    assert answer.citations[0].quote == QUOTES[BORN][1]


async def test_a_used_answer_brings_along_what_its_question_refers_to(book: Path) -> None:
    """The second answer was found for a name that the model knew by itself."""

    def closed(question: str) -> ScriptedReply:
        return said("I know it.", "Jane Doe", -0.001 if question == DIRECTOR else -2.0)

    def below(_: str) -> ScriptedReply:
        return said("She was born there [Q2].", "Cork", -0.1)

    async with ScriptedServer(script(silent=[DIRECTOR], closed=closed, below=below)) as server:
        answer = await _ask(server, book)
    assert "in part the model's own knowledge" in answer.claims[0].text
    assert answer.claims[0].citations == ()
    assert _node(answer, 0).candidates[2].used == (2,)


async def test_an_answer_from_below_that_the_model_repeats_is_used_whether_it_says_so_or_not(
    book: Path,
) -> None:
    def closed(question: str) -> ScriptedReply:
        return said("I know it.", "Jane Doe", -0.001 if question == DIRECTOR else -2.0)

    def below(_: str) -> ScriptedReply:
        return said("Jane Doe was born there [Q2].", "Cork", -0.1)

    async with ScriptedServer(script(silent=[DIRECTOR], closed=closed, below=below)) as server:
        answer = await _ask(server, book)
    assert _node(answer, 0).candidates[2].used == (1, 2)


async def test_what_passages_say_goes_before_what_the_model_merely_knows(book: Path) -> None:
    async with ScriptedServer(script({"closed": -0.001}, parts={})) as server:
        answer = await _ask(server, book, question=DIRECTOR)
    assert (_node(answer, 0).choice, answer.claims[0].status) == ("open_book", "supported")
    assert "what the passages say" in _node(answer, 0).flags[0]


async def test_a_model_that_does_not_explain_is_asked_plainly_and_what_passages_say_goes_first(
    book: Path,
) -> None:
    """It is found out at the first question, and not asked any more for what it knows."""

    def weak(call: ScriptedCall) -> str:
        if "in one short sentence" in call.prompt:
            is_director = "Who directed" in question_of(call)
            return "Jane Doe directed The Ferry." if is_director else "She was born in Bray."
        return "{}" if role_of(call.prompt) == "decomposer" else "I am a model. I am a model."

    async with ScriptedServer(weak) as server:
        right = await _ask(server, book, question=DIRECTOR)
        wrong = await _ask(server, book, question="Where was Jane Doe born?", use_cache=False)
    assert right.answer.startswith("Jane Doe directed The Ferry [1]")
    (citation,) = right.citations
    assert (citation.quote, citation.found_by) == (
        "The Ferry was directed by Jane Doe in 1911, and nobody saw it.",
        "lcagent",
    )
    assert any("explains no answer" in note for note in right.notes)
    assert all(claim.status != "supported" for claim in wrong.claims)


async def test_an_invented_quote_is_found_out(book: Path) -> None:
    def opened(_: str) -> ScriptedReply:
        return said('It says [S1 "in the year of the great flood"].', "Cork", -0.1)

    async with ScriptedServer(script(parts={}, open=opened)) as server:
        answer = await _ask(server, book)
    assert [one.status for one in answer.citations] == ["not_found"]
    assert answer.claims[0].status == "unsupported"


async def test_what_nothing_answers_is_not_in_the_document(book: Path) -> None:
    def unknown(_: str) -> ScriptedReply:
        return said("I do not know.", "Unknown", -0.1)

    async with ScriptedServer(script(closed=unknown, open=unknown, below=unknown)) as server:
        answer = await _ask(server, book)
    assert (answer.outcome, answer.claims, answer.citations) == ("not_mentioned", (), ())
    assert len(_proof(answer).nodes) == 3


async def test_passages_are_those_that_a_search_finds(book: Path) -> None:
    async with ScriptedServer(script()) as server:
        answer = await _ask(server, book, options=TreeOptions(top_k=2))
    async with Session.open(load_settings(embedder="none")) as session:
        documents = (await session.collect(book)).documents
        for call in server.served:
            shown = re.findall(r"^S\d+ \| book\.md \| (.*)$", call.prompt, re.MULTILINE)
            if role_of(call.prompt) != "open":
                assert shown == []
            elif question_of(call) != QUESTION:
                found = await session.services.indexer.over(documents).search(
                    question_of(call), top_k=2
                )
                assert shown == [one.page.section for one in found.passages]
    assert answer.coverage.chunks_read == 3


DEPTH = {
    "three leaves": (["Is Wick a house?", "Is Cork stone?", "Is the Lee a river?"], 3, 6),
    "three in a row": (["Is Wick a house?", "Is #1 stone?", "Is #2 a river?"], 5, 3),
}


@pytest.mark.parametrize(("parts", "depth", "widest"), DEPTH.values(), ids=DEPTH)
async def test_a_tree_is_as_deep_as_its_longest_path(
    book: Path, parts: list[str], depth: int, widest: int
) -> None:
    """The server takes the same time for each reply, so what arrives together is one level."""
    latency_s = 0.2
    rules = ServerRules(latency_s=latency_s)
    async with ScriptedServer(script(parts={QUESTION: parts}), rules) as server:
        await _ask(server, book)
    assert server.calls == 1 + 2 * 3 + 3
    levels = 0
    for call in server.served:  # one that arrives while nothing is in flight begins a level
        levels += call.in_flight == 1
    assert levels == depth
    assert max(call.in_flight for call in server.served) == widest


async def test_a_question_waits_for_the_one_it_refers_to(book: Path) -> None:
    async with ScriptedServer(script(), ServerRules(latency_s=0.05)) as server:
        await _ask(server, book)
    order = [question_of(call) for call in server.served[1:]]
    assert order == [DIRECTOR] * 2 + [BORN] * 2 + [QUESTION] * 3
    assert not any(re.search(r"#\d", question) for question in order)


@pytest.mark.parametrize("circumstance", ["null", "rejected"])
async def test_without_log_probabilities_one_way_is_taken_for_all_and_said(
    book: Path, circumstance: str
) -> None:
    answering = script()

    def plain(call: ScriptedCall) -> ScriptedReply:
        found = answering(call)
        assert isinstance(found, ScriptedReply)
        return ScriptedReply(found.text, has_logprobs=False)

    rejected = frozenset({"logprobs"}) if circumstance == "rejected" else frozenset[str]()
    async with ScriptedServer(plain, ServerRules(rejected=rejected)) as server:
        answer = await _ask(server, book, options=TreeOptions(samples=2))
    assert {node.confidence for node in _proof(answer).nodes} == {"samples"}
    assert any("no log-probabilities" in note for note in answer.notes)
    assert answer.answer == "Cork [1, 2]"
    good = sum(status == 200 for status in [call.status for call in server.served])
    assert good == 1 + 3 * (2 * 2 + 3) - 2  # the root's passages do not say, so draw no samples


async def test_lazy_mode_stops_at_passages_that_are_sure_enough(book: Path) -> None:
    async with ScriptedServer(script()) as server:
        answer = await _ask(server, book, question=DIRECTOR, options=TreeOptions(accept_at=-0.25))
    assert server.calls == 1
    assert answer.answer == "Jane Doe [1]"
    assert len(_proof(answer).nodes) == 1


def _director(question: str) -> ScriptedReply:
    """Answer from own knowledge: the director rightly, unlike the passages."""
    return said("I know it.", "Jane Doe" if question == DIRECTOR else "Unknown", -0.3)


def _beam_script() -> Script:
    """Reply so that the surest director is the wrong one, which shows above only."""
    answering = script(closed=_director)

    def reply(call: ScriptedCall) -> ScriptedReply:
        role, question = role_of(call.prompt), question_of(call)
        if role == "open" and question == DIRECTOR:
            return _from_passages(call, "Hector", "in 1911, and nobody saw it", -0.1)
        if role == "open" and question == "Where was Hector born?":
            return _from_passages(call, "Wick", "he was born in Wick", -0.2)
        if role == "below":
            is_jane = "Answer: Jane Doe" in call.messages[-1].text
            answer, p = ("Cork", -0.1) if is_jane else ("Wick", -3.0)
            return said("One did it [Q1], and was born there [Q2].", answer, p)
        found = answering(call)
        assert isinstance(found, ScriptedReply)
        return found

    return reply


async def test_a_beam_takes_what_the_second_best_answer_leads_to_and_cites_its_words(
    book: Path,
) -> None:
    async with ScriptedServer(_beam_script()) as server:
        narrow = await _ask(server, book)
        calls = server.calls
        wide = await _ask(server, book, options=TreeOptions(beam=2), use_cache=False)
    assert narrow.answer.startswith("Wick")
    assert (calls, server.calls - calls) == (1 + 2 * 2 + 3, 1 + 2 * 3 + 4)
    claims = [(one.text.split(" (")[0], one.status) for one in wide.claims]
    assert claims == [("Cork", "unsupported"), ("Jane Doe", "unsupported"), ("Cork", "supported")]
    quotes = {one.id: one.quote for one in wide.citations}
    assert [quotes[one] for one in wide.claims[2].citations] == [QUOTES[BORN][1]]


async def test_the_proof_of_a_beam_shows_what_was_kept_and_follows_the_winner(book: Path) -> None:
    async with ScriptedServer(_beam_script()) as server:
        answer = await _ask(server, book, options=TreeOptions(beam=2))
    root, first, second = (_node(answer, index) for index in (0, 1, 2))
    assert [one.kind for one in root.candidates] == [
        "closed_book",
        "open_book",
        "child_aggregating",
        "child_aggregating",
    ]
    assert [[(one.asked, one.answer) for one in each.below] for each in root.candidates[2:]] == [
        [(DIRECTOR, "Hector"), ("Where was Hector born?", "Wick")],
        [(DIRECTOR, "Jane Doe"), (BORN, "Cork")],
    ]
    quotes = {one.id: one.quote for one in answer.citations}
    assert [[quotes[one] for one in each.evidence] for each in root.candidates[2:]] == [
        ["in 1911, and nobody saw it", "he was born in Wick"],
        [QUOTES[BORN][1]],
    ]
    assert {one.status for one in answer.citations} == {"exact"}
    assert (root.taken.answer, root.nth) == ("Cork", 1)
    assert (first.taken.answer, first.choice) == ("Jane Doe", "closed_book")
    assert second.asked == BORN


async def test_each_question_is_told_as_it_ends_and_the_answer_once(book: Path) -> None:
    told: list[Event] = []
    async with ScriptedServer(script()) as server:
        answer = await _ask(server, book, on_event=told.append)
    steps = [event for event in told if isinstance(event, StepDone)]
    assert [(step.what, step.where) for step in steps] == [
        ("decomposition", QUESTION),
        ("question", DIRECTOR),
        ("question", BORN),
        ("question", QUESTION),
    ]
    assert (steps[-1].done, steps[-1].total, steps[-1].calls) == (3, 3, 8)
    texts = [event.text for event in told if isinstance(event, AnswerText)]
    assert f"{''.join(texts)} [1, 2]" == answer.answer  # nothing is checked before its end


@pytest.mark.parametrize("window", [2_500, 3_500])
async def test_every_call_fits_a_small_window(tmp_path: Path, window: int) -> None:
    path = tmp_path / "long.md"
    said_there = "Jane Doe went on and on about the ferry, the harbour and the light. " * 60
    path.write_text("\n\n".join(f"# Part {n}\n\n{said_there}" for n in range(30)), encoding="utf-8")
    rules = ServerRules(window_tokens=window)
    async with ScriptedServer(script(), rules) as server:
        await _ask(server, path, window=window)
    assert set(server.statuses) == {200}
    shown = [call for call in server.served if role_of(call.prompt) == "open"]
    assert shown
    assert all("PASSAGE" in call.prompt or "S1 |" in call.prompt for call in shown)


async def test_no_text_of_the_book_reaches_the_closed_book(book: Path) -> None:
    async with ScriptedServer(script()) as server:
        await _ask(server, book)
    for call in server.served:
        if role_of(call.prompt) in ("closed", "below", "decomposer"):
            assert "house of stone" not in call.prompt
            assert "book.md" not in call.prompt


@pytest.mark.parametrize(
    ("strategy", "tree", "words"),
    [
        ("tree", "beam=2,lazy=-0.1", "leave one of the two out"),
        ("tree", "width=2", "--tree has no part 'width=2'"),
        ("rag", "beam=2", "options of tree are for -s tree and -s auto, not for -s rag"),
    ],
)
def test_switches_that_make_no_sense_are_wrong_usage(
    call: Call, book: Path, strategy: str, tree: str, words: str
) -> None:
    call("ask", book, QUESTION, "-s", strategy, "--tree", tree).assert_refused(2, words)


def test_the_plan_of_a_beam_has_its_calls(call: Call, book: Path) -> None:
    given = (
        "ask", book, QUESTION, "-s", "tree", "-m", "openai:x", "--base-url", "http://127.0.0.1:9/v1",
        "--window", "8000", "--json", "--dry-run",
    )  # fmt: skip
    plans = [call(*given, *more).out for more in ((), ("--tree", "beam=2"))]
    assert [json.loads(plan)["calls"] for plan in plans] == [45, 87]
