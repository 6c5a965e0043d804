"""From pieces of replies to the answers and events that clients read."""

import time
import uuid
from dataclasses import dataclass, field

from lcagent.engine.generation.sampling import Choice
from lcagent.engine.generation.sequences import Finish, Piece, Sequence
from lcagent.engine.loading.text import Text
from lcagent.engine.server import answers

Answer = answers.ChatCompletion | answers.TextCompletion
Event = answers.ChatChunk | answers.TextCompletion


@dataclass(slots=True)
class Wording:
    """Words one answer; `is_chat` tells which of the two kinds of completion it is."""

    text: Text
    model: str
    is_chat: bool
    has_logprobs: bool
    created: int = field(default_factory=lambda: int(time.time()))
    id: str = field(default_factory=lambda: f"lcagent-{uuid.uuid4().hex}")
    _offsets: dict[int, int] = field(default_factory=dict[int, int])

    def answer(self, replies: tuple[Sequence, ...]) -> Answer:
        """Return the whole answer."""
        usage = usage_of(replies)
        if self.is_chat:
            chat = [self._chat_choice(number, reply) for number, reply in enumerate(replies)]
            return answers.ChatCompletion(
                id=self.id, created=self.created, model=self.model, choices=chat, usage=usage
            )
        texts = [
            self._text_choice(number, reply.writer.text, tuple(reply.choices), reply.finish)
            for number, reply in enumerate(replies)
        ]
        return self._text(texts, usage)

    def first_event(self, number: int) -> Event | None:
        """Return the event that says who speaks; plain completions have none."""
        if not self.is_chat:
            return None
        delta = answers.Delta(role="assistant", content="")
        return self._chunk([answers.ChatChunkChoice(index=number, delta=delta)])

    def event(self, number: int, piece: Piece) -> Event:
        """Return the event of a piece."""
        if not self.is_chat:
            choice = self._text_choice(number, piece.text, piece.choices, piece.finish)
            return self._text([choice], None)
        chunk = answers.ChatChunkChoice(
            index=number,
            delta=answers.Delta(content=piece.text),
            logprobs=self._chat_logprobs(piece.choices),
            finish_reason=_reason(piece.finish),
        )
        return self._chunk([chunk])

    def usage_event(self, replies: tuple[Sequence, ...]) -> Event:
        """Return the event that ends a stream with its usage."""
        usage = usage_of(replies)
        return self._chunk([], usage) if self.is_chat else self._text([], usage)

    def _chat_choice(self, number: int, reply: Sequence) -> answers.ChatChoice:
        return answers.ChatChoice(
            index=number,
            message=answers.ChatMessage(content=reply.writer.text),
            logprobs=self._chat_logprobs(tuple(reply.choices)),
            finish_reason=_reason(reply.finish),
        )

    def _text_choice(
        self, number: int, text: str, choices: tuple[Choice, ...], finish: Finish | None
    ) -> answers.TextChoice:
        logprobs = self._text_logprobs(number, choices) if self.has_logprobs else None
        return answers.TextChoice(
            index=number, text=text, logprobs=logprobs, finish_reason=_reason(finish)
        )

    def _chat_logprobs(self, choices: tuple[Choice, ...]) -> answers.ChatLogprobs | None:
        if not self.has_logprobs:
            return None
        content = [
            answers.TokenLogprob(
                **self._token(choice.token, choice.logprob or 0.0).model_dump(),
                top_logprobs=[self._token(*top) for top in choice.top],
            )
            for choice in choices
        ]
        return answers.ChatLogprobs(content=content)

    def _text_logprobs(self, number: int, choices: tuple[Choice, ...]) -> answers.TextLogprobs:
        found = answers.TextLogprobs(tokens=[], token_logprobs=[], top_logprobs=[], text_offset=[])
        for choice in choices:
            token = self.text.token_text(choice.token)
            found.tokens.append(token)
            found.token_logprobs.append(choice.logprob or 0.0)
            found.top_logprobs.append({self.text.token_text(t): p for t, p in choice.top})
            found.text_offset.append(self._offsets.get(number, 0))
            self._offsets[number] = self._offsets.get(number, 0) + len(token)
        return found

    def _token(self, token: int, logprob: float) -> answers.TopLogprob:
        data = self.text.token_bytes(token)
        name = self.text.token_text(token)
        return answers.TopLogprob(token=name, logprob=logprob, bytes=list(data))

    def _chunk(
        self, choices: list[answers.ChatChunkChoice], usage: answers.Usage | None = None
    ) -> answers.ChatChunk:
        return answers.ChatChunk(
            id=self.id, created=self.created, model=self.model, choices=choices, usage=usage
        )

    def _text(
        self, choices: list[answers.TextChoice], usage: answers.Usage | None
    ) -> answers.TextCompletion:
        return answers.TextCompletion(
            id=self.id, created=self.created, model=self.model, choices=choices, usage=usage
        )


def usage_of(replies: tuple[Sequence, ...]) -> answers.Usage:
    """Return what replies to one prompt cost: the prompt counts once."""
    prompt = replies[0].prompt_tokens
    completion = sum(len(reply.choices) for reply in replies)
    return answers.Usage(
        prompt_tokens=prompt,
        completion_tokens=completion,
        total_tokens=prompt + completion,
        prompt_tokens_details=answers.PromptDetails(cached_tokens=replies[0].reused_tokens),
    )


def _reason(finish: Finish | None) -> answers.FinishReason | None:
    match finish:
        case "stop" | "length":
            return finish
        case _:
            return None
