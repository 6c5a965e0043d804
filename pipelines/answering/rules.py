"""The choice of a method by rules, from the question and from how much text there is.

It costs nothing. Where words leave it open, the model may be asked (`graph.route`).
"""

from dataclasses import dataclass
from typing import Final

from lcagent.agents.question_classifier import classify_by_words
from lcagent.errors import UsageError
from lcagent.tasks import QUOTE

AUTO: Final = "auto"
"""What a user says who leaves the choice to lcagent."""


@dataclass(frozen=True, slots=True)
class Route:
    """The method chosen, and why.

    Attributes:
        is_open: The words of the question do not tell; the model may be asked.
        caveat: What the user should know of the choice beside the answer, or an empty string.
    """

    strategy: str
    reason: str
    is_open: bool = False
    caveat: str = ""


def choose(wanted: str, model: str, question: str, *, fits_window: bool) -> Route:
    """Return the method for a question.

    Args:
        wanted: A method's name or "auto".
        fits_window: Whether the model can be shown all of the text at once.

    Raises:
        UsageError: The text does not fit, and nothing else may be done.
    """
    if model == QUOTE and wanted == AUTO:
        return Route(QUOTE, "no language model is configured, so the answer is quoted")
    if wanted == "whole" and not fits_window:
        raise UsageError(
            "the text does not fit into the model's window: use --strategy chain or rag, "
            "or fewer --pages"
        )
    if wanted != AUTO:
        return Route(wanted, "asked for")
    if fits_window:
        return Route("whole", "all of the text fits into the model's window")
    form = classify_by_words(question)
    if form.kind == "wide":
        return Route("chain", f"“{form.words}” asks for more than a passage can tell")
    if form.kind == "fact":
        return Route("rag", f"“{form.words}” asks for a fact that some passage states")
    return Route("rag", "the words of the question leave open what it takes", is_open=True)
