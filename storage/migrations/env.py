"""Alembic's entry point: migrate over the connection that `database.py` opened."""

from alembic import context

from lcagent.storage.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
    transaction_per_migration=False,
)
context.run_migrations()
