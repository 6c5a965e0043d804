"""Prompts: a template in `prompts/` and a dataclass that names what fills it.

A template has two parts with a line of `=====` between them: what the model is, and what it is
given. Text of documents is fenced, so that nothing in it is taken for an instruction.
"""

import dataclasses
import hashlib
from functools import cache
from typing import ClassVar

from jinja2 import Environment, PackageLoader, StrictUndefined, Template

from lcagent.models.base import Message

_BORDER = "\n=====\n"


@dataclasses.dataclass(frozen=True)
class Prompt:
    """A prompt whose fields are exactly the variables of its template."""

    template: ClassVar[str]

    def messages(self) -> tuple[Message, ...]:
        """Return the system message and the user's, filled in."""
        system, user = _templates(self.template)
        fields = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        return (
            Message("system", system.render(fields).strip()),
            Message("user", user.render(fields).strip()),
        )


def fence(text: str, name: str) -> str:
    """Return `text` between two lines that it cannot contain.

    They hold a digest of the text, so a document cannot close its own fence.
    """
    mark = hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:8]
    return f"<{name} {mark}>\n{text.strip()}\n</{name} {mark}>"


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("lcagent.agents", "prompts"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=False,  # noqa: S701 -- prompts are not HTML
    )
    environment.filters["fence"] = fence
    return environment


@cache
def _templates(name: str) -> tuple[Template, Template]:
    environment = _environment()
    if environment.loader is None:
        raise AssertionError
    source, _, _ = environment.loader.get_source(environment, name)
    system, _, user = source.partition(_BORDER)
    return environment.from_string(system), environment.from_string(user)
