"""A database of a test's own on the PostgreSQL server that `SAPA_TEST_POSTGRES` names, or that of this machine."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

import psycopg
from sqlalchemy.engine import make_url

SERVER = os.environ.get("SAPA_TEST_POSTGRES", "postgresql:///postgres?host=/var/run/postgresql")


@contextmanager
def own_database() -> Iterator[str]:
    """Its URL. A server that can't be reached fails the test; it is not skipped."""
    name = f"sapa_test_{secrets.token_hex(4)}"
    with psycopg.connect(SERVER, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    try:
        yield make_url(SERVER).set(database=name).render_as_string(hide_password=False)
    finally:
        with psycopg.connect(SERVER, autocommit=True) as connection:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@contextmanager
def database_of(engine: str) -> Iterator[str]:
    """The URL of a database of the test's own for "postgresql"; empty, which is the embedded one, for "sqlite"."""
    with own_database() if engine == "postgresql" else nullcontext("") as url:
        yield url
