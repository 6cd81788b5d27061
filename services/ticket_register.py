"""The tickets as staff see them: a register in the order in which they fall due, and each with its legal clock."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import and_, or_, select

from services.calendar import JAKARTA, UnknownYear, WorkingCalendar
from services.registry import JOURNEY_OF
from services.tickets import Kind, Resolution, State
from store.database import Database, utc_now
from store.encryption import Encryption
from store.models import Ticket

NEVER = date.max
NOBODY = "-"
AMBER_DAYS, RED_DAYS = 3, 1


class Level(StrEnum):
    """How near the end of the legal time limit is."""

    GREEN = "green"
    AMBER = "amber"
    RED = "red"
    OVERDUE = "overdue"
    NONE = "none"
    """The law sets no limit, or the ticket is closed."""


@dataclass(frozen=True)
class RegisterFilter:
    """Each one that is set narrows the list."""

    kind: Kind | None = None
    state: State | None = None
    closed: bool = False
    """Closed tickets too; without it and without `state` only open ones."""
    assigned_to: str = ""
    """A login, or `NOBODY`."""
    number: str = ""
    """A part of the number."""


@dataclass(frozen=True)
class Entry:
    number: str
    kind: Kind
    state: State
    resolution: Resolution | None
    subject: str
    received_at: datetime
    due_on: date | None
    extended: bool
    assigned_to: str | None
    level: Level
    days_left: int | None
    """Working days after today up to and including the due date; negative when it is past. None without a clock."""


@dataclass(frozen=True)
class FieldValue:
    name: str
    value: str
    personal: bool


class TicketRegister:
    def __init__(
        self, database: Database, encryption: Encryption, calendar: WorkingCalendar, clock: Callable[[], datetime] = utc_now
    ) -> None:
        self._database = database
        self._encryption = encryption
        self._calendar = calendar
        self._clock = clock

    def entries(self, wanted: RegisterFilter, *, after: tuple[date, int] | None = None, limit: int = 50) -> list[tuple[int, Entry]]:
        """Row ids and entries, the soonest due first, those without a limit last; `after` (due date or `NEVER`, id) goes on."""
        query = select(Ticket)
        if wanted.kind:
            query = query.where(Ticket.kind == wanted.kind)
        if wanted.state:
            query = query.where(Ticket.state == wanted.state)
        elif not wanted.closed:
            query = query.where(Ticket.state != State.CLOSED)
        if wanted.assigned_to:
            query = query.where(
                Ticket.assigned_to.is_(None) if wanted.assigned_to == NOBODY else Ticket.assigned_to == wanted.assigned_to
            )
        if wanted.number:
            query = query.where(Ticket.number.contains(wanted.number.upper(), autoescape=True))
        if after:
            due_on, row_id = after
            if due_on == NEVER:
                query = query.where(Ticket.due_on.is_(None), Ticket.id > row_id)
            else:
                same_day = and_(Ticket.due_on == due_on, Ticket.id > row_id)
                query = query.where(or_(Ticket.due_on > due_on, same_day, Ticket.due_on.is_(None)))
        query = query.order_by(Ticket.due_on.is_(None), Ticket.due_on, Ticket.id).limit(limit)
        with self._database.session() as session:
            return [(ticket.id, self._entry(ticket)) for ticket in session.scalars(query)]

    def entry(self, number: str) -> Entry:
        """Raises KeyError for an unknown number."""
        return self._entry(self._found(number))

    def fields(self, number: str) -> list[FieldValue]:
        """What the citizen gave, in the order of the form. Raises KeyError for an unknown number."""
        ticket = self._found(number)
        values: dict[str, Any] = self._encryption.unseal(ticket.fields)
        journey = JOURNEY_OF[Kind(ticket.kind)]
        shown = [field for field in journey.fields if field.in_summary and values.get(field.name) not in (None, "", [])]
        return [FieldValue(field.name, _as_text(values[field.name]), field.personal) for field in shown]

    def _found(self, number: str) -> Ticket:
        with self._database.session() as session:
            ticket = session.scalar(select(Ticket).where(Ticket.number == number))
        if ticket is None:
            raise KeyError(number)
        return ticket

    def _entry(self, ticket: Ticket) -> Entry:
        days_left = self._days_left(ticket)
        return Entry(
            number=ticket.number,
            kind=Kind(ticket.kind),
            state=State(ticket.state),
            resolution=Resolution(ticket.resolution) if ticket.resolution else None,
            subject=ticket.subject,
            received_at=ticket.received_at,
            due_on=ticket.due_on,
            extended=ticket.extended_from is not None,
            assigned_to=ticket.assigned_to,
            level=level_of(days_left),
            days_left=days_left,
        )

    def _days_left(self, ticket: Ticket) -> int | None:
        if ticket.due_on is None or ticket.state == State.CLOSED:
            return None
        today = self._clock().astimezone(JAKARTA).date()
        try:
            left = self._calendar.working_days_between(today, ticket.due_on)
        except UnknownYear:
            return (ticket.due_on - today).days  # nobody knows the days off yet; calendar days are no fewer
        return left if today <= ticket.due_on else min(left, -1)


def _as_text(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def level_of(days_left: int | None) -> Level:
    if days_left is None:
        return Level.NONE
    if days_left < 0:
        return Level.OVERDUE
    if days_left <= RED_DAYS:
        return Level.RED
    return Level.AMBER if days_left <= AMBER_DAYS else Level.GREEN
