"""Bodies of requests, as the OpenAI API has them; what is not supported is refused by name."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from lcagent.engine.generation.sampling import LEAST_REPETITION_PENALTY, MOST_TOP_LOGPROBS

MOST_CHOICES = 16


def _with_whole_characters(text: str) -> str:
    if not text.isascii() and any("\ud800" <= letter <= "\udfff" for letter in text):
        raise ValueError("half of a character (a lone surrogate) stands in the text")
    return text


Text = Annotated[str, AfterValidator(_with_whole_characters)]
Stop = Annotated[
    Text
    | Annotated[list[Annotated[Text, Field(min_length=1, max_length=1000)]], Field(max_length=16)],
    Field(description="Strings that end the reply"),
]


class Body(BaseModel):
    """A request body: unknown fields are errors, so that nothing is ignored silently."""

    model_config = ConfigDict(extra="forbid")


class StreamOptions(Body):
    """Options of a streamed reply."""

    include_usage: bool = False
    include_obfuscation: bool = False


class Generation(Body):
    """What chat and plain completions have in common."""

    model: Annotated[Text, Field(max_length=500)]
    max_tokens: Annotated[int, Field(ge=1, le=1 << 40)] | None = None
    temperature: Annotated[float, Field(ge=0, le=2)] | None = None
    top_p: Annotated[float, Field(gt=0, le=1)] | None = None
    top_k: Annotated[int, Field(ge=0, le=1 << 31)] | None = None
    min_p: Annotated[float, Field(ge=0, le=1)] | None = None
    n: Annotated[int, Field(ge=1, le=MOST_CHOICES)] | None = None
    seed: Annotated[int, Field(ge=-(1 << 62), le=1 << 62)] | None = None
    stop: Stop | None = None
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    presence_penalty: Annotated[float, Field(ge=-2, le=2)] | None = None
    frequency_penalty: Annotated[float, Field(ge=-2, le=2)] | None = None
    repetition_penalty: Annotated[float, Field(ge=LEAST_REPETITION_PENALTY, le=10)] | None = None
    memory: Annotated[
        Text | None, Field(max_length=64, description="Id of a memory that the prompt goes on from")
    ] = None
    user: Annotated[str, Field(max_length=500)] | None = None

    @property
    def stops(self) -> tuple[str, ...]:
        """Return the stop strings."""
        return (self.stop,) if isinstance(self.stop, str) else tuple(self.stop or ())


class TextPart(Body):
    """A piece of a message."""

    type: Literal["text"]
    text: Text


class Message(Body):
    """A message of a conversation."""

    role: Annotated[Text, Field(max_length=50)]
    content: Text | list[TextPart]
    name: Annotated[str, Field(max_length=500)] | None = None

    @property
    def text(self) -> str:
        """Return what is said."""
        if isinstance(self.content, str):
            return self.content
        return "".join(part.text for part in self.content)


class ResponseFormat(Body):
    """The form of a reply; only text is made."""

    type: Literal["text"]


class ChatBody(Generation):
    """A request for a chat completion."""

    messages: Annotated[list[Message], Field(min_length=1, max_length=10_000)]
    max_completion_tokens: Annotated[int, Field(ge=1, le=1 << 40)] | None = None
    logprobs: bool | None = None
    top_logprobs: Annotated[int, Field(ge=0, le=MOST_TOP_LOGPROBS)] | None = None
    response_format: ResponseFormat | None = None
    metadata: dict[str, Any] | None = None
    store: bool | None = None


class CompletionBody(Generation):
    """A request for a plain completion."""

    prompt: Text | list[int]
    logprobs: Annotated[int, Field(ge=0, le=MOST_TOP_LOGPROBS)] | None = None


class MemoryBody(Body):
    """A text to be read into a memory: plain, or as the beginning of a conversation."""

    text: Text | None = None
    messages: Annotated[list[Message], Field(min_length=1, max_length=10_000)] | None = None
    title: Annotated[Text, Field(max_length=500)] = ""
    id: Annotated[str | None, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$")] = None
