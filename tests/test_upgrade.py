"""A database that version 0.1.0 has written is brought up to this version with nothing lost, and everybody in it goes on.

`releases/0.1.0.sql.gz` is what that version's own program stored of three conversations: an aspiration that was filed, a request
for information that was begun, and, on Telegram, a status check that was begun. Its moments are brought up to today, as of an
upgrade in the hour after: what was left for long is treated otherwise.
"""

from __future__ import annotations

import gzip
import hashlib
import re
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import sqlalchemy as sa
from itsdangerous import URLSafeTimedSerializer

from bot.assistant import Assistant
from bot.conversation import ConversationService
from bot.messages import Inbound
from bot.server import create_app
from services.assembly import Services, assemble, use
from services.knowledge import Knowledge
from services.settings import Settings
from store.database import Database, utc_now
from tests.citizen import Citizen
from tests.test_migrations import at_revision
from tests.test_postgresql import database_url  # noqa: F401 a fixture

DUMP = Path(__file__).with_name("releases") / "0.1.0.sql.gz"
KEY = "5HSZmc0zCEKFqFvAZ9s7Cg7vRq8chI1O5Ha8JYP9dKs="
"""Of that database alone, which holds nobody's data."""
REQUEST_BEGUN = "e1c7089e0ee9fe207e077d52ec1f29f8"
"""A conversation on the web: the first question of a request for information is open."""
NUMBER, CODE = "ASP-20261126-0PGH", "2V9ZJ7"
MOMENT = re.compile(r"2026-11-25 \d\d:\d\d:\d\d\.\d{6}")
HASHED_SINCE = "submission_key"
Rows = dict[str, list[dict[str, Any]]]


def dumped(path: Path) -> Path:
    """The database as version 0.1.0 left it an hour ago."""
    script = gzip.decompress(DUMP.read_bytes()).decode()
    since = utc_now().replace(tzinfo=None) - timedelta(hours=1) - datetime.fromisoformat(max(MOMENT.findall(script)))
    with closing(sqlite3.connect(path)) as database:
        database.executescript(MOMENT.sub(lambda found: f"{datetime.fromisoformat(found[0]) + since:%Y-%m-%d %H:%M:%S.%f}", script))
    return path


def rows_of(engine: sa.Engine, columns: dict[str, list[str]] | None = None) -> Rows:
    """All rows of all tables by their primary keys; only `columns`, where given by table."""
    found = sa.MetaData()
    found.reflect(engine)
    rows: Rows = {}
    with engine.connect() as connection:
        for table in found.sorted_tables:
            if table.name == "alembic_version" or (columns and table.name not in columns):
                continue
            wanted = [table.c[name] for name in columns[table.name]] if columns else list(table.c)
            rows[table.name] = [dict(row._mapping) for row in connection.execute(sa.select(*wanted).order_by(*table.primary_key))]
    return rows


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.scale)])
def before(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Settings, Rows]]:
    """Settings of the old database, not migrated yet, and its rows."""
    old = sa.create_engine(f"sqlite:///{dumped(tmp_path / 'sapa.db')}")
    rows = rows_of(old)
    url = ""
    if request.param == "postgresql":
        url = request.getfixturevalue("database_url")
        database = at_revision(Database(url), "0001")
        copy_into(database, rows)
        database.close()
    old.dispose()
    yield Settings(_env_file=None, SAPA_DATA_DIR=tmp_path, DATABASE_URL=url, SAPA_KEYS=KEY), rows


def copy_into(database: Database, rows: Rows) -> None:
    with database.connection() as connection:
        tables = sa.MetaData()
        tables.reflect(connection)
        for name, content in rows.items():
            if content:
                connection.execute(sa.insert(tables.tables[name]), content)
            if "id" in tables.tables[name].c and isinstance(tables.tables[name].c.id.type, sa.BigInteger):
                connection.execute(sa.text(f"SELECT setval(pg_get_serial_sequence('{name}', 'id'), (SELECT max(id) FROM {name}))"))


@pytest.fixture
def upgraded(before: tuple[Settings, Rows], knowledge: Knowledge) -> Iterator[Services]:
    services = assemble(before[0], knowledge)
    use(services)
    yield services
    services.database.close()


def test_every_value_of_every_row_is_there_after_the_upgrade(before: tuple[Settings, Rows], upgraded: Services) -> None:
    rows = before[1]
    assert len(rows["messages"]) == 48
    columns = {name: [column for column in content[0] if column != HASHED_SINCE] for name, content in rows.items() if content}
    columns.pop("simpel_requests")  # demo data, which each start puts in again
    engine = sa.create_engine(upgraded.database.url)
    after = rows_of(engine, columns)
    engine.dispose()
    for name, wanted in columns.items():
        expected = [{column: plain(row[column]) for column in wanted} for row in rows[name]]
        assert [{column: plain(row[column]) for column in wanted} for row in after[name]] == expected, name


def plain(value: Any) -> Any:
    """A moment without its zone, which SQLite does not keep."""
    return value.replace(tzinfo=None) if hasattr(value, "tzinfo") else value


async def test_a_ticket_is_found_by_its_number_and_code_and_can_be_read(upgraded: Services) -> None:
    assert upgraded.tickets.fields_of(NUMBER)["text"] == "Tolong perbanyak beasiswa untuk anak nelayan di daerah terpencil"
    assert upgraded.tickets.find(NUMBER, CODE, "another conversation") is not None


async def test_a_form_that_was_open_goes_on(upgraded: Services, trained: Assistant) -> None:
    trained.use_database(upgraded.database)
    conversation = upgraded.conversations.open("telegram", "en", "4711")
    assert conversation.awaited_field == "simpel_code"
    service = ConversationService(trained, upgraded)
    before = len(await service.messages_after(conversation.id, 0))
    answer = await service.handle(Inbound(conversation.id, "after-the-upgrade", "4ZD8KF"))
    assert "Returned for completion" in answer[0].text, answer
    assert len(await service.messages_after(conversation.id, 0)) == before + 1 + len(answer)


@pytest.fixture
async def visitor(upgraded: Services, trained: Assistant) -> AsyncIterator[Citizen]:
    """The citizen who has begun a request on the web, with the token that 0.1.0 gave, as that version signed it."""
    trained.use_database(upgraded.database)
    transport = httpx.ASGITransport(create_app(upgraded, trained), client=("127.0.0.1", 1234))
    async with httpx.AsyncClient(transport=transport, base_url="http://sapa.test", timeout=30) as client:
        citizen = Citizen(client)
        signing_key = hashlib.sha256(b"signing" + KEY.encode()).hexdigest()
        citizen.token = str(URLSafeTimedSerializer(signing_key, salt="web-session").dumps(REQUEST_BEGUN))
        yield citizen


async def test_a_request_that_was_begun_on_the_web_is_finished_under_the_old_token(visitor: Citizen, upgraded: Services) -> None:
    said_before = [message["text"] for message in await visitor.history()]
    assert said_before[2] == "saya mau mengajukan permohonan informasi"
    assert "Ketik salah satu pilihan" in await visitor.says("mungkin")
    details = "Laporan kinerja Kemensetneg tahun 2024"
    filed = await visitor.goes_through(
        "wni",
        details,
        "penelitian skripsi",
        "Budi Santoso",
        "Jl. Melati 5, Magelang",
        "budi@contoh.id",
        "salinan",
        "email",
        "ya, sudah benar",
    )
    number = re.findall(r"PIP-\d{8}-\w{4}", filed)[0]
    assert upgraded.tickets.fields_of(number)["details"] == details
    assert [message["text"] for message in await visitor.history()][: len(said_before)] == said_before


async def test_a_form_that_was_begun_before_is_left_by_one_word(visitor: Citizen, upgraded: Services) -> None:
    await visitor.says("batal")
    conversation = upgraded.conversations.get(REQUEST_BEGUN)
    assert conversation is not None
    assert conversation.awaited_field is None
    assert upgraded.drafts.kept(REQUEST_BEGUN, "information") is None
