"""The documentation names all that it promises to name, and its links lead somewhere."""

import json
import re
import runpy
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import pytest

import lcagent
from lcagent import proofs, results
from lcagent.engine.engine import StoredMemory
from lcagent.engine.sizing import MemoryEstimate
from lcagent.settings import Settings
from lcagent.storage.document_store import StoredDocument

ROOT = Path(__file__).parents[2]
GENERATE = runpy.run_path(str(ROOT / "docs" / "generate.py"))
PACKAGES = [
    init.parent.relative_to(ROOT)
    for top in sorted(ROOT.glob("*/__init__.py"))
    for init in sorted(top.parent.rglob(top.name))
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
    results.Article,
    results.ArticleParagraph,
    results.Summary,
    results.SummarySection,
)
EXAMPLES: dict[str, tuple[type | None, dict[str, type]]] = {
    "lcagent.answer/2": (results.Answer, {"citations": results.Citation, "claims": results.Claim}),
    "lcagent.search/1": (results.SearchResult, {"hits": results.Hit}),
    "lcagent.plan/1": (results.Plan, {}),
    "lcagent.documents/1": (None, {"documents": StoredDocument}),
    "lcagent.article/1": (results.Article, {"plan": results.ArticleParagraph}),
    "lcagent.summary/1": (results.Summary, {"sections": results.SummarySection}),
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


@pytest.mark.parametrize("package", PACKAGES, ids=Path.as_posix)
def test_every_folder_of_modules_stands_in_the_architecture(package: Path) -> None:
    named = f"\n| `{package}/` |" if len(package.parts) == 1 else f"`{package.name}/`"
    assert named in _doc("architecture.md")


def test_every_module_in_the_architecture_exists() -> None:
    named = set(re.findall(r"`((?:\w+/)*\w+\.py)`", _doc("architecture.md")))
    modules = {path.relative_to(ROOT).as_posix() for path in ROOT.glob("**/*.py") if _is_ours(path)}
    assert named
    assert [
        name for name in named if not any(f"/{each}".endswith(f"/{name}") for each in modules)
    ] == []


def _is_ours(path: Path) -> bool:
    parts = path.relative_to(ROOT).parts
    return not any(part.startswith((".", "_")) or part == "build" for part in parts[:-1])


def test_the_list_of_modules_has_all_of_them_with_what_they_say() -> None:
    page = GENERATE["modules_page"]()
    for package in PACKAGES:
        for path in (ROOT / package).glob("[!_]*.py"):
            assert f"- `{path.name}`: {GENERATE['first_line'](path)}\n" in page


def test_the_python_pages_have_what_lcagent_exports() -> None:
    pages = GENERATE["generated_pages"]()
    for name in lcagent.__all__:
        page = pages["api/lcagent.md"]
        assert f"heading: lcagent.{name}}}" in page or f"- `lcagent.{name}`: [" in page
    assert {"api/lcagent.errors.md", "api/lcagent.results.md"} <= set(pages)


@pytest.mark.parametrize(
    ("page", "text", "turned"),
    [
        ("index.md", "[a](docs/models.md#keys)", "[a](models.md#keys)"),
        ("models.md", "[a](../CONTRIBUTING.md)", "[a](contributing.md)"),
        (
            "benchmarks.md",
            "[a](../docs/decisions/0006-ranking.md)",
            "[a](decisions/0006-ranking.md)",
        ),
        ("decisions/0006-ranking.md", "[a](../engine.md)", "[a](../engine.md)"),
        ("contributing.md", "[a](docs/decisions/)", "[a](decisions/index.md)"),
        ("index.md", "[a](examples/sample.pdf)", "a"),
        ("index.md", "[a](https://arxiv.org) [b](#more)", "[a](https://arxiv.org) [b](#more)"),
    ],
)
def test_links_of_the_repository_are_turned_to_pages_of_the_site(
    page: str, text: str, turned: str
) -> None:
    assert GENERATE["turn_links"](text, page) == turned


def _links() -> Iterator[tuple[str, str]]:
    pages = {*ROOT.glob("*.md"), *ROOT.glob("*/**/*.md")}
    for page in sorted(page for page in pages if _is_ours(page) and "prompts" not in page.parts):
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
