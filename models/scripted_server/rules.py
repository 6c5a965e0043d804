"""What a scripted server is like, and what it writes down of each call."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lcagent.models.base import Message


@dataclass(frozen=True, slots=True)
class Served:
    """A line of the transcript: a request and what it was replied.

    Attributes:
        arrived_s: By the clock of the loop.
        in_flight: Requests that were being answered when this one arrived, itself included.
        parameters: The body without its messages.
        nonce: The unique word that marks the reply; empty where there is none.
    """

    number: int
    arrived_s: float
    in_flight: int
    messages: tuple[Message, ...]
    prompt: str
    prompt_tokens: int
    parameters: Mapping[str, Any]
    status: int
    reply: str
    finish: str
    nonce: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerRules:
    """What a server can and does.

    Attributes:
        rejected: Parameters that it refuses with status 400; "system" for that role.
        has_nonces: Mark every reply with a unique word.
        models: What /models lists; None where there is no such page.
        transcript: A file that gets a line of JSON for each request.
    """

    window_tokens: int = 1_000_000
    latency_s: float = 0.0
    has_nonces: bool = False
    rejected: frozenset[str] = frozenset()
    models: tuple[str, ...] | None = ("scripted",)
    transcript: Path | None = None
