"""How long each kind of data is kept, as the ministry has set it at the desk, and the deletion of what is older.

UU 27/2022 art. 43: data that is no longer needed is deleted. How long it is needed is the ministry's decision: until one is made,
what citizens have said is kept.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import partial

from sqlalchemy import CursorResult, delete, select, tuple_

from services.audit import AuditFilter, AuditLog
from services.calendar import JAKARTA
from services.desk_settings import DeskSettings, Name, reason_of
from services.ticket_changes import TicketChanges
from store.conversations import Conversations
from store.database import Database, utc_now
from store.models import Attempt, Draft
from store.staff_models import AuditEntry, DeskSession

PROGRAM = "sistem"
PURGED = "data.purged"
KEPT = 0
AT_ONCE = 500
"""So many of a kind are looked up at a time; conversations are deleted in shorter transactions still (store/conversations.py)."""
SECONDS_OF_RUN = 10.0
"""The other jobs of the scheduler wait for so long."""
LONGEST_DAYS = 3650
ATTEMPTS_KEPT = timedelta(days=30)
"""Fingerprints of failed tries mean nothing after their pause; nobody has to decide how long they stay."""


class Kind(StrEnum):
    CONVERSATIONS = "conversations"
    """Since the last message: messages, tracker, drafts, hand-offs and notes with it."""
    DRAFTS = "drafts"
    """Forms that are not sent, since the last answer."""
    TICKETS = "tickets"
    """Personal data of closed tickets, since they were closed; the tickets stay in the register."""
    SESSIONS = "sessions"
    """Sign-ins of staff, since they were last seen."""


DEFAULTS = {Kind.CONVERSATIONS: KEPT, Kind.DRAFTS: KEPT, Kind.TICKETS: KEPT, Kind.SESSIONS: 90}
SHORTEST_DAYS = {Kind.CONVERSATIONS: 7, Kind.DRAFTS: 7, Kind.TICKETS: 90, Kind.SESSIONS: 7}
"""A ticket's citizen may object for 30 working days after the answer (UU 14/2008 art. 36)."""


class BadDays(ValueError):
    def __init__(self, kind: Kind) -> None:
        super().__init__(kind.value)
        self.kind = kind


@dataclass(frozen=True)
class Purged:
    """What a run has deleted; `complete` unless more is left for the next run."""

    deleted: dict[str, int]
    complete: bool


class Retention:
    def __init__(
        self,
        database: Database,
        settings: DeskSettings,
        conversations: Conversations,
        tickets: TicketChanges,
        audit: AuditLog,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._database = database
        self._settings = settings
        self._conversations = conversations
        self._tickets = tickets
        self._audit = audit
        self._clock = clock

    def days(self) -> dict[Kind, int]:
        """Days that each kind is kept; 0 for as long as nobody deletes it."""
        given = self._settings.get(Name.RETENTION) or {}
        return {kind: int(given.get(kind, default)) for kind, default in DEFAULTS.items()}

    def set_days(self, days: dict[Kind, int], actor: str, reason: str) -> None:
        """Raises `BadDays` and `ReasonMissing`."""
        for kind, given in days.items():
            if given != KEPT and not SHORTEST_DAYS[kind] <= given <= LONGEST_DAYS:
                raise BadDays(kind)
        after = {**self.days(), **days}
        self._settings.set(Name.RETENTION, {str(kind): given for kind, given in after.items()}, actor, reason_of(reason))

    def purge(self, actor: str = PROGRAM, days: dict[Kind, int] | None = None, seconds: float = math.inf) -> Purged:
        """Delete what is older than it may be, for about so long, and note in the audit log how much it was.

        `days` takes the place of what is set.
        """
        now, end = self._clock(), time.monotonic() + seconds
        wanted = self.days() if days is None else days
        delete_kind: dict[Kind, Callable[[datetime, int], int]] = {
            Kind.CONVERSATIONS: self._conversations.forget_idle,
            Kind.DRAFTS: self._drafts,
            Kind.TICKETS: lambda before, limit: self._tickets.forget_closed(before, limit, now),
            Kind.SESSIONS: self._sessions,
        }
        deleted, complete = {}, True
        for kind, given in wanted.items():
            if given != KEPT:
                deleted[str(kind)], is_all = _in_portions(partial(delete_kind[kind], now - timedelta(days=given)), end)
                complete = complete and is_all
        with self._database.session() as session:
            session.execute(delete(Attempt).where(Attempt.updated_at < now - ATTEMPTS_KEPT))
        self._audit.record(actor, PURGED, "data", deleted=deleted, days={str(k): v for k, v in wanted.items()}, complete=complete)
        return Purged(deleted, complete)

    def purge_if_due(self, seconds: float = SECONDS_OF_RUN) -> Purged | None:
        """The daily deletion: once a day in Jakarta, in as many runs as it takes; None where nothing is due."""
        last = self._audit.search(AuditFilter(actor=PROGRAM, action=PURGED), limit=1)
        today = self._clock().astimezone(JAKARTA).date()
        if last and last[0].at.astimezone(JAKARTA).date() == today and last[0].data.get("complete"):
            return None
        return self.purge(seconds=seconds)

    def reports(self, limit: int = 14) -> list[AuditEntry]:
        """What the last runs have deleted, the newest first."""
        return self._audit.search(AuditFilter(action=PURGED), limit=limit)

    def _drafts(self, before: datetime, limit: int) -> int:
        is_old = Draft.updated_at < before
        old = select(Draft.conversation_id, Draft.journey).where(is_old).limit(limit)
        # Age is asked of each row once more: PostgreSQL waits for who goes on with a draft, and looks at it again then.
        some = delete(Draft).where(tuple_(Draft.conversation_id, Draft.journey).in_(old), is_old)
        with self._database.session() as session:
            result = session.execute(some.execution_options(synchronize_session=False))
            assert isinstance(result, CursorResult)
            return result.rowcount

    def _sessions(self, before: datetime, limit: int) -> int:
        with self._database.session() as session:
            old = select(DeskSession.id).where(DeskSession.seen_at < before).limit(limit)
            result = session.execute(delete(DeskSession).where(DeskSession.id.in_(list(session.scalars(old)))))
            assert isinstance(result, CursorResult)
            return result.rowcount


def _in_portions(delete_some: Callable[[int], int], end: float) -> tuple[int, bool]:
    """How many went before this moment of the monotonic clock, one portion at least, and whether those were all."""
    deleted = 0
    while True:
        some = delete_some(AT_ONCE)
        deleted += some
        if some < AT_ONCE:
            return deleted, True
        if time.monotonic() >= end:
            return deleted, False
