"""JSON in replies."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lcagent.agents.reply_json import extract_json_object


@pytest.mark.parametrize(
    ("reply", "found"),
    [
        ('{"a": 1}', {"a": 1}),
        ('Here it is:\n```json\n{"a": [1, 2,],}\n```\nDone {x}.', {"a": [1, 2]}),
        ('{"a": "a \\"b\\" {c} ]"} tail', {"a": 'a "b" {c} ]'}),
        ('{"a": "line\nbreak"}', {"a": "line\nbreak"}),
        ('{"facts": [{"text": "one"}, {"text": "tw', {"facts": [{"text": "one"}, {"text": "tw"}]}),
        ('{"facts": [{"text": "one"}, {"te', {"facts": [{"text": "one"}]}),
        ("[1, 2]", None),
        ("no object", None),
        ("{not json}", None),
        ("{" * 100_000, None),
        ("", None),
    ],
)
def test_an_object_is_found_in_what_surrounds_it(reply: str, found: dict[str, Any] | None) -> None:
    assert extract_json_object(reply) == found


@given(text=st.text(alphabet='{}[]",:\\ab1 \n', max_size=60))
def test_no_text_is_an_error(text: str) -> None:
    found = extract_json_object(text)
    assert found is None or isinstance(found, dict)
