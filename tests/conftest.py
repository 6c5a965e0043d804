"""Fixtures that every kind of test may use."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
sys.path.insert(0, str(TESTS.parent / "benchmarks"))
from llama_server import RunningServer, is_installed, serving  # noqa: E402 -- after its folder

TURNS = ("unit", "contract", "integration")
QUICK_LIMIT_S = 120
"""What a quick test may take on a slow machine; others have `timeout` of `pyproject.toml`."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run quick unit tests first, then slow ones, then what starts servers and commands."""
    for item in items:
        if item.path.is_relative_to(TESTS / "unit") and not item.get_closest_marker("slow"):
            item.add_marker(pytest.mark.timeout(QUICK_LIMIT_S))
    items.sort(key=_turn)


def _turn(item: pytest.Item) -> tuple[int, bool]:
    kind = item.path.relative_to(TESTS).parts[0]
    return TURNS.index(kind), item.get_closest_marker("slow") is not None


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


@pytest.fixture(scope="session")
def real_models() -> Path:
    """Return the folder of a real model and its server; skip where `.ci/real-models` made none."""
    folder = Path(os.environ.get("LCAGENT_TEST_REAL_MODELS") or "/nonexistent")
    if not is_installed(folder):
        pytest.skip("no real model is here (set LCAGENT_TEST_REAL_MODELS; see .ci/real-models)")
    return folder


@pytest.fixture(scope="session")
def real_model(
    real_models: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningServer]:
    """Yield the real model on llama.cpp's server, one for all tests."""
    with serving(real_models, tmp_path_factory.mktemp("llama") / "log") as server:
        yield server
