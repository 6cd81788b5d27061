"""Each unfinished update of Telegram is one process's, as long as that lives"""

import sqlalchemy as sa
from alembic import op

import store.models

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    op.add_column("telegram_updates", sa.Column("chat", sa.String(64), nullable=True))
    op.add_column("telegram_updates", sa.Column("holder", sa.String(32), nullable=True))
    op.add_column("telegram_updates", sa.Column("held_until", store.models.UtcDateTime(timezone=True), nullable=True))
    unfinished = sa.text("content IS NOT NULL")
    op.create_index(
        "ix_telegram_updates_open", "telegram_updates", ["chat", "update_id"], sqlite_where=unfinished, postgresql_where=unfinished
    )
