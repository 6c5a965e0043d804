"""Take user names, passwords and keys out of the base URLs of stored runs, and out of their errors.

Until now a run kept the base URL that was typed.
"""

from typing import Any, cast

import sqlalchemy as sa
from alembic import op

from lcagent.credentials import BaseUrl, hide

revision = "0009"
down_revision = "0008"

_runs = sa.table(
    "runs",
    sa.column("id", sa.String),
    sa.column("request", sa.JSON(none_as_null=True)),
    sa.column("error", sa.Text),
)


def upgrade() -> None:
    """Change the rows that have any."""
    connection = op.get_bind()
    for run_id, request, error in connection.execute(sa.select(_runs)).all():
        changed = without_credentials(request, error)
        if changed:
            connection.execute(_runs.update().where(_runs.c.id == run_id).values(**changed))


def without_credentials(request: Any, error: str | None) -> dict[str, Any]:
    """Return what is to be changed of a run: nothing where its base URL holds no secret."""
    if not isinstance(request, dict):
        return {}
    asked = cast("dict[str, Any]", request)
    given = asked.get("base_url")
    if not isinstance(given, str) or not BaseUrl(given).secrets:
        return {}
    url = BaseUrl(given)
    shown = None if error is None else hide(error, url.secrets)
    return {"request": {**asked, "base_url": str(url)}, "error": shown}
