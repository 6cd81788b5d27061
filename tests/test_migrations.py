"""The schema that migrations make is that of the models, and a database of the release before keeps its tickets."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from cryptography.fernet import Fernet

from services.calendar import WorkingCalendar
from services.tickets import Filing, Kind, Tickets
from store import tables
from store.database import MIGRATIONS, Database
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
