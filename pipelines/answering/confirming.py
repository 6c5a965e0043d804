"""Whether what a model wrote is confirmed by what it was shown.

The answer comes first, its proofs afterwards: what a statement without a mark rests on is looked
up among the pages that the model was shown. What to make of an answer that nothing supports was
measured (docs/decisions/0017).
"""

from collections.abc import Callable, Sequence
from decimal import Decimal

import regex

from lcagent.agents.quantities import Quantity, quantities_in
from lcagent.agents.quote_context import AttributedQuote
from lcagent.agents.statements import is_same_word, read_statement
from lcagent.agents.support import SourcePage, find_mention, find_support
from lcagent.documents import Span
from lcagent.pipelines.context import RunContext
from lcagent.pipelines.state import AskState
from lcagent.results import Claim

LEAST_CONFIDENCE = 0.2
"""The probability of its least likely token below which a statement without support is doubted."""

FEWEST_WORDS = 2
"""A shorter answer is a choice: "London", asked "London or Rome?"."""


def prover(state: AskState, run: RunContext) -> Callable[[str], list[AttributedQuote]]:
    """Return what looks for the sentence that says a claim, in what the model was shown.

    Else for one that has what the claim names, for a person to judge: the claim is only quoted.
    """
    shown = shown_pages(state, run)
    languages = {document.language for document in run.collection.documents}
    language = (languages.pop() or "") if len(languages) == 1 else ""

    def prove(claim: str) -> list[AttributedQuote]:
        if says_nothing_new(claim, state["question"]):
            return []
        question = state["question"]
        return find_support(claim, question, shown, language=language) or find_mention(
            claim, question, shown, language=language
        )

    return prove


def shown_pages(state: AskState, run: RunContext) -> list[SourcePage]:
    """Return the pages that the sources of a reply stand on; of a chain, all that were asked."""
    if state["strategy"] == "chain" or not state["sources"]:
        return run.asked_pages
    named = ((each["document_id"], each["page_index"]) for each in state["sources"].values())
    return [
        SourcePage(Span(document_id, index), text)
        for document_id, index in dict.fromkeys(named)
        if document_id in run.documents
        and (text := run.documents[document_id].pages[index].text).strip()
    ]


def is_confirmed(claims: Sequence[Claim]) -> bool:
    """Say whether any statement of an answer has a quote that was found."""
    return any(claim.status != "unsupported" for claim in claims)


def is_baseless(claims: Sequence[Claim], state: AskState, run: RunContext) -> bool:
    """Say whether evidence speaks against an answer without support.

    It does where it only says the question again, or has a number that nothing has that the model
    was shown. Conclusions in the model's own words are neither.
    """
    if all(says_nothing_new(claim.text, state["question"]) for claim in claims):
        return True
    shown = "\n".join((state["question"], *(page.text for page in shown_pages(state, run))))
    known = _values(shown)
    return any(not each.values & known for claim in claims for each in _numbers(claim.text))


def is_doubted(claims: Sequence[Claim], confidence: float | None) -> bool:
    """Say whether the model doubted a word of its one statement, which nothing supports.

    In a long answer some word is always unlikely; and what stands somewhere is for a person to
    judge.
    """
    is_sure = confidence is None or confidence >= LEAST_CONFIDENCE
    return len(claims) == 1 and not claims[0].citations and not is_sure


def says_nothing_new(claim: str, question: str) -> bool:
    """Say whether a statement has nothing but words of the question: "It carried 2019 passengers".

    A denial is something new, and so is any statement where the question is whether it is so, or
    which of several it is.
    """
    if _ASKS_WHETHER.search(question) or _ASKS_WHICH.search(question):
        return False
    said, asked = read_statement(claim), read_statement(question)
    if len(said.denials) != len(asked.denials) or len(said.words) < FEWEST_WORDS:
        return False
    is_known = [any(is_same_word(word, other) for other in asked.words) for word in said.words]
    asked_for = _values(question)
    return all(is_known) and all(each.values & asked_for for each in _numbers(claim))


def _numbers(text: str) -> list[Quantity]:
    """Return the numbers of a text, those of its dates, too."""
    return quantities_in(text, dates=(), may_be_row=True)


def _values(text: str) -> frozenset[Decimal]:
    return frozenset(value for each in _numbers(text) for value in each.values)


_ASKS_WHETHER = regex.compile(
    r"""^\W*(?:
    (?:do|does|did|is|are|was|were|has|have|had|can|could|will|would|should|shall|may|must)\b
    |(?:ist|sind|war|waren|hat|haben|hatte|kann|konnte|wird|wurde|darf|muss|soll|gibt|gab)\b
    |est-ce\s(?!que\squ)|(?:es|son|fue|era|hay|tiene|puede)\b|هل\b
    )|吗[?？]|(?<!何|誰|つ|く)(?:です|ます|でした|ました)か|\bли\b""",
    regex.VERBOSE | regex.IGNORECASE,
)
_ASKS_WHICH = regex.compile(
    r"\b(?:or|oder|ou|или)\b|(?<=\s)o(?=\s)|还是|還是|それとも|\bأم\b", regex.IGNORECASE
)
