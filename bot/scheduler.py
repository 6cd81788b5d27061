"""Does jobs again and again in the server, in one process of many: who holds the lease in the database.

What is due follows from the data, so a restart forgets nothing, and a job that two processes did at once would still have one effect.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from store.database import utc_now
from store.job_runs import JobRuns
from store.leases import Leases

log = structlog.get_logger(__name__)
LEASE = "scheduler"
LEASE_LENGTH = timedelta(seconds=60)
JOB_SECONDS = 40
"""Time limit of one run of a job: it ends before the lease of its process does."""
TICK_SECONDS = 1.0


@dataclass(frozen=True)
class Job:
    name: str
    every: timedelta
    run: Callable[[], Awaitable[object]]


class Scheduler:
    def __init__(
        self, leases: Leases, jobs: Sequence[Job], now: Callable[[], datetime] = utc_now, runs: JobRuns | None = None
    ) -> None:
        """`runs`, where given, keeps when each job was last done and how it went."""
        self._runs = runs
        self._leases = leases
        self._jobs = jobs
        self._now = now
        self._holder = secrets.token_hex(8)
        self._held_until: datetime | None = None
        self._done_at: dict[str, datetime] = {}

    async def run(self) -> None:
        """Until it is cancelled."""
        try:
            while True:
                await self.tick()
                await asyncio.sleep(TICK_SECONDS)
        finally:
            await asyncio.to_thread(self._leases.release, LEASE, self._holder)

    async def tick(self) -> None:
        """Do the jobs whose time has come, if this process is the one that does them. Errors are logged, never raised."""
        for job in self._jobs:
            now = self._now()
            done_at = self._done_at.get(job.name)
            if done_at and done_at <= now < done_at + job.every:  # one that was done in the future: the clock was set back
                continue
            try:
                if not await self._holds_lease(now):
                    return
                self._done_at[job.name] = now
                await self._do(job, now)
            except Exception as error:  # one bad run must not end the others; the next one tries again
                log.error("job failed", job=job.name, error=type(error).__name__)

    async def _do(self, job: Job, now: datetime) -> None:
        started, failure = time.perf_counter(), None
        try:
            async with asyncio.timeout(JOB_SECONDS):  # wait_for would lose a cancellation that comes as the job ends
                await job.run()
        except Exception as error:
            failure = type(error).__name__
            raise
        finally:
            if self._runs:
                milliseconds = round((time.perf_counter() - started) * 1000)
                await asyncio.to_thread(self._runs.record, job.name, now, milliseconds, failure)

    async def _holds_lease(self, now: datetime) -> bool:
        """Renews when less than `JOB_SECONDS` and a margin are left, so that an idle server hardly writes; more: a clock set back."""
        left = self._held_until - now if self._held_until else timedelta(0)
        if not timedelta(seconds=JOB_SECONDS + 5) <= left <= LEASE_LENGTH:
            held = await asyncio.to_thread(self._leases.take, LEASE, self._holder, now, LEASE_LENGTH)
            self._held_until = now + LEASE_LENGTH if held else None
        return self._held_until is not None
