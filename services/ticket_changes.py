"""What citizens and staff can do with a ticket once it is filed, and when they can't.

Each change and its event are one durable transaction. Of two changes at once, one is made on what the other has left.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime
from enum import StrEnum
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, delete, func, select
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import flag_modified

from services.calendar import JAKARTA, UnknownYear, WorkingCalendar
from services.privacy import mask
from services.refused import Refused
from services.registry import JOURNEY_OF
from services.ticket_duplicates import main_text
from services.ticket_events import (
    INTERNAL,
    MAX_ANSWER,
    MAX_NOTE,
    MAX_REASON,
    Actor,
    Happening,
    HistoryEntry,
    change_ticket,
    find_ticket,
    record,
)
from services.tickets import UNANSWERED, WORKING_DAYS, Kind, Resolution, State
from store.database import Database, utc_now
from store.encryption import Encryption
from store.ticket_models import Notice, Ticket, TicketEvent
from store.turn_queue import hold

EXTENSION_DAYS = 7
"""Working days: UU 14/2008 art. 22(8)."""
REFUSING = frozenset({Resolution.REFUSED, Resolution.PARTLY_GRANTED})
SCORES = range(1, 5)
CLOCKED = frozenset({Kind.INFORMATION_REQUEST, Kind.OBJECTION})
"""Kinds whose answer the law demands: name and contact are needed until it is given."""
MOVES = {
    State.REVIEWED: {State.RECEIVED, State.FORWARDED},
    State.FORWARDED: {State.RECEIVED, State.REVIEWED},
}
"""To which state staff may move a ticket, and from where. `State.CLOSED` comes with an answer or a withdrawal only."""
CLOSING = (Happening.ANSWERED, Happening.WITHDRAWN, Happening.MERGED)
T = TypeVar("T")


class Refusal(StrEnum):
    CLOSED = "closed"
    NOT_ANSWERED = "not_answered"
    """It can't be rated: it is open, or was withdrawn."""
    SAME_STATE = "same_state"
    WRONG_KIND = "wrong_kind"
    NO_DUE_DATE = "no_due_date"
    EXTENDED_BEFORE = "extended_before"
    OVERDUE = "overdue"
    TEXT_LENGTH = "text_length"
    """Empty, or longer than its limit."""
    RESOLUTION = "resolution"
    """A resolution that is not staff's to give."""
    SCORE = "score"
    GROUNDS = "grounds"
    """A refusal without a ground of UU 14/2008 art. 17, or grounds without a refusal."""
    ASSIGNEE = "assignee"
    """Nobody of that name may handle it."""
    REASON = "reason"
    """A reason for seeing personal data that says too little, or too much."""
    NOT_THE_SAME = "not_the_same"
    """Tickets of two citizens, of two kinds, or one and the same ticket, can't be merged."""


class ChangeRefused(Refused[Refusal]):
    """The ticket is not in a state, or the change not of a kind, that the rules allow."""


class TicketChanges:
    """All methods raise KeyError for an unknown number and `ChangeRefused` where the rules say no.

    `officer` is the login name of who acts; the citizen never sees it. `submission_key` is that of a citizen's form: what is asked
    for again with the same one, as when a turn whose answer was lost is repeated, was done before and is not done twice.
    """

    def __init__(self, database: Database, encryption: Encryption, calendar: WorkingCalendar) -> None:
        self._database = database
        self._encryption = encryption
        self._calendar = calendar

    def history(self, number: str, *, internal: bool = False) -> list[HistoryEntry]:
        """What happened, oldest first; `internal` adds what only staff see."""
        with self._database.session() as session:
            ticket = find_ticket(session, number)
            query = select(TicketEvent).where(TicketEvent.ticket_id == ticket.id).order_by(TicketEvent.id)
            events = [event for event in session.scalars(query) if internal or event.name not in INTERNAL]
        return [
            HistoryEntry(
                event.at,
                Happening(event.name),
                Actor(event.actor),
                event.data,
                self._encryption.unseal(event.text) if event.text else None,
            )
            for event in events
        ]

    def note(self, number: str, text: str, now: datetime | None = None, *, submission_key: str | None = None) -> None:
        """The citizen adds something to an open ticket."""
        self._add_text(number, Happening.NOTED, text, now, submission_key)

    def join(self, number: str, text: str, now: datetime | None = None, *, submission_key: str | None = None) -> None:
        """Add what would have been a second ticket to this open one. The caller has seen that it is the citizen's own."""
        self._add_text(number, Happening.JOINED, text, now, submission_key)

    def withdraw(self, number: str, now: datetime | None = None, *, submission_key: str | None = None) -> None:
        """The citizen takes an open ticket back: closed, with the resolution `dicabut`."""
        now = now or utc_now()

        def change(session: Session, ticket: Ticket, key: str | None) -> None:
            self._close(session, ticket, Resolution.WITHDRAWN, Happening.WITHDRAWN, Actor.CITIZEN, now, key=key)

        self._change_once(number, submission_key, change)

    def rate(
        self, number: str, score: int, reason: str | None = None, now: datetime | None = None, *, submission_key: str | None = None
    ) -> None:
        """The citizen rates the answer, 1 (worst) to 4; the last rating counts."""
        if score not in SCORES:
            raise ChangeRefused(Refusal.SCORE)
        sealed = self._sealed(reason, MAX_REASON) if reason else None

        def change(session: Session, ticket: Ticket, key: str | None) -> None:
            if ticket.state != State.CLOSED or ticket.resolution in UNANSWERED:
                raise ChangeRefused(Refusal.NOT_ANSWERED)
            record(session, ticket, Happening.RATED, Actor.CITIZEN, now or utc_now(), {"score": score}, sealed, key)

        self._change_once(number, submission_key, change)

    def move(self, number: str, state: State, officer: str, now: datetime | None = None) -> None:
        """Staff take the ticket up (`ditelaah`) or pass it to the unit concerned (`diteruskan`)."""

        def change(session: Session, ticket: Ticket) -> None:
            _must_be_open(ticket)
            if State(ticket.state) not in MOVES.get(state, set()):
                raise ChangeRefused(Refusal.SAME_STATE)
            ticket.state = state
            record(session, ticket, Happening(state), Actor.OFFICER, now or utc_now(), {"officer": officer})

        self._change(number, change)

    def answer(
        self, number: str, text: str, resolution: Resolution, officer: str, now: datetime | None = None, grounds: Sequence[str] = ()
    ) -> None:
        """Staff answer the ticket, which closes it. `grounds` are letters of UU 14/2008 art. 17."""
        if resolution in UNANSWERED:
            raise ChangeRefused(Refusal.RESOLUTION)
        sealed = self._sealed(text, MAX_ANSWER)
        now = now or utc_now()

        def change(session: Session, ticket: Ticket) -> None:
            data = {"resolution": resolution, "officer": officer} | ({"grounds": list(grounds)} if grounds else {})
            self._close(session, ticket, resolution, Happening.ANSWERED, Actor.OFFICER, now, data, sealed)

        self._change(number, change)

    def extend(self, number: str, reason: str, officer: str, now: datetime | None = None) -> date:
        """Staff extend the time limit of an information request, once, with a written reason (UU 14/2008 art. 22(8)).

        Returns the new due date. Raises `UnknownYear` where the count runs into a year without a decree on days off.
        """
        sealed = self._sealed(reason, MAX_REASON)
        now = now or utc_now()

        def change(session: Session, ticket: Ticket) -> date:
            _must_be_open(ticket)
            if ticket.kind != Kind.INFORMATION_REQUEST:
                raise ChangeRefused(Refusal.WRONG_KIND)
            if ticket.due_on is None:
                raise ChangeRefused(Refusal.NO_DUE_DATE)
            if ticket.extended_from:
                raise ChangeRefused(Refusal.EXTENDED_BEFORE)
            if now.astimezone(JAKARTA).date() > ticket.due_on:
                raise ChangeRefused(Refusal.OVERDUE)
            ticket.extended_from = ticket.due_on
            ticket.due_on = self._calendar.due_date(ticket.extended_from, EXTENSION_DAYS)
            data = {"from": ticket.extended_from.isoformat(), "to": ticket.due_on.isoformat(), "officer": officer}
            record(session, ticket, Happening.EXTENDED, Actor.OFFICER, now, data, sealed)
            return ticket.due_on

        return self._change(number, change)

    def assign(self, number: str, to: str | None, officer: str, now: datetime | None = None) -> None:
        """Give an open ticket to a member of staff, or to nobody. The caller has seen that `to` may handle it."""

        def change(session: Session, ticket: Ticket) -> None:
            _must_be_open(ticket)
            ticket.assignee = to
            record(session, ticket, Happening.ASSIGNED, Actor.OFFICER, now or utc_now(), {"to": to, "officer": officer})

        self._change(number, change)

    def remark(self, number: str, text: str, officer: str, now: datetime | None = None) -> None:
        """A note of staff for staff, also on a closed ticket."""
        sealed = self._sealed(text, MAX_NOTE)

        def change(session: Session, ticket: Ticket) -> None:
            record(session, ticket, Happening.REMARKED, Actor.OFFICER, now or utc_now(), {"officer": officer}, sealed)

        self._change(number, change)

    def merge(self, number: str, into: str, officer: str, now: datetime | None = None) -> None:
        """Close an open ticket that says what another open one of the same citizen says; its text is added to that one."""
        now = now or utc_now()

        def change(session: Session, ticket: Ticket) -> None:
            other = find_ticket(session, into)
            _must_be_open(other)
            same = other.conversation_id == ticket.conversation_id and ticket.conversation_id is not None
            if not same or other.kind != ticket.kind or other.id == ticket.id:
                raise ChangeRefused(Refusal.NOT_THE_SAME)
            said = main_text(Kind(ticket.kind), self._encryption.unseal(ticket.fields)) or ticket.number
            data = {"from": ticket.number, "officer": officer}
            # Both rows at once, which goes in the order of their ids: two officers who merge crosswise don't wait for each other.
            flag_modified(ticket, "state")
            record(session, other, Happening.JOINED, Actor.OFFICER, now, data, self._encryption.seal(said))
            data = {"into": other.number, "officer": officer}
            self._close(session, ticket, Resolution.MERGED, Happening.MERGED, Actor.OFFICER, now, data)

        self._change(number, change)

    def pseudonymise(self, conversation_id: str, now: datetime | None = None) -> list[str]:
        """Take the citizen out of the tickets that this conversation filed; returns the numbers.

        The tickets themselves stay: the ministry keeps a register of requests. The link to the conversation is cut at once.
        Name, address and contact go with it, except from an open information request or objection, whose answer the law
        demands: there they go when it is closed.
        """
        now = now or utc_now()
        with self._database.session() as session:
            numbers = list(session.scalars(select(Ticket.number).where(Ticket.conversation_id == conversation_id)))

        def change(session: Session, ticket: Ticket) -> None:
            ticket.conversation_id = None
            own_events = select(TicketEvent.id).where(TicketEvent.ticket_id == ticket.id)
            session.execute(delete(Notice).where(Notice.event_id.in_(own_events)))
            if ticket.kind in CLOCKED and ticket.state != State.CLOSED:
                ticket.pseudonymise_when_closed = True
                record(session, ticket, Happening.DATA_MARKED, Actor.CITIZEN, now, {"reason": "tenggat_hukum"})
            else:
                self._remove_personal_data(session, ticket, Actor.CITIZEN, now)

        for number in numbers:
            self._change(number, change)
        return numbers

    def forget_closed(self, before: datetime, limit: int, now: datetime | None = None) -> int:
        """Take the citizen out of at most `limit` tickets that were closed before this moment; how many. The tickets stay."""
        now = now or utc_now()
        closed = TicketEvent.name.in_(CLOSING)
        newest = select(func.max(TicketEvent.at)).where(TicketEvent.ticket_id == Ticket.id, closed).scalar_subquery()
        done = select(TicketEvent.id).where(TicketEvent.ticket_id == Ticket.id, TicketEvent.name == Happening.DATA_REMOVED).exists()
        query = select(Ticket.number).where(Ticket.state == State.CLOSED, newest < before, ~done).order_by(Ticket.id).limit(limit)
        with self._database.session() as session:
            numbers = list(session.scalars(query))

        def change(session: Session, ticket: Ticket) -> None:
            ticket.conversation_id = None
            self._remove_personal_data(session, ticket, Actor.SYSTEM, now, "masa_simpan")

        for number in numbers:
            self._change(number, change)
        return len(numbers)

    def recount(self, officer: str, now: datetime | None = None) -> list[str]:
        """Count the time limits of all open tickets again, after days off were changed; the numbers whose due date has moved."""
        return self._recount(Actor.OFFICER, {"officer": officer}, now or utc_now())

    def count_undated(self, now: datetime | None = None) -> list[str]:
        """Give open tickets the due date that could not be counted when they were filed, once days off are decreed; their numbers."""
        return self._recount(Actor.SYSTEM, {}, now or utc_now(), Ticket.due_on.is_(None))

    def _recount(self, actor: Actor, by: dict[str, str], now: datetime, *which: ColumnElement[bool]) -> list[str]:
        clocked = select(Ticket.number).where(Ticket.state != State.CLOSED, Ticket.kind.in_(WORKING_DAYS), *which)
        with self._database.session() as session:
            numbers = list(session.scalars(clocked))

        def change(session: Session, ticket: Ticket) -> bool:
            try:
                first = self._calendar.due_date(self._calendar.receipt_date(ticket.received_at), WORKING_DAYS[Kind(ticket.kind)])
                due = self._calendar.due_date(first, EXTENSION_DAYS) if ticket.extended_from else first
            except UnknownYear:
                return False
            if ticket.state == State.CLOSED or due == ticket.due_on:
                return False
            data = {"from": ticket.due_on.isoformat() if ticket.due_on else None, "to": due.isoformat(), **by}
            ticket.due_on, ticket.extended_from = due, first if ticket.extended_from else None
            record(session, ticket, Happening.RECOUNTED, actor, now, data)
            return True

        return [number for number in numbers if self._change(number, change)]

    def _change(self, number: str, change: Callable[[Session, Ticket], T]) -> T:
        return change_ticket(self._database, number, change)

    def _change_once(self, number: str, submission_key: str | None, change: Callable[[Session, Ticket, str | None], None]) -> None:
        """A citizen's change, which gets the key for its event. Raises `TurnLost` where another process has the turn now."""
        key = self._encryption.fingerprint("submission", submission_key) if submission_key else None

        def once(session: Session, ticket: Ticket) -> None:
            hold(session)
            made = select(TicketEvent.id).where(TicketEvent.ticket_id == ticket.id, TicketEvent.key == key)
            if key is None or session.scalar(made) is None:
                change(session, ticket, key)

        self._change(number, once)

    def _add_text(self, number: str, name: Happening, text: str, now: datetime | None, submission_key: str | None) -> None:
        sealed = self._sealed(text, MAX_NOTE)

        def change(session: Session, ticket: Ticket, key: str | None) -> None:
            _must_be_open(ticket)
            record(session, ticket, name, Actor.CITIZEN, now or utc_now(), text=sealed, key=key)

        self._change_once(number, submission_key, change)

    def _close(
        self,
        session: Session,
        ticket: Ticket,
        resolution: Resolution,
        name: Happening,
        actor: Actor,
        now: datetime,
        data: dict[str, Any] | None = None,
        text: bytes | None = None,
        key: str | None = None,
    ) -> None:
        _must_be_open(ticket)
        ticket.state, ticket.resolution = State.CLOSED, resolution
        record(session, ticket, name, actor, now, data, text, key)
        if ticket.pseudonymise_when_closed:
            self._remove_personal_data(session, ticket, Actor.SYSTEM, now)

    def _remove_personal_data(
        self, session: Session, ticket: Ticket, actor: Actor, now: datetime, reason: str = "permintaan_warga"
    ) -> None:
        """Personal fields go; what was asked stays, and numbers and addresses in the citizen's notes are masked."""
        journey = JOURNEY_OF.get(Kind(ticket.kind))
        fields = dict(self._encryption.unseal(ticket.fields))
        personal = {field.name for field in journey.fields if field.personal} if journey else set(fields)
        ticket.fields = self._encryption.seal({name: value for name, value in fields.items() if name not in personal})
        ticket.pseudonymise_when_closed = False
        written = TicketEvent.ticket_id == ticket.id, TicketEvent.actor == Actor.CITIZEN, TicketEvent.text.is_not(None)
        for event in session.scalars(select(TicketEvent).where(*written)):
            event.text = self._encryption.seal(mask(self._encryption.unseal(event.text or b"")).text)
        record(session, ticket, Happening.DATA_REMOVED, actor, now, {"reason": reason})

    def _sealed(self, text: str, longest: int) -> bytes:
        if not 1 <= len(text.strip()) <= longest:
            raise ChangeRefused(Refusal.TEXT_LENGTH)
        return self._encryption.seal(text.strip())


def _must_be_open(ticket: Ticket) -> None:
    if ticket.state == State.CLOSED:
        raise ChangeRefused(Refusal.CLOSED)
