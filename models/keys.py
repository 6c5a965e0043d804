"""The key of a server: from the environment or the system's keyring, never from a setting.

A key is looked up when a model is made, is handed to the connection, and is stored nowhere.
"""

import os
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import TypeAlias

from lcagent.errors import ModelNotUsable
from lcagent.models.hosts import host_of, is_loopback

PLACEHOLDER = "none"
"""Is sent where a server on this machine needs no key."""

KEYRING_SERVICE = "lcagent"

Keyring: TypeAlias = Callable[[str, str], str | None]


def api_key(
    base_url: str,
    *,
    environment: Mapping[str, str] = os.environ,
    keyring: Keyring | None = None,
) -> str:
    """Return the key for a base URL.

    `LCAGENT_API_KEY` comes first, then `OPENAI_API_KEY`, then the keyring, where the service is
    "lcagent" and the user name is the host.

    Raises:
        ModelNotUsable: There is none, and the server is not on this machine.
    """
    for name in ("LCAGENT_API_KEY", "OPENAI_API_KEY"):
        if environment.get(name, "").strip():
            return environment[name].strip()
    host = host_of(base_url)
    found = (keyring or _keyring)(KEYRING_SERVICE, host)
    if found:
        return found
    if is_loopback(base_url):
        return PLACEHOLDER
    raise ModelNotUsable(f"no key for {host}: set LCAGENT_API_KEY (or OPENAI_API_KEY)")


def _keyring(service: str, user: str) -> str | None:
    """Ask the system's keyring; a machine without one is no fault of the user's."""
    try:
        found = import_module("keyring").get_password(service, user)
    except Exception:  # noqa: BLE001 -- back ends raise what they like; then there is no key
        return None
    return found if isinstance(found, str) else None
