"""The PPID's report of a month: requests for information received in it, what became of them, and objections."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import select

from services.calendar import JAKARTA, WorkingCalendar
from services.overview import working_days
from services.ticket_events import Happening
from services.tickets import Kind, Resolution
from store.database import Database
from store.ticket_models import Ticket, TicketEvent


@dataclass(frozen=True)
class Month:
    year: int
    month: int

    @classmethod
    def parse(cls, text: str) -> Month | None:
        """A month such as "2026-11"; None for what is none."""
        match = re.fullmatch(r"(20\d\d)-(0[1-9]|1[0-2])", text, re.ASCII)
        return cls(int(match[1]), int(match[2])) if match else None

    @property
    def first(self) -> date:
        return date(self.year, self.month, 1)

    @property
    def after(self) -> Month:
        return Month(self.year + self.month // 12, self.month % 12 + 1)

    @property
    def earlier(self) -> Month:
        day = self.first - timedelta(days=1)
        return Month(day.year, day.month)

    @property
    def last(self) -> date:
        return self.after.first - timedelta(days=1)

    def __str__(self) -> str:
        return f"{self.year}-{self.month:02}"


@dataclass(frozen=True)
class RequestLine:
    """One request or objection; nothing personal."""

    number: str
    received_on: date
    due_on: date | None
    answered_on: date | None
    working_days: int | None
    extended: bool
    resolution: Resolution | None
    grounds: list[str]
    """Letters of UU 14/2008 art. 17, where it was refused."""

    @property
    def is_late(self) -> bool:
        return self.answered_on is not None and self.due_on is not None and self.answered_on > self.due_on


@dataclass(frozen=True)
class PpidReport:
    month: Month
    requests: list[RequestLine]
    objections: list[RequestLine]

    def count(self, *resolutions: Resolution | None) -> int:
        """Requests with one of these ends; None stands for those still open."""
        return sum(line.resolution in resolutions for line in self.requests)

    def count_ground(self, letter: str) -> int:
        return sum(letter in line.grounds for line in self.requests)

    @property
    def extended(self) -> int:
        return sum(line.extended for line in self.requests)

    @property
    def late(self) -> int:
        return sum(line.is_late for line in self.requests)

    @property
    def mean_working_days(self) -> float | None:
        needed = [line.working_days for line in self.requests if line.working_days is not None]
        return sum(needed) / len(needed) if needed else None


class PpidReports:
    def __init__(self, database: Database, calendar: WorkingCalendar) -> None:
        self._database = database
        self._calendar = calendar

    def of(self, month: Month) -> PpidReport:
        """What was received in this month, with its state of now."""
        return PpidReport(month, self._lines(month, Kind.INFORMATION_REQUEST), self._lines(month, Kind.OBJECTION))

    def _lines(self, month: Month, kind: Kind) -> list[RequestLine]:
        start, end = (datetime(day.year, day.month, 1, tzinfo=JAKARTA) for day in (month.first, month.after.first))
        tickets = select(Ticket).where(Ticket.kind == kind, Ticket.received_at >= start, Ticket.received_at < end)
        with self._database.session() as session:
            found = list(session.scalars(tickets.order_by(Ticket.received_at, Ticket.id)))
            answers = select(TicketEvent).join(Ticket).where(Ticket.kind == kind, TicketEvent.name == Happening.ANSWERED)
            answers = answers.where(Ticket.received_at >= start, Ticket.received_at < end)
            answered = {event.ticket_id: event for event in session.scalars(answers)}
        return [self._line(ticket, answered.get(ticket.id)) for ticket in found]

    def _line(self, ticket: Ticket, answer: TicketEvent | None) -> RequestLine:
        answered_on = answer.at.astimezone(JAKARTA).date() if answer else None
        return RequestLine(
            number=ticket.number,
            received_on=ticket.received_at.astimezone(JAKARTA).date(),
            due_on=ticket.due_on,
            answered_on=answered_on,
            working_days=working_days(self._calendar, ticket.received_at, answered_on) if answered_on else None,
            extended=ticket.extended_from is not None,
            resolution=Resolution(ticket.resolution) if ticket.resolution else None,
            grounds=list(answer.data.get("grounds", [])) if answer else [],
        )
