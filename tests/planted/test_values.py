"""The search for planted values finds each of them, however it is written down."""

from __future__ import annotations

import base64
import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from urllib.parse import quote, urlencode

import pytest

from tests.planted.values import CHAT, Planted, files_below

WAYS: dict[str, Callable[[str], bytes]] = {
    "as it is": str.encode,
    "in a log line": lambda value: json.dumps({"event": f"x {value} y"}).encode(),
    "capital letters": lambda value: value.upper().encode(),
    "UTF-16": lambda value: f"x{value}".encode("utf-16-le"),
    "in an address": lambda value: f"/a?b={quote(value)}".encode(),
    "in a form": lambda value: urlencode({"a": value}).encode(),
    "hex": lambda value: value.encode().hex().encode(),
    "base64": lambda value: base64.b64encode(value.encode()),
    "base64 within more": lambda value: base64.urlsafe_b64encode(b"{'text': '" + value.encode() + b"'}"),
    "base64 within still more": lambda value: base64.b64encode(b"xy" + value.encode() + b"z"),
}


@pytest.mark.parametrize("written", WAYS.values(), ids=WAYS)
def test_each_value_is_found_and_nothing_else(written: Callable[[str], bytes]) -> None:
    planted = Planted()
    for what, value in planted.values.items():
        assert what in planted.found_in(b"before " + written(value) + b" after"), what
    assert planted.found_in(written("Mohon perbanyak beasiswa untuk anak nelayan di Alor")) == []


def test_a_number_without_its_separators_is_found() -> None:
    assert set(Planted().found_in(b"4556737586899855 081298761234")) == {"card", "phone"}


def test_a_number_in_a_column_is_found(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "x.db")) as database, database:
        database.execute("CREATE TABLE kept (chat INTEGER)")
        database.execute("INSERT INTO kept VALUES (?)", (CHAT,))
    assert Planted().found_in(files_below(tmp_path)["x.db"]) == ["Telegram chat"]
