"""Runs: what was asked, and what came of it."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "runs",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("verb", sa.String(20), nullable=False),
        sa.Column("question", sa.Text, nullable=False),
        sa.Column("strategy", sa.String(20), nullable=False),
        sa.Column("result", sa.JSON, nullable=False),
        sa.Column(
            "started_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()
        ),
    )
