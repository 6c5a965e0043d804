"""How a server is reached: the proxy and the certificates that the environment names.

httpx reads the same variables, but sets up every proxy whether it is used or not, and none of the
certificates for a server on this machine. What it would fail on is said here in a sentence.
"""

import ipaddress
import ssl
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from lcagent.errors import ModelNotUsable
from lcagent.models.endpoints import host_and_port, is_loopback

_SCHEMES = ("http", "https", "socks5", "socks5h")


def find_proxy(base_url: str) -> str | None:
    """Return the proxy for a base URL; None for a server on this machine: a proxy is another one.

    Raises:
        ModelNotUsable: The environment names one that cannot be used.
    """
    parts = urlsplit(base_url)
    proxies = getproxies()
    kind = next((kind for kind in (parts.scheme, "all") if proxies.get(kind)), None)
    if kind is None or is_loopback(base_url) or _is_excepted(parts.hostname or "", base_url):
        return None
    told = proxies[kind]
    proxy = told if "://" in told else f"http://{told}"
    proxy = proxy.replace("socks://", "socks5://", 1)
    variable, scheme = f"{kind.upper()}_PROXY", urlsplit(proxy).scheme
    mend = f"unset {variable}, or name the host in NO_PROXY"
    if scheme not in _SCHEMES:
        raise ModelNotUsable(
            f"{variable} names a proxy of a kind that is not known ({scheme}://); write "
            f"http://HOST:PORT or socks5://HOST:PORT, or {mend}"
        )
    if scheme.startswith("socks") and find_spec("socksio") is None:
        raise ModelNotUsable(
            f"{variable} names a SOCKS proxy, which needs one more package: pip install socksio; "
            f"or {mend}"
        )
    return proxy


def _is_excepted(name: str, base_url: str) -> bool:
    """Say whether NO_PROXY names the server, by its name, its address, or its network."""
    told = getproxies().get("no", "")
    if proxy_bypass(host_and_port(base_url)) or proxy_bypass(name):
        return True
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        return False
    return any(_holds(network, address) for network in told.split(","))


def _holds(network: str, address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    """Say whether an entry of NO_PROXY is a network, or an address, that holds another."""
    try:
        return address in ipaddress.ip_network(network.strip().strip("[]"), strict=False)
    except ValueError:
        return False


def find_certificates(base_url: str, environment: Mapping[str, str]) -> ssl.SSLContext | bool:
    """Return what the certificate of a server is checked with: True for the system's own.

    `SSL_CERT_FILE` comes before `SSL_CERT_DIR`; neither matters where there is no TLS.

    Raises:
        ModelNotUsable: What the variable names is not there, or holds no certificates.
    """
    if urlsplit(base_url).scheme != "https":
        return True
    file, folder = environment.get("SSL_CERT_FILE"), environment.get("SSL_CERT_DIR")
    name, place = ("SSL_CERT_FILE", file) if file else ("SSL_CERT_DIR", folder)
    if not place:
        return True
    is_there = Path(place).is_file() if file else Path(place).is_dir()
    if not is_there:
        kind = "file" if file else "folder"
        raise ModelNotUsable(f"{name} names {place}, which is no {kind}; correct or unset it")
    try:
        return ssl.create_default_context(cafile=file) if file else _of_folder(place)
    except (ssl.SSLError, OSError) as error:
        why = getattr(error, "reason", None) or error.strerror or type(error).__name__
        raise ModelNotUsable(
            f"{name} names {place}, which holds no certificates that can be read ({why}); "
            "correct or unset it"
        ) from None


def _of_folder(place: str) -> ssl.SSLContext:
    return ssl.create_default_context(capath=place)
