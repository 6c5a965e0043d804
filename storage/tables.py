"""The tables. A change here needs a migration in `migrations/versions/`.

Nothing is stored twice: chunks are offsets into pages, and a vector belongs to the text that it was
computed from, so two documents that share a chunk share its vector.
"""

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    DateTime,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    func,
)

metadata = MetaData()


def _document_key() -> Column[str]:
    """The document a row belongs to and disappears with."""
    return Column(
        "document_id",
        String(64),
        ForeignKey("documents.id", ondelete="CASCADE"),
        primary_key=True,
    )


documents = Table(
    "documents",
    metadata,
    Column("id", String(64), primary_key=True, comment="SHA-256 of the file"),
    Column("name", Text, nullable=False),
    Column("media_type", Text, nullable=False),
    Column("reader", Text, nullable=False),
    Column("title", Text),
    Column("language", Text),
    Column("outline", JSON, nullable=False),
    Column("page_count", Integer, nullable=False),
    Column("added_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
)

pages = Table(
    "pages",
    metadata,
    _document_key(),
    Column("page_index", Integer, primary_key=True),
    Column("number", Integer),
    Column("label", Text),
    Column("section", Text),
    Column("text", Text, nullable=False),
    Column("lines", LargeBinary, nullable=False, comment="see document_store.pack_lines"),
    Column("hidden", JSON, nullable=False),
    Column("problem", Text),
    Column("is_ocr", Boolean, nullable=False),
)

chunks = Table(
    "chunks",
    metadata,
    _document_key(),
    Column("chunker", String(250), primary_key=True, comment="which rule cut them"),
    Column("chunk_index", Integer, primary_key=True),
    Column("page_index", Integer, nullable=False),
    Column("start", Integer, nullable=False),
    Column("end", Integer, nullable=False),
)

vectors = Table(
    "vectors",
    metadata,
    Column("text_hash", String(64), primary_key=True, comment="SHA-256 of the embedded text"),
    Column("embedder", String(250), primary_key=True),
    Column("vector", LargeBinary, nullable=False, comment="float32, little endian"),
)

terms = Table(
    "terms",
    metadata,
    _document_key(),
    Column("version", String(250), primary_key=True, comment="which rules made them"),
    Column("payload", LargeBinary, nullable=False, comment="npz, read without pickle"),
)

replies = Table(
    "replies",
    metadata,
    Column("key", String(64), primary_key=True, comment="SHA-256 of the call"),
    Column("model", Text, nullable=False),
    Column("reply", JSON, nullable=False),
    Column("stored_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
)

profiles = Table(
    "profiles",
    metadata,
    Column("key", String(64), primary_key=True, comment="SHA-256 of server and model"),
    Column("model", Text, nullable=False),
    Column("server", Text, nullable=False),
    Column("profile", JSON, nullable=False),
    Column("tried_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
)

runs = Table(
    "runs",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("verb", String(20), nullable=False),
    Column("question", Text, nullable=False),
    Column("strategy", String(20), nullable=False),
    Column("result", JSON(none_as_null=True), comment="once it is done: what --json prints"),
    Column("started_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("status", String(20), nullable=False, server_default="done"),
    Column("request", JSON(none_as_null=True), comment="what it takes to run it again"),
    Column("error", Text),
    Column("claimed_by", Text, comment="the process that is at it, see leases.Owner"),
    Column("lease_until", Float, comment="seconds since 1970 by the database's clock"),
    Column("job_id", String(32), comment="the batch job that it is an item of"),
)

steps = Table(
    "steps",
    metadata,
    Column("run_id", String(32), ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True),
    Column("key", String(100), primary_key=True, comment="which step of its method"),
    Column("position", Integer, nullable=False, comment="order in which they ended"),
    Column("detail", JSON, nullable=False),
    Column("calls", JSON, nullable=False, comment="cost and latency of each call it made"),
)

outputs = Table(
    "outputs",
    metadata,
    Column("key", String(64), primary_key=True, comment="SHA-256 of a file's path and content"),
    Column("written_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
)

jobs = Table(
    "jobs",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("identity", String(64), nullable=False, index=True, comment="SHA-256 of the command"),
    Column("verb", String(20), nullable=False),
    Column("title", Text, nullable=False),
    Column("output", Text, comment="the file of results"),
    Column("status", String(20), nullable=False, server_default="running"),
    Column("limits", JSON, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("begun_at", Float, comment="when it was last begun, by the database's clock"),
    Column("finished_at", Float, comment="by the database's clock"),
    Column("error", Text, comment="why it was stopped"),
    Column("calls", Integer, nullable=False, server_default="0"),
    Column("tokens", Integer, nullable=False, server_default="0"),
    Column("usd", Float, nullable=False, server_default="0"),
)

items = Table(
    "items",
    metadata,
    Column("job_id", String(32), ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("key", String(64), nullable=False, comment="SHA-256 of the task and what it reads"),
    Column("input", Text, nullable=False, comment="what the user knows it by"),
    Column("request", JSON, nullable=False, comment="its task, and the ids of its documents"),
    Column("status", String(20), nullable=False, server_default="queued"),
    Column("attempts", Integer, nullable=False, server_default="0", comment="how often claimed"),
    Column("losses", Integer, nullable=False, server_default="0", comment="claims without an end"),
    Column("not_before", Float, nullable=False, server_default="0"),
    Column("claimed_by", Text, comment="the worker that is at it, see leases.Owner"),
    Column("lease_until", Float, comment="seconds since 1970 by the database's clock"),
    Column("run_id", String(32), nullable=False),
    Column("result", JSON(none_as_null=True), comment="of a verb that has no run"),
    Column("error", Text),
    Column("error_kind", String(60)),
    Column("error_step", Text),
    Column("reserved_calls", Integer, nullable=False, server_default="0"),
    Column("reserved_usd", Float, nullable=False, server_default="0"),
    Column("calls", Integer, nullable=False, server_default="0"),
    Column("tokens", Integer, nullable=False, server_default="0"),
    Column("usd", Float, nullable=False, server_default="0"),
    Column("seconds", Float, nullable=False, server_default="0"),
    Column("ended_at", Float, comment="by the database's clock"),
    Index("ix_items_claim", "job_id", "status", "attempts", "position"),
    Index("ix_items_ended", "job_id", "ended_at"),
    Index("ix_items_key", "job_id", "key", unique=True),
)

workers = Table(
    "workers",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("job_id", String(32), ForeignKey("jobs.id", ondelete="CASCADE"), nullable=False),
    Column("owner", Text, nullable=False, comment="as in items.claimed_by"),
    Column("host", Text, nullable=False),
    Column("pid", Integer, nullable=False),
    Column("engine", String(20), nullable=False),
    Column("version", String(40), nullable=False),
    Column("started_at", Float, nullable=False),
    Column("heartbeat_at", Float, nullable=False),
    Column("in_flight", Integer, nullable=False),
    Index("ix_workers_job", "job_id"),
)
