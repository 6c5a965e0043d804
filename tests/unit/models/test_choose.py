"""Models from their names."""

import pytest

from lcagent.errors import ModelNotUsable, UsageError
from lcagent.models.cached import Cached
from lcagent.models.choose import choose_model, close_model, split_reference
from lcagent.models.limits import RateLimited, RateLimiter
from lcagent.models.remote import RemoteModel
from lcagent.testing import ScriptedModel

LOCAL = "http://127.0.0.1:8000/v1"


@pytest.mark.parametrize(
    ("reference", "expected"),
    [
        ("openai:gpt-4o", ("openai", "gpt-4o")),
        ("gpt-4o", ("openai", "gpt-4o")),
        ("llama3.1:8b", ("openai", "llama3.1:8b")),
        ("openai:llama3.1:8b", ("openai", "llama3.1:8b")),
        ("local:/models/x", ("local", "/models/x")),
    ],
)
def test_a_reference_has_a_kind_and_a_name(reference: str, expected: tuple[str, str]) -> None:
    assert split_reference(reference) == expected


@pytest.mark.parametrize("reference", ["", "openai:", " ", "local:", "quote"])
def test_a_reference_without_a_name_is_a_usage_error(reference: str) -> None:
    with pytest.raises(UsageError, match="openai:NAME"):
        choose_model(reference, base_url=LOCAL)


def test_openai_without_a_key_is_not_usable() -> None:
    with pytest.raises(ModelNotUsable, match="LCAGENT_API_KEY"):
        choose_model("gpt-4o")


def test_what_is_known_comes_with_the_model() -> None:
    model = choose_model("openai:gpt-4o", base_url=LOCAL, window_tokens=9_000)
    assert isinstance(model, RemoteModel)
    assert (model.card.name, model.card.window_tokens, model.host) == (
        "gpt-4o",
        9_000,
        "127.0.0.1:8000",
    )


@pytest.mark.anyio
async def test_closing_reaches_through_the_wrappers() -> None:
    class Closed(ScriptedModel):
        is_closed = False

        async def close(self) -> None:
            Closed.is_closed = True

    inner = RateLimited(Closed(lambda request: ""), RateLimiter())
    await close_model(RateLimited(inner, RateLimiter()))
    assert Closed.is_closed
    assert hasattr(Cached, "complete")
