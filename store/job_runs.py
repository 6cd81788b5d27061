"""The last run of each scheduled job, kept so that people can see that jobs are done."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import select

from store.database import Database
from store.models import JobRun

SELDOM = timedelta(minutes=1)
"""A job that runs every two seconds is noted once a minute, unless it goes differently than before."""


class JobRuns:
    def __init__(self, database: Database) -> None:
        self._database = database
        self._noted: dict[str, tuple[datetime, str | None]] = {}

    def record(self, name: str, at: datetime, milliseconds: int, error: str | None) -> None:
        """`error` is the name of the error that ended the run."""
        noted = self._noted.get(name)
        if noted and noted[1] == error and at - noted[0] < SELDOM:
            return
        with self._database.session() as session:
            run = session.get(JobRun, name) or JobRun(name=name)
            run.at, run.milliseconds, run.error = at, milliseconds, error
            if error:
                run.failed_at = at
            session.add(run)
        self._noted[name] = (at, error)

    def all(self) -> list[JobRun]:
        with self._database.session() as session:
            return list(session.scalars(select(JobRun).order_by(JobRun.name)))
