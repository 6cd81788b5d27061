"""Limits guessing: so many failures against a key, then a pause. Keys are fingerprints, never the number itself."""

from __future__ import annotations

from datetime import datetime, timedelta

from store.database import Database, utc_now
from store.models import Attempt

ALLOWED_FAILURES = 5
PAUSE = timedelta(minutes=30)


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
                attempt = session.get(Attempt, key, with_for_update=True)
                if attempt is None:
                    attempt = Attempt(key=key, failures=0, locked_until=None, updated_at=now)
                    session.add(attempt)
                if succeeded or now - attempt.updated_at >= PAUSE:
                    attempt.failures, attempt.locked_until = 0, None
                if not succeeded:
                    attempt.failures += 1
                    if attempt.failures >= allowed:
                        attempt.locked_until = now + PAUSE
                attempt.updated_at = now
