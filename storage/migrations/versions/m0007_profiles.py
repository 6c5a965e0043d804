"""What models were seen to do."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Add the table."""
    op.create_table(
        "profiles",
        sa.Column("key", sa.String(64), primary_key=True),
        sa.Column("model", sa.Text, nullable=False),
        sa.Column("server", sa.Text, nullable=False),
        sa.Column("profile", sa.JSON, nullable=False),
        sa.Column(
            "tried_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()
        ),
    )
