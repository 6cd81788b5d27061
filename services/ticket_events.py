"""What can happen to a ticket. Every change is an event with its actor; texts in it are encrypted, all else is not personal."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, TypeVar

from sqlalchemy import select
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import flag_modified
from sqlalchemy.orm.exc import StaleDataError

from store.database import Database
from store.notices import NoticeState
from store.ticket_models import Notice, Ticket, TicketEvent

T = TypeVar("T")
TRIES = 5
MAX_NOTE, MAX_ANSWER, MAX_REASON = 2000, 3500, 1000
"""Characters of the texts in events. An answer with its heading has to fit into one message of Telegram (4,096)."""


class Actor(StrEnum):
    CITIZEN = "warga"
    OFFICER = "petugas"
    SYSTEM = "sistem"


class Happening(StrEnum):
    RECEIVED = "diterima"
    REVIEWED = "ditelaah"
    FORWARDED = "diteruskan"
    EXTENDED = "diperpanjang"
    ANSWERED = "dijawab"
    NOTED = "catatan"
    JOINED = "digabung"
    WITHDRAWN = "dicabut"
    RATED = "dinilai"
    REMINDED = "pengingat"
    ASSIGNED = "ditugaskan"
    REMARKED = "catatan_internal"
    ATTACHED = "berkas_ditambahkan"
    DETACHED = "berkas_dihapus"
    MERGED = "digabung_ke"
    """Closed, since it says the same as another open ticket of the same citizen."""
    RECOUNTED = "dihitung_ulang"
    """The due date has moved, since days off were changed."""
    DATA_MARKED = "data_ditandai"
    DATA_REMOVED = "data_dihapus"


INTERNAL = frozenset(
    {Happening.REMINDED, Happening.ASSIGNED, Happening.REMARKED, Happening.ATTACHED, Happening.DETACHED, Happening.RECOUNTED}
)
"""For staff; a citizen's history leaves them out."""
TOLD = frozenset({Happening.REVIEWED, Happening.FORWARDED, Happening.EXTENDED, Happening.ANSWERED, Happening.MERGED})
"""The citizen is told of these in the conversation that filed the ticket, if the link to it still stands."""


@dataclass(frozen=True)
class HistoryEntry:
    at: datetime
    name: Happening
    actor: Actor
    data: dict[str, Any]
    text: str | None
    """What was written: a note, an answer, a reason."""


def record(
    session: Session,
    ticket: Ticket,
    name: Happening,
    actor: Actor,
    now: datetime,
    data: dict[str, Any] | None = None,
    text: bytes | None = None,
    key: str | None = None,
) -> None:
    """Add an event, and the notice that it asks for, to the session's transaction.

    The version of a ticket that was there before moves, also where nothing else in its row does: each change is made on the one
    before. A second event with the same `key` fails with IntegrityError when the session is flushed.
    """
    if name is not Happening.RECEIVED:
        flag_modified(ticket, "state")
    event = TicketEvent(ticket_id=ticket.id, at=now, name=name, actor=actor, data=data or {}, text=text, key=key)
    session.add(event)
    session.flush()
    if name in TOLD and ticket.conversation_id:
        session.add(Notice(event_id=event.id, conversation_id=ticket.conversation_id, state=NoticeState.PENDING, changed_at=now))


def change_ticket(database: Database, number: str, change: Callable[[Session, Ticket], T]) -> T:
    """Run `change` in a durable transaction; again where somebody else's change came between reading and writing.

    Raises KeyError for an unknown number.
    """
    for _ in range(TRIES):
        try:
            with database.durable_session() as session:
                return change(session, find_ticket(session, number))
        except StaleDataError:
            continue
    raise RuntimeError(f"ticket {number} is changed by others all the time")


def find_ticket(session: Session, number: str) -> Ticket:
    """Raises KeyError."""
    ticket = session.scalar(select(Ticket).where(Ticket.number == number))
    if ticket is None:
        raise KeyError(number)
    return ticket
