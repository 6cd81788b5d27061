"""Messages to Telegram are noted before they are sent, a keyboard works once, and who blocked the bot is known"""

import sqlalchemy as sa
from alembic import op

import store.models

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    op.add_column("telegram_updates", sa.Column("begun", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("telegram_updates", sa.Column("key", sa.String(64), nullable=True))
    op.create_index(op.f("ix_telegram_updates_key"), "telegram_updates", ["key"], unique=True)
    op.add_column("conversations", sa.Column("unreachable_since", store.models.UtcDateTime(timezone=True), nullable=True))
