"""The documentation names all that it promises to name, and its links lead somewhere."""

import json
import re
import tomllib
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import pytest

from lcagent import proofs, results, texts
from lcagent.engine.engine import StoredMemory
from lcagent.engine.sizing import MemoryEstimate
from lcagent.settings import Settings
from lcagent.storage.documents import StoredDocument

ROOT = Path(__file__).parents[2]
TOOL = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]
ROOMS = [
    path.relative_to(ROOT)
    for folder in ("agents", "engine", "pipelines", "retrieval")
    for path in (ROOT / folder, *(ROOT / folder).iterdir())
    if (path / "__init__.py").is_file()
]
RESULTS = (
    results.Answer,
    results.Claim,
    results.Citation,
    results.Coverage,
    results.LeftOut,
    results.Usage,
    proofs.Proof,
    proofs.ProofNode,
    proofs.ProofCandidate,
    proofs.ProofStep,
    results.SearchResult,
    results.Hit,
    results.Plan,
    texts.Article,
    texts.ArticleParagraph,
    texts.Summary,
    texts.SummarySection,
)
EXAMPLES: dict[str, tuple[type | None, dict[str, type]]] = {
    "lcagent.answer/1": (results.Answer, {"citations": results.Citation, "claims": results.Claim}),
    "lcagent.search/1": (results.SearchResult, {"hits": results.Hit}),
    "lcagent.plan/1": (results.Plan, {}),
    "lcagent.documents/1": (None, {"documents": StoredDocument}),
    "lcagent.article/1": (texts.Article, {"plan": texts.ArticleParagraph}),
    "lcagent.summary/1": (texts.Summary, {"sections": texts.SummarySection}),
    "lcagent.memory-plan/1": (None, {"fits": MemoryEstimate}),
    "lcagent.memories/1": (None, {"memories": StoredMemory}),
}


def _doc(name: str) -> str:
    return (ROOT / "docs" / name).read_text(encoding="utf-8")


def _section(text: str, title: str) -> str:
    """Return what stands between a heading and the next one."""
    _, _, rest = text.partition(f"\n### {title}\n")
    return re.split(r"\n##+ ", rest)[0]


def _names(made_of: type) -> set[str]:
    return {field.name for field in fields(made_of)}


@pytest.mark.parametrize("name", Settings.model_fields)
def test_every_setting_is_explained(name: str) -> None:
    assert f"| `{name}` | `LCAGENT_{name.upper()}` |" in _doc("settings.md")


@pytest.mark.parametrize("result", RESULTS, ids=lambda result: result.__name__)
def test_every_field_of_a_result_is_explained(result: type) -> None:
    first_cells = re.findall(
        r"^\| (`.+?) \|", _section(_doc("json.md"), result.__name__), re.MULTILINE
    )
    explained = [name for cell in first_cells for name in re.findall(r"`(\w+)`", cell)]
    assert sorted(explained) == sorted(_names(result))


def test_the_examples_have_the_fields_that_results_have() -> None:
    examples = [
        json.loads(block) for block in re.findall(r"```json\n(.*?)```", _doc("json.md"), re.DOTALL)
    ]
    assert [example["schema"] for example in examples] == list(EXAMPLES)
    for example in examples:
        whole, parts = EXAMPLES[example["schema"]]
        assert whole is None or set(example) == _names(whole)
        for name, part in parts.items():
            assert all(set(one) == _names(part) for one in example[name]), name


@pytest.mark.parametrize("folder", TOOL["setuptools"]["package-dir"].values())
def test_every_folder_stands_in_the_architecture(folder: str) -> None:
    assert f"\n| `{folder}/` |" in _doc("architecture.md")


@pytest.mark.parametrize("room", ROOMS)
def test_every_module_of_a_large_folder_stands_in_the_architecture(room: Path) -> None:
    modules = {module.name for module in (ROOT / room).glob("[!_]*.py")}
    title = next(
        line for line in _doc("architecture.md").splitlines() if f"### {room.parts[0]}/" in line
    )
    section = _section(_doc("architecture.md"), title.removeprefix("### "))
    assert {name for name in modules if f"`{name}`" not in section} == set()


def test_every_module_in_the_architecture_exists() -> None:
    named = set(re.findall(r"`(?:\w+/)*(\w+\.py)`", _doc("architecture.md")))
    assert named
    assert named - {path.name for path in ROOT.glob("*/**/*.py")} == set()


def _links() -> Iterator[tuple[str, str]]:
    pages = [*ROOT.glob("docs/**/*.md"), ROOT / "README.md", ROOT / "CONTRIBUTING.md"]
    for page in filter(Path.exists, pages):
        text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
        for target in re.findall(r"\]\(([^)\s]+)\)", text):
            if not re.match(r"[a-z]+:|#", target):
                yield page.relative_to(ROOT).as_posix(), target


@pytest.mark.parametrize(("page", "target"), [*_links()])
def test_links_lead_to_files_that_exist(page: str, target: str) -> None:
    assert (ROOT / page).parent.joinpath(target.partition("#")[0]).exists()


def test_ci_runs_the_very_test_command_of_the_readme() -> None:
    command = 'pip install -c constraints.txt -e ".[all,dev]" && pytest -q'
    for page in ("README.md", ".ci/run"):
        assert f"\n{command}\n" in (ROOT / page).read_text(encoding="utf-8")
