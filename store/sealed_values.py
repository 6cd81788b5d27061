"""Every encrypted value of the database and of the files folder, to be put under another key.

All columns of type LargeBinary are sealed; a table that is added later is found by itself.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.fernet import Fernet, InvalidToken
from sqlalchemy import Column, ColumnElement, Delete, LargeBinary, Table, Update, delete, select, tuple_, update

from store.database import Database
from store.encryption import Encryption
from store.tables import TABLES
from store.ticket_models import Ticket

BATCH = 200
"""Rows of one transaction: a citizen's message waits no longer than for these."""


@dataclass
class Rotated:
    checked: int = 0
    changed: int = 0
    unreadable: int = 0
    """Values that no key opens; they are left as they are."""


def sealed_columns() -> list[Column[Any]]:
    return [c for table in TABLES.sorted_tables for c in table.columns if isinstance(c.type, LargeBinary)]


def under_newest_key(database: Database, folder: Path, encryption: Encryption, newest: str, *, change: bool) -> Rotated:
    """Put every value under the key `newest`, or with `change=False` only count those that need it.

    May be stopped and begun again at any point: what is under the newest key already is left alone. A value that somebody
    else writes meanwhile is not overwritten.
    """
    done, fernet = Rotated(), Fernet(newest)
    for column in sealed_columns():
        for batch in _batches(database, column):
            _rotate_batch(database, column, batch, encryption, fernet, done, change)
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        content = path.read_bytes()
        renewed = _renewed(content, encryption, fernet, done)
        if renewed and change:
            partial = path.with_name(f"{path.name}.rotating")
            partial.touch(mode=0o600)
            partial.write_bytes(renewed)
            with partial.open("rb") as opened:
                os.fsync(opened.fileno())
            partial.replace(path)
    return done


def without_unreadable(database: Database, folder: Path, encryption: Encryption) -> int:
    """Take out the values that no key opens; how many they were.

    A ticket stays without its fields. Of other tables a row goes with the value that it is nothing without.
    """
    given_up = 0
    for column in sealed_columns():
        for batch in _batches(database, column):
            lost = [row for row in batch if not opens(row[-1], encryption)]
            given_up += len(lost)
            with database.durable_session() as session:
                for row in lost:
                    session.execute(_taking_out(column, row, encryption))
    for path in [path for path in folder.rglob("*") if path.is_file() and not opens(path.read_bytes(), encryption)]:
        path.unlink()
        given_up += 1
    return given_up


def _taking_out(column: Column[Any], row: Any, encryption: Encryption) -> Update | Delete:
    table = column.table
    assert isinstance(table, Table)
    if not column.nullable and table is not Ticket.__table__:
        return delete(table).where(*_same(table, row), column == row[-1])
    value = None if column.nullable else encryption.seal({})
    return update(table).where(*_same(table, row), column == row[-1]).values({column.name: value})


def opens(sealed: bytes, encryption: Encryption) -> bool:
    try:
        encryption.with_newest_key(sealed)
    except InvalidToken:
        return False
    return True


def _same(table: Table, row: Any) -> list[ColumnElement[bool]]:
    """The row of the table whose key `row` begins with."""
    return [key == part for key, part in zip(table.primary_key.columns, row, strict=False)]


def _batches(database: Database, column: Column[Any]) -> Iterator[list[Any]]:
    table = column.table
    assert isinstance(table, Table)
    keys = list(table.primary_key.columns)
    after: tuple[Any, ...] | None = None
    while True:
        query = select(*keys, column).where(column.is_not(None)).order_by(*keys).limit(BATCH)
        if after is not None:
            query = query.where(tuple_(*keys) > after)
        with database.session() as session:
            rows = list(session.execute(query))
        if not rows:
            return
        yield rows
        after = tuple(rows[-1])[: len(keys)]


def _rotate_batch(
    database: Database, column: Column[Any], rows: list[Any], encryption: Encryption, fernet: Fernet, done: Rotated, change: bool
) -> None:
    table = column.table
    assert isinstance(table, Table)
    renewed = [(row, value) for row in rows if (value := _renewed(row[-1], encryption, fernet, done))]
    if not (change and renewed):
        return
    with database.durable_session() as session:
        for row, value in renewed:
            session.execute(update(table).where(*_same(table, row), column == row[-1]).values({column.name: value}))


def _renewed(sealed: bytes, encryption: Encryption, fernet: Fernet, done: Rotated) -> bytes | None:
    """The value under the newest key; None where it is, or where no key opens it."""
    done.checked += 1
    try:
        fernet.decrypt(sealed)
    except InvalidToken:
        pass
    else:
        return None
    try:
        renewed = encryption.with_newest_key(sealed)
    except InvalidToken:
        done.unreadable += 1
        return None
    done.changed += 1
    return renewed
