"""Four processes behind nginx, under load, while processes, Redis and PostgreSQL die: nothing is lost, doubled or reordered."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager

import httpx
import psycopg
import pytest

from services.assembly import Services, assemble
from services.knowledge import Knowledge
from services.permissions import Role
from services.settings import PROJECT, Settings
from store.database import utc_now
from store.models import Handoff
from tests.desk.officer import Officer
from tests.scale.machines import OTHER_MODEL, READY_SECONDS, Machines, machines, wait_for
from tests.scale.visitor import Visitor

pytestmark = [pytest.mark.scale, pytest.mark.timeout(1200)]
FIGURES = PROJECT / "bench" / ".work" / "scale.jsonl"
VISITORS = 6
TURNS_BETWEEN = 2
PASSWORD = "kopi tubruk pagi hari"


@pytest.fixture(scope="module")
def system() -> Iterator[Machines]:
    with machines(4) as made:
        yield made


@pytest.fixture(scope="module")
def desk(system: Machines, knowledge: Knowledge) -> Iterator[Services]:
    """Services on the same database, to look at what is stored."""
    settings = Settings(_env_file=None, **system.settings)  # type: ignore[arg-type]  # as in conftest.py
    services = assemble(settings, knowledge)
    services.staff.add("petugas", "Petugas", Role.OFFICER, "uji", PASSWORD)
    yield services
    services.database.close()


@asynccontextmanager
async def clients() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(trust_env=False, limits=httpx.Limits(max_connections=64)) as client:
        yield client


@pytest.fixture(scope="module")
def everyone() -> list[Visitor]:
    """All who have talked to the system so far."""
    return []


ROLLING = "rolling restart"
MODEL = "change of the model"
DISTURBANCES = [MODEL, "kill -9 of a process", "kill -9 of Redis", "all connections cut", "crash of PostgreSQL"]


@pytest.mark.parametrize("name", [*DISTURBANCES, pytest.param(ROLLING, marks=pytest.mark.chaos)])
async def test_nothing_is_lost_doubled_or_reordered_at_a(system: Machines, everyone: list[Visitor], name: str) -> None:
    for server in system.servers:  # a process that starts while PostgreSQL is away ends, and only systemd would start it again
        await asyncio.to_thread(wait_for, "the server to be ready", server.is_ready, READY_SECONDS)
    visitors = [Visitor(system.url, number) for number in range(VISITORS)]
    note(name, seconds_until_all_are_answered_twice=await seconds_disturbed(visitors, disturbances(system)[name]))
    everyone += visitors
    filed = [ticket for visitor in everyone for ticket in visitor.tickets]
    with psycopg.connect(system.postgres.url) as connection:
        check_database(connection, everyone, filed)
    met = {refusal: sum(v.refusals.get(refusal, 0) for v in visitors) for v in visitors for refusal in v.refusals}
    longest = max(seconds for visitor in visitors for seconds in visitor.seconds)
    answered = sum(len(visitor.sent) for visitor in visitors)
    note(f"{name}: all", answered=answered, tickets=len(filed), repeated_after=met, longest_wait=round(longest, 1))


async def seconds_disturbed(visitors: list[Visitor], disturb: Callable[[], None]) -> float:
    """How long it takes from the blow until all visitors were answered twice. Each then finds the answers that it got, in order."""
    ended = asyncio.Event()
    async with clients() as client:
        async with asyncio.TaskGroup() as talking:
            for visitor in visitors:
                talking.create_task(visitor.talk(client, ended))
            await turns(visitors)
            started = time.monotonic()
            await asyncio.to_thread(disturb)
            await turns(visitors)
            seconds = round(time.monotonic() - started, 1)
            ended.set()
        for visitor in visitors:
            check_history(visitor, await visitor.history(client))
    return seconds


def note(what: str, **figures: object) -> None:
    """For docs/scaling.md; nothing is asserted of times, which depend on what else the machine does."""
    FIGURES.parent.mkdir(parents=True, exist_ok=True)
    with FIGURES.open("a") as file:
        file.write(json.dumps({"what": what, **figures}) + "\n")


def disturbances(system: Machines) -> dict[str, Callable[[], None]]:
    def kill_a_process() -> None:
        system.servers[0].kill()
        time.sleep(1)
        system.servers[0].start()

    def kill_redis() -> None:
        system.redis.kill()
        time.sleep(3)
        system.redis.start()

    def cut_connections() -> None:
        assert system.postgres.cut_connections()

    def crash_postgres() -> None:
        system.postgres.stop()
        time.sleep(1)
        system.postgres.start()

    def rolling_restart() -> None:
        for server in system.servers:
            wait_for("the server to be ready", server.is_ready, READY_SECONDS)
            server.stop()
            server.start()
            wait_for("the server to be ready", server.is_ready, READY_SECONDS)

    def change_the_model() -> None:
        """And back again; processes change one after the other, so that for a while two versions answer."""
        (before,) = set(system.model_of_each())
        together = set()
        for wanted, command in ((OTHER_MODEL, ("use", OTHER_MODEL)), (before, ("rollback",))):
            system.sapa("model", *command)

            def all_serve(version: str = wanted) -> bool:
                served = set(system.model_of_each())
                together.add(len(served))
                return served == {version}

            wait_for(f"all to serve {wanted}", all_serve, READY_SECONDS)
        assert together == {1, 2}

    return {
        MODEL: change_the_model,
        "kill -9 of a process": kill_a_process,
        "kill -9 of Redis": kill_redis,
        "all connections cut": cut_connections,
        "crash of PostgreSQL": crash_postgres,
        ROLLING: rolling_restart,
    }


async def turns(visitors: list[Visitor], seconds: float = 120) -> None:
    """Until each visitor has been answered `TURNS_BETWEEN` times more."""
    before = [len(visitor.sent) for visitor in visitors]
    async with asyncio.timeout(seconds):
        while any(len(v.sent) < sent + TURNS_BETWEEN for v, sent in zip(visitors, before, strict=True)):
            await asyncio.sleep(0.1)


def check_history(visitor: Visitor, history: list[dict[str, object]]) -> None:
    """What a reload shows: each message once, in order, and right behind it the very answer that the client got."""
    assert [message["seq"] for message in history] == list(range(1, len(history) + 1))
    own = [(message["client_message_id"], message["text"]) for message in history if message["from"] == "user"]
    assert [cid for cid, _ in own] == [cid for cid, _ in visitor.sent]
    answered: dict[str, list[object]] = {}
    for message in history:
        if message["from"] == "user":
            answered[str(message["client_message_id"])] = last = []
        elif answered:
            last.append(message)
    assert answered == visitor.answers


def check_database(connection: psycopg.Connection, visitors: list[Visitor], filed: list[str]) -> None:
    def count(query: str) -> int:
        row = connection.execute(query).fetchone()
        assert row is not None
        return int(row[0])

    assert sorted(row[0] for row in connection.execute("SELECT number FROM tickets")) == sorted(filed)
    assert count("SELECT count(*) FROM messages WHERE author = 'user'") == sum(len(visitor.sent) for visitor in visitors)
    # All replies to a message are of one turn, which gave them one time.
    twice = "SELECT reply_to FROM messages WHERE reply_to IS NOT NULL GROUP BY reply_to HAVING count(DISTINCT at) > 1"
    assert count(f"SELECT count(*) FROM ({twice}) AS doubled") == 0
    assert count("SELECT count(*) FROM messages WHERE turn ->> 'status' = 'failed'") == 0
    assert count("SELECT count(*) FROM queued_turns WHERE until > now()") == 0


@pytest.mark.parametrize("redis_is_there", [True, False], ids=["over redis", "without redis"])
async def test_an_officers_message_reaches_a_widget_on_another_process(system: Machines, desk: Services, redis_is_there: bool) -> None:
    first, second = system.servers[0], system.servers[1]
    for server in (first, second):
        wait_for("the server to be ready", server.is_ready, READY_SECONDS)
    if not redis_is_there:
        system.redis.kill()
    async with clients() as client, httpx.AsyncClient(base_url=second.url, trust_env=False, timeout=30) as browser:
        visitor = Visitor(first.url, 1)
        session = (await client.post(f"{first.url}/api/chat/sessions", json={})).json()
        visitor.token = session["token"]
        officer = Officer(browser, "petugas")
        await officer.signs_in(PASSWORD)
        handoff = taken_by(desk, "petugas")
        async with client.stream("GET", f"{first.url}/api/chat/events", headers=visitor.headers, timeout=30) as stream:
            lines = stream.aiter_lines()
            await until_said(lines, session["messages"][-1]["text"])
            started = time.monotonic()
            response = await officer.sends(f"/desk/queue/{handoff}/say", text="Selamat siang, saya petugas.")
            assert response.status_code == 303, response.text
            await until_said(lines, "Selamat siang, saya petugas.")
            note("officer's message", redis=redis_is_there, seconds=round(time.monotonic() - started, 2))
    if not redis_is_there:
        system.redis.start()


def taken_by(desk: Services, officer: str) -> int:
    """The newest conversation in the hands of the officer, whatever the time of day."""
    with psycopg.connect(str(desk.database.url.set(drivername="postgresql").render_as_string(False))) as connection:
        row = connection.execute("SELECT id FROM conversations ORDER BY created_at DESC LIMIT 1").fetchone()
    assert row is not None
    now = utc_now()
    with desk.database.session() as session:
        values = {"state": "active", "officer": officer, "urgent": False, "asked_at": now, "taken_at": now, "taken_seq": 0}
        handoff = Handoff(conversation_id=row[0], **values)
        session.add(handoff)
        session.flush()
        return handoff.id


async def until_said(lines: AsyncIterator[str], text: str) -> None:
    async with asyncio.timeout(20):
        async for line in lines:
            if line.startswith("data:") and json.loads(line.removeprefix("data:")).get("text") == text:
                return
    raise AssertionError("the stream ended")


def test_every_process_serves_and_the_logs_hold_no_error_that_nobody_expects(system: Machines) -> None:
    for server in system.servers:
        assert server.is_ready()
        unexpected = [line for line in server.log.splitlines() if re.search(r"Traceback|request failed|turn failed", line)]
        assert not unexpected, unexpected[:5]
    assert (PROJECT / "deploy" / "nginx" / "proxy.conf").exists()
