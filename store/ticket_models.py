"""Tables of what citizens have filed: tickets, what happened to them, files of answers, and what is still to be told of them."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, LargeBinary, String, false, text
from sqlalchemy.orm import Mapped, mapped_column

from store.models import Base, BigId


class Ticket(Base):
    """What a citizen has filed, of one of the kinds in services/tickets.py. State says where it is, resolution how it ended."""

    __tablename__ = "tickets"

    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    number: Mapped[str] = mapped_column(String(24), unique=True)
    kind: Mapped[str] = mapped_column(String(3), index=True)
    access_code_hash: Mapped[str] = mapped_column(String(200))
    conversation_id: Mapped[str | None] = mapped_column(String(64), index=True)
    state: Mapped[str] = mapped_column(String(20), index=True)
    resolution: Mapped[str | None] = mapped_column(String(20))
    subject: Mapped[str] = mapped_column(String(60))
    """A non-personal word for lists: the topic of an aspiration, the kind of applicant of a request."""
    fields: Mapped[bytes] = mapped_column(LargeBinary)
    locale: Mapped[str] = mapped_column(String(2))
    received_at: Mapped[datetime] = mapped_column(index=True)
    due_on: Mapped[date | None] = mapped_column(index=True)
    extended_from: Mapped[date | None]
    """The first due date, where the time limit was extended."""
    submission_hash: Mapped[str] = mapped_column(String(64), unique=True)
    """Keyed fingerprint of the confirmation that made the ticket: a double "ya" makes one ticket."""
    pseudonymise_when_closed: Mapped[bool] = mapped_column(default=False, server_default=false())
    """The citizen's data was to be deleted while a legal time limit was running; it is deleted when the ticket is closed."""
    assignee: Mapped[str | None] = mapped_column(String(40), index=True)
    """Login name of the member of staff who is to answer it."""
    version: Mapped[int] = mapped_column(default=1, server_default="1")
    """Goes up with each change, so that of two changes at once one is made on what the other has left."""

    __table_args__ = (
        Index("ix_tickets_open", "due_on", "id", sqlite_where=text("state <> 'selesai'"), postgresql_where=text("state <> 'selesai'")),
    )
    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012 SQLAlchemy's own type of it has no ClassVar


class TicketEvent(Base):
    """What happened to a ticket, in order; never deleted. `data` is never personal; what somebody wrote is in `text`, encrypted."""

    __tablename__ = "ticket_events"

    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    ticket_id: Mapped[int] = mapped_column(ForeignKey("tickets.id"), index=True)
    at: Mapped[datetime]
    name: Mapped[str] = mapped_column(String(40))
    actor: Mapped[str] = mapped_column(String(80))
    data: Mapped[dict[str, Any]]
    text: Mapped[bytes | None] = mapped_column(LargeBinary)
    key: Mapped[str | None] = mapped_column(String(80))
    """For an event that may happen only once in the life of a ticket, whoever causes it."""

    __table_args__ = (Index("ix_ticket_events_key", "ticket_id", "key", unique=True), Index("ix_ticket_events_name", "name", "at"))


class TicketFile(Base):
    """A file that goes to the citizen with the answer. The content lies encrypted under `stored_as` in the data folder."""

    __tablename__ = "ticket_files"

    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    ticket_id: Mapped[int] = mapped_column(ForeignKey("tickets.id"), index=True)
    name: Mapped[bytes] = mapped_column(LargeBinary)
    """Encrypted: a file's name may name a person."""
    media_type: Mapped[str] = mapped_column(String(80))
    size: Mapped[int]
    """Bytes before encryption."""
    stored_as: Mapped[str] = mapped_column(String(32), unique=True)
    officer: Mapped[str] = mapped_column(String(40))
    at: Mapped[datetime]


class Notice(Base):
    """A ticket event that the citizen is to be told of in their conversation; written in one transaction with the event."""

    __tablename__ = "notices"

    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    event_id: Mapped[int] = mapped_column(ForeignKey("ticket_events.id"), unique=True)
    conversation_id: Mapped[str] = mapped_column(String(64))
    state: Mapped[str] = mapped_column(String(12), index=True)
    message_id: Mapped[int | None] = mapped_column(BigId)
    """The message in the conversation, once it is stored there."""
    changed_at: Mapped[datetime]
