"""Alembic's entry point; `Database.migrate` hands over the connection."""

from alembic import context

from store.tables import TABLES

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=TABLES,
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
