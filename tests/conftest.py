"""Fixtures that every kind of test may use."""

import os
from pathlib import Path

import pytest


@pytest.fixture
def anyio_backend() -> str:
    """Run asynchronous tests on asyncio only; LangGraph knows no other loop."""
    return "asyncio"


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give each test a store and settings of its own, and no settings of the developer's."""
    for name in [name for name in os.environ if name.startswith(("LCAGENT_", "OPENAI_"))]:
        if not name.startswith("LCAGENT_TEST_"):
            monkeypatch.delenv(name)
    home = tmp_path / "lcagent-home"
    monkeypatch.setenv("LCAGENT_HOME", str(home))
    monkeypatch.setenv("LCAGENT_CONFIG", str(home / "config.toml"))
    return home


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Return the folder of real documents, or skip: users do not have it."""
    root = Path(__file__).parents[1]
    folder = Path(os.environ.get("LCAGENT_TEST_DATA") or root.parent / "shared" / "data")
    if not folder.is_dir():
        pytest.skip("the real documents are not here (set LCAGENT_TEST_DATA)")
    return folder
