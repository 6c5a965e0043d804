"""Base URLs: which host they name, and whether that is this machine."""

import ipaddress
from urllib.parse import urlsplit

from lcagent.errors import UsageError

OPENAI_URL = "https://api.openai.com/v1"


def checked_url(base_url: str) -> str:
    """Return a base URL in one spelling.

    Raises:
        UsageError: It is none.
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


def host_of(base_url: str) -> str:
    """Return host and port, without a name and a password."""
    return urlsplit(base_url).netloc.rpartition("@")[2]


def server_of(base_url: str) -> str:
    """Return the base URL as it may be stored and shown: without a name, a password, a query.

    An empty one stays empty.
    """
    if not base_url:
        return ""
    parts = urlsplit(base_url)
    return f"{parts.scheme}://{host_of(base_url)}{parts.path.rstrip('/')}"


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
