"""Servers and models for tests of models."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import TypeAlias

import pytest

from lcagent.models.chat_model import Message, Request
from lcagent.models.choose import find_card
from lcagent.models.remote import RemoteModel
from lcagent.testing import Script, ScriptedServer, ServerRules

KEY = "sk-secret-0123456789"

Serve: TypeAlias = Callable[..., AbstractAsyncContextManager[tuple[RemoteModel, ScriptedServer]]]


@pytest.fixture
def serve() -> Serve:
    """Return what serves a script and makes a model that is asked there."""

    @asynccontextmanager
    async def served(
        script: Script,
        rules: ServerRules | None = None,
        *,
        name: str = "any-model",
        window_tokens: int | None = 100_000,
    ) -> AsyncIterator[tuple[RemoteModel, ScriptedServer]]:
        async with ScriptedServer(script, rules or ServerRules()) as server:
            card = find_card(name, window_tokens=window_tokens)
            model = RemoteModel(card, base_url=server.base_url, api_key=KEY)
            try:
                yield model, server
            finally:
                await model.close()

    return served


@pytest.fixture
def hello() -> Request:
    """Return a small request."""
    return Request((Message("system", "Be short."), Message("user", "Say hello.")), max_tokens=50)
