"""What a server may do: where it listens, who may ask, and how much."""

import ipaddress
from dataclasses import dataclass, field

from lcagent.engine.config import EngineLimits
from lcagent.errors import UsageError

MB = 1_000_000


@dataclass(frozen=True, slots=True)
class ServerSettings:
    """Limits of a server.

    Attributes:
        api_key: What clients send as a bearer token; needed unless the server is local.
        width: Replies made at the same time.
        max_waiting: Replies that may wait for a turn; more are turned away.
        max_body_bytes: The largest request.
        cached_prefixes: States of earlier prompts that are kept for prompts that begin alike. Each
            holds a window of keys and values beside the model.
    """

    host: str = "127.0.0.1"
    port: int = 8000
    api_key: str | None = field(default=None, repr=False)
    width: int = 8
    max_waiting: int = 256
    max_body_bytes: int = 32 * MB
    cached_prefixes: int = 4

    def __post_init__(self) -> None:
        """Refuse to listen to others without a key."""
        if self.api_key is None and not _is_local(self.host):
            raise UsageError(
                f"a server on {self.host} can be reached by others: it needs an API key"
            )
        if self.api_key is not None and not self.api_key.isascii():
            raise UsageError("an API key has letters of ASCII only")
        if (
            self.width < 1
            or self.max_body_bytes < 1
            or min(self.max_waiting, self.cached_prefixes) < 0
        ):
            raise UsageError("a server needs at least one place for a reply, and room for it")

    @property
    def limits(self) -> EngineLimits:
        """What the engine behind it may do."""
        return EngineLimits(self.width, self.max_waiting, self.cached_prefixes)


def _is_local(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
