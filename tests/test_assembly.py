"""What the operator's settings make of the services."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from services import settings as settings_module
from services.assembly import Services, assemble
from services.demo import DEMO_REQUESTS
from services.knowledge import Knowledge
from services.settings import Settings, usable_cores
from services.simpel import SimpelStatus, SimpelUnavailable, Status, keyed_hash
from store.database import Database
from store.models import SimpelRequest

NUMBER = "DEMO-SMP-000104"
CODE, STATUS, CHANGED_ON = DEMO_REQUESTS[NUMBER]


@pytest.fixture
def assembled(tmp_path: Path, knowledge: Knowledge) -> Iterator[Callable[..., Services]]:
    """Services with these settings, on one database after the other."""
    opened: list[Services] = []

    def assembled_with(**settings: str) -> Services:
        configured = Settings(_env_file=None, SAPA_DATA_DIR=tmp_path, **settings)  # type: ignore[call-arg, arg-type]  # as in conftest.py
        opened.append(assemble(configured, knowledge))
        return opened[-1]

    yield assembled_with
    for services in opened:
        services.database.close()


def test_production_forgets_the_demo_requests_of_a_database_that_was_tried_out(assembled: Callable[..., Services]) -> None:
    assert assembled().simpel.check(NUMBER, CODE, "c") == SimpelStatus(STATUS, CHANGED_ON)
    assert assembled(SAPA_ENV="production").simpel.check(NUMBER, CODE, "c") is None


def test_requests_are_looked_up_in_the_ministrys_database_by_a_hash_with_its_key(
    assembled: Callable[..., Services], tmp_path: Path
) -> None:
    ministry = Database(f"sqlite:///{tmp_path}/ministry.db")
    ministry.migrate()
    with ministry.session() as session:
        found = keyed_hash("shared", "B-1/2026", "7K4Q2A")
        session.add(SimpelRequest(number="B-1/2026", access_code_hash=found, status="DIKIRIM", changed_on=date(2026, 11, 1)))
    ministry.close()
    simpel = assembled(SIMPEL_DATABASE_URL=f"sqlite:///{tmp_path}/ministry.db", SIMPEL_HASH_KEY="shared").simpel
    assert simpel.check("B-1/2026", "7K4Q2A", "c") == SimpelStatus(Status.SENT, date(2026, 11, 1))
    assert simpel.check(NUMBER, CODE, "c") is None


def test_requests_are_looked_up_over_http_where_an_address_is_given(assembled: Callable[..., Services]) -> None:
    simpel = assembled(SIMPEL_URL="http://127.0.0.1:9", SIMPEL_TOKEN="t").simpel
    with pytest.raises(SimpelUnavailable):
        simpel.check(NUMBER, CODE, "c")


@pytest.mark.parametrize(
    "given", [{}, {"SIMPEL_HASH_KEY": "shared"}, {"SIMPEL_URL": "http://127.0.0.1:9"}, {"SIMPEL_RELATION": "v_sapa"}]
)
def test_demo_requests_are_announced_only_where_they_can_be_found(given: dict[str, str]) -> None:
    configured = Settings(_env_file=None, **given)  # type: ignore[call-arg, arg-type]  # as in conftest.py
    assert configured.simpel_is_built_in is (given == {})


@pytest.mark.parametrize(
    ("written", "cores"), [("max 100000", 8), ("200000 100000", 2), ("150000 100000", 2), ("50000 100000", 1), ("", 8), (None, 8)]
)
def test_a_container_has_the_cores_of_its_limit(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, written: str | None, cores: int
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _pid: set(range(8)))
    if written is not None:
        (tmp_path / "cpu.max").write_text(written)
    assert usable_cores(tmp_path / "cpu.max") == cores


@pytest.mark.parametrize(
    ("given", "cores", "processes"),
    [
        ({}, 2, 2),
        ({}, 1, 0),
        ({"DATABASE_URL": "postgresql://db/sapa"}, 2, 0),
        ({"DATABASE_URL": "postgresql://db/sapa", "SAPA_TURN_PROCESSES": 4}, 2, 4),
        ({"SAPA_TURN_PROCESSES": 0}, 2, 0),
        ({"SAPA_TURN_PROCESSES": 2, "SAPA_ENCODER_THREADS": 2}, 2, 0),
    ],
)
def test_other_processes_answer_where_one_server_has_cores_for_them(
    monkeypatch: pytest.MonkeyPatch, given: dict[str, Any], cores: int, processes: int
) -> None:
    monkeypatch.setattr(settings_module, "usable_cores", lambda: cores)
    assert Settings(_env_file=None, **given).turn_processes_in_force == processes


def test_outside_linux_no_process_is_forked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    assert Settings(_env_file=None, SAPA_TURN_PROCESSES=3).turn_processes_in_force == 0
