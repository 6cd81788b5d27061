"""Tickets as staff see them in lists: filtered, in the order of their legal clocks, a page at a time."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, literal, literal_column, select, tuple_
from sqlalchemy.types import Date

from services.calendar import JAKARTA, WorkingCalendar
from services.legal_clock import LegalClock, Light
from services.tickets import Kind, Resolution, State
from store.database import Database, utc_now
from store.ticket_models import Ticket

OPEN, ALL, NOBODY = "open", "all", "-"
"""Words of filters: all open states, all states, tickets that nobody has."""
NO_DAY = date(9999, 12, 31)
CURSOR = re.compile(r"([012])_(\d{4}-\d{2}-\d{2})_(-?\d{1,18})")
LONGEST_NUMBER = 24
CLOSED_GROUP = 2


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


_CLOSED: ColumnElement[bool] = Ticket.state == literal_column(f"'{State.CLOSED.value}'")  # a constant, as in the index
_GROUPS: tuple[tuple[ColumnElement[bool], tuple[Any, ...]], ...] = (
    (and_(~_CLOSED, Ticket.due_on.is_not(None)), (Ticket.due_on, Ticket.id)),
    (and_(~_CLOSED, Ticket.due_on.is_(None)), (Ticket.id,)),
    (_CLOSED, (Ticket.id.desc(),)),
)
"""Open tickets with a due date, the nearest first; other open ones, the oldest first; closed ones, the newest first. Each group is
read in the order of an index, so a page costs the same however many tickets there are."""


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
        after = CURSOR.fullmatch(cursor)
        first = int(after[1]) if after else 0
        found: list[tuple[int, Ticket]] = []
        with self._database.session() as session:
            for group in range(first, len(_GROUPS)):
                belongs, order = _GROUPS[group]
                query = self._filtered(select(Ticket).where(belongs), wanted, clock)
                if after and group == first:
                    query = query.where(_behind(group, _day(after[2]), int(after[3])))
                query = query.order_by(*order)
                found += [(group, ticket) for ticket in session.scalars(query.limit(size + 1 - len(found)))]
                if len(found) > size:
                    break
        rows = [_row(ticket, clock) for _, ticket in found[:size]]
        if len(found) <= size:
            return TicketPage(rows, None)
        group, last = found[size - 1]
        place = -last.id if group == CLOSED_GROUP else last.id
        return TicketPage(rows, f"{group}_{last.due_on if group == 0 else NO_DAY}_{place}")

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
    def _filtered(query: Select[tuple[Ticket]], wanted: TicketFilter, clock: LegalClock) -> Select[tuple[Ticket]]:
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


def _behind(group: int, due: date, place: int) -> ColumnElement[bool]:
    """What comes after the last ticket of a page within its group."""
    if group == CLOSED_GROUP:
        return Ticket.id < -place
    if group == 0:
        return tuple_(Ticket.due_on, Ticket.id) > tuple_(literal(due, Date), literal(place))
    return Ticket.id > place


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
