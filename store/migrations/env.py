"""Alembic's entry point; `Database.migrate` hands over the connection."""

from alembic import context

import store.knowledge_models
import store.teaching_models  # noqa: F401
from store.models import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
