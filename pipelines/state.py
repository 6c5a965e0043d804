"""The state of a question on its way to an answer, as it is saved after every step."""

from collections.abc import Mapping
from typing import Any, Literal, NotRequired, TypeAlias, TypedDict, cast

from lcagent.results import FoundBy, Outcome

Finish: TypeAlias = Literal["complete", "cut"]
"""Whether a reply is whole, or ended before its end."""


class QuoteState(TypedDict):
    """Where a quote stands: offsets into the text of one page.

    Attributes:
        spans: The quote itself; before it, if it is a table row, the heads of its columns.
    """

    document_id: str
    page_index: int
    spans: list[tuple[int, int]]
    score: float


class SourceState(TypedDict):
    """What a mark in a reply stands for.

    Attributes:
        quote: The words of a note; empty for a passage, whose words the mark has itself.
        found_by: Who says that it is the place, where that is not the model.
    """

    document_id: str
    page_index: int
    quote: str
    found_by: NotRequired[FoundBy]


class UnreadState(TypedDict):
    """A page that a model was shown, but made nothing of, and why."""

    document_id: str
    page_index: int
    reason: str


class AskState(TypedDict):
    """A question on its way to an answer.

    Attributes:
        caveat: What the user should know of the choice of the method, or an empty string.
        quotes: The answer, if it is quoted; with the outcome "nearest", what comes nearest to one.
        outcome: What came of it; a reply that says that the answer is not there speaks for itself.
        reply: The answer as a model wrote it, with marks; empty where there is none.
        finish: "cut" where the reply ended before its end; the notes say why.
        confidence: The lowest probability of a token of the reply, where the server tells them.
        nearest: What lcagent itself would quote, shown where the reply cannot be confirmed.
        is_near: These have enough of the words of the question to answer it.
        sources: What the marks stand for, and so which pages the model was shown.
    """

    question: str
    wanted: str
    model: str
    strategy: str
    reason: str
    caveat: str
    quotes: list[QuoteState]
    outcome: Outcome
    reply: str
    confidence: float | None
    nearest: list[QuoteState]
    is_near: bool
    finish: Finish
    sources: dict[str, SourceState]
    unread: list[UnreadState]
    notes: list[str]
    chunks: int
    chunks_read: int


class RouteOutput(TypedDict):
    """What routing adds."""

    strategy: str
    reason: str
    caveat: str


class QuoteOutput(TypedDict):
    """What quoting adds."""

    quotes: list[QuoteState]
    outcome: Outcome
    notes: list[str]
    chunks: int
    chunks_read: int


class MethodOutput(TypedDict):
    """What a method adds whose answer a model writes."""

    reply: str
    confidence: NotRequired[float | None]
    nearest: NotRequired[list[QuoteState]]
    is_near: NotRequired[bool]
    finish: Finish
    sources: dict[str, SourceState]
    unread: list[UnreadState]
    notes: list[str]
    chunks: int
    chunks_read: int


def initial_state(question: str, wanted: str = "auto", model: str = "quote") -> AskState:
    """Return the state before the first step."""
    return AskState(
        question=question,
        wanted=wanted,
        model=model,
        strategy="",
        reason="",
        caveat="",
        quotes=[],
        outcome="answered",
        reply="",
        confidence=None,
        nearest=[],
        is_near=False,
        finish="complete",
        sources={},
        unread=[],
        notes=[],
        chunks=0,
        chunks_read=0,
    )


def merged(state: AskState, change: Mapping[str, Any]) -> AskState:
    """Return the state after a step, as LangGraph would merge it."""
    return cast("AskState", {**state, **change})
