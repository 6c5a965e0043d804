"""Starting a server: where it listens, and what it says if it cannot."""

import socket

import pytest

from lcagent.engine.server.running import take_port
from lcagent.engine.server.server_settings import ServerSettings
from lcagent.errors import UsageError


def test_a_port_that_is_taken_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(UsageError, match=f"cannot listen on 127.0.0.1:{port}"):
            take_port(ServerSettings(port=port))


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "example.org", "192.168.1.1"])  # noqa: S104
def test_a_server_that_others_reach_needs_a_key(host: str) -> None:
    with pytest.raises(UsageError, match="needs an API key"):
        ServerSettings(host=host)
    assert ServerSettings(host=host, api_key="secret").host == host


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "localhost"])
def test_a_server_for_this_machine_needs_none(host: str) -> None:
    assert ServerSettings(host=host).api_key is None


@pytest.mark.parametrize(
    "wrong", [{"width": 0}, {"max_waiting": -1}, {"max_body_bytes": 0}, {"cached_prefixes": -1}]
)
def test_limits_that_leave_no_room_are_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(UsageError):
        ServerSettings(**wrong)  # type: ignore[arg-type]


def test_a_key_that_cannot_be_sent_is_refused() -> None:
    with pytest.raises(UsageError, match="ASCII"):
        ServerSettings(api_key="schlüssel")
