from __future__ import annotations

import html
import re
from datetime import date
from typing import Any

import pytest

from bot.assistant import Assistant
from desk.ticket import LIMITS
from services.assembly import Services
from services.audit import AuditFilter
from services.legal_clock import LegalClock, Light
from services.permissions import Role
from services.ticket_events import Happening
from services.ticket_list import TicketFilter, TicketList
from services.tickets import Kind, Resolution, State
from tests.citizen import Citizen
from tests.clock import Clock
from tests.desk.filed import file
from tests.test_notices import make_notifier

REASON = "Perlu kontak untuk mengirim salinan"


def numbers_in(page: str) -> list[str]:
    return re.findall(r'<th scope="row"><a href="/desk/tickets/([\w-]+)"', page)


async def test_a_citizen_asks_the_ppid_answers_in_time_and_the_citizen_reads_it(
    client, services: Services, assistant: Assistant, sign_in
) -> None:
    citizen = await Citizen(client).arrives()
    filed = await citizen.goes_through(
        "saya ingin mengajukan permohonan informasi publik",
        "warga negara indonesia",
        "Salinan laporan kegiatan kunjungan belajar masyarakat tahun 2025",
        "Bahan penyusunan modul ajar",
        "Siti Rahmawati",
        "Jalan Kenanga 12, Malang, Jawa Timur",
        "siti.rahmawati@contoh.id",
        "salinan",
        "email",
        "ya, sudah benar",
    )
    number = re.findall(r"PIP-\d{8}-\w{4}", filed)[0]
    ppid = await sign_in(Role.PPID, "sari")
    assert numbers_in(await ppid.reads("/desk/tickets")) == [number]
    path = f"/desk/tickets/{number}"
    assert "Siti Rahmawati" not in await ppid.reads(path)
    assert (await ppid.sends(f"{path}/move", state="ditelaah")).status_code == 303
    shown = (await ppid.sends(f"{path}/reveal", reason=REASON)).text
    assert "Siti Rahmawati" in shown and "siti.rahmawati@contoh.id" in shown
    pdf = ("laporan 2025.pdf", b"%PDF-1.7 isi laporan", "application/pdf")
    uploaded = await ppid.client.post(f"{path}/files", data={"form_token": ppid.form_token}, files={"file": pdf})
    assert uploaded.status_code == 303, uploaded.text
    answered = await ppid.sends(f"{path}/answer", resolution="dikabulkan", text="Laporan terlampir.")
    assert answered.headers["location"] == f"{path}?done=answered"
    await make_notifier(services, assistant).deliver()
    told = (await citizen.history())[-1]
    link = re.findall(r"\]\((http://localhost:8080)(/berkas/\S+)\)", told["text"])[0][1]
    files = (await client.get(link)).text
    assert "laporan 2025.pdf" in files
    got = await client.get(re.findall(r'href="(/berkas/[^"]+/\d+)"', files)[0])
    assert got.content == b"%PDF-1.7 isi laporan"
    assert got.headers["content-disposition"].startswith("attachment")
    citizen.last = [told]
    assert "Laporan terlampir." in await citizen.presses("Lihat tiket")
    assert services.tickets.view(number).resolution is Resolution.GRANTED
    reason = services.audit.search(AuditFilter(action="ticket.revealed", subject=number))[0]
    assert (reason.actor, reason.reason) == ("sari", REASON)


async def test_personal_data_is_shown_only_with_a_reason_and_only_to_who_handles_it(services: Services, sign_in) -> None:
    request, aspiration = file(services), file(services, Kind.ASPIRATION)
    officer, ppid = await sign_in(Role.OFFICER), await sign_in(Role.PPID)
    for reader in (officer, ppid):
        for number in (request, aspiration):
            page = await reader.reads(f"/desk/tickets/{number}")
            assert "Siti" not in page and "Budi Santoso" not in page and "Kenanga" not in page
    short = await ppid.sends(f"/desk/tickets/{request}/reveal", reason="mau")
    assert short.status_code == 422 and "Siti" not in short.text
    assert (await officer.sends(f"/desk/tickets/{request}/reveal", reason=REASON)).status_code == 403
    assert "Budi Santoso" in (await officer.sends(f"/desk/tickets/{aspiration}/reveal", reason=REASON)).text


@pytest.mark.parametrize(("late", "is_marked"), [(True, True), (False, False), (None, False)])
async def test_an_objection_that_came_late_is_marked_for_whoever_judges_it(
    late: bool | None, is_marked: bool, services: Services, sign_in
) -> None:
    """None: the days off of a year are not known, so nobody can say."""
    number = file(services, Kind.OBJECTION, late=late)
    page = await (await sign_in(Role.PPID, "sari")).reads(f"/desk/tickets/{number}")
    assert ("lebih dari 30 hari kerja setelah alasannya diketahui" in page) is is_marked


async def test_numbers_in_free_text_are_masked_until_they_are_revealed(services: Services, sign_in) -> None:
    number = file(services, Kind.ASPIRATION)
    services.ticket_changes.note(number, "Hubungi saya di 081234567890")
    officer = await sign_in(Role.OFFICER)
    assert "081234567890" not in await officer.reads(f"/desk/tickets/{number}")
    assert "081234567890" in (await officer.sends(f"/desk/tickets/{number}/reveal", reason=REASON)).text


CHANGES: list[tuple[str, dict[str, Any]]] = [
    ("assign", {"to": "lain"}),
    ("move", {"state": "ditelaah"}),
    ("extend", {"reason": "Dokumen di tiga unit"}),
    ("answer", {"resolution": "dijawab", "text": "Jawaban"}),
    ("note", {"text": "catatan"}),
    ("merge", {"into": "PIP-20261124-0000"}),
    ("files/1/remove", {}),
    ("reveal", {"reason": REASON}),
]


@pytest.mark.parametrize(("change", "fields"), CHANGES)
@pytest.mark.parametrize("kind", [Kind.INFORMATION_REQUEST, Kind.OBJECTION])
async def test_an_officer_changes_nothing_of_what_the_ppid_handles(
    change: str, fields: dict[str, Any], kind: Kind, services: Services, sign_in
) -> None:
    number = file(services, kind)
    before = services.ticket_changes.history(number, internal=True)
    officer = await sign_in(Role.OFFICER)
    assert (await officer.sends(f"/desk/tickets/{number}/{change}", **fields)).status_code == 403
    assert services.ticket_changes.history(number, internal=True) == before


@pytest.mark.parametrize(("change", "fields"), CHANGES)
async def test_a_number_that_is_not_there_is_not_found(change: str, fields: dict[str, Any], sign_in) -> None:
    ppid = await sign_in(Role.PPID)
    assert (await ppid.sends(f"/desk/tickets/PIP-20261124-XXXX/{change}", **fields)).status_code == 404


async def test_filters_stand_in_the_address(services: Services, sign_in) -> None:
    request, aspiration = file(services), file(services, Kind.ASPIRATION)
    closed = file(services, Kind.ASPIRATION)
    services.ticket_changes.answer(closed, "Terima kasih", Resolution.ANSWERED, "sari")
    services.ticket_changes.assign(aspiration, "sari", "sari")
    reader = await sign_in(Role.READER, "sari")
    for query, expected in {
        "": [request, aspiration],
        "state=all": [request, aspiration, closed],
        "state=selesai": [closed],
        "resolution=dijawab&state=all": [closed],
        "kind=ASP": [aspiration],
        "assignee=me": [aspiration],
        "assignee=-": [request],
        "due=green": [request],
        "due=overdue": [],
        f"text={request[-6:].lower()}": [request],
        "text=%25": [],
        "state=all&since=2001-01-01&until=2001-02-01": [],
        "cursor=nonsense": [request, aspiration],
        "cursor=0_2026-13-45_1": [request, aspiration],
        "kind=XXX": [],
    }.items():
        assert numbers_in(await reader.reads(f"/desk/tickets?{query}")) == expected, query


async def test_the_board_has_a_lane_for_each_state(services: Services, sign_in) -> None:
    received, reviewed = file(services), file(services, Kind.ASPIRATION)
    services.ticket_changes.move(reviewed, State.REVIEWED, "sari")
    page = await (await sign_in(Role.READER)).reads("/desk/tickets?view=board")
    lanes = page.split('<section class="lane"')[1:]
    assert [received in lane for lane in lanes] == [True, False, False, False]
    assert [reviewed in lane for lane in lanes] == [False, True, False, False]


def test_pages_follow_each_other_in_the_order_of_the_legal_clock(services: Services) -> None:
    for day in (18, 16, 20, 17, 19):
        file(services, moment=f"2026-11-{day} 10:00")
    for kind in (Kind.ASPIRATION, Kind.ASPIRATION):
        file(services, kind, "2026-11-16 09:00")
    for number in [file(services, Kind.ASPIRATION) for _ in range(2)]:
        services.ticket_changes.answer(number, "Terima kasih", Resolution.ANSWERED, "sari")
    seen, cursor = [], ""
    while True:
        page = services.ticket_list.page(TicketFilter(state="all"), cursor, size=2)
        seen += page.rows
        if page.next is None:
            break
        cursor = page.next
    assert len({row.number for row in seen}) == 9
    due = [row.due_on for row in seen[:5]]
    assert due == sorted(due) and None not in due
    assert [row.is_open for row in seen] == [True] * 7 + [False] * 2


@pytest.mark.parametrize(
    ("today", "light", "left"),
    [
        ("2026-11-23", Light.GREEN, 10),
        ("2026-12-01", Light.GREEN, 4),
        ("2026-12-02", Light.AMBER, 3),
        ("2026-12-03", Light.AMBER, 2),
        ("2026-12-04", Light.RED, 1),
        ("2026-12-06", Light.RED, 1),
        ("2026-12-07", Light.RED, 0),
        ("2026-12-08", Light.OVERDUE, -1),
    ],
)
def test_the_light_follows_the_working_days_that_are_left(today: str, light: Light, left: int, services: Services) -> None:
    number = file(services, moment="2026-11-23 10:00")
    listed = TicketList(services.database, services.calendar, Clock(f"{today} 08:00"))
    row = listed.row(number)
    assert (row.due_on, row.light, row.days_left) == (date(2026, 12, 7), light, left)
    assert {one: len(listed.page(TicketFilter(due=one)).rows) for one in Light} == {one: int(one is light) for one in Light}
    assert listed.lights()[light] == 1


def test_lights_at_the_end_of_the_decreed_years_are_never_too_green(services: Services) -> None:
    clock = LegalClock.on(date(2027, 12, 30), services.calendar)
    assert clock.light(date(2027, 12, 31)) is not Light.GREEN


def test_where_days_off_are_not_decreed_an_overdue_ticket_has_a_light_and_no_count_of_days(services: Services) -> None:
    number = file(services, moment="2027-12-06 10:00")
    row = TicketList(services.database, services.calendar, Clock("2028-02-01 08:00")).row(number)
    assert row.due_on is not None
    assert (row.light, row.days_left) == (Light.OVERDUE, None)


def test_a_ticket_whose_citizen_was_forgotten_has_no_siblings(services: Services) -> None:
    first, second = file(services, Kind.ASPIRATION), file(services, Kind.ASPIRATION)
    assert [row.number for row in services.ticket_list.same_citizen(first)] == [second]
    services.ticket_changes.pseudonymise("c1")
    assert services.ticket_list.same_citizen(first) == []


async def test_a_list_says_the_light_in_words_and_shape(services: Services, sign_in) -> None:
    file(services)
    page = await (await sign_in(Role.READER)).reads("/desk/tickets")
    assert re.search(r'class="light green"><span aria-hidden="true">●</span> \d+ hari kerja lagi', page)


async def test_several_tickets_are_taken_up_at_once_and_the_others_are_named(services: Services, sign_in) -> None:
    request, first, second = file(services), file(services, Kind.ASPIRATION), file(services, Kind.ASPIRATION)
    officer = await sign_in(Role.OFFICER, "sari")
    done = await officer.sends("/desk/tickets/bulk", numbers=[request, first, second, "PIP-x"], action="take_up")
    assert done.headers["location"].startswith("/desk/tickets?done=2")
    page = await officer.reads(done.headers["location"])
    assert request in page.split('role="alert"')[1].split("</p>")[0]
    assert [services.tickets.view(n).state for n in (request, first, second)] == [State.RECEIVED, State.REVIEWED, State.REVIEWED]
    await officer.sends("/desk/tickets/bulk", numbers=[first, second], action="assign")
    assert services.ticket_list.row(first).assignee == services.ticket_list.row(second).assignee == "sari"


async def test_an_action_on_several_tickets_leads_back_to_the_list_as_it_was_filtered(services: Services, sign_in) -> None:
    number = file(services, Kind.ASPIRATION)
    officer = await sign_in(Role.OFFICER, "sari")
    page = await officer.reads("/desk/tickets?kind=ASP&assignee=-&state=all&since=2026-01-01")
    action = html.unescape(re.findall(r'action="(/desk/tickets/bulk[^"]*)"', page)[0])
    done = await officer.sends(f"{action}&view=board", numbers=[number], action="take_up")
    assert done.headers["location"] == "/desk/tickets?kind=ASP&state=all&assignee=-&since=2026-01-01&done=1"
    assert numbers_in(await officer.reads(done.headers["location"])) == [number]


async def test_a_reason_has_the_limits_that_are_checked(services: Services, sign_in, monkeypatch: pytest.MonkeyPatch) -> None:
    number = file(services)
    services.ticket_changes.answer(number, "Memuat data orang lain", Resolution.REFUSED, "sari", grounds=["h"])
    ppid = await sign_in(Role.PPID)
    monkeypatch.setitem(LIMITS, "shortest_reason", 12)
    monkeypatch.setitem(LIMITS, "reason", 345)
    for path in (f"/desk/tickets/{number}", f"/desk/tickets/{number}/letters/penolakan"):
        assert 'name="reason" minlength="12" maxlength="345"' in await ppid.reads(path), path


async def test_a_ticket_is_given_only_to_who_may_handle_it(services: Services, sign_in) -> None:
    number = file(services)
    ppid = await sign_in(Role.PPID, "sari")
    await sign_in(Role.OFFICER, "budi")
    await sign_in(Role.READER, "ani")
    for login in ("budi", "ani", "tidakada"):
        assert (await ppid.sends(f"/desk/tickets/{number}/assign", to=login)).status_code == 422
    assert (await ppid.sends(f"/desk/tickets/{number}/assign", to="sari")).status_code == 303
    assert services.ticket_list.row(number).assignee == "sari"
    await ppid.sends(f"/desk/tickets/{number}/assign", to="")
    assert services.ticket_list.row(number).assignee is None


async def test_a_request_is_extended_once_and_what_was_typed_is_kept(services: Services, sign_in) -> None:
    number = file(services)
    ppid = await sign_in(Role.PPID)
    path = f"/desk/tickets/{number}"
    too_long = await ppid.sends(f"{path}/extend", reason="panjang " * 200)
    assert too_long.status_code == 422 and "panjang panjang" in too_long.text
    assert (await ppid.sends(f"{path}/extend", reason="Dokumen di tiga unit")).status_code == 303
    again = await ppid.sends(f"{path}/extend", reason="Sekali lagi")
    assert again.status_code == 422 and "pernah diperpanjang" in again.text


async def test_a_refusal_needs_its_grounds_and_an_answer_has_none(services: Services, sign_in) -> None:
    number = file(services)
    ppid = await sign_in(Role.PPID)
    path = f"/desk/tickets/{number}/answer"
    without = await ppid.sends(path, resolution="ditolak", text="Memuat data pribadi orang lain")
    assert without.status_code == 422 and "Memuat data pribadi orang lain" in without.text
    assert (await ppid.sends(path, resolution="dikabulkan", text="Ini", grounds=["h"])).status_code == 422
    assert (await ppid.sends(path, resolution="ditolak", text="Ini", grounds=["z"])).status_code == 422
    assert (await ppid.sends(path, resolution="ditolak", text="Memuat data pribadi", grounds=["h", "c"])).status_code == 303
    assert services.ticket_changes.history(number)[-1].data["grounds"] == ["c", "h"]
    assert (await ppid.sends(path, resolution="dikabulkan", text="Terlambat")).status_code == 422


async def test_internal_notes_are_for_staff_only(services: Services, sign_in) -> None:
    number = file(services, Kind.ASPIRATION)
    officer = await sign_in(Role.OFFICER)
    assert (await officer.sends(f"/desk/tickets/{number}/note", text="Tanyakan ke Biro Humas")).status_code == 303
    assert "Tanyakan ke Biro Humas" in await officer.reads(f"/desk/tickets/{number}")
    assert all(entry.name is not Happening.REMARKED for entry in services.ticket_changes.history(number))


async def test_what_one_citizen_sent_twice_is_merged_and_the_citizen_is_told(
    client, services: Services, assistant: Assistant, sign_in
) -> None:
    citizen = await Citizen(client).arrives()
    with services.database.session() as session:
        from store.models import Conversation

        (conversation_id,) = [one.id for one in session.query(Conversation)]
    first, second = (file(services, Kind.ASPIRATION, conversation_id=conversation_id) for _ in range(2))
    stranger = file(services, Kind.ASPIRATION, conversation_id="other")
    officer = await sign_in(Role.OFFICER)
    for into in (stranger, second, file(services, conversation_id=conversation_id)):
        assert (await officer.sends(f"/desk/tickets/{second}/merge", into=into)).status_code == 422
    assert (await officer.sends(f"/desk/tickets/{second}/merge", into=first)).status_code == 303
    assert services.tickets.view(second).resolution is Resolution.MERGED
    assert not services.tickets.view(second).can_be_rated
    assert services.ticket_changes.history(first)[-1].name is Happening.JOINED
    await make_notifier(services, assistant).deliver()
    assert f"Jawabannya ada di tiket **{first}**" in (await citizen.history())[-1]["text"]


@pytest.mark.parametrize("role", list(Role))
async def test_only_who_handles_a_ticket_sees_forms_to_change_it(role: Role, services: Services, sign_in) -> None:
    officer = await sign_in(role)
    for kind, handlers in ((Kind.ASPIRATION, {Role.OFFICER, Role.PPID, Role.ADMIN}), (Kind.OBJECTION, {Role.PPID, Role.ADMIN})):
        page = await officer.reads(f"/desk/tickets/{file(services, kind)}")
        assert ("/answer" in page) is (role in handlers)
