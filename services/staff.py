"""Members of staff: who they are, what they may do, and how they prove who they are."""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cache

import pyotp
from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError
from sqlalchemy import func, select, update
from sqlalchemy.exc import IntegrityError

from services.attempts import AttemptLimiter
from services.audit import AuditLog
from store.database import Database, utc_now
from store.encryption import Encryption
from store.staff_models import DeskSession, StaffMember

IDLE, LONGEST_SESSION = timedelta(minutes=30), timedelta(hours=12)
SHORTEST_PASSWORD, LONGEST_PASSWORD = 12, 200
RECOVERY_CODES = 10
TOTP_SECONDS = 30
EMAIL = re.compile(r"[^\s@]{1,64}@[^\s@]{1,120}")
LOGIN = re.compile(r"[a-z0-9][a-z0-9._-]{1,39}")


class Role(StrEnum):
    READER = "pembaca"
    OFFICER = "petugas"
    PPID = "ppid"
    EDITOR = "penyunting"
    ADMIN = "admin"


class Permission(StrEnum):
    OWN_ACCOUNT = "own_account"
    READ_CONVERSATIONS = "read_conversations"
    EXPORT = "export"
    TAKE_OVER = "take_over"
    UNMASK = "unmask"
    READ_TICKETS = "read_tickets"
    HANDLE_TICKETS = "handle_tickets"
    HANDLE_REQUESTS = "handle_requests"
    """Information requests and objections: the law puts them into the hands of the PPID."""
    TEACH = "teach"
    EDIT_KNOWLEDGE = "edit_knowledge"
    READ_OVERVIEW = "read_overview"
    ADMINISTER = "administer"


_READ = {Permission.OWN_ACCOUNT, Permission.READ_CONVERSATIONS, Permission.READ_TICKETS, Permission.READ_OVERVIEW}
_SERVE = _READ | {Permission.TAKE_OVER, Permission.HANDLE_TICKETS, Permission.TEACH}
PERMISSIONS: dict[Role, frozenset[Permission]] = {
    Role.READER: frozenset(_READ),
    Role.OFFICER: frozenset(_SERVE),
    Role.PPID: frozenset(_SERVE | {Permission.HANDLE_REQUESTS, Permission.UNMASK, Permission.EXPORT}),
    Role.EDITOR: frozenset(_READ | {Permission.TEACH, Permission.EDIT_KNOWLEDGE}),
    Role.ADMIN: frozenset(Permission),
}


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


class StaffRefused(Exception):
    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.value)
        self.problem = problem


class SignIn(StrEnum):
    """How an attempt to sign in ended, when no session came of it."""

    REFUSED = "refused"
    """Unknown login, wrong password, disabled account: one answer for all three."""
    CODE_NEEDED = "code_needed"
    PAUSED = "paused"


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
        return permission in PERMISSIONS[self.role]


@cache
def _hash_of_nobody() -> str:
    """What an unknown login is compared with, so that it takes as long to refuse as a known one. Made once: it is slow by intent."""
    return PasswordHasher().hash(secrets.token_hex())


class Staff:
    def __init__(
        self,
        database: Database,
        encryption: Encryption,
        audit: AuditLog,
        attempts: AttemptLimiter,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._database = database
        self._encryption = encryption
        self._audit = audit
        self._attempts = attempts
        self._clock = clock
        self._hasher = PasswordHasher()
        self._nobodys_hash = _hash_of_nobody()

    # Accounts

    def any(self) -> bool:
        with self._database.session() as session:
            return session.scalar(select(StaffMember.id).limit(1)) is not None

    def everyone(self) -> list[StaffMember]:
        with self._database.session() as session:
            return list(session.scalars(select(StaffMember).order_by(StaffMember.login)))

    def names(self) -> dict[str, str]:
        """Login to name, of those whose accounts are closed, too."""
        return {member.login: member.name for member in self.everyone()}

    def get(self, login: str) -> StaffMember:
        """Raises LookupError."""
        with self._database.session() as session:
            member = session.scalar(select(StaffMember).where(StaffMember.login == login))
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
        chosen = password or secrets.token_urlsafe(12)
        self._check_password(login, chosen)
        member = StaffMember(
            login=login,
            name=name.strip(),
            role=role,
            locale="id",
            password_hash=self._hasher.hash(chosen),
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
        if role is not Role.ADMIN:
            self._must_not_be_last_admin(login)
        self._set(login, role=role)
        self._audit.record(actor, "staff.role", login, role=role)

    def set_email(self, login: str, email: str, actor: str) -> None:
        """The address by which the identity provider knows the member; empty for none. Raises LookupError, `StaffRefused`."""
        email = email.strip().lower()
        if email and not EMAIL.fullmatch(email):
            raise StaffRefused(Problem.EMAIL_FORM)
        try:
            self._set(login, email=email or None)
        except IntegrityError as taken:
            raise StaffRefused(Problem.EMAIL_TAKEN) from taken
        self._audit.record(actor, "staff.email", login)

    def disable(self, login: str, actor: str) -> None:
        """No sign-in from now on, and all sessions end. Raises LookupError, `StaffRefused` for the last administrator."""
        self._must_not_be_last_admin(login)
        self._set(login, disabled_at=self._clock())
        self._end_sessions(self.get(login).id)
        self._audit.record(actor, "staff.disabled", login)

    def enable(self, login: str, actor: str) -> None:
        self._set(login, disabled_at=None)
        self._audit.record(actor, "staff.enabled", login)

    def reset_password(self, login: str, actor: str) -> str:
        """A new temporary password; second factor and sessions of the account end with it. Raises LookupError."""
        password = secrets.token_urlsafe(12)
        values = {
            "password_hash": self._hasher.hash(password),
            "password_is_temporary": True,
            "totp": None,
            "recovery_code_hashes": [],
        }
        self._set(login, **values)
        self._end_sessions(self.get(login).id)
        self._audit.record(actor, "staff.password_reset", login)
        return password

    def change_password(self, session: Session, old: str, new: str) -> None:
        """The member's own change; every other session of theirs ends. Raises `StaffRefused`."""
        if not self._matches(self.get(session.login).password_hash, old):
            raise StaffRefused(Problem.WRONG_PASSWORD)
        self._check_password(session.login, new)
        self._set(session.login, password_hash=self._hasher.hash(new), password_is_temporary=False)
        self._end_sessions(session.staff_id, but=session.id)
        self._audit.record(session.login, "staff.password_changed", session.login)

    def set_locale(self, session: Session, locale: str) -> None:
        self._set(session.login, locale="en" if locale == "en" else "id")

    # Second factor

    def new_totp_secret(self) -> str:
        return pyotp.random_base32()

    def totp_address(self, login: str, secret: str) -> str:
        """What an authenticator app reads from a QR code."""
        return pyotp.TOTP(secret).provisioning_uri(name=login, issuer_name="Sapa Setneg")

    def start_totp(self, session: Session, secret: str, code: str) -> list[str]:
        """Put the second factor into use; returns recovery codes, each good for one sign-in. Raises `StaffRefused`."""
        step = self._step_of(secret, code)
        if step is None:
            raise StaffRefused(Problem.WRONG_CODE)
        codes = [secrets.token_hex(5) for _ in range(RECOVERY_CODES)]
        hashes = [self._encryption.fingerprint("recovery", code) for code in codes]
        self._set(session.login, totp=self._encryption.seal(secret), totp_last_step=step, recovery_code_hashes=hashes)
        self._audit.record(session.login, "staff.totp_started", session.login)
        return codes

    def stop_totp(self, session: Session, password: str) -> None:
        """Raises `StaffRefused`."""
        if not self._matches(self.get(session.login).password_hash, password):
            raise StaffRefused(Problem.WRONG_PASSWORD)
        self._set(session.login, totp=None, totp_last_step=None, recovery_code_hashes=[])
        self._audit.record(session.login, "staff.totp_stopped", session.login)

    # Signing in

    def sign_in(self, login: str, password: str, code: str, address: str, browser: str) -> Session | SignIn:
        """A new session, or why there is none.

        Failures count for the pair of login and network address, so that a stranger can't lock somebody out from elsewhere,
        and for the address alone, so that nobody tries one password on many logins.
        """
        login = login.strip().lower()[:40]
        keys = [self._encryption.fingerprint("desk", *parts) for parts in ((login, address), (address,))]
        if self._attempts.is_locked(keys[0]) or self._attempts.is_locked(keys[1]):
            return SignIn.PAUSED
        member = self._member(login)
        right = self._matches(member.password_hash if member else self._nobodys_hash, password)
        if member is None or member.disabled_at or not right:
            self._attempts.record(keys[0], succeeded=False)
            self._attempts.record(keys[1], succeeded=False, allowed=50)
            return SignIn.REFUSED
        if member.totp:
            if not code.strip():
                return SignIn.CODE_NEEDED
            if not self._use_code(member, code):
                self._attempts.record(keys[0], succeeded=False)
                return SignIn.REFUSED
        self._attempts.record(keys[0], succeeded=True)
        if self._hasher.check_needs_rehash(member.password_hash):
            self._set(login, password_hash=self._hasher.hash(password))
        return self._open(member, browser)

    def sign_in_as(self, email: str, login: str, browser: str) -> Session | None:
        """A new session of the account with this e-mail address, or else this login, whom the identity provider has proven.

        None where there is no such account, or it is disabled.
        """
        with self._database.session() as session:
            member = session.scalar(select(StaffMember).where(StaffMember.email == email)) if email else None
            if member is None and login:
                member = session.scalar(select(StaffMember).where(StaffMember.login == login))
        if member is None or member.disabled_at:
            return None
        return self._open(member, browser, through="oidc")

    def _open(self, member: StaffMember, browser: str, **how: str) -> Session:
        token = secrets.token_urlsafe(32)
        now = self._clock()
        with self._database.durable_session() as session:
            opened = DeskSession(token_hash=_hash(token), staff_id=member.id, browser=browser[:60], created_at=now, seen_at=now)
            session.add(opened)
        self._audit.record(member.login, "staff.signed_in", member.login, **how)
        return _session(opened, token, member)

    def session(self, token: str) -> Session | None:
        """The session of this token, unless it has ended, was idle too long or is too old. Counts as a sign of life."""
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
            if now - found.seen_at > timedelta(minutes=1):
                found.seen_at = now
        return _session(found, token, member)

    def sessions(self, staff_id: int) -> list[DeskSession]:
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

    def end_session(self, staff_id: int, session_id: int) -> None:
        """End one of the member's own sessions; somebody else's is left alone."""
        with self._database.durable_session() as session:
            own = update(DeskSession).where(DeskSession.id == session_id, DeskSession.staff_id == staff_id)
            session.execute(own.values(ended_at=self._clock()))

    # Shared

    def _member(self, login: str) -> StaffMember | None:
        with self._database.session() as session:
            return session.scalar(select(StaffMember).where(StaffMember.login == login))

    def _set(self, login: str, **values: object) -> None:
        with self._database.durable_session() as session:
            member = session.scalar(select(StaffMember).where(StaffMember.login == login))
            if member is None:
                raise LookupError(login)
            for name, value in values.items():
                setattr(member, name, value)

    def _end_sessions(self, staff_id: int, but: int | None = None) -> None:
        with self._database.durable_session() as session:
            own = update(DeskSession).where(DeskSession.staff_id == staff_id, DeskSession.ended_at.is_(None), DeskSession.id != but)
            session.execute(own.values(ended_at=self._clock()))

    def _must_not_be_last_admin(self, login: str) -> None:
        others = [m for m in self.everyone() if m.role == Role.ADMIN and m.disabled_at is None and m.login != login]
        if self.get(login).role == Role.ADMIN and not others:
            raise StaffRefused(Problem.LAST_ADMIN)

    def _matches(self, password_hash: str, password: str) -> bool:
        try:
            return self._hasher.verify(password_hash, password[:LONGEST_PASSWORD])
        except VerifyMismatchError:
            return False

    def _check_password(self, login: str, password: str) -> None:
        if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
            raise StaffRefused(Problem.PASSWORD_LENGTH)
        if login in password.lower():
            raise StaffRefused(Problem.PASSWORD_IS_LOGIN)

    def _step_of(self, secret: str, code: str) -> int | None:
        """The time step that a code belongs to, one before and after the present one allowed."""
        now = int(self._clock().timestamp()) // TOTP_SECONDS
        given = re.sub(r"\s", "", code)
        steps = (step for step in (now - 1, now, now + 1) if secrets.compare_digest(pyotp.TOTP(secret).at(step * TOTP_SECONDS), given))
        return next(steps, None) if given.isascii() else None

    def _use_code(self, member: StaffMember, code: str) -> bool:
        """Whether a code of the authenticator or a recovery code is right; each works once."""
        step = self._step_of(self._encryption.unseal(member.totp or b""), code)
        if step is not None:
            unused = func.coalesce(StaffMember.totp_last_step, 0) < step
            with self._database.durable_session() as session:
                result = session.execute(update(StaffMember).where(StaffMember.id == member.id, unused).values(totp_last_step=step))
                return bool(result.rowcount)  # type: ignore[attr-defined]  # an UPDATE gives a CursorResult
        given = self._encryption.fingerprint("recovery", code.strip().lower())
        with self._database.durable_session() as session:
            mine = session.get_one(StaffMember, member.id, with_for_update=True)
            if given not in mine.recovery_code_hashes:
                return False
            mine.recovery_code_hashes = [one for one in mine.recovery_code_hashes if one != given]
        self._audit.record(member.login, "staff.recovery_code_used", member.login)
        return True


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
