"""Accounts of the staff: who they are, their role, their password."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from services.audit import AuditLog
from services.desk_sessions import DeskSessions, Session
from services.passwords import LONGEST_PASSWORD, SHORTEST_PASSWORD, hashed, made_up, matches
from services.permissions import Role
from services.refused import Refused
from store.database import Database, utc_now
from store.staff_models import StaffMember

EMAIL = re.compile(r"[^\s@]{1,64}@[^\s@]{1,120}")
LOGIN = re.compile(r"[a-z0-9][a-z0-9._-]{1,39}")


class Problem(StrEnum):
    LOGIN_FORM = "login_form"
    LOGIN_TAKEN = "login_taken"
    NAME_LENGTH = "name_length"
    PASSWORD_LENGTH = "password_length"  # noqa: S105 a name, not a password
    PASSWORD_IS_LOGIN = "password_is_login"  # noqa: S105 a name, not a password
    WRONG_PASSWORD = "wrong_password"  # noqa: S105 a name, not a password
    WRONG_CODE = "wrong_code"
    LAST_ADMIN = "last_admin"
    EMAIL_FORM = "email_form"
    EMAIL_TAKEN = "email_taken"


class StaffRefused(Refused[Problem]):
    """An account can't be as asked for, or its owner has not proven who they are."""


class Staff:
    def __init__(
        self,
        database: Database,
        audit: AuditLog,
        sessions: DeskSessions,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._database = database
        self._audit = audit
        self._sessions = sessions
        self._clock = clock

    def any(self) -> bool:
        with self._database.session() as session:
            return session.scalar(select(StaffMember.id).limit(1)) is not None

    def everyone(self) -> list[StaffMember]:
        with self._database.session() as session:
            return list(session.scalars(select(StaffMember).order_by(StaffMember.login)))

    def names(self) -> dict[str, str]:
        """Login to name, of those whose accounts are closed, too."""
        return {member.login: member.name for member in self.everyone()}

    def find(self, **by: str) -> StaffMember | None:
        """The member with this `login` or `email`."""
        with self._database.session() as session:
            return session.scalar(select(StaffMember).filter_by(**by))

    def get(self, login: str) -> StaffMember:
        """Raises LookupError."""
        member = self.find(login=login)
        if member is None:
            raise LookupError(login)
        return member

    def add(self, login: str, name: str, role: Role, actor: str, password: str | None = None) -> str:
        """Make an account; returns its password, made up here unless given. Raises `StaffRefused`."""
        login = login.strip().lower()
        if not LOGIN.fullmatch(login):
            raise StaffRefused(Problem.LOGIN_FORM)
        if not 1 <= len(name.strip()) <= 80:
            raise StaffRefused(Problem.NAME_LENGTH)
        chosen = password or made_up()
        self._check_password(login, chosen)
        member = StaffMember(
            login=login,
            name=name.strip(),
            role=role,
            locale="id",
            password_hash=hashed(chosen),
            password_is_temporary=True,
            recovery_code_hashes=[],
            created_at=self._clock(),
        )
        try:
            with self._database.durable_session() as session:
                session.add(member)
        except IntegrityError as taken:
            raise StaffRefused(Problem.LOGIN_TAKEN) from taken
        self._audit.record(actor, "staff.added", login, role=role)
        return chosen

    def set_role(self, login: str, role: Role, actor: str) -> None:
        """Raises LookupError, and `StaffRefused` where nobody would be left who can administer."""
        self.change(login, leaves_an_admin=role is not Role.ADMIN, role=role)
        self._audit.record(actor, "staff.role", login, role=role)

    def set_email(self, login: str, email: str, actor: str) -> None:
        """The address by which the identity provider knows the member; empty for none. Raises LookupError, `StaffRefused`."""
        email = email.strip().lower()
        if email and not EMAIL.fullmatch(email):
            raise StaffRefused(Problem.EMAIL_FORM)
        try:
            self.change(login, email=email or None)
        except IntegrityError as taken:
            raise StaffRefused(Problem.EMAIL_TAKEN) from taken
        self._audit.record(actor, "staff.email", login)

    def disable(self, login: str, actor: str) -> None:
        """No sign-in from now on, and all sessions end. Raises LookupError, `StaffRefused` for the last administrator."""
        self.change(login, leaves_an_admin=True, disabled_at=self._clock())
        self._sessions.end_all(self.get(login).id)
        self._audit.record(actor, "staff.disabled", login)

    def enable(self, login: str, actor: str) -> None:
        self.change(login, disabled_at=None)
        self._audit.record(actor, "staff.enabled", login)

    def reset_password(self, login: str, actor: str) -> str:
        """A new temporary password; second factor and sessions of the account end with it. Raises LookupError."""
        password = made_up()
        self.change(login, password_hash=hashed(password), password_is_temporary=True, totp=None, recovery_code_hashes=[])
        self._sessions.end_all(self.get(login).id)
        self._audit.record(actor, "staff.password_reset", login)
        return password

    def change_password(self, session: Session, old: str, new: str) -> None:
        """The member's own change; every other session of theirs ends. Raises `StaffRefused`."""
        if not matches(self.get(session.login).password_hash, old):
            raise StaffRefused(Problem.WRONG_PASSWORD)
        self._check_password(session.login, new)
        self.change(session.login, password_hash=hashed(new), password_is_temporary=False)
        self._sessions.end_all(session.staff_id, but=session.id)
        self._audit.record(session.login, "staff.password_changed", session.login)

    def set_locale(self, session: Session, locale: str) -> None:
        self.change(session.login, locale="en" if locale == "en" else "id")

    def change(self, login: str, *, leaves_an_admin: bool = False, **values: object) -> None:
        """Set columns of an account, unrecorded. Raises LookupError.

        `leaves_an_admin`: the account may no longer administer after it. Raises `StaffRefused` where nobody else can.
        """
        admins = select(StaffMember.login).where(StaffMember.role == Role.ADMIN, StaffMember.disabled_at.is_(None))
        with self._database.durable_session() as session:
            # Held to the end, so that two administrators who demote each other at once don't both find the other one left.
            if leaves_an_admin and list(session.scalars(admins.order_by(StaffMember.id).with_for_update())) == [login]:
                raise StaffRefused(Problem.LAST_ADMIN)
            member = session.scalar(select(StaffMember).where(StaffMember.login == login))
            if member is None:
                raise LookupError(login)
            for name, value in values.items():
                setattr(member, name, value)

    def _check_password(self, login: str, password: str) -> None:
        if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
            raise StaffRefused(Problem.PASSWORD_LENGTH)
        if login in password.lower():
            raise StaffRefused(Problem.PASSWORD_IS_LOGIN)
