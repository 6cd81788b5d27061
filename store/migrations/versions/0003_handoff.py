"""Hand-offs to officers, and numbers of deleted messages that are not used again"""

from datetime import datetime

import sqlalchemy as sa
from alembic import op

import store.models

revision = "0003"
down_revision = "0002"

BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
OPEN = sa.text("state <> 'ended'")


def moment(name: str, *, nullable: bool) -> sa.Column[datetime]:
    return sa.Column(name, store.models.UtcDateTime(timezone=True), nullable=nullable)


def upgrade() -> None:
    with op.batch_alter_table("conversations", schema=None) as batch_op:
        batch_op.add_column(sa.Column("forgotten_seq", sa.Integer(), server_default="0", nullable=False))
    op.create_table(
        "handoffs",
        sa.Column("id", BIG_ID, autoincrement=True, nullable=False),
        sa.Column("conversation_id", sa.String(length=32), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("outcome", sa.String(length=12), nullable=True),
        sa.Column("officer", sa.String(length=80), nullable=True),
        sa.Column("agreed", sa.Boolean(), nullable=True),
        sa.Column("urgent", sa.Boolean(), nullable=False),
        moment("asked_at", nullable=False),
        moment("taken_at", nullable=True),
        sa.Column("taken_seq", sa.Integer(), nullable=True),
        moment("ended_at", nullable=True),
        sa.ForeignKeyConstraint(["conversation_id"], ["conversations.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_handoffs_conversation_id", "handoffs", ["conversation_id"])
    op.create_index("ix_handoffs_state", "handoffs", ["state"])
    op.create_index(
        "ix_handoffs_open", "handoffs", ["conversation_id"], unique=True, sqlite_where=OPEN, postgresql_where=OPEN
    )
    op.create_table(
        "handoff_events",
        sa.Column("id", BIG_ID, autoincrement=True, nullable=False),
        sa.Column("handoff_id", BIG_ID, nullable=False),
        moment("at", nullable=False),
        sa.Column("name", sa.String(length=16), nullable=False),
        sa.Column("actor", sa.String(length=80), nullable=False),
        sa.Column("data", sa.JSON(), nullable=False),
        moment("claimed_at", nullable=True),
        moment("told_at", nullable=True),
        sa.ForeignKeyConstraint(["handoff_id"], ["handoffs.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_handoff_events_handoff_id", "handoff_events", ["handoff_id"])
    op.create_index("ix_handoff_events_told_at", "handoff_events", ["told_at"])
