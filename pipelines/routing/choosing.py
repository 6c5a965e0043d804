"""The step that chooses the method: by rules, and where they leave it open by asking the model."""

import asyncio
from dataclasses import replace

from lcagent.agents.question_classifier import EvidenceNeed, classify_by_model
from lcagent.pipelines.context import RunContext
from lcagent.pipelines.routing import planning
from lcagent.pipelines.routing.methods import Route, Strategy
from lcagent.pipelines.steps.state import AskState, Routed
from lcagent.storage.run_store import StoredStep

ROUTE = "route"
"""The key of the step in the record of a run."""

_METHODS: dict[EvidenceNeed, Strategy] = {"passage": "rag", "steps": "tree", "everything": "chain"}
_SAID: dict[EvidenceNeed, str] = {
    "passage": "the model says that a passage answers it",
    "steps": "the model says that it takes several facts, found one by one",
    "everything": "the model says that it takes most of the text",
}


async def route(state: AskState, run: RunContext) -> Routed:
    """Return the method for a question.

    The model is asked where the rules leave it open and the limits allow a call besides the one
    that answers. A method that the limits do not allow gives way to passages.
    """
    chosen = await asyncio.to_thread(planning.route, state, run)
    if chosen.is_open and await asyncio.to_thread(planning.may_ask, state, run):
        chosen = await _asked(chosen, state["question"], run)
        chosen = await asyncio.to_thread(planning.affordable, chosen, state["question"], run)
    return Routed(strategy=chosen.strategy, reason=chosen.reason, caveat=chosen.caveat)


async def _asked(by_rules: Route, question: str, run: RunContext) -> Route:
    metered = run.metered()
    takes = await classify_by_model(question, metered)
    if takes is None:
        chosen = replace(by_rules, reason=f"{by_rules.reason}, and so does the model")
    else:
        chosen = Route(_METHODS[takes], _SAID[takes])
    detail = {"message": f"{chosen.strategy}: {chosen.reason}"}
    await run.record.add(StoredStep(ROUTE, detail, metered.calls))
    return chosen
