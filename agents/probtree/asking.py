"""One candidate answer: a prompt, its reply taken apart, and what was wrong with it.

A reply without the marker of an answer is finished by one more call instead of thrown away; its
confidence is then that of all it says, for the finishing call only repeats it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from lcagent.agents.answering import Source
from lcagent.agents.probtree.books import Book, Wanted
from lcagent.agents.probtree.deciding import Kind, is_no_answer
from lcagent.agents.probtree.replies import Explained, read_reply
from lcagent.agents.probtree.roles import (
    MULTI_HOP,
    SINGLE_HOP,
    ChildAggregatingPrompt,
    ClosedBookPrompt,
    FinisherPrompt,
    OpenBookPrompt,
)
from lcagent.agents.prompting import Prompt
from lcagent.agents.refusals import is_refusal
from lcagent.errors import ContextTooLong, ModelUnavailable, UnusableReply
from lcagent.models.base import ChatModel, Reply, Request

CUT = "its reply was cut off"
NO_PASSAGE = "no passage was found"
NOTHING = Explained("", ())


@dataclass(frozen=True, slots=True)
class Draft:
    """A candidate before its confidence is measured.

    Attributes:
        request: What can be asked again for other samples; None where nothing was asked.
        material: What the answer was drawn from, as its judge is shown it.
        sources: What its marks stand for.
    """

    kind: Kind
    request: Request | None = None
    reply: Reply | None = None
    read: Explained = NOTHING
    material: str = ""
    sources: tuple[Source, ...] = ()
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
class Asker:
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
class Asked:
    """A question as it is put to the model, with the answers that it refers to.

    Attributes:
        wanted: What to look up for the open book.
        children: What is known from below.
        is_leaf: There is nothing below it.
        name: Of the question, for progress and messages.
    """

    text: str
    wanted: tuple[Wanted, ...]
    children: tuple[str, ...] = ()
    is_leaf: bool = True
    name: str = ""


async def closed_book(asked: Asked, asker: Asker) -> Draft:
    """Answer from what the model knows by itself."""
    return await _draft("closed_book", ClosedBookPrompt(asked.text), asked, asker)


async def open_book(asked: Asked, asker: Asker, book: Book) -> Draft:
    """Answer from passages, from fewer of them where they do not all fit the window."""
    sources = await book.find(asked.wanted)
    while sources:
        texts = tuple(source.text for source in sources)
        task = SINGLE_HOP if asked.is_leaf else MULTI_HOP
        prompt = OpenBookPrompt(asked.text, texts, task)
        try:
            draft = await _draft("open_book", prompt, asked, asker)
        except ContextTooLong:
            sources = sources[: len(sources) // 2]
            continue
        return replace(draft, material="\n\n".join(texts), sources=tuple(sources))
    return Draft("open_book", flags=(NO_PASSAGE,))


async def child_aggregating(asked: Asked, asker: Asker) -> Draft:
    """Answer from the answers to the questions below."""
    prompt = ChildAggregatingPrompt(asked.text, asked.children)
    draft = await _draft("child_aggregating", prompt, asked, asker)
    return replace(draft, material="\n".join(asked.children))


async def _draft(kind: Kind, prompt: Prompt, asked: Asked, asker: Asker) -> Draft:
    request = asker.request(prompt, f"{kind.replace('_', ' ')}, {asked.name}")
    try:
        reply = await asker.ask(request)
    except UnusableReply as error:
        return Draft(kind, request, flags=(str(error),))
    draft = Draft(kind, request, reply, read_reply(reply.text))
    if reply.finish == "length":
        return replace(draft, read=NOTHING, flags=(CUT,))
    if reply.finish == "filtered" or is_refusal(reply.text):
        return replace(draft, read=NOTHING, flags=("the model declined to answer",))
    return draft if draft.read.has_marker else await _finished(draft, asked, asker)


async def _finished(draft: Draft, asked: Asked, asker: Asker) -> Draft:
    """Return a draft with the answer that its reply comes to."""
    assert draft.reply is not None
    prompt = FinisherPrompt(asked.text, draft.reply.text)
    purpose = f"finishing the {draft.kind.replace('_', ' ')} answer, {asked.name}"
    request = replace(asker.request(prompt, purpose), wants_logprobs=False)
    try:
        told = read_reply((await asker.ask(request)).text)
    except (UnusableReply, ContextTooLong):
        told = Explained("", (), has_marker=False)
    flag = "its answer was not marked and was asked for again"
    return replace(draft, read=replace(draft.read, answer=told.answer), flags=(flag,))


def answers_of(replies: Sequence[Reply]) -> list[str]:
    """Return what several replies answer; one that was cut off answers nothing."""
    return [read_reply(one.text).answer if one.finish == "stop" else "" for one in replies]
