"""Where models are asked: base URLs, and the key of each server.

A key comes from the environment or the system's keyring, never from a setting. It is looked up
when a model is made, is handed to the connection, and is stored nowhere.
"""

import ipaddress
import os
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import TypeAlias
from urllib.parse import urlsplit

from lcagent.errors import ModelNotUsable, UsageError

OPENAI_URL = "https://api.openai.com/v1"

PLACEHOLDER = "none"
"""Sent to a server on this machine, which may need no key; the SDK insists on one."""

KEYRING_SERVICE = "lcagent"

Keyring: TypeAlias = Callable[[str, str], str | None]


def normalize_url(base_url: str) -> str:
    """Return a base URL without blanks and slashes at its ends.

    Raises:
        UsageError: It is no URL of HTTP.
    """
    try:
        parts = urlsplit(base_url.strip())
        is_url = parts.scheme in ("http", "https") and bool(parts.hostname)
        _ = parts.port
    except ValueError:
        is_url = False
    if not is_url:
        raise UsageError("the base URL is not one such as http://localhost:8000/v1")
    return base_url.strip().rstrip("/")


def host_and_port(base_url: str) -> str:
    """Return host and port, without user name and password."""
    return urlsplit(base_url).netloc.rpartition("@")[2]


def without_credentials(base_url: str) -> str:
    """Return a base URL as it may be stored and shown: no user name, password or query.

    An empty one stays empty.
    """
    if not base_url:
        return ""
    parts = urlsplit(base_url)
    return f"{parts.scheme}://{host_and_port(base_url)}{parts.path.rstrip('/')}"


def is_openai(base_url: str) -> bool:
    """Say whether it is OpenAI's own server, or a regional one of theirs."""
    name = urlsplit(base_url).hostname or ""
    return name == "api.openai.com" or name.endswith(".api.openai.com")


def is_loopback(base_url: str) -> bool:
    """Say whether the server is on this machine."""
    name = urlsplit(base_url).hostname or ""
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


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
    host = host_and_port(base_url)
    found = (keyring or _keyring)(KEYRING_SERVICE, host)
    if found:
        return found
    if is_loopback(base_url):
        return PLACEHOLDER
    raise ModelNotUsable(f"no key for {host}: set LCAGENT_API_KEY (or OPENAI_API_KEY)")


def _keyring(service: str, user: str) -> str | None:
    """Ask the system's keyring; a machine without one just has no key."""
    try:
        found = import_module("keyring").get_password(service, user)
    except Exception:  # noqa: BLE001 -- back ends raise what they like; then there is no key
        return None
    return found if isinstance(found, str) else None
