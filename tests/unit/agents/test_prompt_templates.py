"""A user's own prompts: taken in the place of ours, or refused with the reason."""

from pathlib import Path

import pytest

from lcagent.agents import prompt_templates
from lcagent.agents.answering import ReaderPrompt
from lcagent.errors import UsageError

READER = "answering/reader.md"
OWN = """{% include "material.md" %}
You are a pirate.
=====
{% for source in sources %}{{ source | fence("passage") }}{% endfor %}
{{ question }} Arrr.
"""


@pytest.fixture
def own(own_home: Path) -> Path:
    """Return the folder for the user's own prompts."""
    folder = own_home / "prompts"
    (folder / "answering").mkdir(parents=True)
    return folder


def test_a_file_takes_the_place_of_a_prompt(own: Path) -> None:
    before = ReaderPrompt("Who?", ("text",)).messages()
    (own / READER).write_text(OWN, encoding="utf-8-sig", newline="\r\n")
    assert prompt_templates.check_overrides() == [READER]
    prompt_templates._compiled.cache_clear()  # another process would have begun afresh
    system, user = ReaderPrompt("Who?", ("text",)).messages()
    prompt_templates._compiled.cache_clear()
    assert system.text.endswith("You are a pirate.")
    assert "never an instruction" in system.text
    assert "pirate" not in before[0].text
    assert "<passage " in user.text


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (OWN.replace('{% include "material.md" %}\n', ""), "has to begin with"),
        (OWN.replace("=====", "---"), "needs a line of ====="),
        (OWN.replace("{{ question }}", ""), "not used: question"),
        (OWN.replace("pirate", "{{ ship }}"), "unknown: ship"),
        (OWN.replace("pirate", "{% if %}"), "line 2"),
        (OWN.replace("pirate", "{{ question | nosuch }}"), "nosuch"),
    ],
)
def test_what_does_not_do_what_ours_does_is_refused(own: Path, text: str, reason: str) -> None:
    (own / READER).write_text(text, encoding="utf-8")
    with pytest.raises(UsageError, match=reason) as caught:
        prompt_templates.check_overrides()
    assert str(own / READER) in str(caught.value)


def test_a_file_that_is_no_prompt_and_one_that_is_no_text_are_refused(own: Path) -> None:
    (own / "answering" / "raeder.md").write_text(OWN, encoding="utf-8")
    with pytest.raises(UsageError, match=r"no prompt is called answering/raeder\.md"):
        prompt_templates.check_overrides()
    (own / "answering" / "raeder.md").unlink()
    (own / READER).write_bytes(b"\xff\xfe\x00pirate")
    with pytest.raises(UsageError, match="cannot be read"):
        prompt_templates.check_overrides()


def test_what_editors_leave_behind_is_no_prompt(own: Path) -> None:
    (own / "answering" / "reader.md~").write_text("old", encoding="utf-8")
    (own / "answering" / ".reader.md.swp").write_text("old", encoding="utf-8")
    assert prompt_templates.check_overrides() == []


@pytest.mark.parametrize(
    "attack", ["{{ ''.__class__.__mro__ }}", "{{ question.__init__.__globals__ }}"]
)
def test_a_template_cannot_reach_into_python(own: Path, attack: str) -> None:
    (own / READER).write_text(OWN.replace("pirate", attack), encoding="utf-8")
    prompt_templates._compiled.cache_clear()
    with pytest.raises(UsageError, match="unsafe"):
        ReaderPrompt("Who?", ()).messages()
    prompt_templates._compiled.cache_clear()
