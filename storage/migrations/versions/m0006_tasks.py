"""What it takes to resume a run is its task."""

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

_LIMITS = ("base_url", "window", "pages", "max_usd", "max_calls", "max_time_s", "use_cache")
_SEARCH = ("top_k", "vectors")

runs = sa.table(
    "runs",
    sa.column("id", sa.Text),
    sa.column("verb", sa.Text),
    sa.column("question", sa.Text),
    sa.column("request", sa.JSON),
)


def upgrade() -> None:
    """Put the task in the place of the arguments that earlier versions kept of a run."""
    connection = op.get_bind()
    old = connection.execute(sa.select(runs).where(runs.c.request.is_not(None))).all()
    for run in old:
        request: dict[str, Any] = run.request
        if "verb" not in request and "documents" in request:
            task = task_of(run.verb, run.question, request)
            connection.execute(sa.update(runs).where(runs.c.id == run.id).values(request=task))


def task_of(verb: str, question: str, request: Mapping[str, Any]) -> dict[str, Any]:
    """Return the task as version 1 of its schema has it."""
    given = request.get("options", {})
    names = _LIMITS if verb == "summarize" else (*_LIMITS, *_SEARCH)
    task: dict[str, Any] = {
        "schema": "lcagent.task/1",
        "verb": verb,
        "documents": request["documents"],
        "model": request["model"],
        **{name: given[name] for name in names if given.get(name) is not None},
    }
    if verb == "write":
        asked = request["assignment"]
        options = {
            "words": asked["words"] or None,
            "plan": asked["plan"] or None,
            "plan_only": asked["plan_only"],
            "output": asked["output"] or None,
            "is_parallel": asked["is_parallel"],
            "paragraph_words": [asked["fewest_words"], asked["most_words"]],
        }
        return {**task, "instruction": asked["instruction"], "options": {"write": options}}
    if verb == "summarize":
        asked = request["order"]
        options = {
            "words": asked["words"],
            "by": asked["by"],
            "is_parallel": asked["is_parallel"],
            "output": asked["output"] or None,
        }
        return {**task, "focus": asked["focus"], "options": {"summarize": options}}
    # Options of a method that was not asked for were kept, too, and never looked at.
    strategy = request["strategy"]
    options = {
        method: request[method]
        for method in ("chain", "tree")
        if request.get(method) and strategy in ("auto", method)
    }
    return {**task, "question": question, "strategy": strategy, "options": options}
