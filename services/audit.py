"""The audit log: who did what to what, when and why. Entries form a chain of hashes; nobody changes one unseen."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from services.privacy import mask
from store.database import Database, utc_now
from store.staff_models import AuditEntry

BEGINNING = "0" * 64
TRIES = 20
SHORTEST_REASON = 10
"""Characters of a reason for seeing personal data, or for changing what holds for all."""


@dataclass(frozen=True)
class AuditFilter:
    actor: str = ""
    action: str = ""
    subject: str = ""
    since: datetime | None = None
    until: datetime | None = None


class AuditLog:
    def __init__(self, database: Database, clock: Callable[[], datetime] = utc_now) -> None:
        self._database = database
        self._clock = clock

    def record(self, actor: str, action: str, subject: str, reason: str = "", **data: Any) -> None:
        """Append an entry; it is on the disk when this returns.

        Nothing personal belongs into it: what somebody wrote, as reason or among `data`, is masked, since no entry can be changed.
        """
        for tries_left in reversed(range(TRIES)):
            try:
                with self._database.durable_session() as session:
                    previous = session.scalar(select(AuditEntry.hash).order_by(AuditEntry.id.desc()).limit(1)) or BEGINNING
                    entry = AuditEntry(
                        at=self._clock(),
                        actor=actor,
                        action=action,
                        subject=subject,
                        reason=mask(reason).text,
                        data={name: mask(value).text if isinstance(value, str) else value for name, value in data.items()},
                        previous_hash=previous,
                    )
                    entry.hash = _hash(entry)
                    session.add(entry)
                return
            except IntegrityError:  # another entry was first to follow `previous`
                if not tries_left:
                    raise
        raise AssertionError("the last try returns or raises")

    def search(self, wanted: AuditFilter, *, before_id: int | None = None, limit: int = 50) -> list[AuditEntry]:
        """The newest first; `before_id` goes on to older ones."""
        query = select(AuditEntry).order_by(AuditEntry.id.desc()).limit(limit)
        for column, value in (
            (AuditEntry.actor, wanted.actor),
            (AuditEntry.action, wanted.action),
            (AuditEntry.subject, wanted.subject),
        ):
            if value:
                query = query.where(column == value)
        if wanted.since:
            query = query.where(AuditEntry.at >= wanted.since)
        if wanted.until:
            query = query.where(AuditEntry.at < wanted.until)
        if before_id is not None:
            query = query.where(AuditEntry.id < before_id)
        with self._database.session() as session:
            return list(session.scalars(query))

    def newest(self) -> tuple[int, str] | None:
        """Number and hash of the newest entry, to be kept elsewhere; None where there is none."""
        with self._database.session() as session:
            row = session.execute(select(AuditEntry.id, AuditEntry.hash).order_by(AuditEntry.id.desc()).limit(1)).first()
        return (row.id, row.hash) if row else None

    def first_broken(self) -> int | None:
        """The id of the first entry that doesn't follow from the one before it; None where the chain holds.

        Entries cut off at the end leave a chain that holds: compare the newest hash with a copy kept elsewhere.
        """
        previous = BEGINNING
        with self._database.session() as session:
            for entry in session.scalars(select(AuditEntry).order_by(AuditEntry.id).execution_options(yield_per=1000)):
                if entry.previous_hash != previous or entry.hash != _hash(entry):
                    return entry.id
                previous = entry.hash
        return None


def _hash(entry: AuditEntry) -> str:
    content = [entry.previous_hash, entry.at.isoformat(), entry.actor, entry.action, entry.subject, entry.reason, entry.data]
    return hashlib.sha256(json.dumps(content, ensure_ascii=False, sort_keys=True).encode()).hexdigest()
