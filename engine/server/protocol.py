"""Requests and responses as the OpenAI API has them; what is not supported is refused by name.

https://platform.openai.com/docs/api-reference. Ours are `memory`, `top_k`, `min_p` and
`repetition_penalty` in requests, `context_tokens` of a model, and all about memories.
"""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from lcagent.engine.generation.params import LEAST_REPETITION_PENALTY, MOST_TOP_LOGPROBS

MOST_CHOICES = 16

ResponseFinish = Literal["stop", "length"]


def _with_whole_characters(text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise ValueError("half of a character (a lone surrogate) stands in the text") from error
    return text


def _is_empty(value: Any) -> bool:
    return value is None or value in ([], {})


WellFormedText = Annotated[str, AfterValidator(_with_whole_characters)]
StopStrings = Annotated[
    WellFormedText
    | Annotated[
        list[Annotated[WellFormedText, Field(min_length=1, max_length=1000)]], Field(max_length=16)
    ],
    Field(description="Strings that end the reply"),
]


class RequestBody(BaseModel):
    """A request body: unknown fields are errors, so that nothing is ignored silently.

    One that is null or empty asks for nothing (clients send `"tools": []`), and is none.
    """

    model_config = ConfigDict(extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def _without_empty_wishes(cls, given: Any) -> Any:
        if not isinstance(given, dict):
            return given
        known = cls.model_fields
        return {key: value for key, value in given.items() if key in known or not _is_empty(value)}


class StreamOptions(RequestBody):
    """Options of a streamed reply."""

    include_usage: bool = False
    include_obfuscation: bool = False


class GenerationRequest(RequestBody):
    """What chat and plain completions have in common."""

    model: Annotated[WellFormedText, Field(max_length=500)]
    max_tokens: Annotated[int, Field(ge=1, le=1 << 40)] | None = None
    temperature: Annotated[float, Field(ge=0, le=2)] | None = None
    top_p: Annotated[float, Field(gt=0, le=1)] | None = None
    top_k: Annotated[int, Field(ge=0, le=1 << 31)] | None = None
    min_p: Annotated[float, Field(ge=0, le=1)] | None = None
    n: Annotated[int, Field(ge=1, le=MOST_CHOICES)] | None = None
    seed: Annotated[int, Field(ge=-(1 << 62), le=1 << 62)] | None = None
    stop: StopStrings | None = None
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    presence_penalty: Annotated[float, Field(ge=-2, le=2)] | None = None
    frequency_penalty: Annotated[float, Field(ge=-2, le=2)] | None = None
    repetition_penalty: Annotated[float, Field(ge=LEAST_REPETITION_PENALTY, le=10)] | None = None
    memory: Annotated[
        WellFormedText | None,
        Field(max_length=64, description="Id of a memory that the prompt continues"),
    ] = None
    user: Annotated[str, Field(max_length=500)] | None = None

    @property
    def stops(self) -> tuple[str, ...]:
        """Return the stop strings."""
        return (self.stop,) if isinstance(self.stop, str) else tuple(self.stop or ())


class TextPart(RequestBody):
    """A piece of a message."""

    type: Literal["text"]
    text: WellFormedText


class RequestMessage(RequestBody):
    """A message of a conversation."""

    # Chat templates write it into control tokens.
    role: Annotated[str, Field(pattern=r"^\w[\w-]{0,49}$")]
    content: WellFormedText | list[TextPart]
    name: Annotated[str, Field(max_length=500)] | None = None

    @property
    def text(self) -> str:
        """Return what is said."""
        if isinstance(self.content, str):
            return self.content
        return "".join(part.text for part in self.content)


class ResponseFormat(RequestBody):
    """The form of a reply; only text is made."""

    type: Literal["text"]


class ChatCompletionRequest(GenerationRequest):
    """A request for a chat completion."""

    messages: Annotated[list[RequestMessage], Field(min_length=1, max_length=10_000)]
    max_completion_tokens: Annotated[int, Field(ge=1, le=1 << 40)] | None = None
    logprobs: bool | None = None
    top_logprobs: Annotated[int, Field(ge=0, le=MOST_TOP_LOGPROBS)] | None = None
    response_format: ResponseFormat | None = None
    metadata: dict[str, Any] | None = None
    store: bool | None = None
    tool_choice: Literal["auto", "none"] | None = None
    parallel_tool_calls: bool | None = None


class CompletionRequest(GenerationRequest):
    """A request for a plain completion."""

    prompt: WellFormedText | list[int]
    logprobs: Annotated[int, Field(ge=0, le=MOST_TOP_LOGPROBS)] | None = None


class MemoryRequest(RequestBody):
    """A text to be read into a memory: plain, or as the beginning of a conversation."""

    text: WellFormedText | None = None
    messages: Annotated[list[RequestMessage], Field(min_length=1, max_length=10_000)] | None = None
    title: Annotated[WellFormedText, Field(max_length=500)] = ""
    id: Annotated[str | None, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$")] = None


class PromptTokensDetails(BaseModel):
    """Of the prompt's tokens, those that a memory had read."""

    cached_tokens: int = 0


class CompletionUsage(BaseModel):
    """What a request cost."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int
    prompt_tokens_details: PromptTokensDetails


class TopLogprob(BaseModel):
    """A token that might have been chosen."""

    token: str
    logprob: float
    bytes: list[int]


class ChatTokenLogprob(TopLogprob):
    """A token that was chosen."""

    top_logprobs: list[TopLogprob]


class ChatLogprobs(BaseModel):
    """Log-probabilities of a reply's tokens."""

    content: list[ChatTokenLogprob]


class ResponseMessage(BaseModel):
    """A reply."""

    role: Literal["assistant"] = "assistant"
    content: str


class ChatChoice(BaseModel):
    """One of the replies to a conversation."""

    index: int
    message: ResponseMessage
    logprobs: ChatLogprobs | None = None
    finish_reason: ResponseFinish | None


class ChatCompletionResponse(BaseModel):
    """The answer to a chat request."""

    id: str
    object: Literal["chat.completion"] = "chat.completion"
    created: int
    model: str
    choices: list[ChatChoice]
    usage: CompletionUsage


class Delta(BaseModel):
    """What one event adds to a reply."""

    role: Literal["assistant"] | None = None
    content: str | None = None


class ChatChunkChoice(BaseModel):
    """One event of one reply."""

    index: int
    delta: Delta
    logprobs: ChatLogprobs | None = None
    finish_reason: ResponseFinish | None = None


class ChatCompletionChunk(BaseModel):
    """An event of a streamed chat answer."""

    id: str
    object: Literal["chat.completion.chunk"] = "chat.completion.chunk"
    created: int
    model: str
    choices: list[ChatChunkChoice]
    usage: CompletionUsage | None = None


class CompletionLogprobs(BaseModel):
    """Log-probabilities of a plain completion's tokens."""

    tokens: list[str]
    token_logprobs: list[float]
    top_logprobs: list[dict[str, float]]
    text_offset: list[int]


class CompletionChoice(BaseModel):
    """One of the continuations of a prompt."""

    index: int
    text: str
    logprobs: CompletionLogprobs | None = None
    finish_reason: ResponseFinish | None = None


class CompletionResponse(BaseModel):
    """The answer to a plain request, or an event of it."""

    id: str
    object: Literal["text_completion"] = "text_completion"
    created: int
    model: str
    choices: list[CompletionChoice]
    usage: CompletionUsage | None = None


class ModelObject(BaseModel):
    """The model of this server."""

    id: str
    object: Literal["model"] = "model"
    created: int = 0
    owned_by: str = "local"
    context_tokens: int


class ModelList(BaseModel):
    """The models of this server; there is exactly one."""

    object: Literal["list"] = "list"
    data: list[ModelObject]


class MemoryObject(BaseModel):
    """A stored memory; `fault` says why it cannot be used, if so."""

    id: str
    object: Literal["memory"] = "memory"
    title: str
    tokens: int
    fault: str = ""


class MemoryList(BaseModel):
    """All stored memories."""

    object: Literal["list"] = "list"
    data: list[MemoryObject]


class DeletedMemory(BaseModel):
    """What was deleted."""

    id: str
    object: Literal["memory"] = "memory"
    deleted: Literal[True] = True


class HealthResponse(BaseModel):
    """The server is there, and how busy it is."""

    status: Literal["ok"] = "ok"
    running: int
    waiting: int
