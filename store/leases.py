"""A lease in the database: of many processes one does a job, and another takes over when it no longer renews."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import delete, or_, update
from sqlalchemy.exc import IntegrityError

from store.database import Database
from store.models import Lease


class Leases:
    def __init__(self, database: Database) -> None:
        self._database = database

    def take(self, name: str, holder: str, now: datetime, length: timedelta) -> bool:
        """Whether `holder` has the lease until `now + length`: it was free, over, or the holder's own already."""
        with self._database.session() as session:
            current = session.get(Lease, name)
        if current and current.holder != holder and current.until > now:
            return False  # seen by reading alone: who waits for the lease writes nothing
        until = now + length
        free = or_(Lease.until <= now, Lease.holder == holder)
        with self._database.session() as session:
            taken = session.execute(update(Lease).where(Lease.name == name, free).values(holder=holder, until=until))
            if taken.rowcount:  # type: ignore[attr-defined]  # an UPDATE gives a CursorResult
                return True
        try:
            with self._database.session() as session:
                session.add(Lease(name=name, holder=holder, until=until))
        except IntegrityError:  # another process was first
            return False
        return True

    def release(self, name: str, holder: str) -> None:
        """Give the lease back, so that the next process need not wait for its end."""
        with self._database.session() as session:
            session.execute(delete(Lease).where(Lease.name == name, Lease.holder == holder))
