"""The conversation log as rows for other programs: masked as it is stored, without what citizens saw in place of stand-ins."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from sqlalchemy import select

from store.database import Database
from store.models import Conversation, Message

ROWS_AT_ONCE = 1000


def messages(database: Database, since: datetime | None = None) -> Iterator[dict[str, Any]]:
    """One row a message, oldest first: conversation, channel, seq, at (RFC 3339), author, text, and what is known of a turn."""
    query = select(Message, Conversation.channel).join(Conversation, Conversation.id == Message.conversation_id).order_by(Message.id)
    newest = 0
    while True:
        page = query.where(Message.id > newest).limit(ROWS_AT_ONCE)
        if since:
            page = page.where(Message.at >= since)
        with database.session() as session:
            rows = session.execute(page).all()
        if not rows:
            return
        for message, channel in rows:
            turn = message.turn or {}
            yield {
                "conversation": message.conversation_id,
                "channel": channel,
                "seq": message.seq,
                "at": message.at.isoformat(timespec="seconds"),
                "author": message.author,
                "text": message.text,
                **{name: turn.get(name) for name in ("intent", "confidence", "status", "topic", "entry", "milliseconds")},
            }
        newest = rows[-1][0].id
