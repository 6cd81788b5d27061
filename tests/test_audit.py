from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

import pytest
from sqlalchemy import delete, text, update
from sqlalchemy.exc import DBAPIError, IntegrityError

from services.assembly import Services
from services.audit import TRIES, AuditFilter, AuditLog
from store.database import Database, utc_now
from store.staff_models import AuditEntry
from tests.clock import Clock


def test_entries_of_many_at_once_form_one_chain(services: Services) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: services.audit.record("sari", "tiket.dibaca", f"ASP-{n}"), range(40)))
    assert len(services.audit.search(AuditFilter(), limit=100)) == 40
    assert services.audit.first_broken() is None


def test_an_entry_that_others_overtake_again_and_again_is_an_error_and_the_chain_holds(database: Database) -> None:
    others = AuditLog(database)

    def while_somebody_else_is_faster() -> datetime:
        others.record("budi", "tiket.dibaca", "ASP-1")
        return utc_now()

    with pytest.raises(IntegrityError):
        AuditLog(database, while_somebody_else_is_faster).record("sari", "tiket.dibaca", "ASP-2")
    assert [entry.actor for entry in others.search(AuditFilter())] == ["budi"] * TRIES
    assert others.first_broken() is None


@pytest.mark.parametrize("change", [update(AuditEntry).values(reason="lain"), delete(AuditEntry)])
def test_the_database_itself_refuses_to_change_an_entry(change, services: Services) -> None:
    services.audit.record("sari", "tiket.dibaca", "ASP-1", "permintaan pemohon")
    with pytest.raises(DBAPIError, match="never changed"), services.database.session() as session:
        session.execute(change)


def test_a_changed_entry_is_found_where_somebody_took_the_lock_off(services: Services) -> None:
    for number in range(3):
        services.audit.record("sari", "tiket.dibaca", f"ASP-{number}")
    with services.database.session() as session:
        session.execute(text("DROP TRIGGER audit_entries_no_update"))
        session.execute(update(AuditEntry).where(AuditEntry.id == 2).values(subject="ASP-9"))
    assert services.audit.first_broken() == 2


def test_the_newest_hash_is_that_of_the_last_entry_and_there_is_none_before_the_first(services: Services) -> None:
    assert services.audit.newest() is None
    for number in range(2):
        services.audit.record("sari", "tiket.dibaca", f"ASP-{number}")
    (last,) = services.audit.search(AuditFilter(), limit=1)
    assert services.audit.newest() == (2, last.hash)


def test_search_is_exact_and_newest_first(services: Services) -> None:
    for actor, subject in (("sari", "ASP-1"), ("budi", "ASP-1"), ("sari", "ASP-2")):
        services.audit.record(actor, "tiket.dibaca", subject)
    assert [entry.subject for entry in services.audit.search(AuditFilter(actor="sari"))] == ["ASP-2", "ASP-1"]
    assert [entry.actor for entry in services.audit.search(AuditFilter(subject="ASP-1"), before_id=2)] == ["sari"]


def test_search_finds_from_the_first_moment_on_and_until_before_the_last(database: Database) -> None:
    clock = Clock("2026-11-23 09:00")
    audit = AuditLog(database, clock)
    for hour in ("09:00", "10:00", "11:00"):
        clock.set(f"2026-11-23 {hour}")
        audit.record("sari", "tiket.dibaca", hour)
    nine, ten, eleven = (Clock(f"2026-11-23 {hour}").now for hour in ("09:00", "10:00", "11:00"))
    for wanted, found in (
        (AuditFilter(since=ten), ["11:00", "10:00"]),
        (AuditFilter(until=ten), ["09:00"]),
        (AuditFilter(since=ten, until=eleven), ["10:00"]),
        (AuditFilter(until=nine), []),
    ):
        assert [entry.subject for entry in audit.search(wanted)] == found, wanted


def test_what_somebody_wrote_is_masked_in_an_entry(services: Services) -> None:
    services.audit.record(
        "sari", "conversations.exported", "percakapan", "untuk NIK 3201234509870001", filters="?words=081234567890", n=3
    )
    (entry,) = services.audit.search(AuditFilter(action="conversations.exported"))
    assert (entry.reason, entry.data) == ("untuk NIK [nik]", {"filters": "?words=[telepon]", "n": 3})
    assert services.audit.first_broken() is None
