"""Limits guessing: so many failures against a key, then a pause. Keys are fingerprints, never the number itself."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import bindparam, text

from store.database import Database, utc_now
from store.models import Attempt, UtcDateTime

ALLOWED_FAILURES = 5
PAUSE = timedelta(minutes=30)
_HOLD = text(
    "INSERT INTO attempts (key, failures, updated_at) VALUES (:key, 0, :now)"
    " ON CONFLICT (key) DO UPDATE SET failures = attempts.failures"
).bindparams(bindparam("now", type_=UtcDateTime()))
"""A key's row, new where there is none, is this transaction's own until it ends: of failures at the same instant each counts."""


class AttemptLimiter:
    def __init__(self, database: Database) -> None:
        self._database = database

    def is_locked(self, *keys: str, now: datetime | None = None) -> bool:
        """Whether any of the keys is in its pause."""
        now = now or utc_now()
        with self._database.session() as session:
            attempts = [session.get(Attempt, key) for key in keys]
        return any(a is not None and a.locked_until is not None and a.locked_until > now for a in attempts)

    def record(self, *keys: str, succeeded: bool, now: datetime | None = None, allowed: int = ALLOWED_FAILURES) -> None:
        """Count a failure against each key, of which so many are allowed, or forget earlier ones after a success."""
        now = now or utc_now()
        with self._database.durable_session() as session:
            for key in keys:
                session.execute(_HOLD, {"key": key, "now": now})
                attempt = session.get_one(Attempt, key)
                if succeeded or now - attempt.updated_at >= PAUSE:
                    attempt.failures, attempt.locked_until = 0, None
                if not succeeded:
                    attempt.failures += 1
                    if attempt.failures >= allowed:
                        attempt.locked_until = now + PAUSE
                attempt.updated_at = now
