"""The calendar of due dates as a feed for a member's own calendar program, behind a token that the member can end.

Calendar programs keep what they read on many machines: the feed holds numbers and kinds, and never what somebody has written.
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import date, timedelta

from icalendar import Calendar, Event
from sqlalchemy import delete, select

from services.audit import AuditLog
from services.desk_sessions import Session
from services.permissions import Permission, allows
from services.ticket_list import TicketList
from services.ticket_words import word
from store.database import Database, utc_now
from store.staff_models import CalendarFeed, StaffMember

PATH = "/desk/calendar/"
BEFORE, AHEAD = timedelta(days=90), timedelta(days=180)
"""Due dates from so long ago (overdue tickets) to so far away."""


class DueCalendar:
    def __init__(self, database: Database, tickets: TicketList, audit: AuditLog, address: str) -> None:
        self._database = database
        self._tickets = tickets
        self._audit = audit
        self._address = address

    def has_feed(self, session: Session) -> bool:
        with self._database.session() as opened:
            return opened.get(CalendarFeed, session.staff_id) is not None

    def start(self, session: Session) -> str:
        """A new address of the member's feed, shown once; an earlier one ends."""
        token = secrets.token_urlsafe(32)
        with self._database.durable_session() as opened:
            opened.merge(CalendarFeed(staff_id=session.staff_id, token_hash=_hash(token), created_at=utc_now()))
        self._audit.record(session.login, "calendar.started", session.login)
        return f"{self._address}{PATH}{token}.ics"

    def stop(self, session: Session) -> None:
        with self._database.durable_session() as opened:
            opened.execute(delete(CalendarFeed).where(CalendarFeed.staff_id == session.staff_id))
        self._audit.record(session.login, "calendar.stopped", session.login)

    def feed(self, token: str) -> bytes | None:
        """The calendar (RFC 5545); None for a token that is not, or no longer, anybody's who may read tickets."""
        with self._database.session() as opened:
            query = select(StaffMember).join(CalendarFeed, CalendarFeed.staff_id == StaffMember.id)
            member = opened.scalar(query.where(CalendarFeed.token_hash == _hash(token)))
        if member is None or member.disabled_at or not allows(member.role, Permission.READ_TICKETS):
            return None
        calendar = Calendar()
        calendar.add("prodid", "-//Kementerian Sekretariat Negara//Sapa Setneg//ID")
        calendar.add("version", "2.0")
        calendar.add("method", "PUBLISH")
        today = self._tickets.legal_clock().today
        for row in self._tickets.due_between(today - BEFORE, today + AHEAD):
            assert row.due_on
            calendar.add_component(self._event(row.number, word(member.locale, "kind", row.kind), row.due_on))
        return bytes(calendar.to_ical())

    def _event(self, number: str, kind: str, due_on: date) -> Event:
        event = Event()
        event.add("uid", f"{number}@sapa-setneg")
        event.add("dtstamp", utc_now())
        event.add("dtstart", due_on)
        event.add("dtend", due_on + timedelta(days=1))
        event.add("summary", f"{number}: {kind}")
        event.add("url", f"{self._address}/desk/tickets/{number}")
        return event


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
