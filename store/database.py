"""Opens the database, embedded SQLite or PostgreSQL, and hands out sessions.

Two engines on the same database: `session()` for what may be lost in the last instants before a power cut, and
`durable_session()` for what is acknowledged when it ends, such as tickets and the end of a turn: it is on the disk then, with
all that was written before it (SQLite `synchronous=FULL`; PostgreSQL is always durable).
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as NoConnectionFree
from sqlalchemy.orm import Session, sessionmaker
from sqlalchemy.pool import NullPool

from store.encryption import Encryption

MIGRATIONS = Path(__file__).parent / "migrations"
BUSY_TIMEOUT_SECONDS = 10
GIVE_WAY_SECONDS = 0.02
AWAY = (OperationalError, InterfaceError, NoConnectionFree)
"""Errors that say nothing of what was asked: the same may succeed in a moment."""
_START_LOCK = 7_283_174_001
MIGRATION_LOCK_MS = 5000
"""So long a migration waits for a table on PostgreSQL: meanwhile all who write into that table wait behind it."""
LOCK_NOT_AVAILABLE = "55P03"
"""PostgreSQL's error code."""


class NotMigrated(Exception):
    """The schema is as it was; the message says why, and what to do."""


def utc_now() -> datetime:
    return datetime.now(UTC)


class Database:
    def __init__(self, url: str) -> None:
        """`url` is an SQLAlchemy URL; `postgresql://` is served by psycopg 3.

        `?prepared_statements=off` in it is for a pooler that hands a connection on after each transaction and knows none.
        """
        given = make_url(url)
        self._prepares = given.query.get("prepared_statements") != "off"
        parsed = given.difference_update_query(["prepared_statements"])
        if parsed.drivername == "postgresql":
            parsed = parsed.set(drivername="postgresql+psycopg")
        self.url = parsed
        self.is_sqlite = parsed.get_backend_name() == "sqlite"
        self._engine = self._create_engine("NORMAL")
        self._durable_engine = self._create_engine("FULL") if self.is_sqlite else self._engine
        self._sessions = sessionmaker(self._engine, expire_on_commit=False)
        self._durable_sessions = sessionmaker(self._durable_engine, expire_on_commit=False)

    def _create_engine(self, synchronous: str) -> Engine:
        if not self.is_sqlite:
            lost = 1000 * BUSY_TIMEOUT_SECONDS  # ms, after which a server that no packet reaches counts as gone
            connecting: dict[str, Any] = {"connect_timeout": BUSY_TIMEOUT_SECONDS, "tcp_user_timeout": lost}
            if not self._prepares:
                connecting["prepare_threshold"] = None
            return create_engine(self.url, pool_pre_ping=True, hide_parameters=True, connect_args=connecting)
        Path(self.url.database or "").parent.mkdir(parents=True, exist_ok=True)
        engine = create_engine(self.url, connect_args={"timeout": BUSY_TIMEOUT_SECONDS}, hide_parameters=True)

        @event.listens_for(engine, "connect")
        def set_pragmas(connection: Any, _record: Any) -> None:
            for pragma in ("journal_mode=WAL", "foreign_keys=ON", f"synchronous={synchronous}"):
                connection.execute(f"PRAGMA {pragma}")

        event.listen(engine, "before_execute", _lock_for_update)
        return engine

    @contextmanager
    def session(self) -> Iterator[Session]:
        """A transaction: committed when the block ends, rolled back when it raises."""
        with self._sessions.begin() as session:
            yield session

    @contextmanager
    def analysis(self, *, of_words: bool = False) -> Iterator[Session]:
        """Like `session`, for questions over spans of time and lists.

        They are planned for their very values: PostgreSQL's plan for any values takes a day for a large part of the years.
        `of_words`: with the memory that an index of words needs. Without need it makes PostgreSQL read whole tables into it.
        """
        with self.session() as session:
            if not self.is_sqlite:
                session.execute(text("SET LOCAL plan_cache_mode = force_custom_plan"))
                session.execute(text("SET LOCAL jit = off"))
            if of_words and not self.is_sqlite:
                # An index of words that finds more rows than fit falls back to whole pages, each row of which is then read.
                session.execute(text("SET LOCAL work_mem = '64MB'"))
            yield session

    def give_way(self) -> None:
        """Let a turn write between the transactions of a long job.

        SQLite has one writer, and who finds it busy sleeps before it looks again: a job without rests is found busy for seconds.
        """
        if self.is_sqlite:
            time.sleep(GIVE_WAY_SECONDS)

    @contextmanager
    def durable_session(self) -> Iterator[Session]:
        """Like `session`; what it wrote survives a power cut once the block has ended."""
        with self._durable_sessions.begin() as session:
            yield session

    @contextmanager
    def connection(self) -> Iterator[Connection]:
        """A transaction without objects, for questions to the database itself. No connection stays open behind it."""
        engine = create_engine(self.url, poolclass=NullPool)
        with engine.begin() as connection:
            yield connection

    @contextmanager
    def starting(self) -> Iterator[None]:
        """What processes that start at the same time do one after the other, so that the first does it and the rest find it done."""
        with self._engine.begin() as connection:
            if not self.is_sqlite:
                connection.execute(text(f"SELECT pg_advisory_xact_lock({_START_LOCK})"))
            yield

    def migrate(self, encryption: Encryption | None = None) -> None:
        """Bring the schema up to date. A database that holds tickets needs its `encryption` to be brought past 0001.

        All migrations are one transaction. One that a newer program has brought further stays as it is: this one may be the
        release that somebody goes back to, or start during an update. Raises `NotMigrated` where another process has what they need.
        """
        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS))
        config.attributes["encryption"] = encryption
        engine = self._create_engine("FULL")  # of its own, for on SQLite its connection does not look after references
        try:
            with engine.begin() as connection:
                self._begin_migration(connection)
                revision = MigrationContext.configure(connection).get_current_revision
                before = revision()
                if before is not None and before not in revisions():
                    return
                config.attributes["connection"] = connection
                command.upgrade(config, "head")
                if self.is_sqlite and revision() != before:
                    _check_references(connection)
        except OperationalError as error:
            if "database is locked" in str(error.orig) or getattr(error.orig, "sqlstate", None) == LOCK_NOT_AVAILABLE:
                raise NotMigrated("another process uses the database (a backup?); start again when that has ended") from error
            raise
        finally:
            engine.dispose()

    def _begin_migration(self, connection: Connection) -> None:
        if not self.is_sqlite:
            connection.exec_driver_sql(f"SET LOCAL lock_timeout = {MIGRATION_LOCK_MS}")
            return
        # A table that is made anew is dropped first, and with it would go what refers to its rows.
        connection.exec_driver_sql("PRAGMA foreign_keys=OFF")
        # The driver begins before changes of rows only: each change of the schema would stay, whatever fails after it.
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    def is_migrated(self) -> bool:
        """Whether the schema is that of this program or a newer one's, which leaves what this one needs (docs/engineering.md)."""
        revision = self._revision()
        return revision is not None and revision not in revisions()[1:]

    def is_newer(self) -> bool:
        """Whether a release has migrated it that is newer than this program."""
        revision = self._revision()
        return revision is not None and revision not in revisions()

    def _revision(self) -> str | None:
        with self.session() as session:
            return MigrationContext.configure(session.connection()).get_current_revision()

    def is_reachable(self) -> bool:
        try:
            with self.session() as session:
                session.execute(text("SELECT 1"))
        except Exception:  # any driver's error means the same to a readiness probe
            return False
        return True

    def close(self) -> None:
        self._engine.dispose()
        self._durable_engine.dispose()


@cache
def revisions() -> tuple[str, ...]:
    """The migrations that this program knows, the newest first."""
    return tuple(one.revision for one in ScriptDirectory(str(MIGRATIONS)).walk_revisions())


def _lock_for_update(connection: Connection, statement: Any, *_: Any) -> None:
    """SQLite knows no SELECT ... FOR UPDATE: who asks for one becomes its only writer, and what was read stays as it is.

    Without it the driver begins a transaction at the first change, and two could decide on the same reading.
    """
    if getattr(statement, "_for_update_arg", None) is None:
        return
    driver: Any = connection.connection.dbapi_connection
    if not driver.in_transaction:
        driver.execute("BEGIN IMMEDIATE")


def _check_references(connection: Connection) -> None:
    """What SQLite itself does not look after while tables are made anew."""
    broken = connection.exec_driver_sql("PRAGMA foreign_key_check").first()
    if broken:
        raise NotMigrated(f"rows of {broken[0]} would refer to none of {broken[2]}; go back to the release before and report this")
