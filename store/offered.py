"""The buttons that were issued under a message."""

from __future__ import annotations

from itertools import takewhile

from sqlalchemy import select
from sqlalchemy.orm import Session

from store.database import Database
from store.models import Button, Message

AMONG = 10
"""So many messages back choices are looked for: who is asked for them again reads no further either."""


def offered_under(session: Session, message: Message | None) -> list[Button]:
    """The buttons under a message, in their order."""
    ids = [button["id"] for button in message.buttons] if message else []
    found = {b.id: b for b in session.scalars(select(Button).where(Button.id.in_(ids)))} if ids else {}
    return [found[one] for one in ids if one in found]


def _recent(session: Session, conversation_id: str) -> list[Message]:
    """The newest first."""
    recent = select(Message).where(Message.conversation_id == conversation_id).order_by(Message.seq.desc()).limit(AMONG)
    return list(session.scalars(recent))


def newest_offered(session: Session, conversation_id: str, written_since: int) -> list[Button]:
    """The buttons under the newest message that has any; none where the citizen has written more than so many messages since."""
    before = list(takewhile(lambda message: not message.buttons, messages := _recent(session, conversation_id)))
    if len(before) == len(messages) or sum(message.author == "user" for message in before) > written_since:
        return []
    return offered_under(session, messages[len(before)])


def offered_to(database: Database, conversation_id: str, payload: str) -> Message | None:
    """The citizen's message before the newest, where a button under the answer to it has this payload."""
    with database.session() as session:
        messages = _recent(session, conversation_id)
        spoken = [place for place, message in enumerate(messages) if message.author == "user"]
        if len(spoken) < 2:
            return None
        answer = messages[spoken[0] + 1 : spoken[1]]
        offered = any(button.payload == payload for message in answer for button in offered_under(session, message))
    return messages[spoken[1]] if offered else None
