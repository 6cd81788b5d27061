"""The second factor: six digits of an authenticator app, or one of the recovery codes. Each code works once."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable
from datetime import datetime

import pyotp
from sqlalchemy import func, update

from services.audit import AuditLog
from services.desk_sessions import Session
from services.passwords import matches
from services.staff import Problem, Staff, StaffRefused
from store.database import Database, utc_now
from store.encryption import Encryption
from store.staff_models import StaffMember

RECOVERY_CODES = 10
TOTP_SECONDS = 30


class SecondFactor:
    def __init__(
        self, database: Database, encryption: Encryption, audit: AuditLog, staff: Staff, clock: Callable[[], datetime] = utc_now
    ) -> None:
        self._database = database
        self._encryption = encryption
        self._audit = audit
        self._staff = staff
        self._clock = clock

    @staticmethod
    def new_secret() -> str:
        return pyotp.random_base32()

    @staticmethod
    def address(login: str, secret: str) -> str:
        """What an authenticator app reads from a QR code."""
        return pyotp.TOTP(secret).provisioning_uri(name=login, issuer_name="Sapa Setneg")

    def start(self, session: Session, secret: str, code: str) -> list[str]:
        """Put the second factor into use; returns recovery codes, each good for one sign-in. Raises `StaffRefused`."""
        step = self._step_of(secret, code)
        if step is None:
            raise StaffRefused(Problem.WRONG_CODE)
        codes = [secrets.token_hex(5) for _ in range(RECOVERY_CODES)]
        hashes = [self._encryption.fingerprint("recovery", code) for code in codes]
        self._staff.change(session.login, totp=self._encryption.seal(secret), totp_last_step=step, recovery_code_hashes=hashes)
        self._audit.record(session.login, "staff.totp_started", session.login)
        return codes

    def stop(self, session: Session, password: str) -> None:
        """Raises `StaffRefused`."""
        if not matches(self._staff.get(session.login).password_hash, password):
            raise StaffRefused(Problem.WRONG_PASSWORD)
        self._staff.change(session.login, totp=None, totp_last_step=None, recovery_code_hashes=[])
        self._audit.record(session.login, "staff.totp_stopped", session.login)

    def use(self, member: StaffMember, code: str) -> bool:
        """Whether a code of the authenticator or a recovery code is right; it is used up then."""
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

    def _step_of(self, secret: str, code: str) -> int | None:
        """The time step that a code belongs to, one before and after the present one allowed."""
        now = int(self._clock().timestamp()) // TOTP_SECONDS
        given = re.sub(r"\s", "", code)
        steps = (step for step in (now - 1, now, now + 1) if secrets.compare_digest(pyotp.TOTP(secret).at(step * TOTP_SECONDS), given))
        return next(steps, None) if given.isascii() else None
