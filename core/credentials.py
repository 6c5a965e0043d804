"""Keys and passwords: values that cannot be printed, stored or shown, and URLs without them.

A URL is parted where it is read: what is left of it is a text like any other, and what it proves a
caller by travels beside it in a `Secret`. Only what sends a request reveals one.
"""

import base64
import hmac
import ipaddress
import re
from collections.abc import Iterable
from typing import Any, Final, NoReturn, Self, TypeAlias
from urllib.parse import unquote_plus, urlsplit

HIDDEN = "***"

_HARMLESS = frozenset({"api-version", "api_version", "version", "deployment", "region", "model"})
"""Of a query: what is known to be no secret. All else may be one."""

_PRIVATE_NAMES = (".local", ".internal", ".lan", ".home", ".home.arpa", ".localhost", ".test")


class Secret:
    """A key or a password; every way to write it down gives stars or fails.

    Two are equal where they hold the same.
    """

    __slots__ = ("__held",)

    def __init__(self, held: str) -> None:
        self.__held: Final = held

    def reveal(self) -> str:
        """Return what it holds: to send it, and for nothing else."""
        return self.__held

    def __repr__(self) -> str:
        """Show that there is one."""
        return HIDDEN

    __str__ = __repr__

    def __format__(self, _: str) -> str:
        """Show that there is one, in whatever form."""
        return HIDDEN

    def __bool__(self) -> bool:
        """Say whether it holds anything."""
        return bool(self.__held)

    def __eq__(self, other: object) -> bool:
        """Say whether another holds the same."""
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(self.__held.encode(), other.reveal().encode())

    def __hash__(self) -> int:
        """Be the same key where it holds the same."""
        return hash(("Secret", self.__held))

    def __copy__(self) -> Self:
        """Return itself: copies of a task are stored and shown, and have none of their own."""
        return self

    def __deepcopy__(self, _: dict[int, Any]) -> Self:
        """Return itself."""
        return self

    def __reduce_ex__(self, _: object) -> NoReturn:
        """Refuse to be pickled."""
        raise TypeError("a secret is not stored")


class BaseUrl(str):
    """A base URL as it may be stored and shown; what it proves a caller by is held beside it.

    Attributes:
        whole: The URL as it was given.
        secrets: The parts that are not in the text: user name and password, values of the query.
    """

    __slots__ = ("secrets", "whole")

    whole: Secret
    secrets: tuple[Secret, ...]

    def __new__(cls, given: str) -> Self:
        """Part a URL; of a text that is no URL, what may be a secret is left out all the same."""
        if isinstance(given, cls):
            return given
        bare, secrets = _parted(given)
        made = super().__new__(cls, bare)
        made.whole = Secret(given)
        made.secrets = tuple(map(Secret, secrets))
        return made

    def __copy__(self) -> Self:
        """Return itself, with what is beside it."""
        return self

    def __deepcopy__(self, _: dict[int, Any]) -> Self:
        """Return itself, with what is beside it."""
        return self

    def __reduce__(self) -> tuple[type[str], tuple[str]]:
        """Be stored as a text, without what is beside it."""
        return str, (str(self),)


Secrets: TypeAlias = str | Iterable[Secret]
"""A key as a text, or several secrets."""


def secrets_of(given: Secrets) -> tuple[Secret, ...]:
    """Return secrets in one form."""
    return (Secret(given),) if isinstance(given, str) else tuple(given)


def hide(text: str, secrets: Secrets) -> str:
    """Return a text with stars where a secret stands.

    A short key may be a word that the text needs ("x", "none"): it is no secret. A longer one is
    hidden where it stands by itself, and one that no word can be, anywhere.
    """
    found = (each.reveal() for each in secrets_of(secrets))
    for secret in sorted(found, key=len, reverse=True):
        if len(secret) >= LONG_SECRET:
            text = text.replace(secret, HIDDEN)
        elif len(secret) >= SHORTEST_SECRET:
            text = re.sub(rf"(?<![\w-]){re.escape(secret)}(?![\w-])", HIDDEN, text)
    return text


SHORTEST_SECRET, LONG_SECRET = 8, 20
"""Characters."""


def hide_in_url(url: str) -> str:
    """Return a URL of any kind with stars for its password and the secrets of its query."""
    begin, sign, rest = url.partition("://")
    if not sign:
        return _QUERY_SECRET.sub(_hidden_value, url)
    user, at, place = _without_user(rest)
    if ":" in user and "@" in place:  # perhaps of a password that is not escaped
        user, place = f"{user}@", place.rpartition("@")[2]
    name, colon, _ = user.partition(":")
    shown = f"{name}:{HIDDEN}" if colon else name
    return f"{begin}://{shown}{at}{_QUERY_SECRET.sub(_hidden_value, place)}"


def _hidden_value(match: re.Match[str]) -> str:
    return f"{match[1]}{HIDDEN}"


_QUERY_SECRET = re.compile(
    r"((?:pass(?:word|wd|phrase)?|pwd|key|token|secret|sig(?:nature)?|auth|credentials?)=)[^&\s]*",
    re.IGNORECASE,
)


def is_private(url: str) -> bool:
    """Say whether a server is on this machine or in a network that is not open to all."""
    name = (urlsplit(url).hostname or "").rstrip(".")
    try:
        return not ipaddress.ip_address(name.partition("%")[0]).is_global
    except ValueError:
        return "." not in name or name.endswith(_PRIVATE_NAMES)


def _parted(url: str) -> tuple[str, list[str]]:
    """Return a URL without user name, password and unknown parts of its query, and those."""
    begin, sign, rest = url.partition("://")
    user, _, place = _without_user(rest) if sign else url.rpartition("@")
    body, fragment_sign, fragment = place.partition("#")
    path, _, query = body.partition("?")
    pieces = [each.partition("=") for each in query.split("&") if each]
    kept = [f"{name}={value}" for name, _, value in pieces if name.lower() in _HARMLESS]
    secrets = [value or name for name, _, value in pieces if name.lower() not in _HARMLESS]
    secrets += [fragment] if fragment_sign else []
    secrets += [*user.split(":", 1), user]
    decoded = [unquote_plus(each) for each in secrets]
    decoded += [base64.b64encode(decoded[-1].encode()).decode()]  # as it is sent
    bare = f"{begin}://{path}" if sign else path
    query = f"?{'&'.join(kept)}" if kept else ""
    return f"{bare}{query}", [each for each in dict.fromkeys([*secrets, *decoded]) if each]


def _without_user(rest: str) -> tuple[str, str, str]:
    """Part what follows "://" into user name and password, "@", and the rest.

    A password that is not escaped may hold any sign; then all up to the last "@" is taken for it.
    """
    authority = re.split(r"[/?#]", rest, maxsplit=1)[0]
    if "@" in authority:
        end = authority.rindex("@")
    elif re.search(r":(?!\d*\Z)", re.sub(r"\[[^\]]*\]", "", authority)) and "@" in rest:
        end = rest.rindex("@")
    else:
        return "", "", rest
    return rest[:end], "@", rest[end + 1 :]
