"""The scheduler: one process of many does the jobs, and a restart or an error loses none."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import pytest

from bot.notices import Notifier
from bot.scheduler import LEASE, LEASE_LENGTH, Job, Scheduler
from bot.server import _jobs
from services.assembly import Services, assemble
from services.reminders import Reminder
from services.tickets import Filing, Kind
from store.database import Database
from store.leases import Leases

NOW = datetime(2026, 12, 7, 1, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now


class Counted:
    """A job that counts its runs, and fails as often as told."""

    def __init__(self, failures: int = 0) -> None:
        self.runs = 0
        self.failures = failures

    async def __call__(self) -> None:
        self.runs += 1
        if self.runs <= self.failures:
            raise RuntimeError("told to fail")


@pytest.fixture
def leases(services: Services) -> Leases:
    return Leases(services.database)


def scheduler(leases: Leases, clock: Callable[[], datetime], *runs: Counted, every: timedelta = MINUTE) -> Scheduler:
    return Scheduler(leases, [Job(f"job{n}", every, run) for n, run in enumerate(runs)], clock)


async def test_a_job_runs_at_once_and_then_at_its_interval(leases: Leases) -> None:
    clock, job = Clock(), Counted()
    running = scheduler(leases, clock, job)
    for _ in range(5):
        await running.tick()
        clock.now += timedelta(seconds=30)
    assert job.runs == 3


async def test_a_failing_job_is_tried_again_and_stops_no_other(leases: Leases) -> None:
    clock, bad, good = Clock(), Counted(failures=1), Counted()
    running = scheduler(leases, clock, bad, good)
    await running.tick()
    clock.now += MINUTE
    await running.tick()
    assert (bad.runs, good.runs) == (2, 2)


async def test_of_two_processes_one_does_the_jobs_until_its_lease_is_over(leases: Leases) -> None:
    clock, mine, other = Clock(), Counted(), Counted()
    first, second = scheduler(leases, clock, mine), scheduler(leases, clock, other)
    for _ in range(3):
        await first.tick()
        await second.tick()
        clock.now += MINUTE / 2
    assert (mine.runs, other.runs) == (2, 0)
    clock.now += LEASE_LENGTH  # the first one is gone without a word
    await second.tick()
    assert other.runs == 1
    await first.tick()  # and comes back: the other holds the lease now
    assert mine.runs == 2


async def test_a_server_that_stops_gives_its_lease_back(leases: Leases) -> None:
    job = Counted()
    running = asyncio.create_task(scheduler(leases, Clock(), job).run())
    while not job.runs:
        await asyncio.sleep(0.01)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert leases.take(LEASE, "the-next-one", NOW, LEASE_LENGTH)


def test_of_many_that_ask_at_once_one_gets_the_lease(services: Services) -> None:
    together, taken = threading.Barrier(8), []

    def ask(holder: str) -> None:
        leases = Leases(Database(str(services.database.url)))
        together.wait()
        if leases.take("x", holder, NOW, LEASE_LENGTH):
            taken.append(holder)

    threads = [threading.Thread(target=ask, args=(f"holder-{n}",)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(taken) == 1


def test_two_schedulers_on_one_database_remind_once(services: Services) -> None:
    """Even where both do the job at once: two event loops in two threads, each with a lease of another name."""
    filed = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
    for n in range(6):
        services.tickets.file(Filing(Kind.INFORMATION_REQUEST, {"details": "x"}, "wni", f"c{n}", "id"), filed)
    together, found = threading.Barrier(2), list[Reminder]()

    def serve(own: Services) -> None:
        async def remind() -> None:
            together.wait()
            found.extend(own.reminders.record_due(NOW))

        async def live() -> None:
            await Scheduler(_AlwaysFree(own.database), [Job("reminders", MINUTE, remind)], Clock()).tick()

        asyncio.run(live())
        own.database.close()

    processes = [assemble(services.settings, services.knowledge) for _ in range(2)]
    threads = [threading.Thread(target=serve, args=(own,)) for own in processes]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == len({reminder.number for reminder in found}) == 6


async def test_due_dates_that_could_not_be_counted_are_counted_by_a_job(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    filing = Filing(Kind.INFORMATION_REQUEST, {"details": "x"}, "wni", "c1", "id")
    number = services.tickets.file(filing, datetime(2027, 12, 27, 3, 0, tzinfo=UTC)).number
    monkeypatch.setattr("services.calendar.decreed_days_off", lambda year: frozenset())
    jobs = {job.name: job for job in _jobs(services, Notifier(*[None] * 6))}  # type: ignore[arg-type]  # delivers nothing here
    await jobs["due_dates"].run()
    assert services.tickets.view(number).due_on == date(2028, 1, 10)


class _AlwaysFree(Leases):
    """A lease that both processes believe to hold: the worst case."""

    def take(self, name: str, holder: str, now: datetime, length: timedelta) -> bool:
        return True


async def test_a_scheduler_that_is_cancelled_as_a_job_ends_does_end(leases: Leases) -> None:
    async def end() -> None:
        scheduling.cancel()

    scheduling = asyncio.create_task(Scheduler(leases, [Job("ends", MINUTE, end)]).run())
    await asyncio.wait({scheduling}, timeout=10)
    assert scheduling.cancelled()
