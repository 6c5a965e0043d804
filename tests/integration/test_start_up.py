"""What is imported, and what is contacted: little, and nobody."""

import subprocess
import sys
from pathlib import Path

import pytest

MOST_MODULES_OF_A_SEARCH = 100
SAMPLE = Path(__file__).parents[2] / "examples" / "sample.pdf"

GUARD = """
import json, socket, sys
contacted = []

def refuse(*address, **options):
    contacted.append(repr(address))
    raise OSError("the test forbids connections")

socket.socket.connect = socket.socket.connect_ex = refuse
socket.getaddrinfo = socket.create_connection = refuse
from lcagent.cli.app import run
status = run(sys.argv[1:])
heavy = sorted({name.split(".")[0] for name in sys.modules} & set(sys.stdin.read().split()))
print(json.dumps([status, contacted, heavy]), file=sys.stderr)
"""


def _guarded(*arguments: str, forbidden: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", GUARD, *arguments],
        input=forbidden,
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    return done.stderr.splitlines()[-1]


def test_help_imports_nothing_heavy() -> None:
    forbidden = "torch transformers fastapi langgraph llama_index numpy sqlalchemy pydantic rich"
    forbidden += " pypdfium2 bm25s faiss"
    assert _guarded("--help", forbidden=forbidden) == "[0, [], []]"


def test_help_of_the_server_imports_nothing_heavy() -> None:
    forbidden = "torch transformers fastapi uvicorn numpy sqlalchemy langgraph"
    assert _guarded("serve", "--help", forbidden=forbidden) == "[0, [], []]"


def test_a_plan_of_a_model_needs_neither_torch_nor_anybody() -> None:
    model = SAMPLE.parent / "recall-model"
    forbidden = "torch transformers huggingface_hub fastapi"
    assert _guarded("serve", "--plan", str(model), forbidden=forbidden) == "[0, [], []]"


def test_ask_imports_no_framework_and_contacts_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LCAGENT_EMBEDDER", "none")
    forbidden = "torch transformers langgraph langchain_core llama_index rich"
    assert _guarded("ask", str(SAMPLE), "Who kept the light?", forbidden=forbidden) == "[0, [], []]"


@pytest.mark.parametrize(
    "arguments", [["search", str(SAMPLE), "light"], ["doctor"], ["docs", "ls"]]
)
def test_no_command_contacts_anybody_by_default(arguments: list[str]) -> None:
    assert _guarded(*arguments, forbidden="langgraph llama_index") == "[0, [], []]"


def test_a_search_of_a_stored_document_loads_few_of_our_modules() -> None:
    search = (
        "import sys; from lcagent.cli.app import run; "
        f"run(['search', {str(SAMPLE)!r}, 'the night of the gale', '-k', '1']); "
        "print(sum(name.split('.')[0] == 'lcagent' for name in sys.modules), file=sys.stderr)"
    )
    command = [sys.executable, "-c", search]
    subprocess.run(command, capture_output=True, check=True)  # reads it
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert int(done.stderr.splitlines()[-1]) <= MOST_MODULES_OF_A_SEARCH
