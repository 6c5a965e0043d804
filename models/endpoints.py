"""Where models are asked: base URLs, and the key of each server.

A key comes from the environment or the system's keyring, never from a setting. It is looked up
when a model is made, is handed to the connection, and is stored nowhere.
"""

import ipaddress
import os
import re
import unicodedata
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import TypeAlias
from urllib.parse import urlsplit

from lcagent.credentials import BaseUrl, is_private
from lcagent.errors import ModelNotUsable, UsageError

OPENAI_URL = "https://api.openai.com/v1"

PLACEHOLDER = "none"
"""Sent to a server on this machine, which may need no key; the SDK insists on one."""

KEYRING_SERVICE = "lcagent"

Keyring: TypeAlias = Callable[[str, str], str | None]


def normalize_url(base_url: str) -> str:
    """Return a base URL without blanks, slashes and `/chat/completions` at its end.

    A query stays: Azure's URLs have one. `split_query` tells it from the path.

    Raises:
        UsageError: It is no URL of HTTP.
    """
    url = base_url.strip()
    if _BARE_IPV6.match(url):
        raise UsageError("an IPv6 address stands in brackets in a URL: http://[::1]:8000/v1")
    if not _is_url_of_http(url):
        raise UsageError("the base URL is not one such as http://localhost:8000/v1")
    parts = urlsplit(url)
    path = parts.path.rstrip("/").removesuffix("/chat/completions").rstrip("/")
    return parts._replace(path=path, fragment="").geturl()


def _is_url_of_http(url: str) -> bool:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return False
    is_plain = url.isprintable() and " " not in url
    return is_plain and parts.scheme in ("http", "https") and bool(parts.hostname)


def split_query(base_url: str) -> tuple[str, str]:
    """Return a base URL without its query, and the query with its question mark, or nothing.

    What is asked for at a server stands between the two.
    """
    parts = urlsplit(base_url)
    return parts._replace(query="").geturl(), f"?{parts.query}" if parts.query else ""


def host_and_port(base_url: str) -> str:
    """Return host and port, without user name and password."""
    return urlsplit(base_url).netloc.rpartition("@")[2]


def without_credentials(base_url: str) -> str:
    """Return a base URL as it may be stored and shown: no user name, password or query.

    An empty one stays empty. `BaseUrl` keeps what of a query is no secret; this is a name.
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
    """Say whether the server is on this machine.

    An address that stands for all of a machine's (0.0.0.0) is where servers listen, and reaches
    this one.
    """
    name = (urlsplit(base_url).hostname or "").rstrip(".")
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        return False
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    address = mapped or address
    return address.is_loopback or address.is_unspecified


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
        ModelNotUsable: There is none, and the server is not on this machine; or it can be none.
    """
    for name in ("LCAGENT_API_KEY", "OPENAI_API_KEY"):
        if environment.get(name, "").strip():
            return check_key(environment[name].strip(), name)
    host = host_and_port(base_url)
    found = (keyring or _keyring)(KEYRING_SERVICE, host)
    if found:
        return check_key(found.strip(), "the keyring")
    if is_loopback(base_url) or BaseUrl(base_url).secrets:
        return PLACEHOLDER
    raise ModelNotUsable(f"no key for {host}: set LCAGENT_API_KEY (or OPENAI_API_KEY)")


def check_way(base_url: BaseUrl, key: str) -> None:
    """Refuse to send a key in clear to where others on the way can read it.

    Raises:
        ModelNotUsable: The server is reached by http, and in no private network.
    """
    has_secret = key != PLACEHOLDER or base_url.secrets
    if has_secret and urlsplit(base_url).scheme == "http" and not is_private(base_url):
        raise ModelNotUsable(
            f"the key would go to {host_and_port(base_url)} over http, where others on the way can "
            "read it: write https:// in the base URL, or allow it with --key-over-http"
        )


def check_key(key: str, place: str = "") -> str:
    """Return a key, if it can be sent as one.

    Args:
        place: Where it stands.

    Raises:
        ModelNotUsable: It cannot; the message does not show it.
    """
    fault = next((words for words, is_there in _FAULTS if is_there(key)), None)
    if fault is None:
        return key
    where = f" in {place}" if place else ""
    raise ModelNotUsable(f"the key{where} cannot be one: it holds {fault}; set it again without")


_FAULTS: tuple[tuple[str, Callable[[str], bool]], ...] = (
    ("a line break", lambda key: len(key.splitlines()) > 1 or key.endswith(("\r", "\n"))),
    ("a quotation mark", lambda key: any(_is_quotation_mark(character) for character in key)),
    ("a blank", lambda key: any(character.isspace() for character in key)),
    (
        "a character that is no plain letter, digit or sign",
        lambda key: not (key.isascii() and key.isprintable()),
    ),
)
_BARE_IPV6 = re.compile(r"https?://[0-9a-f]*:[0-9a-f]*:[0-9a-f:.]*(?:/|$)", re.IGNORECASE)


def _is_quotation_mark(character: str) -> bool:
    return character in "\"'`„‟" or unicodedata.category(character) in ("Pi", "Pf")


def _keyring(service: str, user: str) -> str | None:
    """Ask the system's keyring; a machine without one just has no key."""
    try:
        found = import_module("keyring").get_password(service, user)
    except Exception:  # noqa: BLE001 -- back ends raise what they like; then there is no key
        return None
    return found if isinstance(found, str) else None
