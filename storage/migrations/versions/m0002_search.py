"""What search computes and keeps: the terms of documents, and vectors."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "vectors",
        sa.Column("text_hash", sa.String(64), primary_key=True),
        sa.Column("embedder", sa.String(250), primary_key=True),
        sa.Column("vector", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "terms",
        sa.Column(
            "document_id",
            sa.String(64),
            sa.ForeignKey("documents.id", ondelete="CASCADE"),
            primary_key=True,
        ),
        sa.Column("version", sa.String(250), primary_key=True),
        sa.Column("payload", sa.LargeBinary, nullable=False),
    )
