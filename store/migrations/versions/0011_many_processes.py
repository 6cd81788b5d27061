"""Several processes serve the same citizens: turns in a queue, the model chosen for all"""

import sqlalchemy as sa
from alembic import op

import store.models

revision = "0011"
down_revision = "0010"

BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "queued_turns",
        sa.Column("id", BIG_ID, autoincrement=True, nullable=False),
        sa.Column("conversation_id", sa.String(length=64), nullable=False),
        sa.Column("until", store.models.UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_queued_turns")),
    )
    op.create_index("ix_queued_turns_conversation", "queued_turns", ["conversation_id", "id"])
    op.create_table(
        "model_choices",
        sa.Column("id", BIG_ID, autoincrement=True, nullable=False),
        sa.Column("version", sa.String(length=40), nullable=True),
        sa.Column("at", store.models.UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_model_choices")),
    )
