"""Settings at the desk: checked, noted in the audit log, and live at once."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from bot.scheduler import Job, Scheduler
from services import backup
from services.assembly import Services, assemble
from services.audit import AuditFilter
from services.calendar import JAKARTA
from services.desk_settings import Name
from services.permissions import Role
from services.retention import Kind as Kept
from services.ticket_events import Happening
from services.tickets import Filing, Kind
from store.database import utc_now
from store.job_runs import JobRuns
from store.leases import Leases

REASON = "keputusan PPID nomor 12 tahun 2026"
MONDAY = datetime(2026, 11, 23, 16, 0, tzinfo=JAKARTA)


async def test_service_hours_hold_from_the_moment_they_are_saved(services: Services, sign_in) -> None:
    admin = await sign_in(Role.ADMIN)
    assert "09.00-12.00, 13.00-15.00" in await admin.reads("/desk/settings/hours")
    assert not services.hours.is_open(MONDAY)
    saved = await admin.sends("/desk/settings/hours", senin="08.00-12.00, 13.00-17.00", kamis="09.00-10.00")
    assert saved.status_code == 303
    assert services.hours.is_open(MONDAY)
    assert not services.hours.is_open(MONDAY.replace(day=24, hour=10))
    (entry,) = services.audit.search(AuditFilter(action="setting.changed"))
    assert entry.data["after"] == {"senin": ["08.00-12.00", "13.00-17.00"], "kamis": ["09.00-10.00"]}


@pytest.mark.parametrize("hours", ["jam sembilan", "12.00-09.00", "09.00-12.00, 11.00-13.00", "25.00-26.00", "09.00-12.00,"])
async def test_hours_that_cannot_be_read_are_shown_again_with_the_day(hours: str, services: Services, sign_in) -> None:
    admin = await sign_in(Role.ADMIN)
    refused = await admin.sends("/desk/settings/hours", senin="09.00-12.00", rabu=hours)
    assert refused.status_code == 422
    assert "Jam layanan Rabu tidak dapat dibaca" in refused.text
    assert hours in refused.text
    assert (await admin.sends("/desk/settings/hours")).status_code == 422
    assert not services.audit.search(AuditFilter(action="setting.changed"))


async def test_a_new_day_off_moves_due_dates_and_service_hours_and_can_be_undone(services: Services, sign_in) -> None:
    received = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
    fields = {"details": "laporan", "name": "Siti"}
    number = services.tickets.file(Filing(Kind.INFORMATION_REQUEST, fields, "wni", "c1", "id"), received).number
    assert services.ticket_list.row(number).due_on.isoformat() == "2026-12-07"
    admin = await sign_in(Role.ADMIN)
    saved = await admin.sends("/desk/settings/days-off", day="2026-12-01", kind="add")
    assert saved.headers["location"] == "/desk/settings/days-off?moved=1"
    assert "1 Desember 2026" in await admin.reads("/desk/settings/days-off?moved=1")
    assert services.ticket_list.row(number).due_on.isoformat() == "2026-12-08"
    assert not services.hours.is_open(datetime(2026, 12, 1, 10, 0, tzinfo=JAKARTA))
    moved = services.ticket_changes.history(number, internal=True)[-1]
    assert (moved.name, moved.data["from"], moved.data["to"]) == (Happening.RECOUNTED, "2026-12-07", "2026-12-08")
    assert Happening.RECOUNTED not in [entry.name for entry in services.ticket_changes.history(number)]
    await admin.sends("/desk/settings/days-off/2026-12-01/undo")
    assert services.ticket_list.row(number).due_on.isoformat() == "2026-12-07"


async def test_an_extended_request_keeps_its_extension_when_days_are_counted_again(services: Services, sign_in) -> None:
    received = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
    number = services.tickets.file(Filing(Kind.INFORMATION_REQUEST, {"details": "x"}, "wni", "c1", "id"), received).number
    services.ticket_changes.extend(number, "dokumen di arsip", "sari", received + timedelta(days=1))
    before = services.ticket_list.row(number).due_on
    admin = await sign_in(Role.ADMIN)
    await admin.sends("/desk/settings/days-off", day="2026-12-24", kind="remove")
    assert services.ticket_list.row(number).due_on == before, "the cuti bersama lies after it"
    await admin.sends("/desk/settings/days-off", day="2026-12-10", kind="add")
    row = services.ticket_list.row(number)
    assert (row.due_on - before).days == 1
    assert row.extended


@pytest.mark.parametrize(
    ("day", "kind", "sentence"),
    [
        ("2026-12-05", "add", "Sabtu dan Minggu"),
        ("2026-12-25", "add", "sudah menjadi hari libur"),
        ("2026-12-01", "remove", "bukan hari libur"),
        ("2031-01-02", "add", "sudah ditetapkan"),
        ("besok", "add", "sudah ditetapkan"),
    ],
)
async def test_a_day_that_makes_no_sense_is_refused_with_a_sentence(day: str, kind: str, sentence: str, sign_in) -> None:
    admin = await sign_in(Role.ADMIN)
    refused = await admin.sends("/desk/settings/days-off", day=day, kind=kind)
    assert refused.status_code == 422
    assert sentence in refused.text


async def test_a_channel_is_switched_with_a_reason_and_the_page_shows_it(services: Services, sign_in) -> None:
    admin = await sign_in(Role.ADMIN)
    assert (await admin.sends("/desk/settings/channels/web", off="true", reason="iseng")).status_code == 422
    assert not services.channels.off()
    assert (await admin.sends("/desk/settings/channels/web", off="true", reason=REASON)).status_code == 303
    assert "Hidupkan Web" in await admin.reads("/desk/settings/channels")
    assert services.channels.is_off("web")
    assert "web sedang dimatikan" in await admin.reads("/desk/settings/health")
    assert (await admin.sends("/desk/settings/channels/faks", off="true", reason=REASON)).status_code == 404


async def test_retention_is_set_with_a_reason_and_reports_are_shown(services: Services, sign_in) -> None:
    admin = await sign_in(Role.ADMIN)
    days = {"conversations": 365, "drafts": 30, "tickets": 1825, "sessions": 90}
    assert (await admin.sends("/desk/settings/retention", **days, reason="")).status_code == 422
    assert (await admin.sends("/desk/settings/retention", **{**days, "tickets": 5}, reason=REASON)).status_code == 422
    assert (await admin.sends("/desk/settings/retention", **days, reason=REASON)).status_code == 303
    assert services.retention.days() == days
    services.retention.purge()
    assert "Percakapan: 0" in await admin.reads("/desk/settings/retention")


async def test_the_health_page_shows_jobs_that_fail(services: Services, sign_in) -> None:
    async def fails() -> None:
        raise RuntimeError

    async def works() -> None:
        pass

    jobs = [Job("reminders", timedelta(minutes=5), fails), Job("purge", timedelta(minutes=5), works)]
    await Scheduler(Leases(services.database), jobs, runs=services.job_runs).tick()
    page = await (await sign_in(Role.ADMIN)).reads("/desk/settings/health")
    assert "reminders gagal: RuntimeError" in page
    assert "Penghapusan menurut masa simpan" in page


async def test_the_chain_of_the_audit_log_is_checked_on_request(services: Services, sign_in) -> None:
    admin = await sign_in(Role.ADMIN)
    assert "Rantai log utuh" in await admin.reads("/desk/audit?verify=true")
    assert "Rantai log utuh" not in await admin.reads("/desk/audit")
    with services.database.session() as session:
        session.connection().exec_driver_sql("DROP TRIGGER audit_entries_no_update")
        session.connection().exec_driver_sql("UPDATE audit_entries SET actor = 'budi' WHERE id = 1")
    assert "putus pada catatan nomor 1" in await admin.reads("/desk/audit?verify=true")


async def test_a_settings_page_shows_and_changes_what_another_process_saved_a_moment_ago(services: Services, sign_in) -> None:
    admin = await sign_in(Role.ADMIN)
    pages = {path: await admin.reads(f"/desk/settings/{path}") for path in ("hours", "days-off", "channels", "retention")}
    other = assemble(services.settings, services.knowledge)
    other.desk_settings.set(Name.SERVICE_HOURS, {"senin": ["08.00-09.00"]}, "sri")
    other.desk_settings.set(Name.DAYS_OFF, {"add": ["2026-12-01"], "remove": []}, "sri")
    other.channels.switch("telegram", off=True, actor="sri", reason=REASON)
    other.retention.set_days({Kept.SESSIONS: 45}, "sri", REASON)
    other.database.close()
    shown = {"hours": "08.00-09.00", "days-off": "1 Desember 2026", "channels": "Hidupkan", "retention": 'value="45"'}
    for path, saved in shown.items():
        assert saved not in pages[path]
        assert saved in await admin.reads(f"/desk/settings/{path}"), path
    services.desk_settings._read = {}  # as a process has it that has not looked since
    await admin.sends("/desk/settings/days-off", day="2026-12-02", kind="add")
    page = await admin.reads("/desk/settings/days-off")
    assert "1 Desember 2026" in page
    assert "2 Desember 2026" in page
    await admin.sends("/desk/settings/days-off/2026-12-01/undo")
    assert services.calendar.overrides.added == {date(2026, 12, 2)}


async def test_a_backup_is_late_when_a_night_has_gone_by_without_one(services: Services, sign_in) -> None:
    admin, now = await sign_in(Role.ADMIN), utc_now()
    for hours, is_late in ((25, False), (27, True)):
        JobRuns(services.database).record(backup.JOB, now - timedelta(hours=hours), 900, None)
        page = await admin.reads("/desk/settings/health")
        assert "Cadangan data" in page
        assert ("terlambat" in page) is is_late, hours


@pytest.mark.parametrize(("job", "hours", "is_late"), [("queued_turns", 6, False), ("queued_turns", 8, True), ("purge", 1, True)])
async def test_a_job_is_late_after_its_own_time(services: Services, sign_in, job: str, hours: int, is_late: bool) -> None:
    services.job_runs.record(job, utc_now() - timedelta(hours=hours), 12, None)
    page = await (await sign_in(Role.ADMIN)).reads("/desk/settings/health")
    assert ("terlambat" in page) is is_late
