"""One reply as it is made: its prompt, what was chosen so far, and why it ended."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from torch import Tensor

from lcagent.engine.generation.sampling import Choice, Sampler, Sampling
from lcagent.engine.generation.writing import Writer
from lcagent.engine.reading import Progress, Reading
from lcagent.errors import LcagentError

Finish: TypeAlias = Literal["stop", "length", "cancelled", "error"]


@dataclass(frozen=True, slots=True)
class Piece:
    """What one step added to a reply: text that is certain, and the tokens chosen for it."""

    text: str
    choices: tuple[Choice, ...] = ()
    finish: Finish | None = None


OnPiece: TypeAlias = Callable[[Piece], None]
OnReading: TypeAlias = Callable[[Reading], None]


@dataclass(frozen=True, slots=True)
class Order:
    """What is wanted of a reply.

    Attributes:
        stop: Strings that end the reply.
        ends: Tokens that end it.
    """

    max_tokens: int
    sampling: Sampling = field(default_factory=Sampling)
    stop: tuple[str, ...] = ()
    ends: frozenset[int] = frozenset()


@dataclass(slots=True)
class Sequence:
    """A reply that is being made.

    Attributes:
        reading: Prompt and reply, as read by the model; None once it ended.
        reused_tokens: Tokens of the prompt that had been read before.
        on_reading: Is given the reading when it has read as many tokens as `places` has.
        siblings: Replies to the same prompt, which begin when this one has read it.
    """

    order: Order
    reading: Reading | None
    writer: Writer
    sampler: Sampler
    prompt_tokens: int
    reused_tokens: int = 0
    on_piece: OnPiece | None = None
    on_progress: Progress | None = None
    on_reading: OnReading | None = None
    places: frozenset[int] = frozenset()
    siblings: "tuple[Sequence, ...]" = ()
    choices: list[Choice] = field(default_factory=list[Choice])
    finish: Finish | None = None
    error: LcagentError | None = None

    @property
    def is_prefilled(self) -> bool:
        """The prompt was read, and a first token was chosen."""
        return bool(self.choices)

    def take(self, logits: Tensor) -> None:
        """Choose the next token by logits (vocabulary,), and end where an end is reached."""
        choice = self.sampler.choose(logits)
        self.choices.append(choice)
        text = ""
        if choice.token not in self.order.ends:
            text = self.writer.add(choice.token)
        if choice.token in self.order.ends or self.writer.is_stopped:
            self.end("stop", text, choice)
        elif len(self.choices) >= self.order.max_tokens:
            self.end("length", text, choice)
        else:
            self._tell(Piece(text, (choice,)))

    def cancel(self) -> None:
        """End the reply, and those that wait for it to read their prompt."""
        for each in (self, *self.siblings):
            each.end("cancelled")

    def end(self, finish: Finish, text: str = "", *choices: Choice) -> None:
        """End the reply and give its memory back."""
        if self.finish is not None:
            return
        self.finish = finish
        self.reading = None
        self._tell(Piece(text + self.writer.finish(), choices, finish))

    def fail(self, error: LcagentError) -> None:
        """End the reply by an error; what was not told of its text yet may be the cause."""
        if self.finish is None:
            self.error, self.finish, self.reading = error, "error", None
            self._tell(Piece("", (), "error"))

    def _tell(self, piece: Piece) -> None:
        if self.on_piece is not None:
            self.on_piece(piece)
