"""The choice by rules, from the question and from how much text there is; it costs nothing."""

from typing import cast

from lcagent.agents.question_classifier import classify_by_words
from lcagent.agents.quoting_model import QUOTE
from lcagent.errors import UsageError
from lcagent.pipelines.routing.methods import AUTO, Route, Strategy


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
        return Route(cast("Strategy", wanted), "asked for")
    if fits_window:
        return Route("whole", "all of the text fits into the model's window")
    form = classify_by_words(question)
    if form.kind == "wide":
        return Route("chain", f"“{form.words}” asks for more than a passage can tell")
    if form.kind == "fact":
        return Route("rag", f"“{form.words}” asks for a fact that some passage states")
    return Route("rag", "the words of the question leave open what it takes", is_open=True)
