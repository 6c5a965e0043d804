"""The pages of the site that nobody writes: modules, Python API, decisions; a hook of MkDocs.

The list of modules is made of the first line of each docstring, the API of the docstrings, and
what GitHub shows beside `docs/` (README, CONTRIBUTING ...) becomes a page. Links are written for
readers of the repository; they are turned here to where their target is in the site.
"""

import ast
import posixpath
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files
    from mkdocs.structure.pages import Page

ROOT = Path(__file__).parents[1]
OUTSIDE = {  # what stands beside docs/ and is a page all the same
    "README.md": "index.md",
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
    "SECURITY.md": "security.md",
    "benchmarks/README.md": "benchmarks.md",
    "examples/README.md": "examples.md",
}
PROJECT = ("architecture.md", "modules.md", "versions.md", *[*OUTSIDE.values()][1:])
LINK = re.compile(r"(?<!!)\[([^\]]+)\]\(([^)\s:#]+)(#[^)\s]*)?\)")


def package_name(path: Path) -> str:
    """Return the dotted name under which a module's or a package's path is imported."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    outer = ("lcagent",) if parts[0] == "core" else ("lcagent", parts[0])
    return ".".join((*outer, *(part for part in parts[1:] if part != "__init__")))


def packages() -> list[Path]:
    """Return the `__init__.py` of every package, outer ones before what they hold."""
    return sorted(init for top in ROOT.glob("*/__init__.py") for init in top.parent.rglob(top.name))


def first_line(module: Path) -> str:
    """Return the first line of a module's docstring."""
    said = ast.get_docstring(ast.parse(module.read_text(encoding="utf-8"))) or ""
    return said.partition("\n")[0]


def modules_page() -> str:
    """Return a page with every module and the first line of its docstring."""
    lines = ["# Modules", "", "Made from the first line of each module's docstring.", ""]
    for init in packages():
        lines += [f"## {package_name(init)}", "", first_line(init), ""]
        modules = sorted(init.parent.glob("[!_]*.py"))
        lines += [f"- `{module.name}`: {first_line(module)}" for module in modules]
        lines.append("")
    return "\n".join(lines)


def api_pages() -> dict[str, str]:
    """Return the API: the modules of `core/`, and what `lcagent` and its packages export.

    What stands on one page already is linked from the others, so that each name has one place.
    """
    pages = {package_name(path): "" for path in (ROOT / "core").glob("[!_]*.py")}
    homes: dict[str, str] = {}
    for module in pages:
        pages[module] = f"::: {module}\n"
    for init in sorted(ROOT.glob("*/__init__.py"), key=package_name):
        package, names = package_name(init), exports(init)
        if names and init.parent.name != "cli":  # a command, nothing to import
            pages[package] = f"::: {package}\n    options: {{members: false}}\n\n"
            pages[package] += "".join(entry(package, name, pages, homes) for name in names)
    return {f"api/{name}.md": f"# {name}\n\n{pages[name]}" for name in sorted(pages)}


def entry(package: str, name: str, pages: dict[str, str], homes: dict[str, str]) -> str:
    """Return what the page of a package says of a name that it exports."""
    place = defined_at(package, name)
    module = place.rpartition(".")[0]
    home = homes.get(place) or (module if module in pages and module != package else "")
    if home:
        return f"- `{package}.{name}`: [{place}]({home}.md#{place})\n\n"
    homes[place] = package
    return f"::: {place}\n    options: {{heading: {package}.{name}}}\n\n"


def exports(init: Path) -> list[str]:
    """Return the names in `__all__`."""
    for node in ast.parse(init.read_text(encoding="utf-8")).body:
        match node:
            case (
                ast.Assign(targets=[ast.Name("__all__")])
                | ast.AnnAssign(target=ast.Name("__all__"))
            ):
                return ast.literal_eval(node.value) if node.value else []
    return []


def defined_at(package: str, name: str) -> str:
    """Return where an exported name is defined; a module may have the name of its verb."""
    init = ROOT.joinpath(*folder_parts(package), "__init__.py")
    if init.is_file():
        for node in ast.walk(ast.parse(init.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module:
                for alias in node.names:
                    if name == (alias.asname or alias.name):
                        return defined_at(node.module, alias.name)
    return f"{package}.{name}"


def folder_parts(package: str) -> list[str]:
    """Return the folders of a package: `lcagent` is `core`, `lcagent.agents.x` is `agents/x`."""
    return package.split(".")[1:] or ["core"]


def decisions_page() -> str:
    """Return the list of decisions, by their titles."""
    lines = ["# Decisions", "", "Choices that others may question, with their reasons.", ""]
    for page in sorted((ROOT / "docs" / "decisions").glob("[0-9]*.md")):
        title = page.read_text(encoding="utf-8").partition("\n")[0].removeprefix("# ")
        lines.append(f"- [{title}]({page.name})")
    return "\n".join(lines)


def generated_pages() -> dict[str, str]:
    """Return the text of every page that is made here, by its place in the site."""
    pages = {
        site: (ROOT / source).read_text(encoding="utf-8")
        for source, site in OUTSIDE.items()
        if (ROOT / source).is_file()
    }
    return (
        pages | api_pages() | {"modules.md": modules_page(), "decisions/index.md": decisions_page()}
    )


def turn_links(text: str, page: str) -> str:
    """Return the text of a page of the site with its links turned to pages of the site."""
    sources = {site: source for source, site in OUTSIDE.items()}
    here = posixpath.dirname(sources.get(page, f"docs/{page}"))

    def turned(link: re.Match[str]) -> str:
        shown, target, anchor = link.groups(default="")
        place = posixpath.normpath(posixpath.join(here, target))
        if place in ("docs/decisions", "decisions"):
            place = "docs/decisions/index.md"
        site = OUTSIDE.get(place, place.removeprefix("docs/"))
        if site == place:  # a file of the repository that is no page
            return shown
        return f"[{shown}]({posixpath.relpath(site, posixpath.dirname(page) or '.')}{anchor})"

    return LINK.sub(turned, text)


def on_config(config: "MkDocsConfig") -> "MkDocsConfig":
    """Make the navigation: guides, Python API, how lcagent is built, decisions."""
    made = generated_pages()
    written = {path.relative_to(ROOT / "docs").as_posix() for path in ROOT.glob("docs/**/*.md")}
    guides = sorted(page for page in written if "/" not in page and page not in PROJECT)
    config.nav = [
        "index.md",
        {"Guides": guides},
        {"Python API": [page for page in made if page.startswith("api/")]},
        {"Project": [page for page in PROJECT if page in written | set(made)]},
        {"Decisions": ["decisions/index.md", *sorted(set(written) - set(guides) - set(PROJECT))]},
    ]
    return config


def on_files(files: "Files", config: "MkDocsConfig") -> "Files":
    """Add the pages that are made here."""
    from mkdocs.structure.files import File  # noqa: PLC0415 -- printing the modules needs no MkDocs

    for place, text in generated_pages().items():
        files.append(File.generated(config, place, content=text))
    return files


def on_page_markdown(markdown: str, page: "Page", **_: object) -> str:
    """Turn the links of every page."""
    return turn_links(markdown, page.file.src_uri)


if __name__ == "__main__":
    sys.stdout.write(modules_page())
