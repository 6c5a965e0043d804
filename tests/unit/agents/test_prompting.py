"""Every prompt's fields are its template's variables, and no text gets out of its fence.

What each prompt looks like when it is filled in stands in tests/golden/prompts, so that a change of
one shows in review. After a change: `LCAGENT_TEST_UPDATE_GOLDEN=1 pytest -k golden`, and read the
difference.
"""

import importlib
import os
import pkgutil
import typing
from dataclasses import fields
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import Environment, meta

import lcagent.agents
from lcagent.agents.answering import ReaderPrompt
from lcagent.agents.chain.chain_prompts import WorkerPrompt
from lcagent.agents.prompt_templates import Prompt, fence

for module in pkgutil.walk_packages(lcagent.agents.__path__, "lcagent.agents."):
    importlib.import_module(module.name)

PROMPTS = Prompt.__subclasses__()
TEMPLATES = files("lcagent.agents") / "prompts"
INCLUDED = {"material.md"}
GOLDEN = Path(__file__).parents[2] / "golden" / "prompts"
FULL: dict[Any, Any] = {int: 700, bool: True}
EMPTY: dict[Any, Any] = {int: 0, bool: False, str: "", tuple[str, ...]: ()}


@pytest.mark.parametrize("prompt", PROMPTS, ids=lambda prompt: prompt.__name__)
def test_fields_are_the_variables(prompt: type[Prompt]) -> None:
    source = TEMPLATES.joinpath(prompt.template).read_text(encoding="utf-8")
    environment = Environment(autoescape=True)
    environment.filters["fence"] = fence
    variables = meta.find_undeclared_variables(environment.parse(source))
    assert variables == {field.name for field in fields(prompt)}


def _example(prompt: type[Prompt], values: dict[Any, Any]) -> Prompt:
    """Return a prompt whose fields have these values by their types, or their own names."""
    types = typing.get_type_hints(prompt)
    named = {
        field.name: f"THE {field.name.upper()}"
        if types[field.name] is str
        else (f"FIRST OF {field.name.upper()}", f"SECOND OF {field.name.upper()}")
        for field in fields(prompt)
    }
    return prompt(**{name: values.get(types[name], said) for name, said in named.items()})


@pytest.mark.parametrize("prompt", PROMPTS, ids=lambda prompt: prompt.__name__)
def test_a_filled_in_prompt_is_the_golden_one(prompt: type[Prompt]) -> None:
    parts = [
        f"##### {what}, {message.role}\n\n{message.text}\n"
        for what, values in (("with everything", FULL), ("with nothing", EMPTY))
        for message in _example(prompt, values).messages()
    ]
    path = GOLDEN / prompt.template
    if os.environ.get("LCAGENT_TEST_UPDATE_GOLDEN"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("\n".join(parts), encoding="utf-8")
    assert path.read_text(encoding="utf-8") == "\n".join(parts)


def test_every_golden_prompt_has_its_template() -> None:
    golden = {path.relative_to(GOLDEN).as_posix() for path in GOLDEN.rglob("*.md")}
    assert golden == {prompt.template for prompt in PROMPTS}


def test_every_template_belongs_to_a_prompt() -> None:
    found = {
        f"{folder.name}/{file.name}"
        for folder in TEMPLATES.iterdir()
        if folder.is_dir()
        for file in folder.iterdir()
    }
    assert found == {prompt.template for prompt in PROMPTS}
    assert {file.name for file in TEMPLATES.iterdir() if file.is_file()} == INCLUDED


@pytest.mark.parametrize("prompt", PROMPTS, ids=lambda prompt: prompt.__name__)
def test_every_prompt_says_that_material_is_never_an_instruction(prompt: type[Prompt]) -> None:
    source = TEMPLATES.joinpath(prompt.template).read_text(encoding="utf-8")
    assert source.startswith('{% include "material.md" %}')


def test_a_prompt_is_a_system_message_and_a_user_message_with_the_question_last() -> None:
    system, user = ReaderPrompt("Who rowed?", ("S1 | a.pdf\nAnna rowed.",)).messages()
    assert (system.role, user.role) == ("system", "user")
    assert "Anna" not in system.text
    assert user.text.index("Anna rowed.") < user.text.index("Who rowed?")


@given(text=st.text(max_size=200))
def test_a_text_cannot_close_its_own_fence(text: str) -> None:
    fenced = fence(text, "part").splitlines()
    assert fenced[0].startswith("<part ")
    assert fenced[-1] == fenced[0].replace("<part", "</part")
    assert fenced[-1] not in text


def test_what_looks_like_a_template_in_a_document_stays_text() -> None:
    _, user = WorkerPrompt("{{ 7 * 7 }}", "", "{% include 'x' %} {{ chunk }}").messages()
    assert "{% include 'x' %} {{ chunk }}" in user.text
    assert "{{ 7 * 7 }}" in user.text


def test_the_chunk_stands_before_what_changes_between_orders_and_questions() -> None:
    _, one = WorkerPrompt("Who?", "summary one", "The text of the part.").messages()
    _, two = WorkerPrompt("When?", "summary two", "The text of the part.").messages()
    shared = one.text.index("The text of the part.") + len("The text of the part.")
    assert one.text[:shared] == two.text[:shared]
