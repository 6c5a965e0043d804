"""One candidate answer: its prompt, its reply taken apart, and what was wrong with it.

Cao et al., https://arxiv.org/abs/2311.13982, appendix: the roles are the paper's, the words and the
examples are ours. A reply without the marker of an answer is not thrown away, but mended by one
more call. Most are finished: their confidence is that of all they say, for the finishing call only
repeats it. One from passages is asked for again in plain words: models that cannot explain and
quote in the form wanted still answer a plain question.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Literal, TypeAlias

from lcagent.agents.answering import LabelledPassage
from lcagent.agents.probtree.explained_replies import (
    ExplainedReply,
    is_no_answer,
    parse_explained_reply,
    parse_plain_reply,
)
from lcagent.agents.probtree.passage_retriever import PassageRetriever, RetrievalQuery
from lcagent.agents.prompt_templates import Prompt
from lcagent.agents.quote_context import AttributedQuote
from lcagent.agents.replies import is_refusal, says_not_found
from lcagent.agents.support import find_support
from lcagent.documents import Span
from lcagent.errors import ContextTooLong, ModelUnavailable, UnusableReply
from lcagent.models.chat_model import ChatModel, Reply, Request

CandidateKind: TypeAlias = Literal["closed_book", "open_book", "child_aggregating"]
"""From the model's own knowledge; from passages; from the answers to the questions below."""

SINGLE_HOP_TASK = "Say in one or two short sentences what the passages say on the question."

MULTI_HOP_TASK = (
    "The answer may have to be put together from several passages: explain in one to four short "
    "sentences, step by step, how they lead to it."
)
"""What is asked of passages for a question that has none below it, and for one that has."""

REPLY_CUT_OFF = "its reply was cut off"

NO_PASSAGE = "no passage was found"

ASKED_PLAINLY = "it explained nothing in the form wanted, so it was asked in plain words"

MAX_PLAIN_TOKENS = 160
"""Of a reply in one sentence. A model that writes on has begun to repeat itself."""

NO_REPLY = ExplainedReply("", ())


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
class PlainPrompt(Prompt):
    """What a model is asked that cannot do more at once: passages, or answers, and a question."""

    template: ClassVar[str] = "probtree/plain.md"

    question: str
    material: str


@dataclass(frozen=True)
class ConfidencePrompt(Prompt):
    """What is asked where nothing else tells how sure an answer is."""

    template: ClassVar[str] = "probtree/confidence.md"

    question: str
    material: str
    reply: str


@dataclass(frozen=True, slots=True)
class CandidateDraft:
    """A candidate before its confidence is measured.

    Attributes:
        request: What can be asked again for other samples; None where nothing was asked.
        material: What the answer was drawn from, as its judge is shown it.
        sources: What its marks stand for.
        is_plain: It was asked for in plain words.
    """

    kind: CandidateKind
    request: Request | None = None
    reply: Reply | None = None
    read: ExplainedReply = NO_REPLY
    material: str = ""
    sources: tuple[LabelledPassage, ...] = ()
    flags: tuple[str, ...] = ()
    is_plain: bool = False

    @property
    def says_something(self) -> bool:
        """Say whether the reply says an answer, be it that there is none."""
        return self.reply is not None and bool(self.read.answer)

    @property
    def is_usable(self) -> bool:
        """Say whether there is an answer, of whatever quality."""
        return self.says_something and not is_no_answer(self.read.answer)

    def find_support(self, question: str) -> AttributedQuote | None:
        """Return the words of the passages that say the answer, or None where none does."""
        if not self.is_usable:
            return None
        shown = [_Shown(source.page, source.text.partition("\n")[2]) for source in self.sources]
        return next(iter(find_support(self.read.answer, question, shown)), None)


@dataclass(frozen=True, slots=True)
class _Shown:
    """A passage without its header."""

    span: Span
    text: str


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

    @property
    def plain_tokens(self) -> int:
        """The longest plain reply; reasoning before it may take more than the reply itself."""
        return self.max_tokens if self.model.card.is_reasoning else MAX_PLAIN_TOKENS

    async def complete(self, request: Request) -> Reply:
        """Return the reply to a request, with log-probabilities if they are wanted and given."""
        plain = replace(request, wants_logprobs=False)
        if not request.wants_logprobs or self.has_logprobs is False:
            return await self.model.complete(plain)
        try:
            reply = await self.model.complete(request)
        except ModelUnavailable as error:
            # Some servers close the connection on a request for log-probabilities. One that gave
            # them before, or says when to come back, is down or busy instead.
            if self.has_logprobs or error.retry_after_s is not None:
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
    """A question of a tree as it is put to the model: its references replaced by answers.

    Attributes:
        queries: What to look up for the open book.
        children: The questions below with their answers, as the model is shown them.
        is_leaf: There is nothing below it.
        name: Of the question, for progress and messages.
    """

    text: str
    queries: tuple[RetrievalQuery, ...]
    children: tuple[str, ...] = ()
    is_leaf: bool = True
    name: str = ""


async def draft_candidate(
    kind: CandidateKind,
    question: ResolvedQuestion,
    client: LogprobClient,
    retriever: PassageRetriever,
    *,
    is_plain: bool = False,
) -> CandidateDraft:
    """Ask for one candidate answer, and take its reply apart.

    An open-book answer is drawn from fewer passages where they do not all fit the window; without
    any, nothing is asked.

    Args:
        is_plain: Ask in plain words at once, and take all of the reply for the answer.
    """
    passages = await retriever.retrieve(question.queries) if kind == "open_book" else []
    while passages or kind != "open_book":
        texts = tuple(passage.text for passage in passages)
        request = client.request(
            _prompt(kind, question, texts), f"{_spelled_out(kind)}, {question.name}"
        )
        material = "\n\n".join(texts)
        if kind == "child_aggregating":
            material = "\n".join(question.children)
        draft = CandidateDraft(kind, request, material=material, sources=tuple(passages))
        try:
            if is_plain:
                return await _asked_plainly(draft, question, client)
            reply = await client.complete(request)
        except UnusableReply as error:
            return replace(draft, flags=(str(error),))
        except ContextTooLong:
            if not passages:
                raise
            passages = passages[: len(passages) // 2]
            continue
        return await _with_reply(draft, reply, question, client)
    return CandidateDraft(kind, flags=(NO_PASSAGE,))


def parse_answers(replies: Sequence[Reply], *, is_plain: bool = False) -> list[str]:
    """Return what several replies answer; one that was cut off answers nothing.

    Args:
        is_plain: They were asked for in plain words.
    """
    parse = parse_plain_reply if is_plain else parse_explained_reply
    return [parse(reply.text).answer if reply.finish == "stop" else "" for reply in replies]


def _prompt(kind: CandidateKind, question: ResolvedQuestion, passages: tuple[str, ...]) -> Prompt:
    if kind == "closed_book":
        return ClosedBookPrompt(question.text)
    if kind == "child_aggregating":
        return ChildAggregatingPrompt(question.text, question.children)
    task = SINGLE_HOP_TASK if question.is_leaf else MULTI_HOP_TASK
    return OpenBookPrompt(question.text, passages, task)


async def _with_reply(
    draft: CandidateDraft, reply: Reply, question: ResolvedQuestion, client: LogprobClient
) -> CandidateDraft:
    draft = replace(draft, reply=reply)
    read = parse_explained_reply(reply.text)
    is_plain_needed = draft.kind == "open_book" and not read.has_marker
    if reply.finish == "filtered" or is_refusal(reply.text):
        return replace(draft, flags=("the model declined to answer",))
    if reply.finish == "stop" and (read.has_marker or not is_plain_needed):
        draft = replace(draft, read=read)
        return draft if read.has_marker else await _with_answer_asked(draft, question, client)
    if not is_plain_needed:
        return replace(draft, flags=(REPLY_CUT_OFF,))
    try:
        return await _asked_plainly(draft, question, client)
    except UnusableReply as error:
        return replace(draft, flags=(str(error),))


async def _asked_plainly(
    draft: CandidateDraft, question: ResolvedQuestion, client: LogprobClient
) -> CandidateDraft:
    """Return a draft whose answer is the first sentence of a plain reply."""
    material = draft.material
    if draft.sources:  # without their headers, which weak models repeat
        material = "\n\n".join(source.text.partition("\n")[2] for source in draft.sources)
    prompt = PlainPrompt(question.text, material)
    request = client.request(prompt, f"{_spelled_out(draft.kind)} in plain words, {question.name}")
    request = replace(request, max_tokens=min(request.max_tokens, client.plain_tokens))
    reply = await client.complete(request)
    draft = replace(draft, request=request, reply=reply, flags=(ASKED_PLAINLY,), is_plain=True)
    if reply.finish == "filtered" or is_refusal(reply.text) or says_not_found(reply.text):
        return replace(draft, flags=(ASKED_PLAINLY, "the model declined to answer"))
    return replace(draft, read=parse_plain_reply(reply.text))


async def _with_answer_asked(
    draft: CandidateDraft, question: ResolvedQuestion, client: LogprobClient
) -> CandidateDraft:
    """Return a draft with the answer that its reply comes to, as the model says when asked."""
    assert draft.reply is not None
    prompt = FinisherPrompt(question.text, draft.reply.text)
    purpose = f"finishing the {_spelled_out(draft.kind)} answer, {question.name}"
    request = replace(client.request(prompt, purpose), wants_logprobs=False)
    try:
        answer = parse_explained_reply((await client.complete(request)).text).answer
    except (UnusableReply, ContextTooLong):
        answer = ""
    flag = "its answer was not marked and was asked for again"
    return replace(draft, read=replace(draft.read, answer=answer), flags=(flag,))


def _spelled_out(kind: CandidateKind) -> str:
    return kind.replace("_", " ")
