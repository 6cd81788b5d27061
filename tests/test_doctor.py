from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import typer
from sqlalchemy import text, update

from bot.cli import doctor
from services import assembly
from services.assembly import Services
from services.calendar import LAST_DECREED_YEAR
from services.health import Finding, Health
from services.retention import Kind
from services.settings import Settings
from store.staff_models import AuditEntry

TODAY = date(2026, 12, 1)


def found(services: Services, name: str, today: date = TODAY, **options: Any) -> list[Finding]:
    return [one for one in services.health.findings(today, **options) if one.name == name]


def test_doctor_names_the_line_of_the_service_hours_that_is_wrong(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "service_hours.yml").write_text("senin: [9-12]\n")
    monkeypatch.setattr(assembly, "settings", lambda: settings)
    monkeypatch.setattr(assembly, "_in_use", [])
    with pytest.raises(typer.Exit):
        doctor()
    assert "service hours: service_hours.yml: senin: '9-12' is no span of time" in capsys.readouterr().out


def test_doctor_goes_by_the_day_in_jakarta_as_the_desk_does(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    days: list[date] = []

    def look(_self: object, today: date) -> list[Finding]:
        days.append(today)
        return []

    monkeypatch.setattr(Health, "findings", look)
    monkeypatch.setattr(services.ticket_list, "_clock", lambda: datetime(2026, 12, 31, 18, tzinfo=UTC))
    with suppress(typer.Exit):
        doctor()
    assert days == [date(2027, 1, 1)]


def test_a_database_that_cannot_be_opened_is_the_one_thing_that_is_said(services: Services) -> None:
    services.database.close()
    path = Path(services.database.url.database or "")
    path.unlink()
    path.mkdir()
    assert services.health.findings(TODAY) == [Finding("database", is_problem=True)]


def test_a_changed_entry_of_the_audit_log_is_a_problem_where_all_of_it_is_read(services: Services) -> None:
    for number in range(3):
        services.audit.record("sari", "tiket.dibaca", f"ASP-{number}")
    assert found(services, "audit_log") == []
    with services.database.session() as session:
        session.execute(text("DROP TRIGGER audit_entries_no_update"))
        session.execute(update(AuditEntry).where(AuditEntry.id == 2).values(subject="ASP-9"))
    assert found(services, "audit_log") == [Finding("audit_log", is_problem=True, data={"entry": 2})]
    assert found(services, "audit_log", whole_audit_log=False) == []


def test_an_answer_past_its_day_is_a_note_that_names_who_has_to_look(services: Services) -> None:
    entry = min((one for one in services.knowledge.entries if one.facts.valid_until), key=lambda one: str(one.facts.valid_until))
    last = entry.facts.valid_until
    assert last is not None
    assert found(services, "stale_knowledge", last) == []
    notes = found(services, "stale_knowledge", last + timedelta(days=1))
    assert Finding("stale_knowledge", is_problem=False, data={"entry": entry.id, "day": last, "owner": entry.facts.owner}) in notes


def test_in_the_last_year_with_a_decree_on_days_off_the_next_one_is_asked_for(services: Services) -> None:
    assert found(services, "calendar", date(LAST_DECREED_YEAR - 1, 12, 31)) == []
    assert found(services, "calendar", date(LAST_DECREED_YEAR, 1, 1)) == [
        Finding("calendar", is_problem=False, data={"year": LAST_DECREED_YEAR})
    ]


def test_once_it_is_decided_how_long_conversations_are_kept_nothing_is_said_of_it(services: Services) -> None:
    assert found(services, "no_retention") == [Finding("no_retention", is_problem=False)]
    services.retention.set_days({Kind.CONVERSATIONS: 365}, "sri", "keputusan PPID nomor 12 tahun 2026")
    assert found(services, "no_retention") == []
