"""A backup taken while others write goes back whole, and a bad one changes nothing."""

from __future__ import annotations

import asyncio
import hashlib
import io
import json
import shutil
import sqlite3
import tarfile
import threading
import uuid
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, closing
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from cryptography.fernet import Fernet
from sqlalchemy import Connection, select, text
from typer.testing import CliRunner

from bot.cli import app
from services import assembly, backup
from services.assembly import Services, assemble
from services.audit import AuditFilter
from services.knowledge import Knowledge
from services.settings import Settings
from services.tickets import Filing, Kind
from store import database_copy
from store.database import Database
from store.database_copy import InUse, faults, is_empty, put_back, snapshot
from store.encryption import open_encryption
from store.models import Message
from store.ticket_models import Ticket
from tests.browser.running_server import RunningServer
from tests.citizen import Citizen
from tests.postgresql import own_database
from tests.test_migrations import at_revision, file_as_before

NOW = datetime(2026, 11, 23, 3, tzinfo=UTC)
PDF = b"%PDF-1.7\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF\n"
ENGINES = ["sqlite", pytest.param("postgresql", marks=pytest.mark.scale)]


@pytest.fixture
def urls(request: pytest.FixtureRequest) -> Iterator[tuple[str, str]]:
    """Addresses of the database and of another, empty one."""
    if request.param == "sqlite":
        yield "", ""
        return
    with own_database() as one, own_database() as other:
        yield one, other


def settings_of(folder: Path, url: str = "") -> Settings:
    return Settings(_env_file=None, SAPA_DATA_DIR=folder, DATABASE_URL=url)


def filing(number: int) -> Filing:
    return Filing(Kind.ASPIRATION, {"text": f"usul {number}"}, "umum", "c1", "id", f"kunci-{number}")


@pytest.fixture
def served(urls: tuple[str, str], tmp_path: Path, knowledge: Knowledge) -> Iterator[Services]:
    """Services as a server has them, with a ticket and a file of its answer."""
    services = assemble(settings_of(tmp_path / "var", urls[0]), knowledge)
    number = services.tickets.file(filing(0), NOW).number
    services.ticket_files.add(number, "jawaban.pdf", PDF, "petugas")
    yield services
    services.database.close()


def numbers(services: Services) -> set[str]:
    with services.database.session() as session:
        return set(session.scalars(select(Ticket.number)))


@pytest.mark.parametrize("urls", ENGINES, indirect=True)
def test_a_backup_taken_while_tickets_are_filed_holds_every_ticket_that_was_acknowledged_before(
    served: Services, urls: tuple[str, str], tmp_path: Path, knowledge: Knowledge
) -> None:
    acknowledged: list[str] = []
    ended, enough = threading.Event(), threading.Event()

    def file_tickets() -> None:
        while not ended.is_set():
            acknowledged.append(served.tickets.file(filing(len(acknowledged) + 1), NOW).number)
            if len(acknowledged) == 20:
                enough.set()

    writer = threading.Thread(target=file_tickets)
    writer.start()
    try:
        assert enough.wait(60)
        before = set(acknowledged)
        made = backup.back_up(served.settings, tmp_path / "sapa.tar", with_keys=True)
    finally:
        ended.set()
        writer.join()
    served.database.close()
    assert (tmp_path / "sapa.tar").stat().st_mode & 0o777 == 0o600

    target = settings_of(tmp_path / "other", urls[1])
    restored = backup.restore(target, tmp_path / "sapa.tar", force=False)
    assert (restored.manifest, restored.set_aside) == (made, [])
    services = assemble(target, knowledge)
    assert faults(services.database) == []
    assert before <= numbers(services) <= {*acknowledged, *numbers(served)}
    assert made.counts["tickets"] == len(numbers(services))
    (number,) = {ticket for ticket in numbers(services) if services.ticket_files.of(ticket)}
    assert services.ticket_files.read(number, services.ticket_files.of(number)[0].id)[1] == PDF
    assert services.tickets.fields_of(number) == {"text": "usul 0"}
    services.database.close()


@pytest.mark.parametrize("urls", ENGINES, indirect=True)
def test_a_database_that_is_there_is_replaced_only_by_force_and_kept(
    served: Services, urls: tuple[str, str], tmp_path: Path, knowledge: Knowledge
) -> None:
    backup.back_up(served.settings, tmp_path / "sapa.tar", with_keys=False)
    later = served.tickets.file(filing(1), NOW).number
    with pytest.raises(backup.BackupRefused, match="--force"):
        backup.restore(served.settings, tmp_path / "sapa.tar", force=False)
    with served.database.session() as session:  # a server at work
        session.scalar(select(Ticket.id))
        with pytest.raises(InUse):
            backup.restore(served.settings, tmp_path / "sapa.tar", force=True)
    assert later in numbers(served)
    served.database.close()
    restored = backup.restore(served.settings, tmp_path / "sapa.tar", force=True)
    services = assemble(served.settings, knowledge)
    assert later not in numbers(services)
    services.database.close()
    if not urls[0]:
        (aside, _) = restored.set_aside
        with closing(sqlite3.connect(tmp_path / "var" / aside)) as kept:
            assert kept.execute("SELECT count(*) FROM tickets WHERE number = ?", (later,)).fetchone() == (1,)


def damaged(path: Path, name: str) -> Path:
    """The backup with one byte of a member changed and the rest as it was."""
    content = bytearray(path.read_bytes())
    with tarfile.open(path) as archive:
        member = archive.getmember(name)
    content[member.offset_data + member.size // 2] ^= 1
    bad = path.with_name("damaged.tar")
    bad.write_bytes(content)
    return bad


def with_manifest(path: Path, contents: Mapping[str, bytes] | None = None, **changed: object) -> Path:
    """The backup with another manifest, and `contents` in place of members."""
    bad = path.with_name("forged.tar")
    with tarfile.open(path) as source, tarfile.open(bad, "w") as target:
        for member in source.getmembers():
            content = source.extractfile(member)
            assert content
            data = (contents or {}).get(member.name, content.read())
            if member.name == backup.MANIFEST:
                data = json.dumps(json.loads(data) | changed).encode()
            member.size = len(data)
            target.addfile(member, io.BytesIO(data))
    return bad


@pytest.mark.parametrize("urls", ["sqlite"], indirect=True)
def test_a_backup_that_is_not_as_it_was_made_changes_nothing(served: Services, tmp_path: Path) -> None:
    path = tmp_path / "sapa.tar"
    made = backup.back_up(served.settings, path, with_keys=True)
    target = settings_of(tmp_path / "other")
    file = next(name for name in made.sha256 if name.startswith(backup.FILES))
    half = tmp_path / "half.tar"
    half.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    cases = {
        damaged(path, backup.DATABASE): "checksum",
        half: "can't be read as a backup",
        tmp_path / "sapa.tar.txt": "can't be read as a backup",
    }
    (tmp_path / "sapa.tar.txt").write_text("no archive")
    for bad, said in cases.items():
        with pytest.raises(backup.BackupRefused, match=said):
            backup.restore(target, bad, force=True)
    for changed, said in (
        ({"format": 2}, "newer program"),
        ({"backend": "postgresql"}, "its own kind"),
        ({"counts": made.counts | {"tickets": 7}}, "1 tickets, not 7"),
        ({"sha256": made.sha256 | {"../../etc/passwd": "0"}}, "don't use it"),
        ({"sha256": {name: sha for name, sha in made.sha256.items() if name != backup.DATABASE}}, "no database"),
        ({"sha256": made.sha256 | {f"{backup.FILES}/aa/none": "0"}}, "not whole"),
        ({"sealed_check": served.encryption.seal("something else").decode()}, "no key"),
        (no_database(made), "copy in the backup is damaged"),
    ):
        with pytest.raises(backup.BackupRefused, match=said):
            backup.restore(target, with_manifest(path, **changed), force=True)
    with pytest.raises(backup.BackupRefused, match="checksum"):
        backup.restore(target, damaged(path, file), force=True)
    folder = tarfile.TarInfo(f"{backup.FILES}/folder")
    folder.type = tarfile.DIRTYPE
    with_folder = with_manifest(path, sha256=made.sha256 | {folder.name: "0"})
    with tarfile.open(with_folder, "a") as archive:
        archive.addfile(folder)
    with pytest.raises(backup.BackupRefused, match="not whole"):
        backup.restore(target, with_folder, force=True)
    assert list((tmp_path / "other").iterdir()) == []


@pytest.mark.parametrize("urls", ["sqlite"], indirect=True)
def test_a_backup_that_no_migration_brings_up_to_this_version_is_refused(
    served: Services, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "sapa.tar"
    backup.back_up(served.settings, path, with_keys=True)
    served.database.close()

    def fails(*_given: object) -> None:
        raise ValueError

    monkeypatch.setattr(backup.Database, "migrate", fails)
    with pytest.raises(backup.BackupRefused, match=r"could not be brought up to this version \(ValueError\)"):
        backup.restore(served.settings, path, force=True)


NO_DATABASE = b"no database" * 1000


def no_database(made: backup.Manifest) -> dict[str, object]:
    """For `with_manifest`: something else in the place of the database, with the checksum that it has."""
    sha256 = made.sha256 | {backup.DATABASE: hashlib.sha256(NO_DATABASE).hexdigest()}
    return {"contents": {backup.DATABASE: NO_DATABASE}, "sha256": sha256}


@pytest.mark.scale
@pytest.mark.parametrize("urls", ["postgresql"], indirect=True)
def test_a_backup_that_postgresql_cannot_take_in_leaves_what_was_there(served: Services, tmp_path: Path) -> None:
    made = backup.back_up(served.settings, tmp_path / "sapa.tar", with_keys=True)
    later = served.tickets.file(filing(1), NOW).number
    for changed, said in ((no_database(made), "nothing was changed"), ({"counts": made.counts | {"tickets": 7}}, "1 tickets, not 7")):
        served.database.close()
        with pytest.raises(backup.BackupRefused, match=said):
            backup.restore(served.settings, with_manifest(tmp_path / "sapa.tar", **changed), force=True)
        assert later in numbers(served)


@pytest.mark.parametrize("urls", ENGINES, indirect=True)
def test_a_copy_that_is_in_place_goes_again_where_what_comes_next_fails(
    served: Services, urls: tuple[str, str], tmp_path: Path
) -> None:
    with snapshot(served.database, tmp_path / "copy"):
        pass
    later = served.tickets.file(filing(1), NOW).number
    empty = Database(settings_of(tmp_path / "other", urls[1]).database)
    for database, is_there in ((served.database, True), (empty, False)):
        database.close()
        shutil.copy(tmp_path / "copy", tmp_path / "once")
        with pytest.raises(RuntimeError), put_back(database, tmp_path / "once", "uji") as aside:
            assert bool(aside) is is_there
            raise RuntimeError
    assert later in numbers(served)
    assert is_empty(empty)


@pytest.mark.parametrize("urls", ["sqlite"], indirect=True)
def test_without_its_keys_a_backup_is_refused_and_with_them_it_opens(served: Services, tmp_path: Path) -> None:
    backup.back_up(served.settings, tmp_path / "sapa.tar", with_keys=False)
    with tarfile.open(tmp_path / "sapa.tar") as archive:
        assert backup.KEYS not in archive.getnames()
    other = tmp_path / "other"
    with pytest.raises(backup.BackupRefused, match=r"keys\.txt"):
        backup.restore(settings_of(other), tmp_path / "sapa.tar", force=False)
    (other / "keys.txt").write_text(Fernet.generate_key().decode())
    with pytest.raises(backup.BackupRefused, match=r"keys\.txt"):
        backup.restore(settings_of(other), tmp_path / "sapa.tar", force=False)
    shutil.copy(tmp_path / "var" / "keys.txt", other)
    backup.restore(settings_of(other), tmp_path / "sapa.tar", force=False)
    with closing(sqlite3.connect(other / "sapa.db")) as database:
        (sealed,) = database.execute("SELECT fields FROM tickets").fetchone()
    assert open_encryption("", other).unseal(sealed) == {"text": "usul 0"}


def test_where_there_is_nothing_to_back_up_or_no_place_for_it_it_is_said_what_to_do(tmp_path: Path) -> None:
    settings, target = settings_of(tmp_path / "var"), tmp_path / "sapa.tar"
    with pytest.raises(backup.BackupRefused, match="no folder"):
        backup.back_up(settings, tmp_path / "none" / "sapa.tar", with_keys=False)
    with pytest.raises(backup.BackupRefused, match="no keys"):
        backup.back_up(settings, target, with_keys=False)
    open_encryption("", tmp_path / "var")
    with pytest.raises(backup.BackupRefused, match="no database"):
        backup.back_up(settings, target, with_keys=False)
    assert list(tmp_path.iterdir()) == [tmp_path / "var"]


def test_keys_of_the_environment_are_in_a_backup_with_keys_and_are_enough_for_one_without(
    tmp_path: Path, knowledge: Knowledge
) -> None:
    newest, oldest, stranger = (Fernet.generate_key().decode() for _ in range(3))

    def with_keys(folder: str, keys: str) -> Settings:
        return settings_of(tmp_path / folder).model_copy(update={"keys": keys})

    settings = with_keys("var", f"{newest}, {oldest}")
    services = assemble(settings, knowledge)
    number = services.tickets.file(filing(0), NOW).number
    services.database.close()
    backup.back_up(settings, tmp_path / "with.tar", with_keys=True)
    backup.back_up(settings, tmp_path / "without.tar", with_keys=False)
    backup.restore(settings_of(tmp_path / "one"), tmp_path / "with.tar", force=False)
    assert (tmp_path / "one" / "keys.txt").read_text().split() == [newest, oldest]
    backup.restore(with_keys("other", newest), tmp_path / "without.tar", force=False)
    assert not (tmp_path / "other" / "keys.txt").exists()
    for target in (settings_of(tmp_path / "one"), with_keys("other", newest)):
        restored = assemble(target, knowledge)
        assert restored.tickets.fields_of(number) == {"text": "usul 0"}
        restored.database.close()
    with pytest.raises(backup.BackupRefused, match="SAPA_KEYS"):  # those in force are not changed by what a backup brings
        backup.restore(with_keys("third", stranger), tmp_path / "with.tar", force=False)


@pytest.mark.parametrize("urls", ["sqlite"], indirect=True)
def test_a_file_that_comes_during_a_backup_is_in_it_and_one_that_has_gone_is_named(
    served: Services, tmp_path: Path, knowledge: Knowledge, monkeypatch: pytest.MonkeyPatch
) -> None:
    (number,) = (ticket for ticket in numbers(served) if served.ticket_files.of(ticket))
    (gone,) = (path for path in (tmp_path / "var" / "files").rglob("*") if path.is_file())
    gone.unlink()

    def after_an_officer_has_added_one(database: Database, copy: Path) -> AbstractContextManager[Connection]:
        served.ticket_files.add(number, "susulan.pdf", PDF, "petugas")
        return snapshot(database, copy)

    monkeypatch.setattr(backup, "snapshot", after_an_officer_has_added_one)
    made = backup.back_up(served.settings, tmp_path / "sapa.tar", with_keys=True)
    assert made.missing_files == [gone.relative_to(tmp_path / "var" / "files").as_posix()]
    target = settings_of(tmp_path / "other")
    backup.restore(target, tmp_path / "sapa.tar", force=False)
    services = assemble(target, knowledge)
    (added,) = (one for one in services.ticket_files.of(number) if one.name == "susulan.pdf")
    assert services.ticket_files.read(number, added.id)[1] == PDF
    services.database.close()


@pytest.mark.parametrize("urls", ["sqlite"], indirect=True)
def test_a_damaged_database_is_not_backed_up_and_a_backup_takes_its_place(served: Services, tmp_path: Path) -> None:
    backup.back_up(served.settings, tmp_path / "sapa.tar", with_keys=False)
    kept = numbers(served)
    served.database.close()
    (tmp_path / "var" / "sapa.db").write_bytes(NO_DATABASE)
    with pytest.raises(backup.BackupRefused, match="could not be copied"):
        backup.back_up(served.settings, tmp_path / "another.tar", with_keys=False)
    assert not (tmp_path / "another.tar").exists()
    restored = backup.restore(served.settings, tmp_path / "sapa.tar", force=True)
    assert numbers(served) == kept
    assert (tmp_path / "var" / restored.set_aside[0]).read_bytes() == NO_DATABASE


@pytest.mark.parametrize("urls", ["sqlite"], indirect=True)
def test_a_backup_of_a_newer_schema_is_left_to_the_version_that_made_it(served: Services, tmp_path: Path) -> None:
    with served.database.session() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    made = backup.back_up(served.settings, tmp_path / "sapa.tar", with_keys=True)
    with pytest.raises(backup.BackupRefused, match=f"restore it with version {made.version}"):
        backup.restore(settings_of(tmp_path / "other"), tmp_path / "sapa.tar", force=False)
    assert list((tmp_path / "other").iterdir()) == []


def test_a_database_of_the_first_version_is_backed_up_and_brought_up_where_it_is_put_back(tmp_path: Path) -> None:
    settings, target = settings_of(tmp_path / "var"), settings_of(tmp_path / "other")
    encryption = open_encryption("", tmp_path / "var")
    with closing(at_revision(Database(settings.database), "0001")) as database:
        file_as_before(database, encryption, "kunci")
    made = backup.back_up(settings, tmp_path / "sapa.tar", with_keys=True)
    assert (made.counts["tickets"], "ticket_files" in made.counts) == (1, False)
    backup.restore(target, tmp_path / "sapa.tar", force=False)
    with closing(Database(target.database)) as restored, restored.session() as session:
        (ticket,) = session.scalars(select(Ticket))
        assert encryption.unseal(ticket.fields) == {"details": "laporan"}


@pytest.mark.scale
@pytest.mark.parametrize("urls", ["postgresql"], indirect=True)
@pytest.mark.parametrize(("program", "said"), [("", "pg_dump is missing"), ("#!/bin/sh\nexec sleep 60\n", "pg_dump did not end")])
def test_a_program_of_postgresql_that_is_missing_or_hangs_is_said_and_leaves_no_backup(
    program: str, said: str, served: Services, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    programs = tmp_path / "programs"
    programs.mkdir()
    if program:
        (programs / "sleep").symlink_to(shutil.which("sleep") or "")
        (programs / "pg_dump").write_text(program)
        (programs / "pg_dump").chmod(0o755)
    monkeypatch.setenv("PATH", str(programs))
    monkeypatch.setattr(database_copy, "CLIENT_SECONDS", 0.5)
    with pytest.raises(backup.BackupRefused, match=said):
        backup.back_up(served.settings, tmp_path / "sapa.tar", with_keys=True)
    assert {path.name for path in tmp_path.iterdir()} == {"programs", "var"}


@pytest.mark.parametrize("urls", ["sqlite"], indirect=True)
def test_the_commands_say_what_was_done_and_warn_of_keys(served: Services, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(assembly, "settings", lambda: served.settings)
    path = str(tmp_path / "sapa.tar")
    made = CliRunner().invoke(app, ["backup", path, "--with-keys"])
    assert made.exit_code == 0
    assert "1 tickets" in made.stdout
    assert "WARNING: the keys are in it" in made.stderr
    again = CliRunner().invoke(app, ["backup", path])
    assert (again.exit_code, "give the backup another name" in again.stderr) == (1, True)
    refused = CliRunner().invoke(app, ["restore", path])
    assert (refused.exit_code, "--force" in refused.stderr) == (1, True)
    served.database.close()
    done = CliRunner().invoke(app, ["restore", path, "--force"])
    assert done.exit_code == 0, done.stderr
    assert "kept as sapa.db.before_restore_" in done.stdout
    (entry,) = served.audit.search(AuditFilter(action="backup.restored"))  # of the database that is in place now
    assert (entry.actor, entry.subject, set(entry.data)) == ("konsol", "sapa.tar", {"as_of"})


@pytest.mark.parametrize("urls", ["sqlite"], indirect=True)
def test_a_backup_is_noted_in_the_audit_log_and_is_made_where_that_is_impossible(
    served: Services, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(assembly, "settings", lambda: served.settings)
    assert CliRunner().invoke(app, ["backup", str(tmp_path / "sapa.tar"), "--with-keys"]).exit_code == 0
    (entry,) = served.audit.search(AuditFilter(action="backup.made"))
    assert (entry.actor, entry.subject, entry.data) == ("konsol", "sapa.tar", {"with_keys": True})
    with served.database.session() as session:
        session.execute(text("DROP TABLE audit_entries"))
    without = CliRunner().invoke(app, ["backup", str(tmp_path / "another.tar")])
    assert (without.exit_code, "could not be noted" in without.stderr) == (0, True)


@pytest.mark.parametrize("urls", ["sqlite"], indirect=True)
def test_how_the_last_backup_went_stands_among_the_jobs(served: Services, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(assembly, "settings", lambda: served.settings)

    def errors() -> list[str | None]:
        return [run.error for run in served.job_runs.all() if run.name == backup.JOB]

    assert CliRunner().invoke(app, ["backup", str(tmp_path / "none" / "sapa.tar")]).exit_code == 1
    assert errors() == ["BackupRefused"]
    assert CliRunner().invoke(app, ["backup", str(tmp_path / "sapa.tar")]).exit_code == 0
    assert errors() == [None]
    monkeypatch.setattr(tarfile.TarFile, "addfile", fails)
    assert isinstance(CliRunner().invoke(app, ["backup", str(tmp_path / "another.tar")]).exception, ZeroDivisionError)
    assert errors() == ["ZeroDivisionError"]


def test_a_backup_of_nothing_makes_no_database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = settings_of(tmp_path / "var")
    monkeypatch.setattr(assembly, "settings", lambda: settings)
    open_encryption("", tmp_path / "var")
    assert CliRunner().invoke(app, ["backup", str(tmp_path / "sapa.tar")]).exit_code == 1
    assert [path.name for path in (tmp_path / "var").iterdir()] == ["keys.txt"]


def fails(*_: object) -> None:
    raise ZeroDivisionError


@pytest.mark.parametrize("urls", ["sqlite"], indirect=True)
def test_no_room_for_a_backup_is_said_and_leaves_nothing(served: Services, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tarfile.TarFile, "addfile", no_room)
    with pytest.raises(backup.BackupRefused, match="make room"):
        backup.back_up(served.settings, tmp_path / "sapa.tar", with_keys=False)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["var"]


def no_room(*_: object) -> None:
    raise OSError(28, "No space left on device", "sapa.tar")


@pytest.mark.scale
async def test_a_backup_of_a_server_at_work_holds_every_message_that_was_answered_before(tmp_path: Path) -> None:
    (tmp_path / "var").mkdir()
    server = RunningServer(tmp_path / "var", SAPA_MODELS_DIR="models")
    await asyncio.to_thread(server.start)
    ended = asyncio.Event()
    answered: set[str] = set()
    try:
        async with httpx.AsyncClient(base_url=server.url, timeout=60, trust_env=False) as client:

            async def talk() -> None:
                citizen = await Citizen(client).arrives()
                while not ended.is_set():
                    message_id = str(uuid.uuid4())
                    await citizen.says("apa itu simpel?", message_id)
                    answered.add(message_id)

            async with asyncio.TaskGroup() as talking:
                for _ in range(4):
                    talking.create_task(talk())
                while len(answered) < 20:
                    await asyncio.sleep(0.05)
                meanwhile: set[str] = set()
                saved = tmp_path / "sapa.tar"
                while not meanwhile:  # a backup of so few messages may fall between two answers
                    saved.unlink(missing_ok=True)
                    before = set(answered)
                    await asyncio.to_thread(backup.back_up, settings_of(tmp_path / "var"), saved, with_keys=True)
                    meanwhile = answered - before
                ended.set()
    finally:
        server.stop()
    backup.restore(settings_of(tmp_path / "other"), saved, force=False)
    database = Database(settings_of(tmp_path / "other").database)
    assert faults(database) == []
    with database.session() as session:
        kept = set(session.scalars(select(Message.external_id).where(Message.author == "user")))
    assert before <= kept <= answered
    database.close()
