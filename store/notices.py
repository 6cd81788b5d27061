"""The outbox of notices: each is stored in its conversation once, then handed to the channel until that is done."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import select, update

from store.database import Database, utc_now
from store.encryption import Encryption
from store.ticket_models import Notice, Ticket, TicketEvent


class NoticeState(StrEnum):
    PENDING = "pending"
    """Written with its event, not yet in the conversation."""
    STORED = "stored"
    """In the conversation; the channel still has to send it."""
    SENT = "sent"
    REFUSED = "refused"
    """The channel can't reach the citizen (a blocked bot, a deleted conversation). A stored message stays readable."""


OPEN_STATES = (NoticeState.PENDING, NoticeState.STORED)


@dataclass(frozen=True)
class OpenNotice:
    """A notice that is not delivered, with what its sentence needs."""

    id: int
    conversation_id: str
    state: NoticeState
    event: str
    data: dict[str, Any]
    text: str | None
    number: str
    locale: str
    due_on: date | None


class Notices:
    def __init__(self, database: Database, encryption: Encryption) -> None:
        self._database = database
        self._encryption = encryption

    def open(self, limit: int = 20) -> list[OpenNotice]:
        """Notices that are not delivered yet: first those not stored, then those that have waited longest for a try."""
        query = (
            select(Notice, TicketEvent, Ticket)
            .join(TicketEvent, Notice.event_id == TicketEvent.id)
            .join(Ticket, TicketEvent.ticket_id == Ticket.id)
            .where(Notice.state.in_(OPEN_STATES))
            .order_by(Notice.message_id.is_not(None), Notice.changed_at, Notice.id)
            .limit(limit)
        )
        with self._database.session() as session:
            return [
                OpenNotice(
                    notice.id,
                    notice.conversation_id,
                    NoticeState(notice.state),
                    event.name,
                    event.data,
                    self._encryption.unseal(event.text) if event.text else None,
                    ticket.number,
                    ticket.locale,
                    ticket.due_on,
                )
                for notice, event, ticket in session.execute(query)
            ]

    def mark(self, notice_id: int, state: NoticeState, now: datetime | None = None) -> None:
        """Set the state; the same state again puts the notice behind the others, for a later try."""
        with self._database.durable_session() as session:
            session.execute(update(Notice).where(Notice.id == notice_id).values(state=state, changed_at=now or utc_now()))
