"""Who is at a run, and until when."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Add the columns; nobody is at a run that an older version left behind."""
    op.add_column("runs", sa.Column("claimed_by", sa.Text))
    op.add_column("runs", sa.Column("lease_until", sa.Float))
