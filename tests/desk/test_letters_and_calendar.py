from __future__ import annotations

import re

import pytest
from icalendar import Calendar

from services.assembly import Services
from services.audit import AuditFilter
from services.permissions import Role
from services.tickets import Kind, Resolution
from tests.desk.filed import file
from tests.desk.test_tickets import REASON


async def test_a_refusal_is_printed_with_the_words_of_the_law_and_the_right_to_object(services: Services, sign_in) -> None:
    number = file(services)
    services.ticket_changes.answer(number, "Memuat data orang lain", Resolution.REFUSED, "sari", grounds=["h", "j"])
    ppid = await sign_in(Role.PPID)
    path = f"/desk/tickets/{number}/letters/penolakan"
    letter = await ppid.reads(path)
    assert "huruf h: Informasi Publik yang apabila dibuka" in letter and "mengungkap rahasia pribadi." in letter
    assert "huruf j: informasi yang tidak boleh diungkapkan berdasarkan Undang-Undang." in letter
    assert "30 hari kerja" in letter and "Memuat data orang lain" in letter
    assert "Siti Rahmawati" not in letter
    named = (await ppid.sends(path, reason="Surat dikirim lewat pos")).text
    assert "Siti Rahmawati" in named and "Kenanga 12" in named
    assert services.audit.search(AuditFilter(action="ticket.revealed"))[0].reason == "Surat dikirim lewat pos"
    assert (await ppid.sends(path, reason="pos")).status_code == 422
    assert (await (await sign_in(Role.OFFICER)).sends(path, reason=REASON)).status_code == 403
    assert (await ppid.opens(f"/desk/tickets/{number}/letters/jawaban")).status_code == 404


async def test_an_extension_is_printed_with_its_reason_and_new_date(services: Services, sign_in) -> None:
    number = file(services)
    due = services.ticket_changes.extend(number, "Dokumen dikumpulkan dari tiga unit", "sari")
    letter = await (await sign_in(Role.PPID)).reads(f"/desk/tickets/{number}/letters/perpanjangan")
    assert "Dokumen dikumpulkan dari tiga unit" in letter and f"{due.day} " in letter and "Pasal 22 ayat (8)" in letter


@pytest.mark.parametrize("letter", ["jawaban", "perpanjangan", "penolakan", "lain"])
async def test_what_has_not_happened_has_no_letter(letter: str, services: Services, sign_in) -> None:
    ppid = await sign_in(Role.PPID)
    assert (await ppid.opens(f"/desk/tickets/{file(services)}/letters/{letter}")).status_code == 404


async def test_the_calendar_shows_each_due_date_on_its_day(services: Services, sign_in) -> None:
    number = file(services, moment="2026-11-23 10:00")
    reader = await sign_in(Role.READER)
    december = await reader.reads("/desk/tickets/calendar?month=2026-12")
    assert number in december.split(">7 Desember 2026")[1].split(">8 Desember 2026")[0]
    assert number not in await reader.reads("/desk/tickets/calendar?month=2027-03")
    for odd in ("2026-13", "x", "", "9999-01"):
        assert 'class="month"' in await reader.reads(f"/desk/tickets/calendar?month={odd}")


async def test_each_column_of_the_calendar_is_named_by_its_day_of_the_week_in_the_readers_language(sign_in) -> None:
    reader = await sign_in(Role.READER)
    for language, monday, sunday in (("id", "Senin", "Minggu"), ("en", "Monday", "Sunday")):
        await reader.sends("/desk/account/language", locale=language)
        page = await reader.reads("/desk/tickets/calendar?month=2026-12")
        headers = re.findall(r'<th scope="col">(\w+)</th>', page)
        assert len(headers) == 7 and headers[0] == monday and headers[-1] == sunday
        first_week = page.split("<tbody>")[1].split("</tr>")[0]
        assert first_week.count("<td") == 7 and re.search(rf"{monday}, </span><span>30 ", first_week), "30 November 2026 is a Monday"


async def test_a_feed_holds_numbers_and_kinds_and_nothing_personal(client, services: Services, sign_in) -> None:
    number = file(services)
    file(services, Kind.ASPIRATION)
    reader = await sign_in(Role.READER)
    page = (await reader.sends("/desk/tickets/calendar/start")).text
    path = re.findall(r"http://localhost:8080(/desk/calendar/[\w-]+\.ics)", page)[0]
    feed = await client.get(path)
    assert feed.headers["content-type"].startswith("text/calendar")
    (event,) = Calendar.from_ical(feed.content).walk("VEVENT")
    assert event["summary"] == f"{number}: permohonan informasi publik"
    assert event.decoded("dtstart") == services.tickets.view(number).due_on
    for personal in ("Siti", "Kenanga", "contoh.id", "laporan"):
        assert personal not in feed.text


async def test_a_feed_ends_with_a_new_address_when_stopped_and_with_the_account(client, services: Services, sign_in) -> None:
    reader = await sign_in(Role.READER, "ani")

    async def new_address() -> str:
        page = (await reader.sends("/desk/tickets/calendar/start")).text
        return re.findall(r"http://localhost:8080(/desk/calendar/[\w-]+\.ics)", page)[0]

    first, second = await new_address(), await new_address()
    assert first != second
    assert [(await client.get(path)).status_code for path in (first, second)] == [404, 200]
    await reader.sends("/desk/tickets/calendar/stop")
    assert (await client.get(second)).status_code == 404
    third = await new_address()
    services.staff.disable("ani", "uji")
    assert (await client.get(third)).status_code == 404
    for wrong in ("1", "x" * 43, "..%2f", "ä"):
        assert (await client.get(f"/desk/calendar/{wrong}.ics")).status_code == 404
    assert third.split("/")[-1].removesuffix(".ics") not in str(services.audit.search(AuditFilter()))
