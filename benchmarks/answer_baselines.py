"""Plain ways to answer with the same model and budget, to compare the methods of lcagent with.

- `plain-passages`: the passages of the same search, best first, in one plain prompt.
- `plain-whole`: the whole text in one plain prompt.
- `plain-refine`: the text in pieces, an answer refined piece after piece, as a refine chain does.

None asks for marks or quotes, so none has citations. A reply has at most the tokens that lcagent
reserves for one.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from lcagent.models.chat_model import ChatModel, Message, Request
from lcagent.pipelines import Session

TOP_K = 12
MARGIN_TOKENS = 64
REPLY_SHARE, MAX_REPLY_TOKENS = 8, 1024


@dataclass
class PlainReader:
    """Asks plain prompts of one model, and counts what they take."""

    model: ChatModel
    calls: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    is_cut: bool = False
    reply_tokens: int = field(init=False)

    def __post_init__(self) -> None:
        self.reply_tokens = min(MAX_REPLY_TOKENS, self.model.card.window_tokens // REPLY_SHARE)

    async def ask(self, prompt: str) -> str:
        """Return the reply to a prompt."""
        request = Request((Message("user", prompt),), max_tokens=self.reply_tokens)
        reply = await self.model.complete(request)
        self.calls += 1
        self.prompt_tokens += reply.prompt_tokens
        self.completion_tokens += reply.completion_tokens
        self.is_cut = reply.finish == "length"
        return reply.text.strip()

    def fits(self, prompt: str) -> bool:
        """Say whether a prompt and its reply fit the window."""
        size = self.model.count_tokens((Message("user", prompt),))
        return size + self.reply_tokens + MARGIN_TOKENS <= self.model.card.window_tokens


async def plain_passages(
    reader: PlainReader, session: Session, question: str, document: Path
) -> str:
    """Answer from the passages of the search, as many as fit, the best first."""
    index = await session.index(str(document))
    found = await index.search(question, top_k=TOP_K, vectors="none")
    chosen: list[str] = []
    for passage in found.passages:
        if reader.fits(_from_passages([*chosen, passage.text], question)):
            chosen.append(passage.text)
    return await reader.ask(_from_passages(chosen, question))


async def plain_whole(reader: PlainReader, session: Session, question: str, document: Path) -> str:
    """Answer from the whole text.

    Raises:
        ValueError: It does not fit the window.
    """
    prompt = _from_text(await _text_of(session, document), question)
    if not reader.fits(prompt):
        raise ValueError("the text does not fit the window")
    return await reader.ask(prompt)


async def plain_refine(reader: PlainReader, session: Session, question: str, document: Path) -> str:
    """Answer from the first piece of the text, then refine the answer with each later one."""
    answer = ""
    longest = "x" * 4 * reader.reply_tokens
    for piece in _pieces(
        await _text_of(session, document),
        lambda text: reader.fits(_refining(text, question, longest)),
    ):
        prompt = _refining(piece, question, answer) if answer else _from_text(piece, question)
        answer = await reader.ask(prompt)
    return answer


Baseline = Callable[[PlainReader, Session, str, Path], Awaitable[str]]
BASELINES: dict[str, Baseline] = {
    "plain-passages": plain_passages,
    "plain-whole": plain_whole,
    "plain-refine": plain_refine,
}


def _from_passages(passages: Sequence[str], question: str) -> str:
    shown = "\n\n".join(passages)
    return f"Answer the question from the passages.\n\n{shown}\n\nQuestion: {question}"


def _from_text(text: str, question: str) -> str:
    return f"Answer the question from the text.\n\n{text}\n\nQuestion: {question}"


def _refining(text: str, question: str, answer: str) -> str:
    return (
        f"{text}\n\nQuestion: {question}\n\nAnswer so far: {answer}\n\n"
        "Improve the answer so far where the text above helps; else repeat it."
    )


async def _text_of(session: Session, document: Path) -> str:
    (read,) = (await session.collect(str(document))).documents
    return "\n\n".join(page.text for page in read.pages)


def _pieces(text: str, fits: Callable[[str], bool]) -> list[str]:
    """Cut a text between paragraphs into the fewest pieces that fit, from its beginning."""
    pieces: list[str] = []
    current = ""
    for paragraph in text.split("\n\n"):
        longer = f"{current}\n\n{paragraph}" if current else paragraph
        if current and not fits(longer):
            pieces.append(current)
            longer = paragraph
        current = longer
    return [*pieces, current]
