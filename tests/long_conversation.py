"""A conversation of more messages than any page shows."""

from __future__ import annotations

from sqlalchemy import insert

from services.assembly import Services
from store.database import utc_now
from store.models import Message

MANY = 520


def say_much(services: Services, conversation_id: str) -> str:
    """Add so many messages of the citizen; returns the text of the newest."""
    first = services.conversations.newest_seq(conversation_id) + 1
    common = {"conversation_id": conversation_id, "author": "user", "buttons": [], "sources": [], "at": utc_now()}
    with services.database.session() as session:
        session.execute(insert(Message), [{**common, "seq": first + n, "text": f"pesan ke-{n + 1}"} for n in range(MANY)])
    return f"pesan ke-{MANY}"
