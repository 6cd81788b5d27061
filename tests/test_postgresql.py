"""The same application on PostgreSQL: `DATABASE_URL` moves everything, no other code path."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from bot.assistant import Assistant
from bot.server import create_app
from services import conversation_log, simpel
from services.assembly import Services, assemble, use
from services.audit import AuditFilter
from services.calendar import JAKARTA
from services.conversation_log import ConversationLog, LogFilter
from services.handoff import Handoffs, NotYours
from services.knowledge import Knowledge
from services.knowledge_editing import EditRefused
from services.permissions import Role
from services.published_knowledge import PublishedKnowledge
from services.settings import Settings
from services.spans import Span
from services.staff import StaffRefused
from services.teaching import TeachingRefused
from services.ticket_changes import ChangeRefused
from services.tickets import Filing, Kind, Resolution
from store.conversations import Conversations
from store.database import Database, NotMigrated
from store.encryption import Encryption
from store.leases import Leases
from store.telegram_inbox import TelegramInbox
from tests.citizen import Citizen
from tests.clock import Clock
from tests.knowledge_folder import PARKING
from tests.postgresql import own_database
from tests.test_migrations import at_revision

pytestmark = pytest.mark.scale


@pytest.fixture
def database_url() -> Iterator[str]:
    with own_database() as url:
        yield url


@pytest.fixture
async def on_postgresql(
    database_url: str, tmp_path: Path, knowledge: Knowledge, trained: Assistant
) -> AsyncIterator[tuple[httpx.AsyncClient, Services]]:
    settings = Settings(_env_file=None, SAPA_DATA_DIR=tmp_path, DATABASE_URL=database_url)
    services = assemble(settings, knowledge)
    use(services)
    trained.use_database(services.database)
    transport = httpx.ASGITransport(create_app(services, trained))
    async with httpx.AsyncClient(transport=transport, base_url="http://sapa.test", timeout=60) as client:
        yield client, services
    services.database.close()


async def test_an_aspiration_and_a_status_check_work(on_postgresql: tuple[httpx.AsyncClient, Services]) -> None:
    client, services = on_postgresql
    citizen = await Citizen(client).arrives()
    text = "Tolong perbanyak beasiswa untuk anak nelayan di daerah terpencil"
    answer = await citizen.goes_through("saya ingin menyampaikan aspirasi", "ya", text, "pendidikan", *["lewati"] * 4, "ya")
    number = re.search(r"ASP-\d{8}-[0-9A-Z]{4}", answer)
    assert number, answer
    assert services.tickets.fields_of(number[0])["text"] == text
    assert "Dikembalikan" in await citizen.says("cek status SIMPEL DEMO-SMP-000105 kode 4ZD8KF")


async def test_many_citizens_at_once_each_get_their_own_answers_in_order(
    on_postgresql: tuple[httpx.AsyncClient, Services],
) -> None:
    client, _ = on_postgresql
    citizens = [await Citizen(client).arrives() for _ in range(8)]
    answers = await asyncio.gather(*(c.goes_through("saya ingin menyampaikan aspirasi", "ya") for c in citizens))
    assert all("tuliskan aspirasi" in answer for answer in answers)
    for citizen in citizens:
        history = (await client.get("/api/chat/messages", headers=citizen.headers)).json()["messages"]
        assert [message["seq"] for message in history] == list(range(1, len(history) + 1))


async def test_the_same_message_twice_at_once_has_one_effect(on_postgresql: tuple[httpx.AsyncClient, Services]) -> None:
    client, _ = on_postgresql
    citizen = await Citizen(client).arrives()
    same = "6f1f0c66-6a5b-4d55-9d5c-0a3a5d4f0a11"
    first, second = await asyncio.gather(citizen.says("halo", same), citizen.says("halo", same))
    assert first == second
    history = (await client.get("/api/chat/messages", headers=citizen.headers)).json()["messages"]
    assert sum(message["from"] == "user" for message in history) == 1


async def test_changes_reminders_and_leases_of_many_threads_happen_once(
    on_postgresql: tuple[httpx.AsyncClient, Services],
) -> None:
    _, services = on_postgresql
    filed = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
    number = services.tickets.file(Filing(Kind.INFORMATION_REQUEST, {"details": "x"}, "wni", "c1", "id"), filed).number
    due = datetime(2026, 12, 7, 1, 0, tzinfo=UTC)
    reminded = await asyncio.gather(*(asyncio.to_thread(services.reminders.record_due, due) for _ in range(6)))
    assert sum(map(len, reminded)) == 1

    def answer(officer: str) -> bool:
        try:
            services.ticket_changes.answer(number, "Terlampir.", Resolution.GRANTED, officer)
        except ChangeRefused:
            return False
        return True

    assert sum(await asyncio.gather(*(asyncio.to_thread(answer, f"petugas{n}") for n in range(6)))) == 1
    leases, length = Leases(services.database), timedelta(minutes=1)
    taken = await asyncio.gather(*(asyncio.to_thread(leases.take, "x", f"holder-{n}", due, length) for n in range(6)))
    assert sum(taken) == 1


async def test_accounts_changed_by_many_at_once_keep_an_administrator_and_a_recovery_code_lets_one_in(
    on_postgresql: tuple[httpx.AsyncClient, Services],
) -> None:
    _, services = on_postgresql
    both = ["ani", "bos"]
    for login in both:
        services.staff.add(login, "Admin", Role.ADMIN, "uji")

    def demote(login: str) -> bool:
        try:
            services.staff.set_role(login, Role.READER, "uji")
        except StaffRefused:
            return False
        return True

    assert sum(await asyncio.gather(*(asyncio.to_thread(demote, login) for login in both))) == 1
    services.staff.change("ani", recovery_code_hashes=[services.encryption.fingerprint("recovery", "kode")])
    services.staff.change("ani", totp=services.encryption.seal(services.second_factor.new_secret()))
    ani = services.staff.get("ani")
    assert sum(await asyncio.gather(*(asyncio.to_thread(services.second_factor.use, ani, "kode") for _ in range(6)))) == 1


async def test_of_many_officers_at_once_one_gets_the_conversation(on_postgresql: tuple[httpx.AsyncClient, Services]) -> None:
    _, services = on_postgresql
    clock = Clock("2026-11-23 10:00")
    handoffs = Handoffs(services.database, services.conversations, services.drafts, services.hours, clock)
    conversation = services.conversations.open("web", "id").id
    handoff_id = handoffs.ask(conversation).handoff_id

    def take(officer: str) -> bool:
        try:
            handoffs.take(handoff_id, officer)
        except NotYours:
            return False
        return True

    assert sum(await asyncio.gather(*(asyncio.to_thread(take, f"petugas-{n}") for n in range(8)))) == 1
    assert handoffs.ask(conversation).handoff_id == handoff_id
    (event,) = services.untold.all()
    assert sum(await asyncio.gather(*(asyncio.to_thread(services.untold.claim, event.event_id) for _ in range(8)))) == 1


async def test_officer_and_citizen_write_at_once_and_no_message_is_lost(on_postgresql: tuple[httpx.AsyncClient, Services]) -> None:
    _, services = on_postgresql
    conversation = services.conversations.open("web", "id").id
    add = services.conversations.add_inbound
    await asyncio.gather(*(asyncio.to_thread(add, conversation, f"id-{n}", f"pesan {n}") for n in range(4)))
    assert [message.seq for message in services.conversations.after(conversation, 0)] == [1, 2, 3, 4]


async def test_what_the_desk_reads_can_be_read_here_too(on_postgresql: tuple[httpx.AsyncClient, Services]) -> None:
    client, services = on_postgresql
    citizen = await Citizen(client).arrives()
    await citizen.goes_through("apa itu simpel?", "berapa gaji anak magang di setneg")
    log = services.conversation_log
    for wanted in (LogFilter(words="simp"), LogFilter(words="gaji magang"), LogFilter(topic="simpel"), LogFilter(unanswered=True)):
        assert len(log.search(wanted, 0)) == 1, wanted
    assert log.search(LogFilter(words="istura"), 0) == []
    today = datetime.now(JAKARTA).date()
    figures = services.overview.figures(Span(today, today), today)
    assert figures.total.conversations == 1
    first = figures.first_answers.total
    assert first.count == 1
    assert first.median is not None
    assert 0 <= first.median < 60
    assert figures.officer_waits.total.count == 0


@pytest.mark.parametrize(
    ("words", "holding", "found"),
    [
        ("langka", [10], [10]),  # none among the newest five
        ("jarang", [5, 30, 57, 59], [5, 30, 57, 59]),  # two: the index finds the rest
        ("sering", [5, 40, 56, 58, 60], [5, 40, 56, 58, 60]),  # three are frequent: the ten before are gone through
        ("kerap", [*range(20, 56), 56, 58, 60], [53, 54, 55, 56, 58, 60]),  # more than are looked at: the newest
        ("selalu", list(range(1, 61)), list(range(56, 61))),  # enough among the newest five
        ("baru", [60], [60]),
        ("tiada", [], []),
    ],
)
def test_words_are_found_among_all_messages_however_frequent_they_are(
    words: str, holding: list[int], found: list[int], database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, number in (("NEWEST_MESSAGES", 5), ("ENOUGH_HITS", 4), ("MOST_HITS", 6), ("FREQUENT", 3)):
        monkeypatch.setattr(conversation_log, name, number)
    database = Database(database_url)
    database.migrate()
    conversations = Conversations(database, Encryption(["l2kX0Xk0Q4l8q0T0Zb8b2m0k5r1m8g4m6u4w0l3H5bE="]))
    numbers = {}
    for number in range(1, 61):
        conversation = conversations.open("web", "id").id
        conversations.add_inbound(conversation, "m1", f"pesan {words if number in holding else 'lain'}")
        numbers[conversation] = number
    log = ConversationLog(database, conversations)
    for wanted in (words, words[:4]):
        assert sorted(numbers[one.id] for one in log.search(LogFilter(words=wanted), 0)) == found, wanted
    database.close()


def test_a_view_of_simpel_that_takes_too_long_is_given_up(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(simpel, "STATEMENT_SECONDS", 1)
    database = Database(database_url)
    columns = "'X-1'::text AS number, 'X-1 7K4Q2A'::text AS access_code_hash, 'DRAF'::text AS status, DATE '2026-11-01' AS changed_on"
    with database.session() as session:
        session.execute(text(f"CREATE VIEW slow_view AS SELECT {columns} FROM pg_sleep(20)"))
        session.execute(text(f"CREATE VIEW quick_view AS SELECT {columns}"))
    started = time.monotonic()
    with pytest.raises(simpel.SimpelUnavailable, match="can't be read"):
        simpel.SqlSimpelDirectory(database, "{} {}".format, "slow_view").lookup("X-1", "7K4Q2A")
    assert time.monotonic() - started < 10
    assert simpel.SqlSimpelDirectory(database, "{} {}".format, "quick_view").lookup("X-1", "7K4Q2A") is not None
    with database.session() as session:
        assert session.scalar(text("SHOW statement_timeout")) != "1s", "other statements keep their own time"
    database.close()


def test_a_migration_does_not_wait_behind_a_backup_with_all_who_write_behind_it(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("store.database.MIGRATION_LOCK_MS", 50)
    database = at_revision(Database(database_url), "0013")
    with database.session() as backup:
        backup.execute(text("LOCK TABLE telegram_updates IN ACCESS SHARE MODE"))
        with pytest.raises(NotMigrated, match="start again"):
            database.migrate()
    database.migrate()
    database.close()


async def test_the_audit_log_is_one_chain_that_the_database_keeps(on_postgresql: tuple[httpx.AsyncClient, Services]) -> None:
    _, services = on_postgresql
    before = len(services.audit.search(AuditFilter(), limit=1000))
    await asyncio.gather(*(asyncio.to_thread(services.audit.record, "sari", "ticket.read", f"ASP-{n}") for n in range(8)))
    assert len(services.audit.search(AuditFilter(), limit=1000)) == before + 8
    assert services.audit.first_broken() is None
    for change in ("UPDATE audit_entries SET reason = 'lain'", "DELETE FROM audit_entries", "TRUNCATE audit_entries"):
        with pytest.raises(DBAPIError, match="never changed"), services.database.session() as session:
            session.execute(text(change))


def test_updates_from_telegram_are_stored_once(on_postgresql: tuple[httpx.AsyncClient, Services]) -> None:
    _, services = on_postgresql
    inbox = TelegramInbox(services.database, services.encryption)
    assert [inbox.accept(2**40, 7, {"update_id": 2**40}) for _ in range(2)] == [True, False]
    inbox.finish(2**40)
    inbox.release()
    assert inbox.take_up() == []


async def test_staff_teach_and_publish_knowledge_on_postgresql(
    on_postgresql: tuple[httpx.AsyncClient, Services],
) -> None:
    client, services = on_postgresql
    citizen = await Citizen(client).arrives()
    await citizen.says("blabla wkwk entahlah gitu deh pokoknya")
    (candidate,) = services.teaching.queue()
    services.teaching.decide("ani", candidate.message_id, "out_of_scope")
    with pytest.raises(TeachingRefused):
        services.teaching.decide("budi", candidate.message_id, "greet")
    number = services.teaching_batches.hand_on("ani")
    services.teaching_batches.approve("budi", number, [one.id for one in services.teaching_batches.get(number)[1]])
    assert [one.intent for one in services.teaching_batches.approved()] == ["out_of_scope"]
    assert services.unanswered.gather().groups == []
    editing, published = services.knowledge_editing, PublishedKnowledge(services.database)
    draft = editing.begin("ani", PARKING)
    editing.propose("ani", draft, "")
    with pytest.raises(EditRefused):
        editing.publish("ani", draft)
    editing.publish("budi", draft)
    assert published.revision() == 1
    assert set(published.texts()) == {PARKING.id}


def test_statements_are_prepared_unless_the_address_says_that_a_pooler_knows_none() -> None:
    with own_database() as url:
        prepared = {}
        for wish in ("", "?prepared_statements=off" if "?" not in url else "&prepared_statements=off"):
            database = Database(url + wish)
            for _ in range(12):
                with database.session() as session:
                    session.execute(text("SELECT 1"))
                    prepared[wish] = session.scalar(text("SELECT count(*) FROM pg_prepared_statements"))
            assert "prepared_statements" not in database.url.query
            database.close()
    assert prepared.popitem()[1] == 0
    assert prepared[""] > 0
