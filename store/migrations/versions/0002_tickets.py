"""Life of a ticket: texts of events, extension, deletion on request, notices, leases; submission keys become fingerprints"""

import sqlalchemy as sa
from alembic import context, op

import store.models

revision = "0002"
down_revision = "0001"

BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    # Plain ALTER TABLE: a copy of `tickets`, as batch mode makes one on SQLite, would drop a table that events refer to.
    op.add_column("tickets", sa.Column("extended_from", sa.Date(), nullable=True))
    op.add_column(
        "tickets",
        sa.Column("pseudonymise_when_closed", sa.Boolean(), server_default=sa.false(), nullable=False),
    )
    op.add_column("tickets", sa.Column("version", sa.Integer(), server_default="1", nullable=False))
    op.execute("ALTER TABLE tickets RENAME COLUMN submission_key TO submission_hash")
    _fingerprint_submissions()

    op.add_column("ticket_events", sa.Column("text", sa.LargeBinary(), nullable=True))
    op.add_column("ticket_events", sa.Column("key", sa.String(length=80), nullable=True))
    op.create_index("ix_ticket_events_key", "ticket_events", ["ticket_id", "key"], unique=True)

    op.create_table(
        "notices",
        sa.Column("id", BIG_ID, autoincrement=True, nullable=False),
        sa.Column("event_id", BIG_ID, nullable=False),
        sa.Column("conversation_id", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("message_id", BIG_ID, nullable=True),
        sa.Column("changed_at", store.models.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["event_id"], ["ticket_events.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("event_id"),
    )
    op.create_index("ix_notices_state", "notices", ["state"])
    op.create_table(
        "leases",
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("holder", sa.String(length=40), nullable=False),
        sa.Column("until", store.models.UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )


def _fingerprint_submissions() -> None:
    tickets = sa.table("tickets", sa.column("id", sa.Integer), sa.column("submission_hash", sa.String))
    connection = op.get_bind()
    rows = connection.execute(sa.select(tickets.c.id, tickets.c.submission_hash)).all()
    encryption = context.config.attributes.get("encryption")
    if not rows:
        return
    if encryption is None:
        raise RuntimeError("this database holds tickets: bring it up to date with its keys, by `sapa serve` or `sapa doctor`")
    for row in rows:
        fingerprint = encryption.fingerprint("submission", row.submission_hash)
        connection.execute(sa.update(tickets).where(tickets.c.id == row.id).values(submission_hash=fingerprint))
