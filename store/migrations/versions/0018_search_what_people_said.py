"""The search of the conversation log finds what people said: the bot's sentences, most of the text, are in no index"""

from alembic import op

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        _in_sqlite()
        return
    # Large installations make it beforehand, CONCURRENTLY (docs/scaling.md).
    op.execute(
        "CREATE INDEX IF NOT EXISTS ix_messages_said ON messages USING gin (to_tsvector('simple', text)) WHERE author <> 'bot'"
    )
    op.execute("DROP INDEX ix_messages_words")  # until they are restarted, processes of the version before search without an index


def _in_sqlite() -> None:
    for happening in ("insert", "delete"):  # a try that failed, before a start was one transaction, has left none
        op.execute(f"DROP TRIGGER IF EXISTS message_words_{happening}")
    op.execute("INSERT INTO message_words (message_words) VALUES ('delete-all')")
    op.execute("INSERT INTO message_words (rowid, text) SELECT id, text FROM messages WHERE author <> 'bot'")
    op.execute(
        "CREATE TRIGGER message_words_insert AFTER INSERT ON messages WHEN new.author <> 'bot' "
        "BEGIN INSERT INTO message_words (rowid, text) VALUES (new.id, new.text); END"
    )
    op.execute(
        "CREATE TRIGGER message_words_delete AFTER DELETE ON messages WHEN old.author <> 'bot' "
        "BEGIN INSERT INTO message_words (message_words, rowid, text) VALUES ('delete', old.id, old.text); END"
    )
