"""What docs/durability.md promises for the day on which something under the server fails."""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
import threading
import uuid
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import asynccontextmanager, closing, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import itsdangerous.timed
import pytest
from sqlalchemy import Connection, event, select
from sqlalchemy.exc import IntegrityError, StatementError
from sqlalchemy.orm import Session
from typer.testing import CliRunner

from bot.assistant import Assistant
from bot.channels.web import Sessions
from bot.cli import app
from bot.scheduler import Job, Scheduler
from bot.server import create_app
from services import assembly
from services.assembly import Services, assemble, use
from services.knowledge import Knowledge
from services.settings import Settings
from store import conversations as conversations_module
from store import database as database_module
from store.conversations import TRIES_FOR_A_NUMBER, Reply
from store.database import Database, utc_now
from store.leases import Leases
from store.ticket_models import Ticket
from tests.chaos.server import RealServer
from tests.citizen import Citizen
from tests.clock import Clock

SORRY = "Maaf, ada gangguan di pihak kami. Silakan coba lagi beberapa saat lagi."
NOW = datetime(2026, 11, 25, 3, tzinfo=UTC)


async def send(client: httpx.AsyncClient, citizen: Citizen, text: str, message_id: str) -> httpx.Response:
    body = {"client_message_id": message_id, "text": text}
    return await client.post("/api/chat/messages", json=body, headers=citizen.headers)


def refused(response: httpx.Response) -> bool:
    """Whether it is a sentence that says what to do next, and nothing else."""
    return (response.status_code, response.headers["retry-after"], response.json()["detail"]) == (503, "1", SORRY)


@contextmanager
def no_room(database: Database) -> Iterator[None]:
    """The database may grow no further, as on a full disk."""

    def stop_growing(connection: Any, _record: Any) -> None:
        connection.execute("PRAGMA max_page_count = 1")  # SQLite makes it the number of pages that there are

    engines = (database._engine, database._durable_engine)
    for engine in engines:
        event.listen(engine, "connect", stop_growing)
    database.close()
    try:
        yield
    finally:
        for engine in engines:
            event.remove(engine, "connect", stop_growing)
        database.close()


async def test_on_a_full_disk_the_citizen_gets_a_sentence_and_all_that_was_answered_stays(
    services: Services, client: httpx.AsyncClient
) -> None:
    citizen = await Citizen(client).arrives()
    answered: list[str] = []
    with no_room(services.database):
        for _ in range(200):
            last = str(uuid.uuid4())
            response = await send(client, citizen, "apa itu simpel?", last)
            if response.status_code != 200:
                break
            answered.append(last)
        assert refused(response)
        assert (await client.get("/healthz")).status_code == 200
        own = [message["client_message_id"] for message in await citizen.history() if message["from"] == "user"]
        assert own[: len(answered)] == answered
    again = await send(client, citizen, "apa itu simpel?", last)
    assert again.status_code == 200
    own = [message["client_message_id"] for message in await citizen.history() if message["from"] == "user"]
    assert own == [*answered, last]


async def test_a_ticket_that_finds_no_room_is_filed_once_when_there_is_room(
    services: Services, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    citizen = await Citizen(client).arrives()
    text = "Tolong perbanyak beasiswa untuk anak nelayan di daerah terpencil"
    await citizen.goes_through("saya ingin menyampaikan aspirasi", "ya", text, "pendidikan", *["lewati"] * 4)
    message_id = str(uuid.uuid4())
    with no_room(services.database):
        use_all_room(services.database)
        assert refused(await send(client, citizen, "ya", message_id))
    answer = (await send(client, citizen, "ya", message_id)).text
    with services.database.session() as session:
        (number,) = session.scalars(select(Ticket.number))
    assert number in answer


def use_all_room(database: Database) -> None:
    """What is left in the pages that there are."""
    with closing(sqlite3.connect(database.url.database or "", isolation_level=None)) as filling:
        filling.execute("CREATE TABLE filling (content TEXT)")
        filling.execute("PRAGMA max_page_count = 1")
        with suppress(sqlite3.OperationalError):
            while True:
                filling.execute("INSERT INTO filling VALUES (?)", ("x" * 500,))


async def test_a_database_that_another_program_has_locked_is_waited_for_and_then_a_sentence_is_said(
    settings: Settings, knowledge: Knowledge, trained: Assistant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database_module, "BUSY_TIMEOUT_SECONDS", 0.2)
    async with application(assemble(settings, knowledge), trained) as (client, services):
        citizen = await Citizen(client).arrives()
        message_id = str(uuid.uuid4())
        with closing(sqlite3.connect(services.database.url.database or "", isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            assert refused(await send(client, citizen, "apa itu simpel?", message_id))
            other.execute("ROLLBACK")
        first = await send(client, citizen, "apa itu simpel?", message_id)
        assert first.json() == (await send(client, citizen, "apa itu simpel?", message_id)).json()
        assert [message["from"] for message in await citizen.history()].count("user") == 1


@asynccontextmanager
async def application(services: Services, trained: Assistant) -> AsyncIterator[tuple[httpx.AsyncClient, Services]]:
    """The whole application with all that runs beside the requests."""
    use(services)
    trained.use_database(services.database)
    served = create_app(services, trained)
    transport = httpx.ASGITransport(served, client=("127.0.0.1", 1234))
    async with (
        served.router.lifespan_context(served),
        httpx.AsyncClient(transport=transport, base_url="http://sapa.test", timeout=60) as client,
    ):
        yield client, services
    services.database.close()


# Models


@pytest.fixture
def models(settings: Settings, knowledge: Knowledge, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder of models, empty, of the settings in force."""
    folder = tmp_path / "models"
    folder.mkdir()
    configured = settings.model_copy(update={"models_dir": folder})
    services = assemble(configured, knowledge)
    use(services)
    monkeypatch.setattr(assembly, "settings", lambda: configured)
    yield folder
    services.database.close()


def test_without_a_model_serve_says_how_to_make_one(models: Path) -> None:
    ended = CliRunner().invoke(app, ["serve"])
    assert (ended.exit_code, ended.stderr.splitlines()[-1]) == (2, f"no model in {models}; run `sapa train`")


def test_a_damaged_model_alone_is_not_served_and_serve_says_what_to_do(models: Path) -> None:
    (models / "sapa-0123456789ab.tar.gz").write_bytes(b"half a file")
    ended = CliRunner().invoke(app, ["serve"])
    assert ended.exit_code == 2
    assert ended.stderr.splitlines()[-1] == f"no model that can be used in {models}; run `sapa train --force`"


def test_in_place_of_a_damaged_newest_model_the_one_before_is_served(
    models: Path, trained: Assistant, capsys: pytest.CaptureFixture[str]
) -> None:
    from bot.cli import load_assistant

    whole = max(Path("models").glob("sapa-*.tar.gz"), key=lambda path: path.stat().st_mtime)
    (models / whole.name).symlink_to(whole.absolute())
    damaged = models / "sapa-0123456789ab.tar.gz"
    damaged.write_bytes(whole.read_bytes()[:100_000])
    later = whole.stat().st_mtime + 10
    os.utime(damaged, (later, later))
    assert load_assistant().version == trained.version
    assert "model 0123456789ab can't be used" in capsys.readouterr().err


# Clocks


def test_a_citizen_stays_signed_in_when_the_clock_is_set_back_and_not_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    sessions = Sessions(["key"], hours=1)
    token, _ = sessions.issue("c1")
    real = itsdangerous.timed.time.time
    for seconds, conversation in ((-7200, "c1"), (0, "c1"), (3500, "c1"), (3700, None)):
        monkeypatch.setattr(itsdangerous.timed.time, "time", lambda seconds=seconds: real() + seconds)
        assert sessions.conversation_of(token) == conversation, seconds
        monkeypatch.undo()


async def test_jobs_go_on_when_the_clock_is_set_back(services: Services) -> None:
    clock, done = Clock("2026-11-25T10:00"), []

    async def work() -> None:
        done.append(clock())

    scheduler = Scheduler(Leases(services.database), [Job("notices", timedelta(seconds=2), work)], clock)
    await scheduler.tick()
    clock.forward(days=-1)
    await scheduler.tick()
    assert len(done) == 2
    with_less = Scheduler(Leases(services.database), [Job("notices", timedelta(seconds=2), work)], clock)
    await with_less.tick()
    assert len(done) == 2, "the lease is still the first one's"


def test_a_lease_of_a_dead_process_ends_though_the_clock_was_set_back(services: Services) -> None:
    leases, length = Leases(services.database), timedelta(seconds=60)
    assert leases.take("scheduler", "dead", NOW, length)
    assert not leases.take("scheduler", "next", NOW - timedelta(minutes=5), length), "clocks of hosts may differ"
    assert leases.take("scheduler", "next", NOW - timedelta(days=1), length)


async def test_messages_keep_their_order_when_the_clock_is_set_back(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    citizen = await Citizen(client).arrives()
    await citizen.says("apa itu simpel?")
    real = conversations_module.utc_now
    monkeypatch.setattr(conversations_module, "utc_now", lambda: real() - timedelta(hours=3))
    await citizen.says("jam buka istura")
    history = await citizen.history()
    assert [message["text"] for message in history if message["from"] == "user"] == ["apa itu simpel?", "jam buka istura"]
    assert [message["seq"] for message in history] == sorted(message["seq"] for message in history)
    after = (await client.get(f"/api/chat/messages?after={history[-2]['seq']}", headers=citizen.headers)).json()["messages"]
    assert after == history[-1:]


def test_a_moment_without_a_time_zone_is_refused_and_not_guessed(services: Services) -> None:
    services.conversations.open("web", "id")
    with pytest.raises(StatementError, match="time zone"):
        services.conversations.forget_idle((utc_now() + timedelta(days=1)).replace(tzinfo=None))
    assert services.conversations.forget_idle(utc_now() + timedelta(days=1)) == 1


# The end of a process


@pytest.mark.slow
async def test_on_sigterm_what_was_begun_is_answered_streams_end_and_the_process_ends_by_itself(tmp_path: Path) -> None:
    with RealServer(tmp_path) as server:
        await asyncio.to_thread(server.start)
        async with httpx.AsyncClient(base_url=server.url, timeout=60, trust_env=False) as client:
            citizens = [await Citizen(client).arrives() for _ in range(6)]
            stream_ended = asyncio.Event()
            streaming = asyncio.Event()

            async def follow() -> None:
                # A stream that is cut is what a client connects again after.
                with suppress(httpx.RemoteProtocolError):
                    async with client.stream("GET", "/api/chat/events", headers=citizens[0].headers) as events:
                        async for _ in events.aiter_lines():
                            streaming.set()
                stream_ended.set()

            following = asyncio.create_task(follow())
            await asyncio.wait_for(streaming.wait(), 30)
            text = "bagaimana cara mengajukan permohonan informasi publik"
            ids = [str(uuid.uuid4()) for _ in citizens]
            talking = [asyncio.create_task(send(client, c, text, i)) for c, i in zip(citizens, ids, strict=True)]
            await until_begun(server.database, len(citizens))
            code = await asyncio.to_thread(server.end)
            answers = await asyncio.gather(*talking)
            await asyncio.wait_for(stream_ended.wait(), 30)
            await following
        assert [answer.status_code for answer in answers] == [200] * len(citizens)
        assert code == -signal.SIGTERM, "by the signal, after all was done"
        with closing(sqlite3.connect(server.database)) as database:
            (unanswered,) = database.execute(
                "SELECT count(*) FROM messages AS asked WHERE author = 'user' AND NOT EXISTS "
                "(SELECT 1 FROM messages AS answer WHERE answer.reply_to = asked.id)"
            ).fetchone()
        assert unanswered == 0
        assert "Traceback" not in server.logs()


async def until_begun(path: Path, count: int) -> None:
    """Until so many messages are stored, answered or not."""
    async with asyncio.timeout(30):
        while True:
            with closing(sqlite3.connect(path)) as database:
                (stored,) = database.execute("SELECT count(*) FROM messages WHERE author = 'user'").fetchone()
            if stored >= count:
                return
            await asyncio.sleep(0.002)


# Two at once


def test_whoever_opens_the_conversation_of_an_address_at_once_gets_the_same_one(services: Services) -> None:
    at_once = threading.Barrier(8)

    def open_it(address: str) -> str:
        at_once.wait(10)
        return services.conversations.open("telegram", "id", address).id

    with ThreadPoolExecutor(8) as threads:
        for address in map(str, range(10)):
            assert len(set(threads.map(open_it, [address] * 8))) == 1


def test_who_is_overtaken_holds_the_conversation_for_the_next_try_and_every_number_is_given_once(services: Services) -> None:
    conversations = services.conversations
    conversation = conversations.open("web", "id").id
    tried: list[int] = []

    def write_after_somebody_else(session: Session, seq: int) -> None:
        tried.append(seq)
        if len(tried) == 1:
            conversations.add_inbound(conversation, "id-1", "lebih dulu")
        conversations.add(session, conversation, seq, "officer", Reply("terlambat"))

    conversations.append(conversation, write_after_somebody_else)
    kept = [(message.seq, message.text) for message in conversations.after(conversation, 0)]
    assert (tried, kept) == ([1, 2], [(1, "lebih dulu"), (2, "terlambat")])


def test_who_comes_back_while_idle_conversations_are_deleted_loses_no_message(services: Services) -> None:
    conversations = services.conversations
    conversation = conversations.open("web", "id").id
    came: list[Future[Any]] = []

    def come_back(_connection: Connection, _cursor: Any, statement: str, *_: Any) -> None:
        if "conversations.id IN" in statement and not came:
            came.append(elsewhere.submit(conversations.add_inbound, conversation, "id-1", "masih di sini"))
            wait(came, timeout=0.3)

    with services.database.durable_session() as session:
        engine = session.get_bind()
    with ThreadPoolExecutor(1) as elsewhere:
        event.listen(engine, "after_cursor_execute", come_back)
        try:
            deleted = conversations.forget_idle(utc_now() + timedelta(days=1))
        finally:
            event.remove(engine, "after_cursor_execute", come_back)
        error = came[0].exception(10)
    assert deleted == 1
    assert error is not None, "a conversation that is gone takes no message: nothing is stored that nobody would see"


def test_a_message_that_never_fits_is_an_error_and_leaves_nothing(services: Services) -> None:
    conversations = services.conversations
    conversation = conversations.open("web", "id").id
    conversations.add_inbound(conversation, "id-1", "lebih dulu")
    tried: list[int] = []

    def write_under_a_number_that_is_taken(session: Session, seq: int) -> None:
        tried.append(seq)
        conversations.add(session, conversation, 1, "officer", Reply("terlambat"))

    with pytest.raises(IntegrityError):
        conversations.append(conversation, write_under_a_number_that_is_taken)
    assert tried == [2] * TRIES_FOR_A_NUMBER
    assert [message.text for message in conversations.after(conversation, 0)] == ["lebih dulu"]
