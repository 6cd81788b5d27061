"""Signed-in browsers: opened, found by their token, ended."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select, update

from services.audit import AuditLog
from services.permissions import Permission, Role, allows
from store.database import Database, utc_now
from store.staff_models import DeskSession, StaffMember

IDLE, LONGEST_SESSION = timedelta(minutes=30), timedelta(hours=12)


@dataclass(frozen=True)
class Session:
    """A signed-in member of staff in one browser."""

    id: int
    token: str
    staff_id: int
    login: str
    name: str
    role: Role
    locale: str
    password_is_temporary: bool

    def may(self, permission: Permission) -> bool:
        return allows(self.role, permission)


class DeskSessions:
    def __init__(self, database: Database, audit: AuditLog, clock: Callable[[], datetime] = utc_now) -> None:
        self._database = database
        self._audit = audit
        self._clock = clock

    def open(self, member: StaffMember, browser: str, **how: str) -> Session:
        """A new session of someone who has proven who they are; `how` goes into the audit log."""
        token = secrets.token_urlsafe(32)
        now = self._clock()
        with self._database.durable_session() as session:
            opened = DeskSession(token_hash=_hash(token), staff_id=member.id, browser=browser[:60], created_at=now, seen_at=now)
            session.add(opened)
        self._audit.record(member.login, "staff.signed_in", member.login, **how)
        return _session(opened, token, member)

    def find(self, token: str, *, by_itself: bool = False) -> Session | None:
        """The session of this token, unless it has ended, was idle too long or is too old.

        Counts as a sign of life, unless an open page asks `by_itself`: nobody may sit before it.
        """
        now = self._clock()
        with self._database.session() as session:
            query = select(DeskSession, StaffMember).join(StaffMember, StaffMember.id == DeskSession.staff_id)
            row = session.execute(query.where(DeskSession.token_hash == _hash(token))).first()
            if row is None:
                return None
            found, member = row
            expired = now - found.seen_at > IDLE or now - found.created_at > LONGEST_SESSION
            if found.ended_at or member.disabled_at or expired:
                return None
            if not by_itself and now - found.seen_at > timedelta(minutes=1):
                found.seen_at = now
        return _session(found, token, member)

    def of(self, staff_id: int) -> list[DeskSession]:
        """The member's sessions that are still good, the newest first."""
        now = self._clock()
        query = select(DeskSession).where(
            DeskSession.staff_id == staff_id,
            DeskSession.ended_at.is_(None),
            DeskSession.seen_at > now - IDLE,
            DeskSession.created_at > now - LONGEST_SESSION,
        )
        with self._database.session() as session:
            return list(session.scalars(query.order_by(DeskSession.id.desc())))

    def end(self, staff_id: int, session_id: int) -> None:
        """End one of the member's own sessions; somebody else's is left alone."""
        with self._database.durable_session() as session:
            own = update(DeskSession).where(DeskSession.id == session_id, DeskSession.staff_id == staff_id)
            session.execute(own.values(ended_at=self._clock()))

    def end_all(self, staff_id: int, but: int | None = None) -> None:
        """End the member's sessions, `but` the one of this id."""
        with self._database.durable_session() as session:
            own = update(DeskSession).where(DeskSession.staff_id == staff_id, DeskSession.ended_at.is_(None), DeskSession.id != but)
            session.execute(own.values(ended_at=self._clock()))


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _session(found: DeskSession, token: str, member: StaffMember) -> Session:
    return Session(
        id=found.id,
        token=token,
        staff_id=member.id,
        login=member.login,
        name=member.name,
        role=Role(member.role),
        locale=member.locale,
        password_is_temporary=member.password_is_temporary,
    )
