"""Asking as a pipeline: what is checked, what runs, and the answer, every quote of it checked."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from itertools import islice
from textwrap import shorten

from lcagent.agents.citations import CitedText, cite_marks, cite_quotes, make_claim
from lcagent.agents.marks import Mark, MarkNumbers, number_marks
from lcagent.agents.quote_context import AttributedQuote
from lcagent.agents.replies import clean_reply
from lcagent.documents import Span
from lcagent.pipelines.answering import plan
from lcagent.pipelines.answering.confirming import is_baseless, is_confirmed, is_doubted, prover
from lcagent.pipelines.answering.plan import AUTO
from lcagent.pipelines.context import RunContext
from lcagent.pipelines.coverage import coverage_of, has_text, notes_on
from lcagent.pipelines.method import Graph, Method
from lcagent.pipelines.methods.quote.steps import find_quotes
from lcagent.pipelines.methods.tree.result import Findings
from lcagent.pipelines.methods.tree.tree_log import TreeLog
from lcagent.pipelines.registry import methods_of
from lcagent.pipelines.state import AskState, QuoteState, SourceState, initial_state, merged
from lcagent.proofs import Proof
from lcagent.rendering import unproved_in_words
from lcagent.results import Answer, Citation, Claim, Outcome, Plan, Usage
from lcagent.retrieval.quotes.normalizing import on_one_line
from lcagent.tasks import QUOTE, AskTask


class AskPipeline:
    """A question: a method is chosen for it, which answers."""

    def check(self, task: AskTask, *, has_model: bool) -> None:
        """Do nothing: quoting needs no model, and the registry checks the strategy."""

    def title(self, run: RunContext) -> str:
        """Return the question."""
        return run.task.title

    def strategy(self, task: AskTask) -> str:
        """Return the strategy asked for."""
        return task.strategy

    async def plan(self, run: RunContext) -> Plan:
        """Return what the question will take."""
        return await asyncio.to_thread(plan.plan, self.initial_state(run), run)

    def graph(self) -> Graph:
        """Return the graph."""
        return _graph(tuple(methods_of("ask")))

    def initial_state(self, run: RunContext) -> AskState:
        """Return the state before the method is chosen."""
        task = run.task
        assert isinstance(task, AskTask)
        return initial_state(task.question, task.strategy, run.model_name)

    async def without_graph(self, run: RunContext) -> AskState | None:
        """Return the quotes that answer; None where a model is asked."""
        state = self.initial_state(run)
        if run.model is not None or state["wanted"] not in (AUTO, QUOTE):
            return None
        chosen = plan.route(state, run)
        state = merged(state, {"strategy": QUOTE, "reason": chosen.reason})
        return merged(state, await find_quotes(state["question"], run))

    def result(self, state: AskState, run: RunContext, timings_s: dict[str, float]) -> Answer:
        """Return the answer, every quote of it checked."""
        return answer_of(state, run, timings_s)


NOT_FOUND = "Not in the document: nothing in it answers the question."
NEAREST = "No passage was found that answers this in words like the question's. The nearest:"
NOTHING_NEAR = "No passage was found that has anything to do with the words of the question."
DECLINED = "The model finds no answer in what it was shown. The nearest passages:"
BASELESS = "Nothing that the model was shown says what it answers. The nearest passages:"
DOUBTED = "Nothing that the model was shown says what it answers, and it is not sure of it:"
LEFT_OUT = "the model's answer, which nothing supports, was: “{}”"
BESIDE = "nothing that the model was shown says this; the quotes are those nearest to the question"
LONGEST_NEAREST = 300
"""Characters that are shown of a passage that is only near, or of an answer that is doubted."""
NOTHING_READ = "Not answered: none of the pages that were asked has text that could be read."
QUOTING_ONLY = "no language model is configured: the answer is quoted from the document"


def answer_of(state: AskState, run: RunContext, timings_s: dict[str, float]) -> Answer:
    """Return the answer of a run that has ended."""
    numbers = MarkNumbers()
    proof = _proof(state, run, numbers) if state["strategy"] == "tree" else None
    cited = _quoted(state["quotes"], run) if state["quotes"] else _written(state, run, numbers)
    outcome, text, cited = _outcome(state, cited, run)
    return Answer(
        run_id=run.log.run_id,
        question=state["question"],
        answer=text,
        outcome=outcome,
        finish=state["finish"],
        strategy=state["strategy"],
        reason=state["reason"],
        model=state["model"],
        claims=cited.claims if outcome == "answered" else (),
        citations=cited.citations,
        coverage=coverage_of(
            run.collection, run.pages, state["chunks"], state["chunks_read"], state["unread"]
        ),
        usage=run.log.usage if run.model is not None else Usage(),
        timings_s=timings_s,
        notes=(*_notes(state, outcome, text, cited), *notes_on(run.collection.documents)),
        proof=proof,
    )


def _outcome(state: AskState, cited: CitedText, run: RunContext) -> tuple[Outcome, str, CitedText]:
    """Return what came of it, the words for it, and what they cite.

    Only what judged the text may say that the answer is not there, and only of what it read:
    words that were not found prove nothing.
    """
    if not has_text(run.collection, run.pages):
        return "nearest", NOTHING_READ, cited
    if state["outcome"] == "nearest":
        return "nearest", _nearest(NEAREST, cited) if cited.claims else NOTHING_NEAR, cited
    if state["quotes"] or not state["nearest"]:
        return (
            ("answered", cited.text, cited) if cited.text else ("not_mentioned", NOT_FOUND, cited)
        )
    return _judged(state, cited, run)


def _judged(state: AskState, cited: CitedText, run: RunContext) -> tuple[Outcome, str, CitedText]:
    """Return the same for the reply of a model that read passages."""
    quoted = _quoted(state["nearest"], run)
    if not cited.text:
        # A model that declines where the words of the question stand together overlooks much.
        if not state["is_near"]:
            return "not_mentioned", NOT_FOUND, cited
        return "nearest", _nearest(DECLINED, quoted), quoted
    if is_confirmed(cited.claims):
        return "answered", cited.text, cited
    if is_baseless(cited.claims, state, run):
        return "nearest", _nearest(BASELESS, quoted), quoted
    if is_doubted(cited.claims, state["confidence"]):
        guess = shorten(cited.claims[0].text, LONGEST_NEAREST, placeholder=" …")
        return "nearest", _nearest(f"{DOUBTED} “{guess}”\nThe nearest passages:", quoted), quoted
    first = len(cited.citations) + 1
    beside = [replace(each, id=str(at)) for at, each in enumerate(quoted.citations, first)]
    return "answered", cited.text, replace(cited, citations=(*cited.citations, *beside))


def _nearest(said: str, quoted: CitedText) -> str:
    return "\n".join((said, *map(_shortened, quoted.claims)))


def _notes(state: AskState, outcome: Outcome, text: str, cited: CitedText) -> list[str]:
    notes = [state["caveat"]] if state["caveat"] else []
    notes.extend(state["notes"])
    if state["model"] == QUOTE:
        notes.insert(0, QUOTING_ONLY)
    elif outcome == "nearest":
        if state["reply"].strip() and not text.startswith(DOUBTED):
            said = shorten(state["reply"], LONGEST_NEAREST, placeholder=" …")
            notes.append(LEFT_OUT.format(said))
    elif state["nearest"] and cited.claims and not is_confirmed(cited.claims):
        notes.append(BESIDE)
    return [*notes, *unproved_in_words(cited.claims if outcome == "answered" else ())]


def _proof(state: AskState, run: RunContext, numbers: MarkNumbers) -> Proof:
    """Return how the answer came about; its citations follow those of the answer."""
    number_marks(state["reply"], numbers)
    return Findings.of(TreeLog(state["question"], run.log)).proof(numbers)


def _written(state: AskState, run: RunContext, numbers: MarkNumbers) -> CitedText:
    """Return what a model wrote, its marks checked; `numbers` has what is cited besides."""
    said = clean_reply(state["reply"], state["question"], _shown(state, run))
    if not said.text and not numbers.marks():
        return CitedText("", (), ())
    cited = cite_marks(
        said.text,
        lambda mark: _meant(mark, state["sources"]),
        run.collection.documents,
        run.with_lines,
        numbers,
        question=state["question"],
        labels=state["sources"],
        prove=prover(state, run),
    )
    is_proved = any(claim.status == "supported" for claim in cited.claims)
    return CitedText("", (), ()) if said.abstains and not is_proved else cited


def _shown(state: AskState, run: RunContext) -> list[str]:
    """Return the texts of the pages that the reply may cite."""
    documents, sources = run.documents, state["sources"].values()
    places = {(one["document_id"], one["page_index"]) for one in sources}
    return [documents[key].pages[index].text for key, index in sorted(places) if key in documents]


def _meant(mark: Mark, sources: dict[str, SourceState]) -> AttributedQuote:
    """Return what a mark quotes: its own words, else those of the note it names."""
    source = sources.get(mark.source)
    if source is None:
        return AttributedQuote(mark.quote)
    page = Span(source["document_id"], source["page_index"])
    found_by = source.get("found_by", "model")
    return AttributedQuote(mark.quote or source["quote"], page, found_by)


def _quoted(quotes: Sequence[QuoteState], run: RunContext) -> CitedText:
    """Return quotes, each of them checked."""
    groups = _citations(quotes, run)
    claims = [make_claim(_in_quotes(found), found) for found in groups]
    return CitedText(
        "\n".join(_with_numbers(one) for one in claims),
        tuple(claims),
        tuple(citation for found in groups for citation in found),
    )


def _shortened(one: Claim) -> str:
    """Return a quote that is no answer, cut where it is long; its citation has all of it."""
    words = shorten(one.text, LONGEST_NEAREST, placeholder=" …”")
    return f"{words} [{', '.join(one.citations)}]"


def _with_numbers(one: Claim) -> str:
    return f"{one.text} [{', '.join(one.citations)}]"


def _citations(found: Sequence[QuoteState], run: RunContext) -> list[list[Citation]]:
    """Return the checked citations of each quote."""
    documents = run.documents
    quotes = [
        [
            AttributedQuote(
                documents[each["document_id"]].pages[each["page_index"]].text[start:end],
                Span(each["document_id"], each["page_index"]),
                found_by="lcagent",
            )
            for start, end in each["spans"]
        ]
        for each in found
    ]
    flat = [quote for group in quotes for quote in group]
    citations = iter(cite_quotes(flat, run.collection.documents, run.with_lines))
    return [list(islice(citations, len(group))) for group in quotes]


def _in_quotes(citations: Sequence[Citation]) -> str:
    """Return the quotes of a make_claim as a person would write them, on one line."""
    return " … ".join(f"“{on_one_line(citation.quote)}”" for citation in citations)


@cache
def _graph(methods: tuple[Method, ...]) -> Graph:  # noqa: ARG001 -- what it is made of
    """Return the compiled graph; compiling takes far longer than a run through it."""
    from lcagent.pipelines.answering.graph import ask_graph  # noqa: PLC0415 -- quoting needs none

    return ask_graph()
