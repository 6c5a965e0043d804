"""One candidate answer: its prompt, its reply taken apart, and what was wrong with it.

Cao et al., https://arxiv.org/abs/2311.13982, appendix: the roles are the paper's, the words and the
examples are ours. A reply without the marker of an answer is finished by one more call instead of
thrown away; its confidence is then that of all it says, for the finishing call only repeats it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Literal, TypeAlias

from lcagent.agents.answering import LabelledPassage
from lcagent.agents.probtree.books import PassageRetriever, RetrievalQuery
from lcagent.agents.probtree.explained_replies import (
    ExplainedReply,
    is_no_answer,
    parse_explained_reply,
)
from lcagent.agents.prompt_templates import Prompt
from lcagent.agents.refusals import is_refusal
from lcagent.errors import ContextTooLong, ModelUnavailable, UnusableReply
from lcagent.models.base import ChatModel, Reply, Request

CandidateKind: TypeAlias = Literal["closed_book", "open_book", "child_aggregating"]
"""From the model's own knowledge; from passages; from the answers to the questions below."""

SINGLE_HOP_TASK = "Say in one or two short sentences what the passages say on the question."
MULTI_HOP_TASK = (
    "The answer may have to be put together from several passages: explain in one to four short "
    "sentences, step by step, how they lead to it."
)
"""What is asked of passages for a question that has none below it, and for one that has."""


@dataclass(frozen=True)
class DecomposerPrompt(Prompt):
    """What is asked of whoever makes the tree."""

    template: ClassVar[str] = "probtree/decomposer.md"

    question: str


@dataclass(frozen=True)
class ClosedBookPrompt(Prompt):
    """What is asked for from the model's own knowledge: the question, and no text at all."""

    template: ClassVar[str] = "probtree/closed_book.md"

    question: str


@dataclass(frozen=True)
class OpenBookPrompt(Prompt):
    """What is asked for from passages."""

    template: ClassVar[str] = "probtree/open_book.md"

    question: str
    sources: tuple[str, ...]
    task: str


@dataclass(frozen=True)
class ChildAggregatingPrompt(Prompt):
    """What is asked for from the questions below and their answers, and no text besides."""

    template: ClassVar[str] = "probtree/child_aggregating.md"

    question: str
    answers: tuple[str, ...]


@dataclass(frozen=True)
class FinisherPrompt(Prompt):
    """What is asked where a reply has no answer in the form wanted."""

    template: ClassVar[str] = "probtree/finisher.md"

    question: str
    reply: str


@dataclass(frozen=True)
class ConfidencePrompt(Prompt):
    """What is asked where nothing else tells how sure an answer is."""

    template: ClassVar[str] = "probtree/confidence.md"

    question: str
    material: str
    reply: str


REPLY_CUT_OFF = "its reply was cut off"
NO_PASSAGE = "no passage was found"
NO_REPLY = ExplainedReply("", ())


@dataclass(frozen=True, slots=True)
class CandidateDraft:
    """A candidate before its confidence is measured.

    Attributes:
        request: What can be asked again for other samples; None where nothing was asked.
        material: What the answer was drawn from, as its judge is shown it.
        sources: What its marks stand for.
    """

    kind: CandidateKind
    request: Request | None = None
    reply: Reply | None = None
    read: ExplainedReply = NO_REPLY
    material: str = ""
    sources: tuple[LabelledPassage, ...] = ()
    flags: tuple[str, ...] = ()

    @property
    def says_something(self) -> bool:
        """Say whether the reply says an answer, be it that there is none."""
        return self.reply is not None and bool(self.read.answer)

    @property
    def is_usable(self) -> bool:
        """Say whether there is an answer, of whatever quality."""
        return self.says_something and not is_no_answer(self.read.answer)


@dataclass(slots=True)
class LogprobClient:
    """Asks a model, with log-probabilities unless its server cannot be asked for any.

    Attributes:
        has_logprobs: Whether its server gives log-probabilities: True once it did, False once it
            failed a call that wanted them and not the same without.
    """

    model: ChatModel
    max_tokens: int
    has_logprobs: bool | None = None

    async def ask(self, request: Request) -> Reply:
        """Return the reply to a request, with log-probabilities if they are wanted and given."""
        plain = replace(request, wants_logprobs=False)
        if not request.wants_logprobs or self.has_logprobs is False:
            return await self.model.complete(plain)
        try:
            reply = await self.model.complete(request)
        except ModelUnavailable as error:
            if self.has_logprobs or error.retry_after_s is not None:  # it is down, or busy
                raise
            reply = await self.model.complete(plain)
            self.has_logprobs = False
        if reply.logprobs is not None:
            self.has_logprobs = True
        return reply

    def request(self, prompt: Prompt, purpose: str) -> Request:
        """Return the request for a reply with log-probabilities."""
        return Request(
            prompt.messages(), max_tokens=self.max_tokens, wants_logprobs=True, purpose=purpose
        )


@dataclass(frozen=True, slots=True)
class ResolvedQuestion:
    """A question as it is put to the model, with the answers that it refers to.

    Attributes:
        wanted: What to look up for the open book.
        children: What is known from below.
        is_leaf: There is nothing below it.
        name: Of the question, for progress and messages.
    """

    text: str
    wanted: tuple[RetrievalQuery, ...]
    children: tuple[str, ...] = ()
    is_leaf: bool = True
    name: str = ""


async def draft_closed_book(asked: ResolvedQuestion, asker: LogprobClient) -> CandidateDraft:
    """Answer from what the model knows by itself."""
    return await _draft("closed_book", ClosedBookPrompt(asked.text), asked, asker)


async def draft_open_book(
    asked: ResolvedQuestion, asker: LogprobClient, book: PassageRetriever
) -> CandidateDraft:
    """Answer from passages, from fewer of them where they do not all fit the window."""
    sources = await book.find(asked.wanted)
    while sources:
        texts = tuple(source.text for source in sources)
        task = SINGLE_HOP_TASK if asked.is_leaf else MULTI_HOP_TASK
        prompt = OpenBookPrompt(asked.text, texts, task)
        try:
            draft = await _draft("open_book", prompt, asked, asker)
        except ContextTooLong:
            sources = sources[: len(sources) // 2]
            continue
        return replace(draft, material="\n\n".join(texts), sources=tuple(sources))
    return CandidateDraft("open_book", flags=(NO_PASSAGE,))


async def draft_from_children(asked: ResolvedQuestion, asker: LogprobClient) -> CandidateDraft:
    """Answer from the answers to the questions below."""
    prompt = ChildAggregatingPrompt(asked.text, asked.children)
    draft = await _draft("child_aggregating", prompt, asked, asker)
    return replace(draft, material="\n".join(asked.children))


async def _draft(
    kind: CandidateKind, prompt: Prompt, asked: ResolvedQuestion, asker: LogprobClient
) -> CandidateDraft:
    request = asker.request(prompt, f"{kind.replace('_', ' ')}, {asked.name}")
    try:
        reply = await asker.ask(request)
    except UnusableReply as error:
        return CandidateDraft(kind, request, flags=(str(error),))
    draft = CandidateDraft(kind, request, reply, parse_explained_reply(reply.text))
    if reply.finish == "length":
        return replace(draft, read=NO_REPLY, flags=(REPLY_CUT_OFF,))
    if reply.finish == "filtered" or is_refusal(reply.text):
        return replace(draft, read=NO_REPLY, flags=("the model declined to answer",))
    return draft if draft.read.has_marker else await _finished(draft, asked, asker)


async def _finished(
    draft: CandidateDraft, asked: ResolvedQuestion, asker: LogprobClient
) -> CandidateDraft:
    """Return a draft with the answer that its reply comes to."""
    assert draft.reply is not None
    prompt = FinisherPrompt(asked.text, draft.reply.text)
    purpose = f"finishing the {draft.kind.replace('_', ' ')} answer, {asked.name}"
    request = replace(asker.request(prompt, purpose), wants_logprobs=False)
    try:
        told = parse_explained_reply((await asker.ask(request)).text)
    except (UnusableReply, ContextTooLong):
        told = ExplainedReply("", (), has_marker=False)
    flag = "its answer was not marked and was asked for again"
    return replace(draft, read=replace(draft.read, answer=told.answer), flags=(flag,))


def parse_answers(replies: Sequence[Reply]) -> list[str]:
    """Return what several replies answer; one that was cut off answers nothing."""
    return [
        parse_explained_reply(one.text).answer if one.finish == "stop" else "" for one in replies
    ]
