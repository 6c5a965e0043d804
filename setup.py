"""Find the packages of lcagent, so that nobody keeps a list of them.

`core/` is the package `lcagent`; every other top-level folder `X/` that has an `__init__.py`
is `lcagent.X`, and so on below. All else that is known of lcagent stands in `pyproject.toml`.
"""

from pathlib import Path

from setuptools import find_packages, setup


def top_level_folders(root: Path) -> dict[str, str]:
    """Return the folder of each top-level package; setuptools calls this `package_dir`."""
    folders = sorted(init.parent.name for init in root.glob("*/__init__.py"))
    return {"lcagent" if name == "core" else f"lcagent.{name}": name for name in folders}


def all_packages(root: Path) -> list[str]:
    """Return the name of every package, nested ones included."""
    return [
        name
        for package, folder in top_level_folders(root).items()
        for name in (package, *(f"{package}.{part}" for part in find_packages(str(root / folder))))
    ]


if __name__ == "__main__":  # also when pip or build run this file
    here = Path(__file__).parent
    setup(package_dir=top_level_folders(here), packages=all_packages(here))
