"""One public class, one name; and no two modules of a folder that one can only tell apart by path."""

import ast
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
FOLDERS = sorted(init.parent for init in ROOT.glob("*/__init__.py"))

# Names with two meanings. This list only ever shrinks: rename one of them, and take it out here.
TWO_MEANINGS: dict[str, int] = {}

# Modules of one name in one folder, likewise.
SAME_FILE_NAME: dict[str, int] = {}


def _modules(folder: Path) -> Iterator[Path]:
    """Yield the modules of a folder, without those that every method of pipelines has by design."""
    for path in folder.rglob("*.py"):
        if not path.name.startswith("__"):
            yield path


def _is_part_of_a_method(path: Path) -> bool:
    """Return whether it is one of `options`, `steps`, `graph`, `result` of a method's folder."""
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
    assert {name: len(paths) for name, paths in shared.items()} == TWO_MEANINGS, shared


def test_no_two_modules_of_a_folder_share_a_name() -> None:
    shared = {}
    for folder in FOLDERS:
        found = defaultdict(set)
        for path in _modules(folder):
            if not _is_part_of_a_method(path):
                found[f"{folder.name}/{path.name}"].add(path.relative_to(ROOT).as_posix())
        shared |= {name: sorted(paths) for name, paths in found.items() if len(paths) > 1}
    assert {name: len(paths) for name, paths in shared.items()} == SAME_FILE_NAME, shared
