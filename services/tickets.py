"""Tickets: what citizens file, each with a number, an access code and, where the law sets one, a due date.

A ticket's state says where it is, its resolution how it ended. Its number can be passed on; only number and access code
together, or the conversation that filed it, show anything about it. What happens after filing is in ticket_changes.py.
"""

from __future__ import annotations

import hmac
import re
import secrets
import unicodedata
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from services.attempts import AttemptLimiter
from services.calendar import JAKARTA, UnknownYear, WorkingCalendar
from services.ticket_events import INTERNAL, Actor, Happening, record
from store.database import Database, utc_now
from store.encryption import Encryption
from store.ticket_models import Ticket, TicketEvent
from store.turn_queue import hold

CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
TAIL_LENGTH, CODE_LENGTH = 4, 6


class Kind(StrEnum):
    ASPIRATION = "ASP"
    INFORMATION_REQUEST = "PIP"
    OBJECTION = "KEB"
    VISIT = "KUN"
    INTERNSHIP = "MAG"


class State(StrEnum):
    RECEIVED = "diterima"
    REVIEWED = "ditelaah"
    FORWARDED = "diteruskan"
    CLOSED = "selesai"


class Resolution(StrEnum):
    GRANTED = "dikabulkan"
    PARTLY_GRANTED = "dikabulkan_sebagian"
    REFUSED = "ditolak"
    NOT_HELD = "tidak_dikuasai"
    """The ministry does not hold the information."""
    ANSWERED = "dijawab"
    PASSED_ON = "diteruskan"
    """Another body is to answer it."""
    WITHDRAWN = "dicabut"
    MERGED = "digabungkan"
    """Answered with another ticket of the same citizen."""


UNANSWERED = frozenset({Resolution.WITHDRAWN, Resolution.MERGED})
"""Ways to close a ticket without an answer of its own."""


WORKING_DAYS = {Kind.INFORMATION_REQUEST: 10, Kind.OBJECTION: 30}
"""Time limits in working days: UU 14/2008 art. 22(7) and 36(2). Other kinds have none, and none is promised."""


@dataclass(frozen=True)
class Receipt:
    number: str
    access_code: str
    kind: Kind
    received_on: date
    due_on: date | None
    """None where the law sets no limit, or where the calendar of the year is not decreed yet."""


@dataclass(frozen=True)
class TicketView:
    """What a citizen may see of a ticket."""

    number: str
    kind: Kind
    state: State
    resolution: Resolution | None
    received_on: date
    due_on: date | None
    changed_on: date
    """The day of the last event that the citizen may see."""
    extended: bool

    @property
    def is_closed(self) -> bool:
        return self.state is State.CLOSED

    @property
    def can_be_rated(self) -> bool:
        """There is an answer to rate: it is closed, and neither withdrawn nor joined to another."""
        return self.is_closed and self.resolution not in UNANSWERED


@dataclass(frozen=True)
class Filing:
    kind: Kind
    fields: dict[str, Any]
    subject: str
    conversation_id: str
    locale: str
    submission_key: str = field(default_factory=lambda: secrets.token_hex(16))


_BETWEEN = r"[\s_./\u2010-\u2015-]"
_SERIES = "|".join(rf"{_BETWEEN}?".join(series) for series in Kind)
_TAIL = rf"[0-9A-Z]{{4}}|[0-9A-Z](?:{_BETWEEN}[0-9A-Z]){{3}}"
_NUMBER = re.compile(
    rf"\b(?a:({_SERIES})){_BETWEEN}{{0,3}}(?a:(\d(?:{_BETWEEN}?\d){{7}})){_BETWEEN}{{0,3}}(?a:({_TAIL}))\b",
    re.IGNORECASE,
)


NAMED_CODE = re.compile(
    r"\b(kode(?:\s?akses)?(?:nya)?|access code|code|pin)\b(\W{0,3}(?:saya|is|adalah)?\W{0,3})([0-9A-Za-z][0-9A-Za-z -]{2,11})",
    re.I,
)
"""A code that is called one, in its third group."""


def normalise_number(text: str) -> str | None:
    """The ticket number in `text`, whatever its case and spacing: `a s p 2026/11/23 7k4q` is `ASP-20261123-7K4Q`."""
    match = _NUMBER.search(text)
    if match is None:
        return None
    series, day, tail = (re.sub(_BETWEEN, "", part).upper() for part in match.groups())
    return f"{series}-{day}-{_as_crockford(tail)}"


def without_number(text: str) -> str:
    """What is left of a message when its ticket number is taken out."""
    return _NUMBER.sub(" ", text)


def without_named_code(text: str) -> str:
    """What is left of a message when a code that is called one is taken out."""
    return NAMED_CODE.sub(" ", text)


WORDS_BESIDE_CODE = 3
"""Among more words than these, some that come to six characters are no code."""


def _is_of_words(candidate: str) -> bool:
    return any(group.isalpha() and len(group) > 1 for group in re.split("[ -]", candidate))


def named_code(text: str) -> str | None:
    """The access code in `text` that is called one."""
    named = NAMED_CODE.search(text)
    return normalise_code(named[3]) if named else None


def normalise_code(text: str) -> str | None:
    """The access code in `text`, in characters of any width: six of Crockford's, O read as 0 and I, L as 1, no spaces and hyphens."""
    text = unicodedata.normalize("NFKC", text).upper()
    candidates = re.findall(r"(?<![A-Z0-9-])[0-9A-Z](?:[ -]?[0-9A-Z]){5}(?![A-Z0-9-])", text)
    for candidate in reversed(candidates):
        if _is_of_words(candidate) and len(text.split()) - len(candidate.split()) > WORDS_BESIDE_CODE:
            continue  # "eh ini 7 hari kerja apa kalender"
        typed = re.sub(r"[ -]", "", candidate)
        code = _as_crockford(typed)
        if len(code) == CODE_LENGTH and all(c in CROCKFORD for c in code) and any(c.isdigit() for c in typed):
            return code
    return None


def _as_crockford(text: str) -> str:
    return text.translate(str.maketrans("OIL", "011"))


class Tickets:
    def __init__(self, database: Database, encryption: Encryption, calendar: WorkingCalendar, attempts: AttemptLimiter) -> None:
        self._database = database
        self._encryption = encryption
        self._calendar = calendar
        self._attempts = attempts

    def file(self, filing: Filing, now: datetime | None = None) -> Receipt:
        """Store the ticket durably and return its receipt. The same `submission_key` again returns the same ticket."""
        now = now or utc_now()
        earlier = self._receipt_of(filing.submission_key)
        if earlier:
            return earlier
        due_on = self._due(filing.kind, now)
        code = self._code_for(filing.submission_key)
        for _ in range(5):
            number = self._new_number(filing.kind, now)
            ticket = Ticket(
                number=number,
                kind=filing.kind,
                access_code_hash=self._encryption.fingerprint("ticket", number, code),
                conversation_id=filing.conversation_id,
                state=State.RECEIVED,
                subject=filing.subject,
                fields=self._encryption.seal(filing.fields),
                locale=filing.locale,
                received_at=now,
                due_on=due_on,
                submission_hash=self._submission_hash(filing.submission_key),
            )
            try:
                with self._database.durable_session() as session:
                    hold(session, filing.conversation_id)
                    session.add(ticket)
                    session.flush()
                    record(session, ticket, Happening.RECEIVED, Actor.CITIZEN, now)
            except IntegrityError:
                earlier = self._receipt_of(filing.submission_key)
                if earlier:
                    return earlier
                continue  # the random tail is taken; another one
            return Receipt(number, code, filing.kind, now.astimezone(JAKARTA).date(), due_on)
        raise RuntimeError("no free ticket number was found in five tries")

    def find(self, number: str, access_code: str, conversation_id: str) -> TicketView | None:
        """The ticket, or None for an unknown number, a wrong code and a key in its pause alike."""
        keys = (self._encryption.fingerprint("ticket", number), self._encryption.fingerprint("ticket-by", conversation_id))
        locked = self._attempts.is_locked(*keys)
        with self._database.session() as session:
            ticket = session.scalar(select(Ticket).where(Ticket.number == number))
            expected = ticket.access_code_hash if ticket else self._encryption.fingerprint("nobody")
            given = self._encryption.fingerprint("ticket", number, access_code)
            matches = hmac.compare_digest(expected, given) and not locked
            view = self._view(session, ticket) if ticket and matches else None
        if not locked:
            self._attempts.record(*keys, succeeded=view is not None)
        return view

    def of_conversation(self, conversation_id: str) -> list[TicketView]:
        """All tickets filed in this conversation, newest first."""
        with self._database.session() as session:
            query = select(Ticket).where(Ticket.conversation_id == conversation_id).order_by(Ticket.id.desc())
            return [self._view(session, ticket) for ticket in session.scalars(query).all()]

    def view(self, number: str) -> TicketView:
        """For who has shown already that they may see it. Raises KeyError for an unknown number."""
        with self._database.session() as session:
            ticket = session.scalar(select(Ticket).where(Ticket.number == number))
            if ticket is None:
                raise KeyError(number)
            return self._view(session, ticket)

    def fields_of(self, number: str) -> dict[str, Any]:
        """The decrypted fields. Raises KeyError for an unknown number."""
        with self._database.session() as session:
            ticket = session.scalar(select(Ticket).where(Ticket.number == number))
        if ticket is None:
            raise KeyError(number)
        return dict(self._encryption.unseal(ticket.fields))

    @staticmethod
    def _view(session: Session, ticket: Ticket) -> TicketView:
        seen = (TicketEvent.ticket_id == ticket.id, TicketEvent.name.not_in(INTERNAL))
        last = session.scalar(select(func.max(TicketEvent.at)).where(*seen))
        return TicketView(
            ticket.number,
            Kind(ticket.kind),
            State(ticket.state),
            Resolution(ticket.resolution) if ticket.resolution else None,
            ticket.received_at.astimezone(JAKARTA).date(),
            ticket.due_on,
            (last or ticket.received_at).astimezone(JAKARTA).date(),
            ticket.extended_from is not None,
        )

    def _receipt_of(self, submission_key: str) -> Receipt | None:
        with self._database.session() as session:
            ticket = session.scalar(select(Ticket).where(Ticket.submission_hash == self._submission_hash(submission_key)))
        if ticket is None:
            return None
        received = ticket.received_at.astimezone(JAKARTA).date()
        return Receipt(ticket.number, self._code_for(submission_key), Kind(ticket.kind), received, ticket.due_on)

    def _submission_hash(self, submission_key: str) -> str:
        return self._encryption.fingerprint("submission", submission_key)

    def _code_for(self, submission_key: str) -> str:
        """The access code follows from the secret submission key, so that a repeated confirmation can show it again.

        The database holds only the key's fingerprint: nobody can make the code from it.
        """
        digest = int(self._encryption.fingerprint("access-code", submission_key), 16)
        tail = "".join(CROCKFORD[(digest >> (5 * n)) & 31] for n in range(CODE_LENGTH - 1))
        return tail + str((digest >> 60) % 10)

    def _due(self, kind: Kind, now: datetime) -> date | None:
        days = WORKING_DAYS.get(kind)
        if days is None:
            return None
        try:
            return self._calendar.due_date(self._calendar.receipt_date(now), days)
        except UnknownYear:
            return None

    @staticmethod
    def _new_number(kind: Kind, now: datetime) -> str:
        tail = "".join(secrets.choice(CROCKFORD) for _ in range(TAIL_LENGTH))
        return f"{kind}-{now.astimezone(JAKARTA):%Y%m%d}-{tail}"
