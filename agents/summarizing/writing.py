"""Writing a summary from the points that were noted, to the length that was asked for."""

from dataclasses import dataclass

from lcagent.agents.agent_write.cleaning import clean, whole_sentences
from lcagent.agents.agent_write.drafts import TOLERANCE, believed_ratio, text_words
from lcagent.agents.agent_write.room import LEAST_REPLY, longest_reply
from lcagent.agents.prompting import Prompt
from lcagent.agents.refusals import is_refusal
from lcagent.agents.summarizing.roles import SummaryReviserPrompt, SummaryWriterPrompt
from lcagent.errors import UnusableReply
from lcagent.models.base import ChatModel, Reply, Request

REPAIRS = 2


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
        """Return the summary, after one call and two repairs at most; of several the nearest.

        What a reply that was cut off tells of the writer's habits is not believed.

        Raises:
            UnusableReply: The model wrote none.
        """
        prompt: Prompt = SummaryWriterPrompt(self.focus, self.notes, self.words)
        best, asked, ratio = "", self.words, 1.0
        flags: list[str] = []
        for turn in range(1 + REPAIRS):
            reply = await self._ask(prompt, turn)
            if reply is None:
                break
            text = clean(reply.text)
            if reply.finish == "length":
                text = whole_sentences(text)
                flags.append("the summary was cut off by the model")
            else:
                ratio = believed_ratio(asked, text_words(text))
            if is_refusal(text):
                continue
            best = min((text, best or text), key=self._distance)
            if self._is_near(best):
                return WrittenSummary(best, tuple(flags))
            asked = max(10, round(self.words / ratio))
            is_short = text_words(text) < self.words
            prompt = SummaryReviserPrompt(self.focus, self.notes, text, is_short, asked)
        if not best:
            raise UnusableReply("the model wrote no summary")
        flags.append(f"the summary has {text_words(best)} words instead of {self.words}")
        return WrittenSummary(best, tuple(dict.fromkeys(flags)))

    async def _ask(self, prompt: Prompt, turn: int) -> Reply | None:
        """Return the reply, or None where there is no room for a useful one."""
        messages = prompt.messages()
        most = longest_reply(self.model, messages)
        if most < LEAST_REPLY:
            return None
        purpose = f"summary: {'writer' if not turn else 'reviser'}"
        return await self.model.complete(
            Request(messages, max_tokens=most, sample=turn, purpose=purpose)
        )

    def _is_near(self, text: str) -> bool:
        return self._distance(text) <= TOLERANCE * self.words

    def _distance(self, text: str) -> int:
        return abs(text_words(text) - self.words)
