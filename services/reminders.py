"""Which legal time limits are near or past, and that staff are reminded of each stage once.

Everything follows from the tickets and the calendar, nothing from memory: a server that was down reminds of the stage that a
ticket has reached by now, not of those it has missed. Each reminder is an event under a key of its stage and due date, so that it
happens once whoever looks, and anew after an extension. `OVERDUE` happens once, too: lists show by the due date that a ticket stays
overdue, and a new event each day would bury what has happened in the ticket's history.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

import structlog
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from services.calendar import JAKARTA, WorkingCalendar
from services.ticket_events import Actor, Happening, change_ticket, record
from services.tickets import State
from store.database import Database, utc_now
from store.ticket_models import Ticket, TicketEvent

log = structlog.get_logger(__name__)
LOOK_AHEAD = timedelta(days=30)
"""Longer than three working days ever take: around Idulfitri they took eleven days."""


class Stage(StrEnum):
    THREE_DAYS = "3_hari_kerja"
    ONE_DAY = "1_hari_kerja"
    DUE_TODAY = "hari_ini"
    OVERDUE = "lewat"


@dataclass(frozen=True)
class Reminder:
    number: str
    stage: Stage
    due_on: date


def stage_of(due_on: date, today: date, calendar: WorkingCalendar) -> Stage | None:
    """How near the due date is; None while more than three working days are left."""
    if today > due_on:
        return Stage.OVERDUE
    if today == due_on:
        return Stage.DUE_TODAY
    left = calendar.working_days_between(today, due_on)
    return Stage.ONE_DAY if left <= 1 else Stage.THREE_DAYS if left <= 3 else None


class Reminders:
    def __init__(self, database: Database, calendar: WorkingCalendar) -> None:
        self._database = database
        self._calendar = calendar

    def record_due(self, now: datetime | None = None) -> list[Reminder]:
        """Write the reminders that are due by now and were not written before; returns them."""
        now = now or utc_now()
        today = now.astimezone(JAKARTA).date()
        return [reminder for reminder in self._due(today) if self._record(reminder, now)]

    def _due(self, today: date) -> list[Reminder]:
        query = select(Ticket.id, Ticket.number, Ticket.due_on).where(
            Ticket.state != State.CLOSED, Ticket.due_on.is_not(None), Ticket.due_on <= today + LOOK_AHEAD
        )
        written = select(TicketEvent.ticket_id, TicketEvent.key).join(Ticket, TicketEvent.ticket_id == Ticket.id)
        with self._database.session() as session:
            tickets = session.execute(query.order_by(Ticket.due_on)).all()
            open_keys = written.where(Ticket.state != State.CLOSED, TicketEvent.name == Happening.REMINDED)
            known = {(row.ticket_id, row.key) for row in session.execute(open_keys)}
        due = []
        for ticket in tickets:
            stage = stage_of(ticket.due_on, today, self._calendar)
            if stage and (ticket.id, _key(stage, ticket.due_on)) not in known:
                due.append(Reminder(ticket.number, stage, ticket.due_on))
        return due

    def _record(self, reminder: Reminder, now: datetime) -> bool:
        """False where another process was first, or the ticket was closed meanwhile."""

        def remind(session: Session, ticket: Ticket) -> bool:
            if ticket.state == State.CLOSED or ticket.due_on != reminder.due_on:
                return False
            data = {"stage": reminder.stage, "due_on": reminder.due_on.isoformat()}
            key = _key(reminder.stage, reminder.due_on)
            record(session, ticket, Happening.REMINDED, Actor.SYSTEM, now, data, key=key)
            return True

        try:
            if not change_ticket(self._database, reminder.number, remind):
                return False
        except IntegrityError:
            return False
        log.info("deadline", ticket=reminder.number, stage=reminder.stage, due_on=reminder.due_on.isoformat())
        return True


def _key(stage: Stage, due_on: date) -> str:
    return f"{Happening.REMINDED}:{stage}:{due_on.isoformat()}"
