"""Figures about a server, in the text format of Prometheus."""

import time
from dataclasses import dataclass, field

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from lcagent.engine.generation.sequences import Piece, Sequence

FIRST_TOKEN_S = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300)


@dataclass(slots=True)
class Metrics:
    """Counters of one server; `registry` is its own, so that two servers do not mix."""

    registry: CollectorRegistry = field(default_factory=CollectorRegistry)
    _started: dict[int, float] = field(default_factory=dict[int, float])
    requests: Counter = field(init=False)
    prompt_tokens: Counter = field(init=False)
    reused_tokens: Counter = field(init=False)
    completion_tokens: Counter = field(init=False)
    first_token: Histogram = field(init=False)
    running: Gauge = field(init=False)
    waiting: Gauge = field(init=False)

    def __post_init__(self) -> None:
        """Make the counters."""
        own = self.registry
        self.requests = Counter("lcagent_requests", "Answers", ["path", "status"], registry=own)
        self.prompt_tokens = Counter("lcagent_prompt_tokens", "Tokens of prompts", registry=own)
        self.reused_tokens = Counter(
            "lcagent_reused_tokens", "Of these, tokens that a memory had read", registry=own
        )
        self.completion_tokens = Counter(
            "lcagent_completion_tokens", "Tokens of replies", registry=own
        )
        self.first_token = Histogram(
            "lcagent_first_token_seconds",
            "From the request to the first token",
            buckets=FIRST_TOKEN_S,
            registry=own,
        )
        self.running = Gauge("lcagent_running", "Replies that are being made", registry=own)
        self.waiting = Gauge("lcagent_waiting", "Replies that wait for a turn", registry=own)

    def begin(self, replies: tuple[Sequence, ...]) -> None:
        """Count prompts, and start the clock of their first tokens."""
        first = replies[0]
        self._started[id(first)] = time.monotonic()
        self.prompt_tokens.inc(first.prompt_tokens)
        self.reused_tokens.inc(first.reused_tokens)

    def count_piece(self, reply: Sequence, piece: Piece) -> None:
        """Count tokens of a reply."""
        self.completion_tokens.inc(len(piece.choices))
        started = self._started.pop(id(reply), None)
        if started is not None and piece.choices:
            self.first_token.observe(time.monotonic() - started)

    def end(self, replies: tuple[Sequence, ...]) -> None:
        """Forget replies."""
        self._started.pop(id(replies[0]), None)

    def text(self, running: int, waiting: int) -> bytes:
        """Return all figures."""
        self.running.set(running)
        self.waiting.set(waiting)
        return generate_latest(self.registry)
