"""Settings that staff change at the desk: the database holds them, every process follows within seconds."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import select

from services.audit import SHORTEST_REASON, AuditLog
from store.database import Database, utc_now
from store.models import DeskSetting

FRESH_SECONDS = 2.0
"""So long a process may go on with what it has read."""
LONGEST_REASON = 500


class Name(StrEnum):
    SERVICE_HOURS = "service_hours"
    DAYS_OFF = "days_off"
    CHANNELS = "channels"
    RETENTION = "retention"


class ReasonMissing(ValueError):
    """The change needs a written reason."""


@dataclass(frozen=True)
class Changed:
    by: str
    at: datetime


class DeskSettings:
    def __init__(self, database: Database, audit: AuditLog, clock: Callable[[], float] = time.monotonic) -> None:
        """`clock` gives seconds that only go forward."""
        self._database = database
        self._audit = audit
        self._clock = clock
        self._lock = threading.Lock()
        self._read: dict[str, DeskSetting] = {}
        self._read_at: float | None = None

    def get(self, name: Name) -> dict[str, Any] | None:
        """What staff have set; None where they have set nothing."""
        row = self._rows().get(name)
        return row.value if row else None

    def changed(self, name: Name) -> Changed | None:
        row = self._rows().get(name)
        return Changed(row.changed_by, row.changed_at) if row else None

    def set(self, name: Name, value: dict[str, Any], actor: str, reason: str = "") -> None:
        """Set it and note in the audit log what it was and is. Raises nothing: who calls has checked `value`."""
        before = self.get(name)
        with self._database.durable_session() as session:
            session.merge(DeskSetting(name=name, value=value, changed_at=utc_now(), changed_by=actor))
        self._forget()
        self._audit.record(actor, "setting.changed", name, reason, before=before, after=value)

    def _rows(self) -> dict[str, DeskSetting]:
        with self._lock:
            now = self._clock()
            if self._read_at is None or now - self._read_at >= FRESH_SECONDS:
                with self._database.session() as session:
                    self._read = {row.name: row for row in session.scalars(select(DeskSetting))}
                self._read_at = now
            return self._read

    def _forget(self) -> None:
        with self._lock:
            self._read_at = None


def reason_of(text: str) -> str:
    """The reason as it is noted. Raises `ReasonMissing` for less than 10 characters or more than 500."""
    reason = text.strip()
    if not SHORTEST_REASON <= len(reason) <= LONGEST_REASON:
        raise ReasonMissing
    return reason
