"""Replies of models, and runs that have steps and can be resumed."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Create the tables; runs that are stored are done."""
    op.create_table(
        "replies",
        sa.Column("key", sa.String(64), primary_key=True),
        sa.Column("model", sa.Text, nullable=False),
        sa.Column("reply", sa.JSON, nullable=False),
        sa.Column(
            "stored_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()
        ),
    )
    with op.batch_alter_table("runs") as runs:
        runs.alter_column("result", existing_type=sa.JSON, nullable=True)
        runs.add_column(sa.Column("status", sa.String(20), nullable=False, server_default="done"))
        runs.add_column(sa.Column("request", sa.JSON))
        runs.add_column(sa.Column("error", sa.Text))
    op.create_table(
        "steps",
        sa.Column(
            "run_id",
            sa.String(32),
            sa.ForeignKey("runs.id", ondelete="CASCADE"),
            primary_key=True,
        ),
        sa.Column("key", sa.String(100), primary_key=True),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("detail", sa.JSON, nullable=False),
        sa.Column("calls", sa.JSON, nullable=False),
    )
