"""The choice of a method for a question by rules, and what answering it can cost at most.

Neither costs anything. Where words leave the choice open, the model may be asked (`graph.route`).
"""

import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from lcagent.agents.question_classifier import classifier_request, classify_by_words
from lcagent.errors import UsageError
from lcagent.pipelines.context import RunContext
from lcagent.pipelines.cost import Cost, asked_pages, estimated_tokens, most_expensive
from lcagent.pipelines.methods.tree.options import TreeOptions
from lcagent.pipelines.registry import METHODS
from lcagent.pipelines.state import AskState
from lcagent.results import Plan
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


USUAL_TREE_CALLS = 12
"""Trees of the paper's data sets took 8 to 10; the largest there may be takes 45. A beam of b takes
up to b times as many."""

_LONG: dict[str, int] = {"chain": sys.maxsize, "tree": USUAL_TREE_CALLS}
"""Methods of many calls, and with how many of them a limit has to be able to do."""


def route(state: AskState, run: RunContext) -> Route:
    """Choose the method for a question on the documents of a run, as far as rules can."""
    wanted, question = state["wanted"], state["question"]
    if run.model is None:
        return choose(wanted, QUOTE, question, fits_window=False)
    fits = wanted in (AUTO, "whole") and _fits_window(question, run)
    chosen = choose(wanted, state["model"], question, fits_window=fits)
    return affordable(chosen, question, run) if wanted == AUTO else chosen


def affordable(chosen: Route, question: str, run: RunContext) -> Route:
    """Return the method, or passages where it may take more than the limits of the run allow."""
    if chosen.strategy not in _LONG:
        return chosen
    cost = cost_of(chosen.strategy, question, run)
    wordings = run.options(TreeOptions).beam if chosen.strategy == "tree" else 1
    calls = min(cost.calls, _LONG[chosen.strategy] * wordings)
    usd = cost.usd(run)
    share = 0.0 if usd is None else usd * calls / cost.calls
    if run.budget.allows(calls, share):
        return chosen
    instead = f"answered from passages only: {chosen.strategy} may take {cost.calls} calls"
    price = "" if usd is None else f" and ${usd:.4f}"
    caveat = f"{instead}{price}, more than the limits allow ({chosen.reason})"
    return Route("rag", f"the limits do not allow {chosen.strategy}", caveat=caveat)


def may_ask(state: AskState, run: RunContext) -> bool:
    """Say whether the limits allow asking for the method, and the shortest answer after it."""
    question = state["question"]
    cost = _cost_of_classifying(question, run) + cost_of("rag", question, run)
    return run.budget.allows(cost.calls, cost.usd(run))


def plan(state: AskState, run: RunContext) -> Plan:
    """Return what answering will take. Nothing is paid for; counting a book takes seconds.

    Where the model is asked for the method, the strategy is "auto", and the cost that of the most
    expensive one.
    """
    chosen = route(state, run)
    asks = chosen.is_open and may_ask(state, run)
    question = state["question"]
    methods = _possible(question, run) if asks else [chosen.strategy]
    costs = {method: cost_of(method, question, run) for method in methods}
    cost = most_expensive(list(costs.values()))
    if asks:
        cost = _cost_of_classifying(question, run) + cost
    texts = [page.text for page in asked_pages(run)]
    usd = cost.usd(run)
    return Plan(
        question=question,
        strategy=AUTO if asks else chosen.strategy,
        reason=f"{chosen.reason}, so the model is asked" if asks else chosen.reason,
        model=state["model"],
        window_tokens=run.model.card.window_tokens if run.model is not None else 0,
        documents=len(run.collection.documents),
        pages=len(texts),
        document_tokens=estimated_tokens(texts, run),
        calls=cost.calls,
        depth=cost.depth,
        prompt_tokens=cost.prompt_tokens,
        completion_tokens=cost.completion_tokens,
        usd=None if usd is None else round(usd, 6),
        notes=(
            *([chosen.caveat] if chosen.caveat else []),
            *(_in_words(costs, run) if asks else ()),
            *_notes(run, usd),
            *(_note_on_trees(run) if "tree" in costs else ()),
        ),
    )


def cost_of(method: str, question: str, run: RunContext) -> Cost:
    """Return the most that a method takes for a question; one without a model takes nothing."""
    cost = METHODS[method].cost
    return Cost() if cost is None else cost(question, run)


def _cost_of_classifying(question: str, run: RunContext) -> Cost:
    """Return the cost of asking the model what the question takes."""
    request = classifier_request(question, run.chat_model)
    prompt = run.chat_model.count_tokens(request.messages)
    return Cost(1, 1, prompt, request.max_tokens)


def _fits_window(question: str, run: RunContext) -> bool:
    from lcagent.pipelines.methods.whole.steps import fits_window  # noqa: PLC0415 -- LangGraph

    return fits_window(question, run)


def _possible(question: str, run: RunContext) -> list[str]:
    """Return the methods that the model may choose within the limits."""
    methods = ("rag", "tree", "chain")
    return [one for one in methods if affordable(Route(one, ""), question, run).strategy == one]


def _in_words(costs: Mapping[str, Cost], run: RunContext) -> Iterator[str]:
    """Yield what each of the methods that may be taken costs at most."""
    for method, cost in costs.items():
        usd = cost.usd(run)
        price = "" if usd is None else f", at most ${usd:.4f}"
        yield f"{method} takes {cost.calls} call{'s' * (cost.calls != 1)} at most{price}"


def _note_on_trees(run: RunContext) -> tuple[str, ...]:
    more = f"asked up to {run.options(TreeOptions).samples or 1} more times for each answer"
    largest = "the calls of a tree are those of the largest there may be"
    return (f"{largest}; a server that tells no log-probabilities is {more}",)


def _notes(run: RunContext, usd: float | None) -> tuple[str, ...]:
    if run.model is None or usd is not None:
        return ()
    return (f"the price of {run.model.card.name} is not known (see: docs/models.md)",)
