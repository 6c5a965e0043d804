"""A model in this process: the engine behind the same protocol as a server.

A checkpoint is checked when the model is chosen; its weights are loaded for the first reply that
no cache has. Prompts that begin like an earlier one, or like a stored memory, continue from it.
"""

import asyncio
import threading
import time
from collections.abc import Sequence
from contextlib import aclosing

from lcagent.engine.engine import (
    AsyncEngine,
    Checkpoint,
    EngineLimits,
    GenerationParams,
    KVCacheConfig,
    SampledToken,
    SamplingParams,
    find_files,
    load_engine,
    open_checkpoint,
)
from lcagent.errors import (
    ContextTooLong,
    ModelError,
    ModelNotUsable,
    ModelUnavailable,
    UnusableReply,
    UsageError,
)
from lcagent.local_options import LocalOptions
from lcagent.models.capabilities import whole, without_system
from lcagent.models.chat_model import Message, ModelCard, OnText, Reply, Request, TokenLogprob
from lcagent.models.reasoning import CLOSE, ReplyText

LIMITS = EngineLimits(width=4, cached_prefixes=2, open_memories=1)
"""Less is cached than by a server, which has its machine to itself."""

_REMEMBERED_PROMPTS = 16


def open_local(
    name: str, *, window_tokens: int | None = None, options: LocalOptions | None = None
) -> "LocalModel":
    """Return the model of a folder, a GGUF file or `hub:OWNER/NAME`; weights are loaded later.

    Args:
        window_tokens: By default what the model was trained for, but not less than our prompts
            need. Past what it was trained for it has the engine's memory.

    Raises:
        MissingExtra: What runs models is not installed.
        ModelNotUsable: The engine cannot run it.
    """
    return LocalModel(open_checkpoint(find_files(name), options, context_tokens=window_tokens))


class LocalModel:
    """A model whose replies are made here.

    Attributes:
        checkpoint: As it was when it was chosen.
    """

    def __init__(self, checkpoint: Checkpoint) -> None:
        self.checkpoint = checkpoint
        self._engine: AsyncEngine | None = None
        self._loading = threading.Lock()
        self._prompts: dict[tuple[Message, ...], list[int]] = {}
        self._has_system_role = True
        self._has_system_role = self._takes(Message("system", "s"), Message("user", "u"))
        if not self._takes(Message("user", "u")):
            raise ModelNotUsable(
                f"{checkpoint.files.name} has no chat template that takes a question"
            )
        config = checkpoint.cache_config
        # The place of blocks and the device decide how they are looked up by default.
        layout = f"{sorted(config.as_json().items())} {config.place} {checkpoint.options.device}"
        self._card = ModelCard(
            name=checkpoint.files.name,
            window_tokens=checkpoint.context_tokens,
            usd_per_million_prompt=0.0,
            usd_per_million_completion=0.0,
            is_reasoning=CLOSE in str(checkpoint.tokenizer.tokenizer.chat_template),
            is_known=True,
            fingerprint=f"{checkpoint.files.fingerprint} {layout}",
        )

    @property
    def card(self) -> ModelCard:
        """What is known about the model."""
        return self._card

    @property
    def cache_config(self) -> KVCacheConfig:
        """How KV caches of its prompts are laid out."""
        return self.checkpoint.cache_config

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
        tokens = self.checkpoint.tokenizer.encode_chat(
            [Message(message.role, whole(message.text)) for message in said]
        )
        if len(self._prompts) >= _REMEMBERED_PROMPTS:
            self._prompts.clear()
        self._prompts[key] = tokens
        return tokens

    async def complete(self, request: Request, on_text: OnText | None = None) -> Reply:
        """Return the reply to a request; see `ChatModel`.

        Raises:
            UnusableReply: There is no text; the message says why.
        """
        prompt = await asyncio.to_thread(self.encode, request.messages)
        self._check_room(len(prompt), request)
        engine = await asyncio.to_thread(self.load)
        sequences = await engine.create_sequences(prompt, _params(request))
        started, written, loops = time.perf_counter(), ReplyText(on_text), False
        try:
            async with aclosing(engine.generate(sequences)) as chunks:
                async for chunk in chunks:
                    written.feed(chunk.text)
                    loops = written.ends_in_loop()
                    if loops:
                        break
        except ModelUnavailable as error:  # out of memory; the same again would be so, too
            raise ModelError(f"{error}; a smaller --window needs less") from error
        written.end()
        is_cut = sequences[0].finish == "length"
        if not written.text.strip():
            raise UnusableReply(self._nothing_written(request, written, is_cut=is_cut))
        tokens = sequences[0].tokens
        return Reply(
            text=written.text,
            finish="loop" if loops else "length" if is_cut else "stop",
            prompt_tokens=len(prompt),
            completion_tokens=len(tokens),
            logprobs=self._logprobs(tokens, written.text) if request.wants_logprobs else None,
            latency_s=time.perf_counter() - started,
        )

    def load(self) -> AsyncEngine:
        """Return the engine with its weights, which takes as long as reading them; it blocks.

        Raises:
            ModelNotUsable: They cannot be loaded.
        """
        with self._loading:
            if self._engine is None:
                self._engine = load_engine(self.checkpoint, LIMITS)
            return self._engine

    def _check_room(self, prompt_tokens: int, request: Request) -> None:
        if prompt_tokens + request.max_tokens > self._card.window_tokens:
            raise ContextTooLong(
                f"the prompt has {prompt_tokens} tokens; with {request.max_tokens} for the reply "
                f"it does not fit into the {self._card.window_tokens} of {self._card.name}"
            )

    def _nothing_written(self, request: Request, written: ReplyText, *, is_cut: bool) -> str:
        name = self._card.name
        if is_cut:
            used_up = f"{name} used up its {request.max_tokens} tokens before it wrote anything"
            return f"{used_up}; allow longer replies"
        what = "all reasoning" if written.has_reasoning else "empty"
        return f"{name} wrote nothing: its reply is {what}"

    def _takes(self, *messages: Message) -> bool:
        try:
            return bool(self.encode(messages))
        except UsageError:
            return False

    def _logprobs(
        self, tokens: Sequence[SampledToken], text: str
    ) -> tuple[TokenLogprob, ...] | None:
        """Return those of the last tokens, if these spell the text and nothing else."""
        tokenizer, eos = self.checkpoint.tokenizer, self.load().eos_token_ids
        found: list[TokenLogprob] = []
        spelled = b""
        for sampled in reversed(tokens):
            if sampled.token in eos:
                continue
            if len(spelled) >= len(text.encode()):  # reasoning may come before it
                break
            data, name = tokenizer.token_bytes(sampled.token), tokenizer.token_text(sampled.token)
            found.append(TokenLogprob(name, sampled.logprob or 0.0, data))
            spelled = data + spelled
        is_whole = spelled.decode("utf-8", "replace").lstrip() == text.lstrip()
        return tuple(reversed(found)) if is_whole else None


def _params(request: Request) -> GenerationParams:
    sampling = SamplingParams(
        temperature=request.temperature,
        seed=request.sample,
        top_logprobs=0 if request.wants_logprobs else None,
    )
    return GenerationParams(request.max_tokens, sampling, request.stop)
