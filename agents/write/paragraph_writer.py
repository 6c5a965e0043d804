"""Step II of AgentWrite: one paragraph, written, mended, and brought to its length.

Bai et al., LongWriter, https://arxiv.org/abs/2408.07055. Upstream takes whatever is replied; here a
reply that was cut off is continued, one that repeats an earlier paragraph is written anew, and one
that is too short or too long is changed, all within a fixed number of calls.

The prompts are in words of our own. The instruction, the plan and the text so far come first and in
this order: the beginning of a prompt is that of the prompt before, so that a server with a prefix
cache need not read it again.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, TypeAlias

from lcagent.agents.prompt_templates import Prompt
from lcagent.agents.replies import NOT_FOUND, clean_prose, is_refusal, says_not_found
from lcagent.agents.token_budget import (
    MIN_REPLY_TOKENS,
    prose_prompt_tokens,
    prose_reply_tokens,
    token_counter,
    truncate_end,
    truncate_start,
)
from lcagent.agents.write.article_plan import ArticlePlan, fit_plan, format_plan_line
from lcagent.agents.write.paragraph_draft import (
    Paragraph,
    ParagraphDraft,
    ParagraphTask,
    clean_reply,
    find_repetition,
)
from lcagent.errors import ContextTooLong, UnusableReply, UsageError
from lcagent.models.chat_model import ChatModel, Reply, Request, prompt_text

CALLS_PER_PARAGRAPH = 3
"""The draft and two repairs."""

TOKENS_PER_WORD, SHORTEST_LIMIT = 6, 512
"""Of a reply to a plain prompt, the most tokens for a word asked for, and what it may always have:
such a model does not stop by itself."""

PLAIN_CONTEXT_TOKENS = 200
"""Of the text so far, what a writer sees that is asked plainly: it copies a longer one."""

NO_EVIDENCE = "the sources say nothing on it"
MIN_PRIOR_TOKENS = 100
"""With less of the text so far, a writer repeats it; the window is too small then."""


@dataclass(frozen=True)
class WriterPrompt(Prompt):
    """What the writer of a paragraph is shown.

    Attributes:
        summary: Of what was written and is not in `written`.
        sources: Passages to write from; `is_grounded` says whether there should be any.
    """

    template: ClassVar[str] = "agent_write/writer.md"

    instruction: str
    plan: str
    summary: str
    written: str
    sources: tuple[str, ...]
    is_grounded: bool
    step: str
    number: int
    total: int
    words: int
    not_found: str = NOT_FOUND


@dataclass(frozen=True)
class PlainWriterPrompt(Prompt):
    """What a writer is shown that could not plan: the prompts above are too much for it.

    Attributes:
        step: What the plan made by program says of the paragraph; empty if only the instruction.
        written: The end of the text so far, the paragraph itself where it is to be longer.
    """

    template: ClassVar[str] = "agent_write/plain_writer.md"

    instruction: str
    sources: tuple[str, ...]
    written: str
    step: str
    words: int


@dataclass(frozen=True)
class ReviserPrompt(Prompt):
    """What the writer of a paragraph is shown that has to be changed.

    Attributes:
        change: "continue" what was cut off, "expand" what is too short, "shorten" what is too
            long, or "rewrite" what repeats `clash`.
        words: Of what is to be written now.
    """

    template: ClassVar[str] = "agent_write/reviser.md"

    instruction: str
    plan: str
    sources: tuple[str, ...]
    is_grounded: bool
    step: str
    paragraph: str
    clash: str
    change: str
    words: int


AnyWriterPrompt: TypeAlias = WriterPrompt | PlainWriterPrompt | ReviserPrompt


@dataclass(frozen=True)
class FolderPrompt(Prompt):
    """What is asked where the text so far has no room in a prompt any more."""

    template: ClassVar[str] = "agent_write/folder.md"

    instruction: str
    summary: str
    written: str
    words: int


@dataclass(frozen=True, slots=True)
class ParagraphWriter:
    """Writes the paragraphs of one text.

    Attributes:
        is_plain: The model could not plan, so it is asked plainly, and for no marks.
    """

    instruction: str
    plan: ArticlePlan
    model: ChatModel
    is_grounded: bool = False
    is_plain: bool = False

    async def write(self, task: ParagraphTask, calls: int = CALLS_PER_PARAGRAPH) -> Paragraph:
        """Write a paragraph and repair it, by as many calls as are needed and `calls` at most.

        What is still wrong with it then stands in its flags. A paragraph of which the sources say
        nothing is empty.

        Raises:
            ContextTooLong: The prompt does not fit even without the text so far.
        """
        draft = ParagraphDraft(ratio=task.ratio)
        flags: list[str] = []
        for turn in range(calls):
            change = draft.next_change(task)
            if not change or (self.is_plain and change in ("shorten", "rewrite")):
                break
            try:
                reply = await self._ask(self._prompt(change, draft, task), change, task, turn)
            except UnusableReply as error:
                flags.append(str(error))
                continue
            if reply is None:
                flags.append(f"no room in the window to {change} it")
                break
            if self.is_grounded and change == "draft" and says_not_found(reply.text):
                return Paragraph("", flags=(NO_EVIDENCE,))
            if reply.finish == "filtered" or is_refusal(reply.text):
                flags.append("the model declined to write it")
                continue
            draft.take(change, reply, task)
        if self.is_plain:
            draft.cut_to_length(task)
        return draft.finished(task, flags)

    async def fold_prior_text(self, summary: str, written: str, budget_tokens: int) -> str:
        """Summarize what the text has said so far, in at most `budget_tokens`.

        Args:
            summary: Of what stands before `written`; kept if the model gives nothing better.
        """
        count = token_counter(self.model)
        room = prose_prompt_tokens(self.model)
        frame = self.model.count_tokens(FolderPrompt(self.instruction, summary, "", 0).messages())
        shown = truncate_end(written, max(0, room - frame), count)
        prompt = FolderPrompt(self.instruction, summary, shown, max(40, budget_tokens // 2))
        messages = prompt.messages()
        request = Request(
            messages, max_tokens=max(MIN_REPLY_TOKENS, prose_reply_tokens(self.model, messages)),
            purpose="summary of the text so far",
        )  # fmt: skip
        try:
            reply = await self.model.complete(request)
        except UnusableReply:
            return summary
        text = "" if is_refusal(reply.text) else clean_reply(reply.text)
        return truncate_end(text, budget_tokens, count) or summary

    def prior_text_tokens(self, place: int, sources: Sequence[str] = ()) -> int:
        """Return how many tokens of the text so far the writer of a paragraph can be shown.

        Raises:
            UsageError: None; the window is too small for the instruction.
        """
        task = ParagraphTask(place, 1_000, sources=tuple(sources), summary="-", written="-")
        empty = self._prompt("draft", ParagraphDraft(), task).messages()
        room = prose_prompt_tokens(self.model) - self.model.count_tokens(empty)
        if room < MIN_PRIOR_TOKENS:
            raise UsageError(
                f"the window of {self.model.card.name}, {self.model.card.window_tokens:,} tokens, "
                "leaves no room to write: give a shorter instruction, or take a model with a "
                "larger window (--window)"
            )
        return room

    def evidence_tokens(self, place: int) -> int:
        """Return how many tokens of passages fit: half of what is left for text."""
        return self.prior_text_tokens(place) // 2

    async def _ask(
        self, prompt: AnyWriterPrompt, change: str, task: ParagraphTask, turn: int
    ) -> Reply | None:
        """Return the reply, or None where there is no room for a useful one."""
        while True:
            messages = prompt.messages()
            most = prose_reply_tokens(self.model, messages)
            if most < MIN_REPLY_TOKENS:
                return None
            if self.is_plain:
                most = min(most, max(SHORTEST_LIMIT, TOKENS_PER_WORD * prompt.words))
            purpose = f"paragraph {task.place + 1} of {len(self.plan.paragraphs)}: {change}"
            request = Request(messages, max_tokens=most, sample=turn, purpose=purpose)
            try:
                reply = await self.model.complete(request)
                return replace(reply, text=clean_prose(reply.text, prompt_text(messages)))
            except ContextTooLong:
                # Our count was too low (another tokenizer). The end of the text so far is what
                # the next paragraph goes on from, so its beginning is given up.
                if isinstance(prompt, ReviserPrompt) or len(prompt.written) < 2:
                    raise
                prompt = replace(prompt, written=prompt.written[len(prompt.written) // 2 :])

    def _prompt(self, change: str, draft: ParagraphDraft, task: ParagraphTask) -> AnyWriterPrompt:
        if self.is_plain:
            return self._plain_prompt(change, draft, task)
        count, room = token_counter(self.model), prose_prompt_tokens(self.model)
        paragraph = self.plan.paragraphs[task.place]
        step = format_plan_line(task.place, replace(paragraph, words=0))
        words = draft.words_to_ask(change, task)
        if change == "draft":
            return WriterPrompt(
                self.instruction,
                fit_plan(self.plan, task.place, room // 3, count),
                task.summary,
                task.written,
                task.sources,
                self.is_grounded,
                step,
                task.place + 1,
                len(self.plan.paragraphs),
                words,
            )
        is_whole = change in ("shorten", "rewrite")
        clash = find_repetition(draft.text, task.earlier) if change == "rewrite" else None
        return ReviserPrompt(
            self.instruction,
            fit_plan(self.plan, task.place, room // 6, count),
            task.sources,
            self.is_grounded,
            step,
            draft.text if is_whole else truncate_start(draft.text, room // 3, count),
            "" if clash is None else truncate_end(task.earlier[clash.earlier], room // 4, count),
            change,
            words,
        )

    def _plain_prompt(
        self, change: str, draft: ParagraphDraft, task: ParagraphTask
    ) -> PlainWriterPrompt:
        written = "\n\n".join(part for part in (task.written, draft.text) if part)
        point = self.plan.paragraphs[task.place].point
        is_part = point.startswith(" ".join(self.instruction.split()))
        return PlainWriterPrompt(
            self.instruction,
            task.sources,
            truncate_start(written, PLAIN_CONTEXT_TOKENS, token_counter(self.model)),
            "" if is_part else point,
            draft.words_to_ask(change, task),
        )
