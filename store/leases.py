"""A lease in the database: of many processes one does a job, and another takes over when it no longer renews."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import delete, or_, update
from sqlalchemy.exc import IntegrityError

from store.database import Database
from store.models import Lease

LONGEST_IN_LENGTHS = 10
"""Clocks of hosts may differ, by less than this."""


class Leases:
    def __init__(self, database: Database) -> None:
        self._database = database

    def take(self, name: str, holder: str, now: datetime, length: timedelta) -> bool:
        """Whether `holder` has the lease until `now + length`: it was free, over, or the holder's own already.

        One that would end much later than any that is taken now was taken before the clock was set back, and is over.
        """
        implausible = now + LONGEST_IN_LENGTHS * length
        with self._database.session() as session:
            current = session.get(Lease, name)
        if current and current.holder != holder and now < current.until <= implausible:
            return False  # seen by reading alone: who waits for the lease writes nothing
        until = now + length
        free = or_(Lease.until <= now, Lease.until > implausible, Lease.holder == holder)
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
