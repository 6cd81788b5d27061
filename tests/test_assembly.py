"""What the operator's settings make of the services."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import pytest

from services.assembly import Services, assemble
from services.demo import DEMO_REQUESTS
from services.knowledge import Knowledge
from services.settings import Settings
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
