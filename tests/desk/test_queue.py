from __future__ import annotations

import asyncio
import re
from datetime import datetime, timedelta
from itertools import count
from urllib.parse import quote

import httpx
import pytest
from sqlalchemy import select, update

from bot.assistant import Assistant
from bot.server import create_app
from desk import changes
from services.assembly import Services
from services.audit import AuditFilter
from services.handoff import Event
from services.permissions import Role
from store.database import utc_now
from store.staff_models import DeskSession
from tests.citizen import Citizen
from tests.clock import Clock
from tests.test_officer_typing import stream_until


@pytest.fixture
def clock(services: Services) -> Clock:
    """A Monday morning in service hours."""
    clock = Clock("2026-11-23 10:00")
    services.handoffs._clock = services.officer_typing._clock = clock
    return clock


@pytest.fixture
async def citizen(client: httpx.AsyncClient, clock: Clock) -> Citizen:
    citizen = await Citizen(client).arrives()
    await citizen.goes_through("apa itu simpel?", "mau bicara dengan petugas")
    return citizen


async def test_an_officer_takes_writes_and_hands_back(citizen: Citizen, services: Services, sign_in) -> None:
    await citizen.says("ya")
    officer = await sign_in(Role.OFFICER, "sari")
    assert "Menunggu (1)" in await officer.reads("/desk/queue")
    (waiting,) = services.handoffs.queue()
    room = f"/desk/queue/{waiting.handoff_id}"
    await officer.reads(room)
    assert [entry.actor for entry in services.audit.search(AuditFilter(action="conversation.read"))] == ["sari"]
    assert (await officer.sends(f"{room}/take")).headers["location"] == room
    assert "apa itu simpel?" in await officer.reads(room)
    assert (await officer.sends(f"{room}/say", text="Selamat pagi, ada yang bisa kami bantu?")).status_code == 303
    assert "Selamat pagi" in str(await citizen.history())
    await citizen.says("dokumen saya dikembalikan")
    assert "dokumen saya dikembalikan" in await officer.reads(f"{room}/messages")
    assert (await officer.sends(f"{room}/hand-back")).status_code == 303
    assert "sudah selesai" in await officer.reads(room)
    assert services.handoffs.queue() == services.handoffs.active() == []


async def test_a_number_that_an_officer_writes_reaches_the_citizen_and_lies_masked(
    citizen: Citizen, services: Services, sign_in
) -> None:
    await citizen.says("ya")
    officer = await sign_in(Role.PPID, "sari")
    (waiting,) = services.handoffs.queue()
    room = f"/desk/queue/{waiting.handoff_id}"
    await officer.sends(f"{room}/take")
    words = "Silakan telepon 0812-9876-1234, atau 0812-9876-1235 malam hari"
    assert (await officer.sends(f"{room}/say", text=words)).status_code == 303
    assert (await citizen.history())[-1]["text"] == words
    path = f"/desk/conversations/{services.handoffs.active()[0].conversation_id}"
    assert "Silakan telepon [telepon], atau [telepon] malam hari" in await officer.reads(path)
    assert words in (await officer.sends(f"{path}/unmask", reason="Warga menanyakan nomornya")).text


async def test_of_two_officers_one_gets_the_citizen_and_the_other_a_sentence(citizen: Citizen, services: Services, sign_in) -> None:
    sari, budi = await sign_in(Role.OFFICER, "sari"), await sign_in(Role.OFFICER, "budi")
    (waiting,) = services.handoffs.queue()
    room = f"/desk/queue/{waiting.handoff_id}"
    assert (await sari.sends(f"{room}/take")).status_code == 303
    late = await budi.sends(f"{room}/take")
    assert late.status_code == 409
    assert "sudah diambil petugas lain" in late.text
    meddling = await budi.sends(f"{room}/say", text="saya juga mau menjawab")
    assert meddling.status_code == 409
    assert "saya juga mau menjawab" not in str(await citizen.history())


async def test_what_was_written_is_not_lost_when_it_cannot_be_sent(citizen: Citizen, services: Services, sign_in) -> None:
    sari = await sign_in(Role.OFFICER, "sari")
    (waiting,) = services.handoffs.queue()
    room = f"/desk/queue/{waiting.handoff_id}"
    await sari.sends(f"{room}/take")
    too_long = await sari.sends(f"{room}/say", text="kata " * 1000)
    assert too_long.status_code == 422
    assert "kata kata kata" in too_long.text


async def test_a_conversation_is_passed_on_to_a_colleague_who_may_serve(citizen: Citizen, services: Services, sign_in) -> None:
    sari = await sign_in(Role.OFFICER, "sari")
    budi = await sign_in(Role.OFFICER, "budi")
    await sign_in(Role.READER, "ani")
    (waiting,) = services.handoffs.queue()
    room = f"/desk/queue/{waiting.handoff_id}"
    await sari.sends(f"{room}/take")
    for nobody in ("ani", "hantu", ""):
        assert (await sari.sends(f"{room}/transfer", to=nobody)).status_code == 422
    assert (await sari.sends(f"{room}/transfer", to="budi")).status_code == 303
    assert (await budi.sends(f"{room}/say", text="Halo, saya melanjutkan.")).status_code == 303
    assert (await sari.sends(f"{room}/say", text="Eh?")).status_code == 409


async def test_without_consent_only_what_came_after_the_take_over_is_shown(citizen: Citizen, services: Services, sign_in) -> None:
    await citizen.says("tidak")
    sari = await sign_in(Role.OFFICER, "sari")
    (waiting,) = services.handoffs.queue()
    room = f"/desk/queue/{waiting.handoff_id}"
    await sari.sends(f"{room}/take")
    await citizen.says("nomor surat saya belum ada")
    page = await sari.reads(room)
    assert "apa itu simpel?" not in page
    assert "nomor surat saya belum ada" in page


async def test_an_officer_who_falls_silent_gives_the_citizen_back(citizen: Citizen, services: Services, clock: Clock, sign_in) -> None:
    sari = await sign_in(Role.OFFICER, "sari")
    (waiting,) = services.handoffs.queue()
    await sari.sends(f"/desk/queue/{waiting.handoff_id}/take")
    clock.forward(minutes=25)
    await sari.sends(f"/desk/queue/{waiting.handoff_id}/say", text="sebentar ya")
    clock.forward(minutes=25)
    assert services.handoffs.hand_back_idle() == []
    clock.forward(minutes=6)
    assert services.handoffs.hand_back_idle() == [waiting.handoff_id]
    assert services.untold.all()[-1].name is Event.HANDED_BACK


@pytest.mark.parametrize("path", ["/desk/queue/999", "/desk/queue/999/messages", "/desk/queue/999/events"])
async def test_an_unknown_hand_off_is_not_found(path: str, sign_in) -> None:
    officer = await sign_in(Role.OFFICER)
    assert (await officer.opens(path)).status_code == 404


async def taken(citizen: Citizen, services: Services, sign_in) -> tuple[object, str]:
    await citizen.says("ya")
    sari = await sign_in(Role.OFFICER, "sari")
    (waiting,) = services.handoffs.queue()
    room = f"/desk/queue/{waiting.handoff_id}"
    await sari.sends(f"{room}/take")
    return sari, room


async def test_an_open_page_of_a_conversation_is_told_that_the_citizen_has_written(
    citizen: Citizen, services: Services, assistant: Assistant, sign_in, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(changes, "LOOK_SECONDS", 0.05)
    sari, room = await taken(citizen, services, sign_in)
    conversation = services.handoffs.active()[0].conversation_id
    cookies = {"cookie": "; ".join(f"{name}={value}" for name, value in sari.client.cookies.items())}
    begun, again = b"event: queue\r\ndata: \r\n\r\n", b"event: changed"
    told = asyncio.create_task(stream_until(create_app(services, assistant), f"{room}/events", cookies, begun + again))
    for number in count():  # the page may not have begun to look when the first one comes
        if told.done():
            break
        services.conversations.add_inbound(conversation, f"m{number}", "masih di sini?")
        await asyncio.sleep(0.1)
    assert begun + again in await told


async def test_an_open_page_is_told_at_once_for_it_may_have_missed_something_and_then_of_each_change(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(changes, "LOOK_SECONDS", 0)
    found = iter([1, 1, 2])
    stream = changes.changes(StillThere(), lambda: True, changed=lambda: next(found), queue=lambda: 7).body_iterator
    assert [(await anext(stream)).event for _ in range(3)] == ["changed", "queue", "changed"]


async def test_an_open_page_is_told_that_its_session_has_ended_and_hears_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(changes, "LOOK_SECONDS", 0)
    monkeypatch.setattr(changes, "SESSION_SECONDS", 0)
    signed_in = iter([True, False])
    stream = changes.changes(StillThere(), lambda: next(signed_in), changed=lambda: 1).body_iterator
    assert [event.event async for event in stream] == ["changed", "signed_out"]


@pytest.mark.parametrize("path", ["/desk/queue/list", "/desk/queue/{}/messages"])
async def test_what_a_page_asks_by_itself_keeps_no_session_going_and_leads_back_to_the_page(
    path: str, citizen: Citizen, services: Services, sign_in
) -> None:
    sari, room = await taken(citizen, services, sign_in)
    path = path.format(room.rpartition("/")[2])
    member = services.staff.get(sari.login).id
    long_ago = utc_now() - timedelta(minutes=20)

    def last_seen(moment: datetime | None = None) -> datetime:
        with services.database.session() as session:
            if moment:
                session.execute(update(DeskSession).values(seen_at=moment))
            return session.scalars(select(DeskSession.seen_at).where(DeskSession.staff_id == member)).one()

    last_seen(long_ago)
    assert (await sari.client.get(path)).status_code == 200
    assert last_seen() == long_ago
    assert (await sari.client.get("/desk/account/here")).status_code == 204
    assert last_seen() > long_ago
    services.desk_sessions.end_all(member)
    headers = {"HX-Request": "true", "HX-Current-URL": f"http://sapa.test{room}?a=1"}
    response = await sari.client.get(path, headers=headers)
    assert response.status_code == 401
    assert response.headers["hx-redirect"] == f"/desk/sign-in?next={quote(f'{room}?a=1', safe='')}"


class StillThere:
    """A request whose browser stays."""

    async def is_disconnected(self) -> bool:
        return False


async def test_a_form_that_is_sent_twice_tells_the_citizen_once(citizen: Citizen, services: Services, sign_in) -> None:
    sari, room = await taken(citizen, services, sign_in)
    first, second = [re.findall(r'name="form" value="([\w-]+)"', await sari.reads(room))[0] for _ in range(2)]
    words = "Silakan telepon 0812-9876-1234"
    sent = await asyncio.gather(*(sari.sends(f"{room}/say", text=words, form=first) for _ in range(3)))
    assert [one.status_code for one in sent] == [303, 303, 303]

    async def told() -> list[str]:
        return [one["text"] for one in await citizen.history() if one["from"] == "officer"]

    assert await told() == [words]
    corrected = "Silakan telepon 0812-9876-4321"  # which the log masks alike
    assert (await sari.sends(f"{room}/say", text=corrected, form=first)).status_code == 303
    assert (await sari.sends(f"{room}/say", text=words, form=second)).status_code == 303
    await sari.sends(f"{room}/hand-back")
    assert (await sari.sends(f"{room}/say", text=words, form=second)).status_code == 303
    assert await told() == [words, corrected, words]


async def test_who_does_not_have_the_conversation_wakes_nobody_by_typing(
    citizen: Citizen, services: Services, sign_in, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, room = await taken(citizen, services, sign_in)
    budi = await sign_in(Role.OFFICER, "budi")
    woken: list[str] = []
    monkeypatch.setattr(services.wakeups, "publish", woken.append)
    assert (await budi.sends(f"{room}/typing")).status_code == 204
    assert woken == []


async def test_a_canned_reply_is_put_after_what_is_written(citizen: Citizen, services: Services, sign_in) -> None:
    sari, room = await taken(citizen, services, sign_in)
    saved = await sari.sends("/desk/canned-replies", name="sapa", text_id="Saya {petugas}, jam layanan {jam_layanan}.")
    assert saved.status_code == 303
    page = (await sari.sends(f"{room}/compose", text="Selamat pagi.", reply="sapa")).text
    assert "Selamat pagi.\nSaya Sari, jam layanan Senin–Kamis 09.00-12.00, 13.00-15.00; Jumat 09.00-11.00" in page
    assert "Saya Sari" not in str(await citizen.history())
    refused = await sari.sends("/desk/canned-replies", name="sapa", text_id="Halo {nama_warga}")
    assert refused.status_code == 422
    assert "tidak dikenal" in refused.text


async def test_a_note_is_seen_by_colleagues_and_never_by_the_citizen(citizen: Citizen, services: Services, sign_in) -> None:
    sari, room = await taken(citizen, services, sign_in)
    assert (await sari.sends(f"{room}/note", note="tolong cek ke biro humas")).status_code == 303
    assert "tolong cek ke biro humas" in await sari.reads(room)
    conversation = services.handoffs.active()[0].conversation_id
    reader = await sign_in(Role.READER, "ani")
    assert "tolong cek ke biro humas" in await reader.reads(f"/desk/conversations/{conversation}")
    assert "biro humas" not in str(await citizen.history())
    assert (await sari.sends(f"{room}/note", note=" ")).status_code == 422


async def test_the_citizen_is_shown_that_the_officer_is_writing(
    citizen: Citizen, services: Services, clock: Clock, sign_in, client: httpx.AsyncClient
) -> None:
    sari, room = await taken(citizen, services, sign_in)
    budi = await sign_in(Role.OFFICER, "budi")
    conversation = services.handoffs.active()[0].conversation_id
    assert (await budi.sends(f"{room}/typing")).status_code == 204
    assert services.officer_typing.seen_at(conversation) is None, "only who has the conversation is writing in it"
    assert (await sari.sends(f"{room}/typing")).status_code == 204
    first = services.officer_typing.seen_at(conversation)
    clock.forward(seconds=1)
    await sari.sends(f"{room}/typing")
    assert services.officer_typing.seen_at(conversation) == first, "a second later nothing new is noted"
    clock.forward(seconds=3)
    await sari.sends(f"{room}/typing")
    assert services.officer_typing.everywhere() == {conversation: clock.now}
    await sari.sends(f"{room}/say", text="Baik.")
    assert services.officer_typing.seen_at(conversation) is None
    await sari.sends(f"{room}/typing")
    clock.forward(seconds=7)
    assert services.officer_typing.seen_at(conversation) is None, "a sign is true for a few seconds only"
