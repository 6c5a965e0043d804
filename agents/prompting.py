"""Prompts: a template in `prompts/` and a dataclass that names what fills it.

A template has two parts with a line of `=====` between them: what the model is, and what it is
given. Text of documents is fenced, so that nothing in it is taken for an instruction.
"""

import dataclasses
from typing import ClassVar

from lcagent.agents.templates import filled
from lcagent.models.base import Message


@dataclasses.dataclass(frozen=True)
class Prompt:
    """A prompt whose fields are exactly the variables of its template."""

    template: ClassVar[str]

    def messages(self) -> tuple[Message, ...]:
        """Return the system message and the user's, filled in."""
        fields = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        system, user = filled(self.template, fields)
        return Message("system", system), Message("user", user)
