"""What can happen to a ticket. Every change is an event with its actor; texts in it are encrypted, all else is not personal."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy.orm import Session

from store.notices import NoticeState
from store.ticket_models import Notice, Ticket, TicketEvent

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

    A second event with the same `key` fails with IntegrityError when the session is flushed.
    """
    event = TicketEvent(ticket_id=ticket.id, at=now, name=name, actor=actor, data=data or {}, text=text, key=key)
    session.add(event)
    session.flush()
    if name in TOLD and ticket.conversation_id:
        session.add(Notice(event_id=event.id, conversation_id=ticket.conversation_id, state=NoticeState.PENDING, changed_at=now))
