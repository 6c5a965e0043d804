"""What a model writes as a text keeps its Markdown, and nothing of its prompt."""

import pytest

from lcagent.agents.replies import clean_prose

TEXT = "## The light\n\nIt was lit in **1911** by Osla Brand. It burned until 1938."
PROMPT = (
    "Instruction: Write about the light of the harbour.\n<plan 1a2b3c4d>\nIt was lit in 1911 by "
    "Osla Brand.\n</plan 1a2b3c4d>\nWrite the paragraph only: no label, no number, no remark.\n"
    "Write paragraph 1 of 2 now."
)


@pytest.mark.parametrize(
    "reply",
    [
        TEXT,
        f"{TEXT}<|im_end|>",
        f"```markdown\n{TEXT}\n```",
        f"<think>Well.</think>{TEXT}",
        f"{TEXT} It burned until 1938. It burned until 1938.",
        f"{TEXT}\n<plan 1a2b3c4d>\n</plan 1a2b3c4d>",
        f"Write the paragraph only: no label, no number, no remark.\n\n{TEXT}",
        f"{TEXT}\n\nInstruction: Write about the light of the harbour.",
        f"{TEXT}\n\x1b[0m",
        f"{TEXT}\n\nWrite paragraph 3 of 9 now.",
        f"Paragraph 2 - Main Point: the light\n{TEXT}",
    ],
)
def test_only_the_text_is_left(reply: str) -> None:
    assert clean_prose(reply, PROMPT) == TEXT
