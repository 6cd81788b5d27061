"""What staff teach: decisions on messages, and the batches in which they go out"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"

BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "teaching_batches",
        sa.Column("id", BIG_ID, autoincrement=True, nullable=False),
        sa.Column("made_by", sa.String(length=40), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("reviewed_by", sa.String(length=40), nullable=True),
        sa.Column("reviewed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("note", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_teaching_batches")),
    )
    op.create_index(op.f("ix_teaching_batches_state"), "teaching_batches", ["state"])
    op.create_table(
        "teaching_decisions",
        sa.Column("id", BIG_ID, autoincrement=True, nullable=False),
        sa.Column("message_id", BIG_ID, nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("intent", sa.String(length=40), nullable=True),
        sa.Column("topic", sa.String(length=60), nullable=True),
        sa.Column("decided_by", sa.String(length=40), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("batch_id", BIG_ID, nullable=True),
        sa.ForeignKeyConstraint(["message_id"], ["messages.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["batch_id"], ["teaching_batches.id"]),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_teaching_decisions")),
        sa.UniqueConstraint("message_id"),
    )
    for column in ("decided_by", "batch_id"):
        op.create_index(op.f(f"ix_teaching_decisions_{column}"), "teaching_decisions", [column])
