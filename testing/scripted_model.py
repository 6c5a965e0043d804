"""A model that replies from a script, for tests, examples and documentation."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from lcagent.models.chat_model import Message, ModelCard, OnText, Reply, Request

SCRIPTED_CARD = ModelCard(
    name="scripted",
    window_tokens=1_000_000,
    usd_per_million_prompt=0.0,
    usd_per_million_completion=0.0,
    is_known=True,
)


@dataclass(slots=True)
class ScriptedModel:
    """Reply with `reply(request)` and keep every request.

    A reply that is text is cut to `max_tokens` words, as a server cuts it to tokens; a `Reply` is
    returned as it is. Tokens are words.
    """

    reply: Callable[[Request], str | Reply]
    card: ModelCard = SCRIPTED_CARD
    requests: list[Request] = field(default_factory=list[Request])

    def count_tokens(self, messages: Sequence[Message]) -> int:
        """Count words."""
        return sum(len(message.text.split()) for message in messages)

    async def complete(self, request: Request, on_text: OnText | None = None) -> Reply:
        """Return the scripted reply."""
        self.requests.append(request)
        scripted = self.reply(request)
        reply = scripted if isinstance(scripted, Reply) else self._worded(scripted, request)
        if on_text is not None:
            on_text(reply.text)
        return reply

    def _worded(self, text: str, request: Request) -> Reply:
        words = text.split()
        is_cut = len(words) > request.max_tokens
        return Reply(
            text=" ".join(words[: request.max_tokens]) if is_cut else text,
            finish="length" if is_cut else "stop",
            prompt_tokens=self.count_tokens(request.messages),
            completion_tokens=min(len(words), request.max_tokens),
        )
