"""A model in this process: the engine behind the same protocol as a server.

The only module here that imports the engine, and only when a local model is named. A checkpoint is
checked when the model is chosen; its weights are loaded for the first reply that no cache has.
"""

import asyncio
import threading
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from lcagent.concurrency import PerLoop
from lcagent.errors import (
    ContextTooLong,
    MissingExtra,
    ModelError,
    ModelNotUsable,
    ModelUnavailable,
    UnusableReply,
    UsageError,
)
from lcagent.models.capabilities import whole, without_system
from lcagent.models.chat_model import (
    DEFAULT_WINDOW_TOKENS,
    Message,
    ModelCard,
    OnText,
    Reply,
    Request,
)
from lcagent.models.local_options import LocalOptions
from lcagent.models.local_replies import Written, logprobs_of
from lcagent.models.reasoning import CLOSE

if TYPE_CHECKING:
    from lcagent.engine.config import MemoryConfig
    from lcagent.engine.generation.sequences import Sequence as Making
    from lcagent.engine.loading.checkpoint import Checkpoint
    from lcagent.engine.loading.opening import Opened
    from lcagent.engine.reading import Reading
    from lcagent.engine.replying import Replying

WIDTH = 4
"""Replies that are made at the same time."""

_REMEMBERED = 16


def open_local(
    name: str, *, window_tokens: int | None = None, options: LocalOptions | None = None
) -> "LocalModel":
    """Return the model in a folder, or one of the Hugging Face hub; its weights are loaded later.

    Args:
        window_tokens: By default what the model was trained for, but not less than our prompts
            need. Past what it was trained for it has the engine's memory.

    Raises:
        MissingExtra: What runs models is not installed.
        ModelNotUsable: The engine cannot run it.
    """
    from lcagent.engine.loading.files import find_files  # noqa: PLC0415
    from lcagent.engine.memory_options import fitting_policy, layout  # noqa: PLC0415

    options = options or LocalOptions()
    files = find_files(name)
    try:
        from lcagent.engine.loading.checkpoint import (  # noqa: PLC0415 -- imports torch
            check_placing,
            read_checkpoint,
        )
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("lcagent"):  # a mistake of ours
            raise
        raise MissingExtra("a model in this process", "local") from error
    check_placing(options.device, options.dtype)
    checkpoint = read_checkpoint(files)
    own = files.shape.window_tokens
    window = window_tokens or max(own, DEFAULT_WINDOW_TOKENS)
    memory = layout(
        checkpoint.config,
        policy=fitting_policy(options.policy, context_tokens=window, own_tokens=own),
        store=options.store,
        store_dtype=options.store_dtype,
    )
    return LocalModel(checkpoint, memory, window, options)


class LocalModel:
    """A model whose replies are made here.

    Attributes:
        checkpoint: As it was when it was chosen.
        memory: How readings are laid out.
    """

    def __init__(
        self,
        checkpoint: "Checkpoint",
        memory: "MemoryConfig",
        window_tokens: int,
        options: LocalOptions,
    ) -> None:
        self.checkpoint, self.memory = checkpoint, memory
        self._options = options
        self._opened: Opened | None = None
        self._start: Reading | None = None
        self._turn = threading.Lock()
        self._replying = PerLoop(self._new_replying)
        self._prompts: dict[tuple[Message, ...], list[int]] = {}
        self._has_system_role = True
        self._has_system_role = self._takes(Message("system", "s"), Message("user", "u"))
        if not self._takes(Message("user", "u")):
            raise ModelNotUsable(
                f"{checkpoint.files.name} has no chat template that takes a question"
            )
        # The place of blocks and the device decide how they are looked up by default.
        layout_told = f"{sorted(memory.as_json().items())} {memory.place} {options.device}"
        self._card = ModelCard(
            name=checkpoint.files.name,
            window_tokens=window_tokens,
            usd_per_million_prompt=0.0,
            usd_per_million_completion=0.0,
            is_reasoning=CLOSE in str(checkpoint.text.tokenizer.chat_template),
            is_known=True,
            fingerprint=f"{checkpoint.files.fingerprint} {layout_told}",
        )

    @property
    def card(self) -> ModelCard:
        """What is known about the model."""
        return self._card

    def count_tokens(self, messages: Sequence[Message]) -> int:
        """Return how many tokens a prompt has, by the model's own tokenizer and template."""
        return len(self.encode(messages))

    def encode(self, messages: Sequence[Message]) -> list[int]:
        """Return the tokens of a prompt, which is counted where it is made, paid and sent."""
        key = tuple(messages)
        known = self._prompts.get(key)
        if known is not None:
            return known
        said = messages if self._has_system_role else without_system(messages)
        tokens = self.checkpoint.text.encode_chat(
            [Message(message.role, whole(message.text)) for message in said]
        )
        if len(self._prompts) >= _REMEMBERED:
            self._prompts.clear()
        self._prompts[key] = tokens
        return tokens

    async def complete(self, request: Request, on_text: OnText | None = None) -> Reply:
        """Return the reply to a request; see `ChatModel`.

        Raises:
            UnusableReply: All of `max_tokens` went into reasoning, and there is no text.
        """
        tokens = await asyncio.to_thread(self.encode, request.messages)
        self._check_room(len(tokens), request)
        making = await asyncio.to_thread(self._begin, tokens, request)
        started = time.perf_counter()
        written = Written(on_text)
        try:
            await self._replying.get().make(making, written.take)
        except ModelUnavailable as error:  # out of memory; the same again would be so, too
            raise ModelError(f"{error}; a smaller --window needs less") from error
        written.end()
        return self._reply(making, written.text, request, time.perf_counter() - started)

    def load(self) -> "Opened":
        """Return the model with its weights, which takes as long as reading them; it blocks.

        Raises:
            ModelNotUsable: They cannot be loaded.
        """
        from lcagent.engine.loading.checkpoint import open_weights  # noqa: PLC0415

        with self._turn:
            if self._opened is None:
                self._opened = open_weights(
                    self.checkpoint.files, device=self._options.device, dtype=self._options.dtype
                )
            return self._opened

    def _new_replying(self) -> "Replying":
        from lcagent.engine.generation.scheduling import Scheduler  # noqa: PLC0415
        from lcagent.engine.replying import Replying  # noqa: PLC0415

        return Replying(Scheduler(self.load().model, WIDTH), self._turn)

    def _begin(self, tokens: list[int], request: Request) -> "Making":
        from lcagent.engine.generation.requests import Prompt, start  # noqa: PLC0415
        from lcagent.engine.generation.sampling import Sampling  # noqa: PLC0415
        from lcagent.engine.generation.sequences import Order  # noqa: PLC0415

        opened = self.load()
        sampling = Sampling(
            temperature=request.temperature,
            seed=request.sample,
            top_logprobs=0 if request.wants_logprobs else None,
        )
        order = Order(request.max_tokens, sampling, request.stop, opened.ends)
        prompt = Prompt(tokens, self._start_of(tokens))
        (making,) = start(opened, self.memory, prompt, order, self._card.window_tokens)
        return making

    def _start_of(self, tokens: list[int]) -> "Reading | None":
        """Return what has read the beginning of a prompt before, the last one used first."""
        from lcagent.engine.generation.requests import continues  # noqa: PLC0415
        from lcagent.engine.memories.finding import find_start  # noqa: PLC0415

        if self._options.memories is None:
            return None
        if self._start is None or not continues(tokens, self._start):
            model = self.load().model
            self._start = find_start(model, self.memory, self._options.memories, tokens)
        return self._start

    def _check_room(self, prompt_tokens: int, request: Request) -> None:
        if prompt_tokens + request.max_tokens > self._card.window_tokens:
            raise ContextTooLong(
                f"the prompt has {prompt_tokens} tokens; with {request.max_tokens} for the reply "
                f"it does not fit into the {self._card.window_tokens} of {self._card.name}"
            )

    def _takes(self, *messages: Message) -> bool:
        try:
            return bool(self.encode(messages))
        except UsageError:
            return False

    def _reply(self, making: "Making", text: str, request: Request, latency_s: float) -> Reply:
        is_cut = making.finish == "length"
        if is_cut and not text.strip():
            raise UnusableReply(
                f"{self._card.name} used up its {request.max_tokens} tokens before it wrote "
                "anything; allow longer replies"
            )
        wants = request.wants_logprobs
        return Reply(
            text=text,
            finish="length" if is_cut else "stop",
            prompt_tokens=making.prompt_tokens,
            completion_tokens=len(making.choices),
            logprobs=logprobs_of(making, self.checkpoint.text, text) if wants else None,
            latency_s=latency_s,
        )
