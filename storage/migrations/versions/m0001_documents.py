"""Documents, their pages, and the chunks of these."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "documents",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("media_type", sa.Text, nullable=False),
        sa.Column("reader", sa.Text, nullable=False),
        sa.Column("title", sa.Text),
        sa.Column("language", sa.Text),
        sa.Column("outline", sa.JSON, nullable=False),
        sa.Column("page_count", sa.Integer, nullable=False),
        sa.Column(
            "added_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()
        ),
    )
    op.create_table(
        "pages",
        _document_key(),
        sa.Column("page_index", sa.Integer, primary_key=True),
        sa.Column("number", sa.Integer),
        sa.Column("label", sa.Text),
        sa.Column("section", sa.Text),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("lines", sa.LargeBinary, nullable=False),
        sa.Column("hidden", sa.JSON, nullable=False),
        sa.Column("problem", sa.Text),
        sa.Column("is_ocr", sa.Boolean, nullable=False),
    )
    op.create_table(
        "chunks",
        _document_key(),
        sa.Column("chunker", sa.String(250), primary_key=True),
        sa.Column("chunk_index", sa.Integer, primary_key=True),
        sa.Column("page_index", sa.Integer, nullable=False),
        sa.Column("start", sa.Integer, nullable=False),
        sa.Column("end", sa.Integer, nullable=False),
    )


def _document_key() -> sa.Column[str]:
    return sa.Column(
        "document_id",
        sa.String(64),
        sa.ForeignKey("documents.id", ondelete="CASCADE"),
        primary_key=True,
    )
