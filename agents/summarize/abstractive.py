"""Abstractive summaries: readers note the points that matter, a writer puts them into prose.

Zhang et al., Chain of Agents, https://arxiv.org/abs/2406.02818, section 3 and table 12: a chain
without a question. Unlike the paper, what is handed on are points with quotes, each looked up in
the part when it is noted, and the summary is revised until it has the length that was asked for.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from typing import ClassVar

from lcagent.agents.chain.chain_of_agents import Chain
from lcagent.agents.chain.chain_prompts import ChainBudget, allocate_budget
from lcagent.agents.chain.notes import NotedFact, format_fact
from lcagent.agents.prompt_templates import Prompt
from lcagent.agents.replies import clean_prose, is_refusal
from lcagent.agents.token_budget import (
    MIN_REPLY_TOKENS,
    CountTokens,
    prose_prompt_tokens,
    prose_reply_tokens,
)
from lcagent.agents.write.paragraph_draft import (
    LENGTH_TOLERANCE,
    clamp_length_ratio,
    clean_reply,
    count_text_words,
    drop_cut_sentence,
)
from lcagent.errors import UnusableReply
from lcagent.models.chat_model import ChatModel, Reply, Request, prompt_text

WORDS_PER_POINT = 12
"""Of a summary; so many points are noted that its writer can choose."""

MIN_POINTS_PER_PART, MAX_POINTS_PER_PART = 1, 12

MAX_SUMMARY_REPAIRS = 2


@dataclass(frozen=True)
class SummaryReaderPrompt(Prompt):
    """What a reader is shown: one part, and what was noted before.

    Attributes:
        focus: What the summary is to be about; empty for everything.
        most: How many points to note.
    """

    template: ClassVar[str] = "summarizing/reader.md"

    focus: str
    notes: str
    chunk: str
    most: int


@dataclass(frozen=True)
class SummaryWriterPrompt(Prompt):
    """What the writer of a summary is shown: the points of all parts."""

    template: ClassVar[str] = "summarizing/writer.md"

    focus: str
    notes: str
    words: int


@dataclass(frozen=True)
class SummaryReviserPrompt(Prompt):
    """What the writer is shown of a summary that is too short or too long."""

    template: ClassVar[str] = "summarizing/reviser.md"

    focus: str
    notes: str
    summary: str
    is_short: bool
    words: int


@dataclass(frozen=True, slots=True)
class SummaryChain(Chain):
    """The readers of a summary; `question` is its focus, which may be empty.

    Attributes:
        points: How many each notes, at most.
    """

    points: int = MAX_POINTS_PER_PART

    def worker_prompt(self, notes: str, chunk: str) -> Prompt:
        """Return what a reader is shown."""
        return SummaryReaderPrompt(self.question, notes, chunk, self.points)


@dataclass(frozen=True, slots=True)
class WrittenSummary:
    """A summary with the labels of its points, and what the user should know about it."""

    text: str
    flags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SummaryWriter:
    """Writes one summary.

    Attributes:
        notes: The points, as they are shown.
    """

    focus: str
    notes: str
    words: int
    model: ChatModel

    async def write(self) -> WrittenSummary:
        """Write the summary, by one call and two repairs at most; of several the nearest is taken.

        Raises:
            UnusableReply: The model wrote none.
        """
        prompt: Prompt = SummaryWriterPrompt(self.focus, self.notes, self.words)
        best, asked, ratio = "", self.words, 1.0
        flags: list[str] = []
        for turn in range(1 + MAX_SUMMARY_REPAIRS):
            reply = await self._ask(prompt, turn)
            if reply is None:
                break
            text = clean_reply(clean_prose(reply.text, prompt_text(prompt.messages())))
            if reply.finish != "stop":
                text = drop_cut_sentence(text)
                flags.append("the summary was cut off by the model")
            else:  # a reply that was cut off says nothing on how long this model writes
                ratio = clamp_length_ratio(asked, count_text_words(text))
            if is_refusal(text):
                continue
            best = min((text, best or text), key=self._distance)
            if self._is_near(best):
                return WrittenSummary(best, tuple(flags))
            # A model that writes half as much as it is asked for is asked for twice as much.
            asked = max(10, round(self.words / ratio))
            is_short = count_text_words(text) < self.words
            prompt = SummaryReviserPrompt(self.focus, self.notes, text, is_short, asked)
        if not best:
            raise UnusableReply("the model wrote no summary")
        flags.append(f"the summary has {count_text_words(best)} words instead of {self.words}")
        return WrittenSummary(best, tuple(dict.fromkeys(flags)))

    async def _ask(self, prompt: Prompt, turn: int) -> Reply | None:
        """Return the reply, or None where there is no room for a useful one."""
        messages = prompt.messages()
        most = prose_reply_tokens(self.model, messages)
        if most < MIN_REPLY_TOKENS:
            return None
        purpose = f"summary: {'writer' if not turn else 'reviser'}"
        return await self.model.complete(
            Request(messages, max_tokens=most, sample=turn, purpose=purpose)
        )

    def _is_near(self, text: str) -> bool:
        return self._distance(text) <= LENGTH_TOLERANCE * self.words

    def _distance(self, text: str) -> int:
        return abs(count_text_words(text) - self.words)


def allocate_summary_budget(focus: str, model: ChatModel) -> ChainBudget:
    """Divide a model's window among the parts of the readers' and the writer's prompts."""
    return allocate_budget(
        model,
        worker=SummaryReaderPrompt(focus, "", "", MAX_POINTS_PER_PART).messages(),
        manager=SummaryWriterPrompt(focus, "", 0).messages(),
    )


def points_budget_tokens(focus: str, model: ChatModel) -> int:
    """Return how many tokens of points the writer is shown.

    Three fifths of what is left, because the reviser is shown the summary besides.
    """
    empty = model.count_tokens(SummaryReviserPrompt(focus, "", "", False, 0).messages())
    return max(0, prose_prompt_tokens(model) - empty) * 3 // 5


def points_per_part(words: int, parts: int) -> int:
    """Return how many points each of the parts should give for a summary of so many words."""
    return min(
        MAX_POINTS_PER_PART, max(MIN_POINTS_PER_PART, ceil(words / WORDS_PER_POINT / max(1, parts)))
    )


def fit_points(
    parts: Sequence[tuple[str, Sequence[NotedFact]]], budget_tokens: int, count: CountTokens
) -> tuple[str, int]:
    """Return the points of all parts under their titles as far as they fit, and how many do not.

    The first point of each part is chosen before the second of any, so that no part is lost for
    coming late in the text.
    """
    shown: set[str] = set()
    left = budget_tokens - sum(count(f"== {title}") + 1 for title in {title for title, _ in parts})
    depth = max((len(facts) for _, facts in parts), default=0)
    for rank in range(depth):
        for _, facts in parts:
            if rank < len(facts):
                size = count(format_fact(facts[rank], with_quote=True)) + 1
                if size <= left:
                    left -= size
                    shown.add(facts[rank].label)
    lines: list[str] = []
    heading = ""
    for title, facts in parts:
        here = [format_fact(fact, with_quote=True) for fact in facts if fact.label in shown]
        if here and title != heading:
            lines.append(f"== {title}")
            heading = title
        lines.extend(here)
    return "\n".join(lines), sum(len(facts) for _, facts in parts) - len(shown)
