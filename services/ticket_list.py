"""Tickets as staff see them in lists: filtered, in the order of their legal clocks, a page at a time."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime

from sqlalchemy import ColumnElement, Select, and_, case, func, literal, select, tuple_
from sqlalchemy.types import Date

from services.calendar import JAKARTA, WorkingCalendar
from services.legal_clock import LegalClock, Light
from services.tickets import Kind, Resolution, State
from store.database import Database, utc_now
from store.models import Ticket

OPEN, ALL, NOBODY = "open", "all", "-"
"""Words of filters: all open states, all states, tickets that nobody has."""
NO_DAY = date(9999, 12, 31)
CURSOR = re.compile(r"([012])_(\d{4}-\d{2}-\d{2})_(-?\d{1,18})")
LONGEST_NUMBER = 24


@dataclass(frozen=True)
class TicketFilter:
    """What is empty filters nothing, but `state`: only open tickets are asked for most of the time."""

    kind: str = ""
    state: str = OPEN
    resolution: str = ""
    assignee: str = ""
    due: str = ""
    text: str = ""
    """A part of the number."""
    since: date | None = None
    until: date | None = None
    """Days of receipt in Jakarta, both included."""


@dataclass(frozen=True)
class TicketRow:
    number: str
    kind: Kind
    state: State
    resolution: Resolution | None
    subject: str
    received_at: datetime
    due_on: date | None
    extended: bool
    assignee: str | None
    light: Light | None
    """None for a closed ticket, and where the law sets no limit or the calendar is not known."""
    days_left: int | None
    """Working days; negative when overdue."""

    @property
    def is_open(self) -> bool:
        return self.state is not State.CLOSED


@dataclass(frozen=True)
class TicketPage:
    rows: list[TicketRow]
    next: str | None
    """What continues the list; None at its end."""


_CLOSED: ColumnElement[bool] = Ticket.state == State.CLOSED.value
_RANK = case((_CLOSED, 2), (Ticket.due_on.is_(None), 1), else_=0)
_DUE = case((_CLOSED, literal(NO_DAY, Date)), else_=func.coalesce(Ticket.due_on, literal(NO_DAY, Date)))
_LAST = case((_CLOSED, -Ticket.id), else_=Ticket.id)
"""Open tickets with a due date, the nearest first; other open ones, the oldest first; closed ones, the newest first."""


class TicketList:
    def __init__(self, database: Database, calendar: WorkingCalendar, clock: Callable[[], datetime] = utc_now) -> None:
        self._database = database
        self._calendar = calendar
        self._clock = clock

    def legal_clock(self) -> LegalClock:
        return LegalClock.on(self._clock().astimezone(JAKARTA).date(), self._calendar)

    def page(self, wanted: TicketFilter, cursor: str = "", size: int = 50) -> TicketPage:
        """A page of the list; an unknown `cursor` begins it anew."""
        clock = self.legal_clock()
        query = self._filtered(select(Ticket, _RANK, _DUE, _LAST), wanted, clock)
        after = CURSOR.fullmatch(cursor)
        if after:
            key = (literal(int(after[1])), literal(_day(after[2]), Date), literal(int(after[3])))
            query = query.where(tuple_(_RANK, _DUE, _LAST) > tuple_(*key))
        with self._database.session() as session:
            found = session.execute(query.order_by(_RANK, _DUE, _LAST).limit(size + 1)).all()
        rows = [_row(one[0], clock) for one in found[:size]]
        if len(found) <= size:
            return TicketPage(rows, None)
        _, rank, due, last = found[size - 1]
        return TicketPage(rows, f"{rank}_{due}_{last}")

    def board(self, wanted: TicketFilter, size: int = 25) -> dict[State, TicketPage]:
        """The first tickets of each state."""
        return {state: self.page(replace(wanted, state=state.value), size=size) for state in State}

    def lights(self) -> dict[Light, int]:
        """How many open tickets have each light."""
        clock = self.legal_clock()
        with self._database.session() as session:
            due = select(Ticket.due_on, func.count()).where(~_CLOSED, Ticket.due_on.is_not(None)).group_by(Ticket.due_on)
            counts = dict.fromkeys(Light, 0)
            for day, count in session.execute(due):
                counts[clock.light(day)] += count
        return counts

    def row(self, number: str) -> TicketRow:
        """Raises KeyError for an unknown number."""
        with self._database.session() as session:
            ticket = session.scalar(select(Ticket).where(Ticket.number == number))
        if ticket is None:
            raise KeyError(number)
        return _row(ticket, self.legal_clock())

    def due_between(self, first: date, last: date) -> list[TicketRow]:
        """Open tickets that fall due on these days, both included."""
        with self._database.session() as session:
            query = select(Ticket).where(~_CLOSED, Ticket.due_on >= first, Ticket.due_on <= last).order_by(Ticket.due_on, Ticket.id)
            found = list(session.scalars(query))
        clock = self.legal_clock()
        return [_row(ticket, clock) for ticket in found]

    def same_citizen(self, number: str) -> list[TicketRow]:
        """Other open tickets of the same kind that the same conversation has filed: what a ticket can be merged into."""
        with self._database.session() as session:
            ticket = session.scalar(select(Ticket).where(Ticket.number == number))
            if ticket is None or ticket.conversation_id is None:
                return []
            same = and_(Ticket.conversation_id == ticket.conversation_id, Ticket.kind == ticket.kind, Ticket.id != ticket.id)
            others = list(session.scalars(select(Ticket).where(same, ~_CLOSED).order_by(Ticket.id)))
        clock = self.legal_clock()
        return [_row(other, clock) for other in others]

    @staticmethod
    def _filtered(
        query: Select[tuple[Ticket, int, date, int]], wanted: TicketFilter, clock: LegalClock
    ) -> Select[tuple[Ticket, int, date, int]]:
        for column, value in ((Ticket.kind, wanted.kind), (Ticket.resolution, wanted.resolution)):
            if value:
                query = query.where(column == value)
        if wanted.state == OPEN:
            query = query.where(~_CLOSED)
        elif wanted.state and wanted.state != ALL:
            query = query.where(Ticket.state == wanted.state)
        if wanted.assignee == NOBODY:
            query = query.where(Ticket.assignee.is_(None))
        elif wanted.assignee:
            query = query.where(Ticket.assignee == wanted.assignee)
        if wanted.due in list(Light):
            after, until = clock.span(Light(wanted.due))
            query = query.where(~_CLOSED, Ticket.due_on > after, Ticket.due_on <= until)
        part = re.sub(r"[^0-9A-Z-]", "", wanted.text.upper())[:LONGEST_NUMBER]
        if wanted.text.strip():
            query = query.where(Ticket.number.contains(part) if part else literal(False))
        if wanted.since:
            query = query.where(Ticket.received_at >= _midnight(wanted.since))
        if wanted.until:
            query = query.where(Ticket.received_at < _midnight(date.fromordinal(wanted.until.toordinal() + 1)))
        return query


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=JAKARTA)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return date.min


def _row(ticket: Ticket, clock: LegalClock) -> TicketRow:
    due_on = ticket.due_on
    runs = ticket.state != State.CLOSED and due_on is not None
    return TicketRow(
        number=ticket.number,
        kind=Kind(ticket.kind),
        state=State(ticket.state),
        resolution=Resolution(ticket.resolution) if ticket.resolution else None,
        subject=ticket.subject,
        received_at=ticket.received_at,
        due_on=due_on,
        extended=ticket.extended_from is not None,
        assignee=ticket.assignee,
        light=clock.light(due_on) if runs and due_on else None,
        days_left=clock.working_days_left(due_on) if runs and due_on else None,
    )
