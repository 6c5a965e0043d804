"""How long servers ask to wait."""

import pytest

from lcagent.models.server_errors import retry_after_s

NOW = 1_784_000_000.0


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, None),
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": "0"}, 0.0),
        ({"retry-after": "-5"}, 0.0),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "Tue, 14 Jul 2026 03:33:50 GMT"}, 30.0),
        ({"retry-after": "Tue, 14 Jul 2020 03:33:50 GMT"}, 0.0),
        ({"retry-after-ms": "250", "retry-after": "1"}, 0.25),
        ({"x-ratelimit-reset-requests": "1s", "x-ratelimit-reset-tokens": "6m0s"}, 360.0),
        ({"x-ratelimit-reset-tokens": "20ms"}, 0.02),
        ({"x-ratelimit-reset-tokens": "2.5"}, 2.5),
        ({"x-ratelimit-reset-tokens": "1784000100"}, None),
        (
            {
                "x-ratelimit-reset-requests": "1s",
                "x-ratelimit-remaining-requests": "0",
                "x-ratelimit-reset-tokens": "6m0s",
                "x-ratelimit-remaining-tokens": "1000",
            },
            1.0,
        ),
    ],
)
def test_the_wait_is_read_from_the_headers(headers: dict[str, str], expected: float | None) -> None:
    waited = retry_after_s(headers, now=lambda: NOW)
    assert waited == (None if expected is None else pytest.approx(expected))
