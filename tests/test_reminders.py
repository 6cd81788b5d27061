"""Reminders of legal time limits, under a fake clock."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from structlog.testing import capture_logs

from services.assembly import Services, assemble
from services.calendar import Overrides, WorkingCalendar
from services.reminders import Reminder, Reminders, Stage, stage_of
from services.ticket_events import Happening
from services.tickets import Filing, Kind, Resolution

FILED = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)  # due on Monday, 7 December 2026
DUE = date(2026, 12, 7)


def file(services: Services, kind: Kind = Kind.INFORMATION_REQUEST) -> str:
    return services.tickets.file(Filing(kind, {"details": "laporan", "name": "Wiratmaja"}, "wni", "c1", "id"), FILED).number


def morning(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 1, 0, tzinfo=UTC)  # 08:00 WIB


def reminded(services: Services, number: str) -> list[str]:
    history = services.ticket_changes.history(number, internal=True)
    return [entry.data["stage"] for entry in history if entry.name is Happening.REMINDED]


@pytest.mark.parametrize(
    ("today", "stage"),
    [
        ("2026-12-01", None),
        ("2026-12-02", Stage.THREE_DAYS),
        ("2026-12-03", Stage.THREE_DAYS),
        ("2026-12-04", Stage.ONE_DAY),
        ("2026-12-06", Stage.ONE_DAY),
        ("2026-12-07", Stage.DUE_TODAY),
        ("2026-12-08", Stage.OVERDUE),
        ("2028-02-01", Stage.OVERDUE),
    ],
)
def test_how_near_a_due_date_is_counts_in_working_days(today: str, stage: Stage | None) -> None:
    assert stage_of(DUE, date.fromisoformat(today), WorkingCalendar()) is stage


def test_a_long_holiday_brings_the_reminder_forward() -> None:
    """Due on 26 March 2026; 18 to 24 March are off for Nyepi and Idulfitri."""
    assert stage_of(date(2026, 3, 26), date(2026, 3, 17), WorkingCalendar()) is Stage.THREE_DAYS


def test_each_stage_is_reminded_of_once_however_often_one_looks(services: Services) -> None:
    number = file(services)
    hours = (FILED + timedelta(hours=n) for n in range(0, 24 * 25, 6))
    found = [reminder for hour in hours for reminder in services.reminders.record_due(hour)]
    assert found == [Reminder(number, stage, DUE) for stage in Stage]
    assert reminded(services, number) == list(Stage)


def test_a_server_that_was_down_reminds_of_where_the_ticket_is_now(services: Services) -> None:
    number = file(services)
    restarted = assemble(services.settings, services.knowledge)
    assert [reminder.stage for reminder in restarted.reminders.record_due(morning(DUE))] == [Stage.DUE_TODAY]
    assert restarted.reminders.record_due(morning(DUE)) == []
    again = assemble(services.settings, services.knowledge)
    assert again.reminders.record_due(morning(DUE)) == []
    assert reminded(again, number) == [Stage.DUE_TODAY]
    for opened in (restarted, again):
        opened.database.close()


def test_the_day_begins_in_jakarta(services: Services) -> None:
    file(services)
    last_minute = datetime(2026, 12, 6, 16, 59, tzinfo=UTC)  # 23:59 WIB
    assert [reminder.stage for reminder in services.reminders.record_due(last_minute)] == [Stage.ONE_DAY]
    midnight = last_minute + timedelta(minutes=1)
    assert [reminder.stage for reminder in services.reminders.record_due(midnight)] == [Stage.DUE_TODAY]


def test_after_an_extension_the_new_date_is_reminded_of(services: Services) -> None:
    number = file(services)
    services.reminders.record_due(morning(DUE))
    services.ticket_changes.extend(number, "Dokumen dikumpulkan dari tiga unit", "dewi", morning(DUE))
    assert services.reminders.record_due(morning(date(2026, 12, 8))) == []
    (reminder,) = services.reminders.record_due(morning(date(2026, 12, 16)))
    assert reminder == Reminder(number, Stage.DUE_TODAY, date(2026, 12, 16))


def test_a_closed_ticket_and_one_without_a_limit_are_left_alone(services: Services) -> None:
    services.ticket_changes.answer(file(services), "Terlampir.", Resolution.GRANTED, "dewi")
    file(services, Kind.ASPIRATION)
    assert services.reminders.record_due(morning(date(2027, 3, 1))) == []


def test_a_ticket_that_is_answered_while_reminders_are_looked_for_is_not_reminded_of(services: Services) -> None:
    number = file(services)

    def meanwhile() -> Overrides | None:  # days off are looked up once the tickets are read
        if not services.tickets.view(number).is_closed:
            services.ticket_changes.answer(number, "Terlampir.", Resolution.GRANTED, "dewi")
        return None

    assert Reminders(services.database, WorkingCalendar(at_desk=meanwhile)).record_due(morning(date(2026, 12, 3))) == []
    assert services.tickets.view(number).is_closed
    assert reminded(services, number) == []


def test_the_citizens_history_and_last_change_know_nothing_of_reminders(services: Services) -> None:
    number = file(services)
    services.reminders.record_due(morning(date(2026, 12, 9)))
    assert [entry.name for entry in services.ticket_changes.history(number)] == [Happening.RECEIVED]
    assert services.tickets.view(number).changed_on == date(2026, 11, 23)


def test_the_log_line_holds_number_and_date_and_nothing_personal(services: Services) -> None:
    number = file(services)
    with capture_logs() as lines:
        services.reminders.record_due(morning(DUE))
    (line,) = [line for line in lines if line["event"] == "deadline"]
    assert line == {"event": "deadline", "log_level": "info", "ticket": number, "stage": "hari_ini", "due_on": "2026-12-07"}
