"""The schema that migrations make is that of the models, and a database of the release before keeps its tickets."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command, op
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from cryptography.fernet import Fernet
from sqlalchemy.exc import OperationalError

from services.calendar import WorkingCalendar
from services.tickets import Filing, Kind, Tickets
from store import tables
from store.database import MIGRATIONS, Database, NotMigrated, revisions
from store.encryption import Encryption
from store.tables import TABLES


def at_revision(database: Database, revision: str) -> Database:
    """The empty database, with the schema of a revision."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with database.connection() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
    return database


def file_as_before(database: Database, encryption: Encryption, key: str) -> None:
    """A ticket and its event as revision 0001 kept them, with the submission key in clear."""
    columns = {
        "number": "PIP-20261123-7K4Q",
        "kind": "PIP",
        "access_code_hash": "x",
        "conversation_id": "c1",
        "state": "diterima",
        "subject": "wni",
        "fields": encryption.seal({"details": "laporan"}),
        "locale": "id",
        "received_at": "2026-11-23 03:00:00",
        "due_on": "2026-12-07",
        "submission_key": key,
    }
    names = ", ".join(columns)
    with database.session() as session:
        session.execute(sa.text(f"INSERT INTO tickets ({names}) VALUES (:{names.replace(', ', ', :')})"), columns)
        event = (
            "INSERT INTO ticket_events (ticket_id, at, name, actor, data) VALUES (1, '2026-11-23 03:00:00', 'diterima', 'warga', '{}')"
        )
        session.execute(sa.text(event))


def test_the_migrated_schema_is_that_of_the_models(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path}/sapa.db")
    database.migrate()
    with sa.create_engine(database.url).connect() as connection:
        opts = {"compare_type": False, "include_name": lambda name, kind, _: kind != "table" or not name.startswith("message_words")}
        context = MigrationContext.configure(connection, opts=opts)
        assert compare_metadata(context, TABLES) == []


def test_no_module_of_models_is_forgotten() -> None:
    """A table that `store/tables.py` does not know would be in no migration, and its values would stay under the old key."""
    imported = set(re.findall(r"^import store\.(\w+)$", Path(tables.__file__).read_text(encoding="utf-8"), re.MULTILINE))
    assert imported == {path.stem for path in Path(tables.__file__).parent.glob("*models.py")}


def test_a_confirmation_from_before_the_upgrade_still_finds_its_ticket(tmp_path: Path) -> None:
    encryption = Encryption([Fernet.generate_key().decode()])
    database = at_revision(Database(f"sqlite:///{tmp_path}/sapa.db"), "0001")
    file_as_before(database, encryption, "kunci-lama")
    database.migrate(encryption)
    tickets = Tickets(database, encryption, WorkingCalendar(), attempts=None)  # type: ignore[arg-type]  # filing tries no code
    filing = Filing(Kind.INFORMATION_REQUEST, {"details": "laporan"}, "wni", "c1", "id", submission_key="kunci-lama")
    assert tickets.file(filing, datetime(2026, 11, 24, tzinfo=UTC)).number == "PIP-20261123-7K4Q"
    with database.session() as session:
        assert "kunci-lama" not in str(session.execute(sa.text("SELECT * FROM tickets")).all())
    database.close()


def test_tickets_are_not_brought_up_to_date_without_the_keys(tmp_path: Path) -> None:
    database = at_revision(Database(f"sqlite:///{tmp_path}/sapa.db"), "0001")
    file_as_before(database, Encryption([Fernet.generate_key().decode()]), "kunci-lama")
    with pytest.raises(RuntimeError, match="with its keys"):
        database.migrate()
    database.close()


def said(database: Database) -> None:
    """A message of a citizen, as any revision from 0006 on keeps it."""
    conversation = "INSERT INTO conversations (id, channel, locale, created_at, last_at) VALUES ('c1', 'web', 'id', 0, 0)"
    columns = "conversation_id, seq, author, text, buttons, sources, at"
    with database.session() as session:
        session.execute(sa.text(conversation))
        session.execute(sa.text(f"INSERT INTO messages ({columns}) VALUES ('c1', 1, 'user', 'magang', '', '', 0)"))


def found(database: Database) -> int:
    """How many messages the search for that word finds."""
    with database.session() as session:
        return session.scalar(sa.text("SELECT count(*) FROM message_words WHERE message_words MATCH 'magang'")) or 0


def schema(database: Database) -> set[tuple[str, str | None]]:
    with database.session() as session:
        return {(row.name, row.sql) for row in session.execute(sa.text("SELECT name, sql FROM sqlite_master"))}


def in_the_midst(monkeypatch: pytest.MonkeyPatch, act: Callable[[], object]) -> None:
    """Have something happen as 0018 fills the index of words, when the triggers of before are gone."""
    execute = op.execute

    def executed(statement: str) -> None:
        if "SELECT id, text FROM messages" in statement:
            act()
        execute(statement)

    monkeypatch.setattr(op, "execute", executed)


def test_a_migration_that_dies_half_way_leaves_all_as_it_was_for_the_next_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = at_revision(Database(f"sqlite:///{tmp_path}/sapa.db"), "0014")
    said(database)
    before = schema(database)

    def die() -> None:
        raise OSError("no space left")

    with monkeypatch.context() as patched, pytest.raises(OSError, match="no space"):
        in_the_midst(patched, die)
        database.migrate()
    assert schema(database) == before
    database.migrate()
    assert found(database) == 1
    with database.session() as session:
        session.execute(sa.text("DELETE FROM messages"))
    assert found(database) == 0
    database.close()


def test_a_migration_that_died_half_way_in_an_earlier_release_is_done_anew(tmp_path: Path) -> None:
    database = at_revision(Database(f"sqlite:///{tmp_path}/sapa.db"), "0017")
    said(database)
    with database.session() as session:
        for happening in ("insert", "delete"):
            session.execute(sa.text(f"DROP TRIGGER message_words_{happening}"))
    database.migrate()
    assert found(database) == 1
    database.close()


def test_of_two_processes_that_migrate_at_once_one_does_nothing_before_the_other_has_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("store.database.BUSY_TIMEOUT_SECONDS", 0)
    first, second = (Database(f"sqlite:///{tmp_path}/sapa.db") for _ in range(2))
    at_revision(first, "0017")
    refused: list[str] = []

    def migrate_too() -> None:
        with pytest.raises(NotMigrated) as error:
            second.migrate()
        refused.append(str(error.value))

    with monkeypatch.context() as patched:
        in_the_midst(patched, migrate_too)
        first.migrate()
    assert "start again" in refused[0]
    second.migrate()
    first.close()
    second.close()


def test_a_table_that_is_made_anew_keeps_what_refers_to_it(tmp_path: Path) -> None:
    """0013 makes `staff` anew."""
    database = at_revision(Database(f"sqlite:///{tmp_path}/sapa.db"), "0012")
    said(database)
    with database.session() as session:
        for table, columns in {
            "staff": {
                **{"id": 1, "login": "sari", "name": "Sari", "role": "petugas", "locale": "id", "password_hash": "x"},
                **{"password_is_temporary": False, "recovery_code_hashes": "[]", "created_at": 0},
            },
            "desk_sessions": {"id": 1, "token_hash": "x", "staff_id": 1, "browser": "x", "created_at": 0, "seen_at": 0},
            "readings": {"staff_id": 1, "conversation_id": "c1", "seq": 1},
            "calendar_feeds": {"staff_id": 1, "token_hash": "x", "created_at": 0},
        }.items():
            names = ", ".join(columns)
            session.execute(sa.text(f"INSERT INTO {table} ({names}) VALUES (:{names.replace(', ', ', :')})"), columns)
    database.migrate()
    with database.session() as session:
        for table in ("staff", "desk_sessions", "readings", "calendar_feeds"):
            assert session.scalar(sa.text(f"SELECT count(*) FROM {table}")) == 1, table
        session.execute(sa.text("DELETE FROM staff"))
        assert session.scalar(sa.text("SELECT count(*) FROM desk_sessions")) == 0, "references are looked after again"
    database.close()


def test_a_migration_that_leaves_a_reference_to_nothing_is_taken_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    database = at_revision(Database(f"sqlite:///{tmp_path}/sapa.db"), "0017")
    said(database)
    before = schema(database)
    with monkeypatch.context() as patched, pytest.raises(NotMigrated, match="messages"):
        in_the_midst(patched, lambda: op.get_bind().execute(sa.text("DELETE FROM conversations")))
        database.migrate()
    assert schema(database) == before
    database.close()


def test_a_release_before_serves_a_database_that_a_newer_one_has_migrated(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path}/sapa.db")
    database.migrate()
    assert database.is_migrated()
    with database.session() as session:
        session.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    database.migrate()
    assert database.is_migrated()


def test_a_database_that_stands_at_an_earlier_migration_is_not_migrated(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path}/sapa.db")
    database.migrate()
    with database.session() as session:
        session.execute(sa.text("UPDATE alembic_version SET version_num = :earlier"), {"earlier": revisions()[1]})
    assert not database.is_migrated()


def test_a_migration_that_fails_for_another_reason_than_a_lock_says_which(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_given: object) -> None:
        raise OperationalError("CREATE TABLE", {}, Exception("database or disk is full"))

    monkeypatch.setattr("store.database.command.upgrade", full)
    database = Database(f"sqlite:///{tmp_path}/sapa.db")
    with pytest.raises(OperationalError, match="disk is full"):
        database.migrate()
    database.close()


def test_only_a_database_with_one_writer_needs_rests(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    rests: list[float] = []
    monkeypatch.setattr("store.database.time.sleep", rests.append)
    for url in (f"sqlite:///{tmp_path}/sapa.db", "postgresql://nobody@localhost/nothing"):
        database = Database(url)
        database.give_way()
        database.close()
    assert len(rests) == 1
