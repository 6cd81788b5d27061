from __future__ import annotations

from datetime import date, timedelta

import httpx
import pytest

from services.assembly import Services
from services.audit import AuditFilter
from services.registry import JOURNEY_OF
from services.staff import Role
from services.ticket_register import NEVER, Level, RegisterFilter, level_of
from services.tickets import Filing, Kind, Receipt
from store.database import utc_now
from tests.citizen import Citizen
from tests.clock import Clock

PERSONAL = {"name": "Siti Rahmawati", "address": "Jalan Melati 5, Kediri", "contact": "siti@contoh.id"}


@pytest.fixture
def file(services: Services):
    """`file(Kind.ASPIRATION)`: a ticket, filed now unless told otherwise."""

    def make(kind: Kind, now=None, **fields: str) -> Receipt:
        filing = Filing(kind, {"details": "Laporan kinerja 2025", **PERSONAL, **fields}, "perorangan", "percakapan", "id")
        return services.tickets.file(filing, now or utc_now())

    return make


async def test_an_information_request_is_answered_before_its_deadline_and_the_citizen_hears_of_it(
    client: httpx.AsyncClient, services: Services, sign_in
) -> None:
    citizen = await Citizen(client).arrives()
    await citizen.goes_through(
        "saya mau mengajukan permohonan informasi publik",
        "perorangan",
        "laporan kinerja kemensetneg tahun 2025",
        "untuk penelitian skripsi",
    )
    await citizen.goes_through("Siti Rahmawati", "Jalan Melati 5 Kediri", "siti@contoh.id", "salinan", "email", "ya")
    ((_, entry),) = services.ticket_register.entries(RegisterFilter(kind=Kind.INFORMATION_REQUEST))
    ppid = await sign_in(Role.PPID, "ratna")
    address = f"/desk/tickets/{entry.number}"
    page = await ppid.reads(address)
    assert "laporan kinerja kemensetneg tahun 2025" in page
    assert "Siti Rahmawati" not in page
    shown = await ppid.sends(f"{address}/unmask", reason="mengalamatkan surat jawaban")
    assert "Siti Rahmawati" in shown.text
    assert (await ppid.sends(f"{address}/assign", to="ratna")).status_code == 303
    assert (await ppid.sends(f"{address}/move", state="ditelaah")).status_code == 303
    assert (await ppid.sends(f"{address}/extend", reason="Dokumen sedang dihimpun dari tiga unit.")).status_code == 303
    letter = await ppid.reads(f"{address}/letter/diperpanjang")
    assert "Pasal 22 ayat 8" in letter
    done = await ppid.sends(f"{address}/answer", resolution="dikabulkan", text="Laporan terlampir di laman PPID.")
    assert done.status_code == 303
    assert "Laporan terlampir di laman PPID." in await citizen.says("cek status tiket saya")
    actions = [one.action for one in reversed(services.audit.search(AuditFilter(actor="ratna")))]
    assert actions[-5:] == ["ticket.unmasked", "ticket.assigned", "ticket.moved", "ticket.extended", "ticket.answered"]


async def test_a_refusal_needs_grounds_of_the_law_and_its_letter_names_them(file, sign_in) -> None:
    number = file(Kind.INFORMATION_REQUEST).number
    ppid = await sign_in(Role.PPID)
    without = await ppid.sends(f"/desk/tickets/{number}/answer", resolution="ditolak", text="Memuat data pribadi orang lain.")
    assert without.status_code == 422
    assert "Memuat data pribadi orang lain." in without.text
    done = await ppid.sends(f"/desk/tickets/{number}/answer", resolution="ditolak", text="Memuat data pribadi.", grounds=["h", "j"])
    assert done.status_code == 303
    letter = await ppid.reads(f"/desk/tickets/{number}/letter/dijawab")
    assert "Pasal 17 huruf h" in letter
    assert "Pasal 17 huruf j" in letter
    assert "Pasal 17 huruf a" not in letter


@pytest.mark.parametrize(("resolution", "grounds"), [("dikabulkan", ["h"]), ("ditolak", ["z"]), ("dijawab", []), ("dicabut", [])])
async def test_an_answer_against_the_rules_changes_nothing(
    resolution: str, grounds: list[str], file, services: Services, sign_in
) -> None:
    number = file(Kind.INFORMATION_REQUEST).number
    ppid = await sign_in(Role.PPID)
    refused = await ppid.sends(f"/desk/tickets/{number}/answer", resolution=resolution, text="Jawaban.", grounds=grounds)
    assert refused.status_code == 422
    assert services.ticket_register.entry(number).resolution is None


async def test_an_officer_handles_aspirations_but_not_what_the_law_gives_to_the_ppid(file, services: Services, sign_in) -> None:
    officer = await sign_in(Role.OFFICER)
    aspiration, request = file(Kind.ASPIRATION).number, file(Kind.INFORMATION_REQUEST).number
    for step, fields in (
        ("unmask", {"reason": "menghubungi pengirim"}),
        ("assign", {"to": officer.login}),
        ("move", {"state": "ditelaah"}),
        ("note", {"text": "cek ke biro"}),
        ("answer", {"resolution": "dijawab", "text": "Terima kasih."}),
    ):
        assert (await officer.sends(f"/desk/tickets/{request}/{step}", **fields)).status_code == 403, step
        assert (await officer.sends(f"/desk/tickets/{aspiration}/{step}", **fields)).status_code in (200, 303), step
    assert services.ticket_register.entry(request).state == "diterima"


async def test_notes_for_colleagues_stay_at_the_desk(file, services: Services, sign_in) -> None:
    number = file(Kind.ASPIRATION).number
    officer = await sign_in(Role.OFFICER)
    await officer.sends(f"/desk/tickets/{number}/note", text="jangan sampai terbaca warga")
    assert "jangan sampai terbaca warga" in await officer.reads(f"/desk/tickets/{number}")
    assert "jangan sampai" not in str(services.ticket_changes.history(number))


async def test_the_register_is_in_the_order_in_which_tickets_fall_due(file, services: Services) -> None:
    start = Clock("2026-10-05 10:00").now
    filed = [
        file(kind, start + timedelta(days=n)).number
        for n, kind in enumerate([Kind.ASPIRATION, *[Kind.INFORMATION_REQUEST] * 5, Kind.VISIT])
    ]
    seen: list[str] = []
    after = None
    while page := services.ticket_register.entries(RegisterFilter(), after=after, limit=2):
        seen += [entry.number for _, entry in page]
        after = (page[-1][1].due_on or NEVER, page[-1][0])
    assert seen == [*filed[1:6], filed[0], filed[6]]


@pytest.mark.parametrize(
    ("days_left", "level"),
    [(None, Level.NONE), (4, Level.GREEN), (3, Level.AMBER), (2, Level.AMBER), (1, Level.RED), (0, Level.RED), (-1, Level.OVERDUE)],
)
def test_the_clock_turns_amber_three_and_red_one_working_day_before_the_end(days_left: int | None, level: Level) -> None:
    assert level_of(days_left) is level


def test_a_ticket_is_overdue_from_the_day_after_its_due_date(file, services: Services) -> None:
    receipt = file(Kind.INFORMATION_REQUEST, Clock("2026-11-02 10:00").now)
    due = receipt.due_on
    assert due
    clock = Clock(f"{due} 23:30")
    services.ticket_register._clock = clock
    assert services.ticket_register.entry(receipt.number).level is Level.RED
    for later in range(1, 4):  # a weekend may follow
        clock.set(f"{due + timedelta(days=later)} 00:30")
        assert services.ticket_register.entry(receipt.number).level is Level.OVERDUE


async def test_an_odd_address_is_no_error_and_an_unknown_number_is_not_found(sign_in) -> None:
    reader = await sign_in(Role.READER)
    for address in ("?kind=X&state=Y", "?after=x~y", f"?after={date.max}~1", "?number=%25", "?assigned=-"):
        await reader.reads(f"/desk/tickets{address}")
    for path in ("ASP-20261123-ZZZZ", "x/letter/dijawab"):
        assert (await reader.opens(f"/desk/tickets/{path}")).status_code == 404


def test_every_field_that_a_ticket_shows_has_a_name_at_the_desk() -> None:
    from desk.pages import Pages

    shown = {field.name for journey in JOURNEY_OF.values() for field in journey.fields if field.in_summary}
    for texts in Pages().texts.values():
        assert shown <= set(texts["fields"])
