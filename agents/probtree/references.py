"""References of a question to the answers of earlier ones: "#1" or "<1>", as children are numbered.

What an answer puts in the place of a reference carries no stop at its end, and is never empty: a
question with a gap in it asks for something else.
"""

from collections.abc import Mapping

import regex

from lcagent.agents.probtree.deciding import is_no_answer
from lcagent.agents.probtree.replies import cleaned

UNKNOWN = "unknown"
"""What stands where an answer is missing."""


def references_in(question: str) -> dict[str, int]:
    """Return the references of a question as they are written, and the numbers they name."""
    return {
        found.group(): int(found["hash"] or found["angle"])
        for found in _REFERENCE.finditer(question)
    }


def substituted(question: str, answers: Mapping[str, str]) -> str:
    """Return a question with answers in the place of its references, each as it is written.

    A reference that is not in `answers` stays.
    """

    def answer_for(found: regex.Match[str]) -> str:
        if found.group() not in answers:
            return found.group()
        return insertable(answers[found.group()])

    return _REFERENCE.sub(answer_for, question)


def insertable(answer: str) -> str:
    """Return an answer as it stands in the middle of a question."""
    bare = cleaned(answer)
    return UNKNOWN if is_no_answer(bare) else bare


_REFERENCE = regex.compile(r"(?<![\w&/])#(?<hash>\d{1,2})(?!\w)|<(?<angle>\d{1,2})>")
