"""What the rest of lcagent may import of the engine, and that this needs no torch."""

import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[3]
FACES = {"engine", "sizing", "server.running"}


def test_every_module_but_the_faces_is_protected_by_a_contract() -> None:
    tool = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]
    (contract,) = (
        each
        for each in tool["importlinter"]["contracts"]
        if each["name"] == "The engine is used through its faces only"
    )
    protected = {name.removeprefix("lcagent.engine.") for name in contract["protected_modules"]}
    modules = {
        ".".join(path.relative_to(ROOT / "engine").with_suffix("").parts)
        for path in (ROOT / "engine").rglob("[!_]*.py")
    }
    open_modules = {
        name for name in modules if name not in protected and name.split(".")[0] not in protected
    }
    assert open_modules == FACES


def test_the_faces_are_imported_without_torch() -> None:
    code = "import sys, lcagent.engine.engine, lcagent.engine.sizing; print(*sys.modules)"
    command = [sys.executable, "-c", code]
    loaded = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    assert not {"torch", "transformers", "safetensors", "pydantic", "fastapi"} & set(loaded)
