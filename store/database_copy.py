"""Takes a consistent copy of the database while others write, and puts one back.

SQLite's copy is a database file, made by its backup API in one step. PostgreSQL's is what `pg_dump` and `pg_restore` of the
same or a newer major version make and read; both see the one snapshot that the caller's questions are answered from, too.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, text

from store.database import Database

ASIDE = "before_restore_"
"""Before the time in the name of what a restore has put aside."""
CLIENT_SECONDS = 6 * 3600
"""Time limit for PostgreSQL's programs: a hung one must not hang for ever; hours for hundreds of gigabytes."""


class CopyFailed(Exception):
    """The message says what went wrong and what to do next."""


class InUse(Exception):
    """Another process has the database open."""


@contextmanager
def snapshot(database: Database, copy: Path) -> Iterator[Connection]:
    """Write a consistent copy to the new file `copy`; questions to the connection are answered as of the copy. Raises `CopyFailed`."""
    if database.is_sqlite:
        _copy_sqlite(Path(database.url.database or ""), copy)
        with Database(f"sqlite:///{copy}").connection() as connection:
            yield connection
        return
    with database.connection() as connection:
        connection.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"))
        name = connection.execute(text("SELECT pg_export_snapshot()")).scalar_one()
        copy.touch(mode=0o600)
        options = ("--format=custom", "--no-owner", "--no-privileges", f"--exclude-schema={ASIDE}*", f"--snapshot={name}")
        _run(database, "pg_dump", *options, f"--file={copy}")
        yield connection


def is_empty(database: Database) -> bool:
    """Whether nothing would be lost by putting a copy in its place."""
    if database.is_sqlite:
        return not Path(database.url.database or "").exists()
    with database.connection() as connection:
        query = "SELECT count(*) FROM information_schema.tables WHERE table_schema = 'public'"
        return not connection.execute(text(query)).scalar_one()


@contextmanager
def put_back(database: Database, copy: Path, stamp: str) -> Iterator[str]:
    """Put the copy in the place of what is there, which is kept under the name that is given (empty where there was nothing).

    Where that or the block fails, all is as before. Raises `InUse`, `CopyFailed`.
    """
    put, undo = (_put_sqlite, _undo_sqlite) if database.is_sqlite else (_put_postgresql, _undo_postgresql)
    aside = put(database, copy, stamp)
    try:
        yield aside
    except BaseException:
        database.close()
        undo(database, aside)
        raise


def faults(database: Database) -> list[str]:
    """What is wrong with the database's own structure. PostgreSQL's `pg_restore` has built all indexes and constraints anew."""
    if not database.is_sqlite:
        return []
    with database.connection() as connection:
        found = [str(row[0]) for row in connection.execute(text("PRAGMA integrity_check"))]
        found += [f"foreign key of {row[0]}" for row in connection.execute(text("PRAGMA foreign_key_check"))]
    return [fault for fault in found if fault != "ok"]


def _copy_sqlite(source: Path, copy: Path) -> None:
    if not source.exists():
        raise CopyFailed(f"there is no database at {source}; check SAPA_DATA_DIR and DATABASE_URL")
    copy.touch(mode=0o600)
    try:
        with closing(sqlite3.connect(source, timeout=60)) as opened, closing(sqlite3.connect(copy)) as target:
            opened.backup(target)  # all pages in one step: writers go on, and what they write isn't in the copy
            target.execute("PRAGMA journal_mode=DELETE")  # one file, without a log beside it
    except sqlite3.Error as error:
        raise CopyFailed(f"the database could not be copied ({error}); look at the free space and run it again") from error
    sync(copy)


def _put_sqlite(database: Database, copy: Path, stamp: str) -> str:
    path = Path(database.url.database or "")
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = ""
    if path.exists():
        _take_for_oneself(path)
        aside = f"{path.name}.{ASIDE}{stamp}"
        path.rename(path.with_name(aside))
    for beside in ("-wal", "-shm"):
        path.with_name(path.name + beside).unlink(missing_ok=True)
    sync(copy)
    copy.rename(path)
    sync(path.parent)
    return aside


def _undo_sqlite(database: Database, aside: str) -> None:
    path = Path(database.url.database or "")
    path.unlink(missing_ok=True)
    if aside:
        path.with_name(aside).rename(path)


def _take_for_oneself(path: Path) -> None:
    """Nobody else has the file open, and all that was written is in it and not in its log. Raises `InUse`."""
    try:
        with closing(sqlite3.connect(path, timeout=1)) as connection:
            connection.execute("PRAGMA locking_mode=EXCLUSIVE")
            connection.execute("PRAGMA journal_mode=DELETE")
            connection.execute("BEGIN EXCLUSIVE")
            connection.rollback()
    except sqlite3.OperationalError as error:
        raise InUse(str(path)) from error
    except sqlite3.DatabaseError:
        return  # a damaged file is what a restore is for


def _put_postgresql(database: Database, copy: Path, stamp: str) -> str:
    aside = "" if is_empty(database) else ASIDE + stamp
    with database.connection() as connection:
        others = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        if connection.execute(text(f"{others} AND backend_type = 'client backend'")).scalar_one():
            raise InUse(str(database.url.database))
        if aside:
            connection.execute(text(f'ALTER SCHEMA public RENAME TO "{aside}"'))
            connection.execute(text("CREATE SCHEMA public"))
    try:
        _run(database, "pg_restore", "--no-owner", "--no-privileges", "--single-transaction", "--exit-on-error", str(copy))
    except CopyFailed:
        _undo_postgresql(database, aside)
        raise
    return aside


def _undo_postgresql(database: Database, aside: str) -> None:
    with database.connection() as connection:
        connection.execute(text("DROP SCHEMA public CASCADE"))
        connection.execute(text(f'ALTER SCHEMA "{aside}" RENAME TO public' if aside else "CREATE SCHEMA public"))


def _run(database: Database, program: str, *options: str) -> None:
    """PostgreSQL's own program on this database. The password goes by the environment: arguments are seen by everybody."""
    found = shutil.which(program)
    if found is None:
        raise CopyFailed(f"{program} is missing; install PostgreSQL's client programs (Debian: postgresql-client) and try again")
    url = database.url.set(drivername="postgresql", password=None)
    environment = {**os.environ, **({"PGPASSWORD": str(database.url.password)} if database.url.password else {})}
    command = [found, *options[:-1], f"--dbname={url.render_as_string()}", options[-1]]
    try:
        done = subprocess.run(  # noqa: S603 a program that was found by its name, with options of our own
            command, env=environment, capture_output=True, text=True, errors="replace", timeout=CLIENT_SECONDS, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise CopyFailed(f"{program} did not end within {CLIENT_SECONDS // 3600} hours and was stopped") from error
    if done.returncode:
        said = next((line for line in done.stderr.splitlines() if "error" in line), f"{program} ended with {done.returncode}")
        raise CopyFailed(f"{said}; nothing was changed")


def sync(path: Path) -> None:
    """A file's content, or a folder's names, are on the disk when this returns."""
    opened: Any = os.open(path, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
