"""The buttons that were issued under a message."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from store.models import Button, Message

AMONG = 10
"""So many messages back choices are looked for: who is asked for them again reads no further either."""


def offered_under(session: Session, message: Message | None) -> list[Button]:
    """The buttons under a message, in their order."""
    ids = [button["id"] for button in message.buttons] if message else []
    found = {b.id: b for b in session.scalars(select(Button).where(Button.id.in_(ids)))} if ids else {}
    return [found[one] for one in ids if one in found]


def newest_offered(session: Session, conversation_id: str) -> list[Button]:
    """The buttons under the newest message that has any."""
    recent = select(Message).where(Message.conversation_id == conversation_id).order_by(Message.seq.desc()).limit(AMONG)
    return offered_under(session, next((message for message in session.scalars(recent) if message.buttons), None))
