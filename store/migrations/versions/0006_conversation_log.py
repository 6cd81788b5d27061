"""What the desk filters and searches the conversation log by, and what each member of staff has read"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
FILTERS = ("status", "intent", "topic")


def upgrade() -> None:
    sqlite = op.get_bind().dialect.name == "sqlite"
    op.add_column("messages", sa.Column("status", sa.String(length=16), nullable=True))
    op.add_column("messages", sa.Column("intent", sa.String(length=40), nullable=True))
    op.add_column("messages", sa.Column("topic", sa.String(length=60), nullable=True))
    op.add_column("messages", sa.Column("confidence", sa.Float(), nullable=True))
    read = "json_extract(turn, '$.{0}')" if sqlite else "(turn ->> '{0}')"
    values = ", ".join(f"{name} = {read.format(name)}" for name in FILTERS)
    confidence = read.format("confidence") if sqlite else f"{read.format('confidence')}::float"
    not_empty = "json_type(turn) = 'object'" if sqlite else "json_typeof(turn) = 'object'"
    op.execute(f"UPDATE messages SET {values}, confidence = {confidence} WHERE turn IS NOT NULL AND {not_empty}")
    for name in FILTERS:
        filled = sa.text(f"{name} IS NOT NULL")
        op.create_index(f"ix_messages_{name}", "messages", [name, "conversation_id"], sqlite_where=filled, postgresql_where=filled)
    if sqlite:
        _index_text_in_sqlite()
    else:
        op.execute("CREATE INDEX ix_messages_words ON messages USING gin (to_tsvector('simple', text))")
    op.create_table(
        "readings",
        sa.Column("staff_id", BIG_ID, nullable=False),
        sa.Column("conversation_id", sa.String(length=32), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["conversation_id"], ["conversations.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("staff_id", "conversation_id", name=op.f("pk_readings")),
    )
    op.create_index("ix_readings_conversation_id", "readings", ["conversation_id"])


def _index_text_in_sqlite() -> None:
    op.execute(
        "CREATE VIRTUAL TABLE message_words USING fts5(text, content='messages', content_rowid='id', "
        "tokenize='unicode61 remove_diacritics 2')"
    )
    op.execute("INSERT INTO message_words (message_words) VALUES ('rebuild')")
    op.execute(
        "CREATE TRIGGER message_words_insert AFTER INSERT ON messages "
        "BEGIN INSERT INTO message_words (rowid, text) VALUES (new.id, new.text); END"
    )
    op.execute(
        "CREATE TRIGGER message_words_delete AFTER DELETE ON messages "
        "BEGIN INSERT INTO message_words (message_words, rowid, text) VALUES ('delete', old.id, old.text); END"
    )
