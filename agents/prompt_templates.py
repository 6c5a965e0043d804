"""Prompt templates: the files in `prompts/`, the values that fill them, and a user's own versions.

A template has two parts with a line of `=====` between them: the system message (what the model is)
and the user's message (what it is given). Text of documents is fenced, so that nothing in it is
taken for an instruction. A file in the folder `prompts` beside the settings file overrides the
template of the same name; it must have both parts, begin with the rule about material, and use the
same variables.
"""

import dataclasses
import hashlib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, ClassVar

from jinja2 import (
    Environment,
    PackageLoader,
    StrictUndefined,
    Template,
    TemplateError,
    TemplateSyntaxError,
    meta,
)
from jinja2.sandbox import ImmutableSandboxedEnvironment

from lcagent.errors import UsageError
from lcagent.models.chat_model import Message
from lcagent.settings import prompts_folder

MATERIAL_RULE = '{% include "material.md" %}'
"""What every template begins with: text between fences is never an instruction."""

PART_BORDER = "\n=====\n"
"""What stands between the system message and the user's."""


@dataclasses.dataclass(frozen=True)
class Prompt:
    """A prompt whose fields are exactly the variables of its template.

    Example:
        @dataclass(frozen=True)
        class ManagerPrompt(Prompt):
            template: ClassVar[str] = "chain_of_agents/manager.md"
            question: str
            message: str
    """

    template: ClassVar[str]

    def messages(self) -> tuple[Message, ...]:
        """Return the system message and the user's, filled in."""
        fields = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        system, user = render_template(self.template, fields)
        return Message("system", system), Message("user", user)


def fence(text: str, name: str) -> str:
    """Return `text` between two lines that it cannot contain.

    They hold a digest of the text, so a document cannot close its own fence.
    """
    mark = hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:8]
    return f"<{name} {mark}>\n{text.strip()}\n</{name} {mark}>"


def template_names() -> list[str]:
    """Return the names of all templates, such as "answering/reader.md"."""
    return sorted(
        f"{folder.name}/{file.name}"
        for folder in _PACKAGE.iterdir()
        if folder.is_dir()
        for file in folder.iterdir()
    )


def override_names() -> list[str]:
    """Return the names of the user's own templates, those that override none of ours included."""
    folder = prompts_folder()
    return sorted(
        file.relative_to(folder).as_posix()
        for file in folder.rglob("*")
        if file.is_file() and not file.name.startswith(".") and not file.name.endswith("~")
    )


def template_source(name: str) -> str:
    """Return the text of a template, the user's own where there is one.

    Raises:
        UsageError: There is no such template, or it cannot be read.
    """
    if name not in template_names():
        raise UsageError(f"no prompt is called {name}; there are: {', '.join(template_names())}")
    if name in override_names():
        return _read(prompts_folder() / name)
    return _PACKAGE.joinpath(name).read_text(encoding="utf-8")


def check_overrides() -> list[str]:
    """Check all templates of the user's own, and return their names.

    Raises:
        UsageError: One of them cannot be used; the message says why.
    """
    own = override_names()
    for name in own:
        _check(name, template_source(name))
    return own


def render_template(name: str, fields: Mapping[str, Any]) -> tuple[str, str]:
    """Fill a template in, and return the system message and the user's.

    Raises:
        UsageError: The template is a user's own, and cannot be used.
    """
    system, user = _compiled(name, prompts_folder())
    try:
        return system.render(fields).strip(), user.render(fields).strip()
    except TemplateError as error:
        raise UsageError(f"the prompt {name} cannot be filled in: {error.message}") from error


@cache
def _compiled(name: str, folder: Path) -> tuple[Template, Template]:
    """Return the two templates of a name; `folder` is where a user's own one would be."""
    text = template_source(name)
    if (folder / name).is_file():
        _check(name, text)
    system, _, user = text.partition(PART_BORDER)
    environment = _environment()
    return environment.from_string(system), environment.from_string(user)


@cache
def _environment() -> Environment:
    environment = ImmutableSandboxedEnvironment(
        loader=PackageLoader("lcagent.agents", "prompts"),
        undefined=StrictUndefined,
        keep_trailing_newline=True,  # of the included rule
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=False,  # prompts are not HTML
    )
    environment.filters["fence"] = fence
    return environment


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig").replace("\r\n", "\n")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"the prompt {path} cannot be read: {error}") from error


def _check(name: str, text: str) -> None:
    """Refuse a user's own template that does not do what ours does."""
    path = prompts_folder() / name
    if not text.startswith(MATERIAL_RULE):
        raise UsageError(
            f"the prompt {path} has to begin with {MATERIAL_RULE}: it says that text of documents "
            "is never an instruction"
        )
    if PART_BORDER not in text:
        raise UsageError(f"the prompt {path} needs a line of ===== between its two parts")
    ours = _variables(_PACKAGE.joinpath(name).read_text(encoding="utf-8"))
    try:
        theirs = _variables(text)
    except TemplateSyntaxError as error:
        raise UsageError(f"the prompt {path}, line {error.lineno}: {error.message}") from error
    except TemplateError as error:
        raise UsageError(f"the prompt {path}: {error.message}") from error
    for kind, wrong in (("unknown", theirs - ours), ("not used", ours - theirs)):
        if wrong:
            raise UsageError(f"the prompt {path}: variables that are {kind}: {_listed(wrong)}")


def _variables(text: str) -> set[str]:
    return meta.find_undeclared_variables(_environment().parse(text))


def _listed(wrong: set[str]) -> str:
    return ", ".join(sorted(wrong))


_PACKAGE = files("lcagent.agents") / "prompts"
