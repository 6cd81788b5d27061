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
from sqlalchemy.exc import IntegrityError

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


Value = dict[str, Any] | None
Step = Callable[[Value], dict[str, Any]]


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

    def get(self, name: Name) -> Value:
        """What staff have set; None where they have set nothing."""
        row = self._rows().get(name)
        return row.value if row else None

    def changed(self, name: Name) -> Changed | None:
        row = self._rows().get(name)
        return Changed(row.changed_by, row.changed_at) if row else None

    def refresh(self) -> None:
        """Read anew at the next look: a page of settings shows what was saved a moment ago, by whichever process."""
        with self._lock:
            self._read_at = None

    def set(self, name: Name, value: dict[str, Any], actor: str, reason: str = "") -> None:
        """Set it and note in the audit log what it was and is. Raises nothing: who calls has checked `value`."""
        self.change(name, lambda _before: value, actor, reason)

    def change(self, name: Name, step: Step, actor: str, reason: str = "") -> None:
        """Set what `step` makes of what is set (None: nothing), and note both. Of two who do so at once neither undoes the other."""
        try:
            before, after = self._changed(name, step, actor)
        except IntegrityError:  # somebody else was the first to set it
            before, after = self._changed(name, step, actor)
        self.refresh()
        self._audit.record(actor, "setting.changed", name, reason, before=before, after=after)

    def _changed(self, name: Name, step: Step, actor: str) -> tuple[Value, Value]:
        with self._database.durable_session() as session:
            row = session.get(DeskSetting, name, with_for_update=True)
            before = row.value if row else None
            after = step(before)
            row = row or DeskSetting(name=name)
            row.value, row.changed_at, row.changed_by = after, utc_now(), actor
            session.add(row)
        return before, after

    def _rows(self) -> dict[str, DeskSetting]:
        with self._lock:
            now = self._clock()
            if self._read_at is None or now - self._read_at >= FRESH_SECONDS:
                with self._database.session() as session:
                    self._read = {row.name: row for row in session.scalars(select(DeskSetting))}
                self._read_at = now
            return self._read


def reason_of(text: str) -> str:
    """The reason as it is noted. Raises `ReasonMissing` for less than 10 characters or more than 500."""
    reason = text.strip()
    if not SHORTEST_REASON <= len(reason) <= LONGEST_REASON:
        raise ReasonMissing
    return reason
