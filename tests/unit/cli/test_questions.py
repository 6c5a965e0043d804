"""What an answer means to a shell."""

import pytest

from lcagent.cli.verbs import status_of
from lcagent.results import Answer, Claim, Coverage


@pytest.mark.parametrize(
    ("statuses", "is_strict", "expected"),
    [
        (["supported"], True, 0),
        (["supported", "unsupported"], True, 3),
        (["supported", "unsupported"], False, 0),
        ([], True, 0),
    ],
)
def test_unsupported_claims_fail_only_under_strict(
    statuses: list[str], *, is_strict: bool, expected: int
) -> None:
    claims = tuple(Claim("c", (), status) for status in statuses)  # type: ignore[arg-type] -- both are statuses
    answer = Answer(
        run_id="r",
        question="q",
        answer="a",
        outcome="answered",
        strategy="quote",
        model="quote",
        claims=claims,
        coverage=Coverage(0, 0),
    )
    assert status_of(answer, is_strict=is_strict) == expected
