"""What answering a question will take: the method, and the most it can cost."""

import sys
from collections.abc import Iterator, Mapping

from lcagent.agents.quoting_model import QUOTE
from lcagent.pipelines.context import RunContext
from lcagent.pipelines.routing.costs import (
    COSTS,
    Cost,
    cost_of_sorting,
    dearest,
    estimate,
    fits_window,
    pages_of,
    together,
    usd_of,
)
from lcagent.pipelines.routing.methods import AUTO, Route, Strategy
from lcagent.pipelines.routing.rules import choose
from lcagent.pipelines.steps.state import AskState
from lcagent.results import Plan

USUAL_TREE_CALLS = 12
"""Trees of the paper's data sets took 8 to 10; the largest there may be takes 45. A beam of b takes
up to b times as many."""

_LONG: dict[Strategy, int] = {"chain": sys.maxsize, "tree": USUAL_TREE_CALLS}
"""Methods of many calls, and with how many of them a limit has to be able to do."""


def route(state: AskState, run: RunContext) -> Route:
    """Choose the method for a question on the documents of a run, as far as rules can."""
    wanted, question = state["wanted"], state["question"]
    if run.model is None:
        return choose(wanted, QUOTE, question, fits_window=False)
    fits = wanted in (AUTO, "whole") and fits_window(question, run)
    chosen = choose(wanted, state["model"], question, fits_window=fits)
    return affordable(chosen, question, run) if wanted == AUTO else chosen


def affordable(chosen: Route, question: str, run: RunContext) -> Route:
    """Return the method, or passages where it may take more than the limits of the run allow."""
    if chosen.strategy not in _LONG:
        return chosen
    cost = COSTS[chosen.strategy](question, run)
    wordings = run.tree.beam if chosen.strategy == "tree" else 1
    calls = min(cost.calls, _LONG[chosen.strategy] * wordings)
    usd = usd_of(cost, run)
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
    cost = together(cost_of_sorting(question, run), COSTS["rag"](question, run))
    return run.budget.allows(cost.calls, usd_of(cost, run))


def plan(state: AskState, run: RunContext) -> Plan:
    """Return what answering will take. Nothing is paid for; counting a book takes seconds.

    Where the model is asked for the method, the strategy is "auto", and the cost that of the most
    expensive one.
    """
    chosen = route(state, run)
    asks = chosen.is_open and may_ask(state, run)
    question = state["question"]
    methods: list[Strategy] = _possible(question, run) if asks else [chosen.strategy]
    costs: dict[Strategy, Cost] = {method: COSTS[method](question, run) for method in methods}
    cost = dearest(list(costs.values()))
    if asks:
        cost = together(cost_of_sorting(question, run), cost)
    texts = [page.text for page in pages_of(run)]
    usd = usd_of(cost, run)
    return Plan(
        question=question,
        strategy=AUTO if asks else chosen.strategy,
        reason=f"{chosen.reason}, so the model is asked" if asks else chosen.reason,
        model=state["model"],
        window_tokens=run.model.card.window_tokens if run.model is not None else 0,
        documents=len(run.collection.documents),
        pages=len(texts),
        document_tokens=estimate(texts, run),
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


def _possible(question: str, run: RunContext) -> list[Strategy]:
    """Return the methods that the model may choose within the limits."""
    methods: tuple[Strategy, ...] = ("rag", "tree", "chain")
    return [one for one in methods if affordable(Route(one, ""), question, run).strategy == one]


def _in_words(costs: Mapping[Strategy, Cost], run: RunContext) -> Iterator[str]:
    """Yield what each of the methods that may be taken costs at most."""
    for method, cost in costs.items():
        usd = usd_of(cost, run)
        price = "" if usd is None else f", at most ${usd:.4f}"
        yield f"{method} takes {cost.calls} call{'s' * (cost.calls != 1)} at most{price}"


def _note_on_trees(run: RunContext) -> tuple[str, ...]:
    more = f"asked up to {run.tree.samples or 1} more times for each answer"
    largest = "the calls of a tree are those of the largest there may be"
    return (f"{largest}; a server that tells no log-probabilities is {more}",)


def _notes(run: RunContext, usd: float | None) -> tuple[str, ...]:
    if run.model is None or usd is not None:
        return ()
    return (f"the price of {run.model.card.name} is not known (see: docs/models.md)",)
