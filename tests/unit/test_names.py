"""What the tree promises to a reader: names that mean one thing, modules that are not too long."""

import ast
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
FOLDERS = sorted(init.parent for init in ROOT.glob("*/__init__.py"))

# Names with two meanings. This list only ever shrinks: rename one of them, and take it out here.
TWO_MEANINGS: set[str] = set()

# Modules of one name below one top-level folder, likewise.
SAME_FILE_NAME: set[str] = set()
MOST_LINES = 400


def _modules(folder: Path) -> Iterator[Path]:
    """Yield the modules of a folder and of those in it."""
    for path in folder.rglob("*.py"):
        if not path.name.startswith("__"):
            yield path


def _is_part_of_a_method(path: Path) -> bool:
    """Return whether it lies in a method's folder: all methods have the same parts by design."""
    return path.relative_to(ROOT).parts[:2] == ("pipelines", "methods") and (
        path.parent.name != "methods"
    )


def test_no_two_public_classes_share_a_name() -> None:
    defined = defaultdict(set)
    for path in (module for folder in FOLDERS for module in _modules(folder)):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                defined[node.name].add(path.relative_to(ROOT).as_posix())
    shared = {name: sorted(paths) for name, paths in defined.items() if len(paths) > 1}
    assert set(shared) == TWO_MEANINGS, shared


def test_no_two_modules_of_a_folder_share_a_name() -> None:
    shared = {}
    for folder in FOLDERS:
        found = defaultdict(set)
        for path in _modules(folder):
            if not _is_part_of_a_method(path):
                found[f"{folder.name}/{path.name}"].add(path.relative_to(ROOT).as_posix())
        shared |= {name: sorted(paths) for name, paths in found.items() if len(paths) > 1}
    assert set(shared) == SAME_FILE_NAME, shared


def test_no_module_is_too_long() -> None:
    lines = {path: path.read_text().count("\n") for folder in FOLDERS for path in _modules(folder)}
    assert [path for path, count in lines.items() if count > MOST_LINES] == []
