"""Talking to an officer, over the web channel with the trained model."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace

import httpx
import pytest
from sqlalchemy import select

from bot.announcements import Announcements
from bot.assistant import Assistant
from bot.conversation import ConversationService
from bot.courier import Courier
from bot.server import create_app
from services.assembly import Services, assemble, use
from services.handoff import Handoffs
from services.knowledge import Knowledge
from services.settings import Settings
from store.models import HandoffEvent, TrackerEvent
from store.ticket_models import Ticket
from tests.citizen import Citizen
from tests.clock import Clock
from tests.telling import tell_all

WISH = "mau bicara dengan petugas"
OFFICER = "rina"


@pytest.fixture
def clock() -> Clock:
    return Clock("2026-11-23 10:00")


@pytest.fixture
def services(settings: Settings, knowledge: Knowledge, clock: Clock) -> Iterator[Services]:
    """The services on a clock of the test's own."""
    made = assemble(settings, knowledge)
    made = replace(made, handoffs=Handoffs(made.database, made.conversations, made.drafts, made.hours, clock))
    use(made)
    yield made
    made.database.close()


@pytest.fixture
async def announcements(services: Services, assistant: Assistant) -> AsyncIterator[Announcements]:
    yield Announcements(ConversationService(assistant, services), services, Courier(services.conversations, {}))


async def in_conversation_with(services: Services, announcements: Announcements) -> int:
    """An officer takes the oldest who waits; returns the hand-off's id."""
    handoff_id = services.handoffs.queue()[0].handoff_id
    services.handoffs.take(handoff_id, OFFICER)
    await tell_all(announcements)
    return handoff_id


async def history(client: httpx.AsyncClient, citizen: Citizen) -> list[tuple[str, str]]:
    messages = (await client.get("/api/chat/messages", headers=citizen.headers)).json()["messages"]
    return [(message["from"], message["text"]) for message in messages]


async def test_inside_hours_the_citizen_hears_the_place_what_happens_and_how_to_leave(client: httpx.AsyncClient) -> None:
    first, second = await Citizen(client).arrives(), await Citizen(client).arrives()
    assert "nomor **1** dalam antrean" in await first.says(WISH)
    answer = await second.says(WISH)
    assert "nomor **2** dalam antrean" in answer
    assert "tetap menjawab" in answer
    assert "batal antre" in answer
    assert "Setuju?" in answer


async def test_what_an_officer_does_is_told_at_once(
    client: httpx.AsyncClient, services: Services, announcements: Announcements, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.announcements.LOOK_SECONDS", 3600)
    citizen = await Citizen(client).arrives()
    await citizen.says(WISH)
    telling = asyncio.create_task(announcements.keep_telling())
    await asyncio.sleep(0)
    services.handoffs.take(services.handoffs.queue()[0].handoff_id, OFFICER)
    async with asyncio.timeout(20):
        while services.untold.all():
            await asyncio.sleep(0.05)
    telling.cancel()
    assert "petugas" in (await history(client, citizen))[-1][1].lower()


async def test_asking_twice_says_the_place_and_makes_no_second_entry(client: httpx.AsyncClient, services: Services) -> None:
    citizen = await Citizen(client).arrives()
    await citizen.goes_through(WISH, "ya")
    assert "sudah dalam antrean petugas, nomor **1**" in await citizen.says("sambungin ke petugas dong")
    assert len(services.handoffs.queue()) == 1


@pytest.mark.parametrize(
    ("moment", "opening"),
    [
        ("2026-11-23 19:00", "Selasa, 24 November 2026, pukul 09.00 WIB"),
        ("2026-11-23 12:15", "Senin, 23 November 2026, pukul 13.00 WIB"),
        ("2026-12-23 16:00", "Senin, 28 Desember 2026, pukul 09.00 WIB"),
    ],
)
async def test_outside_hours_it_says_when_service_opens_and_offers_a_ticket(
    client: httpx.AsyncClient, services: Services, clock: Clock, moment: str, opening: str
) -> None:
    clock.set(moment)
    citizen = await Citizen(client).arrives()
    answer = await citizen.says(WISH)
    assert opening in answer
    assert "(021) 3849065" in answer
    assert "humas@setneg.go.id" in answer
    assert not services.handoffs.queue()
    assert "setuju" in (await citizen.presses("Sampaikan aspirasi")).lower()


async def test_outside_hours_in_english(client: httpx.AsyncClient, clock: Clock) -> None:
    clock.set("2026-11-27 16:00")
    citizen = await Citizen(client).arrives("en")
    assert "Monday, 30 November 2026, at 09.00 WIB" in await citizen.says("please connect me with an officer")


async def test_a_year_without_decree_is_said_to_be_unknown(client: httpx.AsyncClient, clock: Clock) -> None:
    clock.set("2028-01-04 10:00")
    citizen = await Citizen(client).arrives()
    assert "Kalender hari libur tahun 2028 belum tersedia" in await citizen.says(WISH)


@pytest.mark.parametrize(
    ("word", "agreed"), [("ya", True), ("setuju", True), ("1", True), ("tidak", False), ("ga", False), ("2", False)]
)
async def test_consent_is_given_or_refused_in_words(client: httpx.AsyncClient, services: Services, word: str, agreed: bool) -> None:
    citizen = await Citizen(client).arrives()
    await citizen.goes_through(WISH, word)
    assert [one.agreed for one in services.handoffs.queue()] == [agreed]


@pytest.mark.parametrize(("label", "agreed"), [("Ya, setuju", True), ("Tidak, sembunyikan", False)])
async def test_consent_is_given_or_refused_by_button(client: httpx.AsyncClient, services: Services, label: str, agreed: bool) -> None:
    citizen = await Citizen(client).arrives()
    await citizen.says(WISH)
    await citizen.presses(label)
    assert [one.agreed for one in services.handoffs.queue()] == [agreed]


@pytest.mark.parametrize(
    "words", ["batal antre", "batal antri deh", "keluar dari antrian", "gak jadi antri", "batal", "leave the queue"]
)
async def test_words_lead_out_of_the_queue(client: httpx.AsyncClient, services: Services, words: str) -> None:
    citizen = await Citizen(client).arrives()
    await citizen.goes_through(WISH, "ya")
    assert "keluar dari antrean" in await citizen.says(words)
    assert not services.handoffs.queue()


async def test_a_button_leads_out_of_the_queue(client: httpx.AsyncClient, services: Services) -> None:
    citizen = await Citizen(client).arrives()
    await citizen.says(WISH)
    await citizen.presses("Batal antre")
    assert not services.handoffs.queue()


async def test_while_waiting_questions_are_answered(client: httpx.AsyncClient) -> None:
    citizen = await Citizen(client).arrives()
    await citizen.goes_through(WISH, "ya")
    assert "Perjalanan Dinas Luar Negeri" in await citizen.says("apa itu simpel?")


async def test_an_officers_words_reach_the_citizen_and_the_assistant_is_silent(
    client: httpx.AsyncClient, services: Services, announcements: Announcements
) -> None:
    citizen = await Citizen(client).arrives()
    await citizen.goes_through("apa itu simpel?", WISH, "ya")
    handoff_id = await in_conversation_with(services, announcements)
    assert (await history(client, citizen))[-1][1].startswith("Petugas sudah bergabung")
    services.handoffs.say(handoff_id, OFFICER, "Selamat pagi, ada yang dapat saya bantu?")
    assert await citizen.says("nomor hp saya 081234567890, apa itu magang?") == ""
    assert await citizen.says("👍🙏") == ""
    said = await history(client, citizen)
    assert said[-3:] == [
        ("officer", "Selamat pagi, ada yang dapat saya bantu?"),
        ("user", "nomor hp saya [telepon], apa itu magang?"),
        ("user", "👍🙏"),
    ]
    shown = [message.text for message in services.handoffs.transcript(handoff_id)]
    assert "apa itu simpel?" in shown
    assert "nomor hp saya [telepon], apa itu magang?" in shown


async def test_without_consent_the_officer_sees_only_what_is_said_to_an_officer(
    client: httpx.AsyncClient, services: Services, announcements: Announcements
) -> None:
    citizen = await Citizen(client).arrives()
    await citizen.goes_through("apa itu simpel?", WISH, "tidak")
    handoff_id = await in_conversation_with(services, announcements)
    await citizen.says("halo petugas")
    texts = [message.text for message in services.handoffs.transcript(handoff_id) if message.author == "user"]
    assert texts == ["halo petugas"]


async def test_a_crisis_is_answered_at_once_and_flagged_even_with_an_officer(
    client: httpx.AsyncClient, services: Services, announcements: Announcements
) -> None:
    citizen = await Citizen(client).arrives()
    await citizen.goes_through(WISH, "ya")
    await in_conversation_with(services, announcements)
    assert "119" in await citizen.says("saya sudah tidak kuat hidup, pengen mati aja")
    with services.database.session() as session:
        assert "crisis" in list(session.scalars(select(HandoffEvent.name)))


async def test_a_cry_at_the_end_of_a_text_that_is_too_long_is_heard_beside_an_officer(
    client: httpx.AsyncClient, services: Services, announcements: Announcements
) -> None:
    citizen = await Citizen(client).arrives()
    await citizen.goes_through(WISH, "ya")
    await in_conversation_with(services, announcements)
    story = "Jalan di depan rumah kami rusak sejak lama. " * 100
    assert "119" not in await citizen.says(story)
    assert "119" in await citizen.says(f"{story} tolong saya mau bunuh diri sekarang")
    with services.database.session() as session:
        assert "crisis" in list(session.scalars(select(HandoffEvent.name)))


async def test_a_crisis_while_waiting_marks_the_entry(client: httpx.AsyncClient, services: Services) -> None:
    citizen = await Citizen(client).arrives()
    await citizen.goes_through(WISH, "ya")
    assert "119" in await citizen.says("saya sudah tidak kuat hidup, pengen mati aja")
    assert [one.urgent for one in services.handoffs.queue()] == [True]


async def test_after_hand_back_the_assistant_answers_again(
    client: httpx.AsyncClient, services: Services, announcements: Announcements
) -> None:
    citizen = await Citizen(client).arrives()
    await citizen.goes_through(WISH, "ya")
    handoff_id = await in_conversation_with(services, announcements)
    services.handoffs.hand_back(handoff_id, OFFICER)
    before = len(await history(client, citizen))
    await tell_all(announcements)
    await tell_all(announcements)
    said = await history(client, citizen)
    assert len(said) == before + 1
    assert "kembali melayani Anda" in said[-1][1]
    assert "Perjalanan Dinas Luar Negeri" in await citizen.says("apa itu simpel?")


async def test_the_citizen_can_return_to_the_assistant(
    client: httpx.AsyncClient, services: Services, announcements: Announcements
) -> None:
    citizen = await Citizen(client).arrives()
    await citizen.goes_through(WISH, "ya")
    await in_conversation_with(services, announcements)
    assert await citizen.says("batal") == ""
    assert "kembali melayani" in await citizen.says("kembali ke asisten")
    assert "Perjalanan Dinas Luar Negeri" in await citizen.says("apa itu simpel?")


async def test_the_buttons_of_the_queue_work_after_an_officer_has_come(
    client: httpx.AsyncClient, services: Services, announcements: Announcements
) -> None:
    citizen = await Citizen(client).arrives()
    await citizen.says(WISH)
    handoff_id = await in_conversation_with(services, announcements)
    buttons = {button["label"]: button["id"] for message in citizen.last for button in message["buttons"]}
    await citizen._sends({"button": buttons["Ya, setuju"]}, None)
    assert services.handoffs.transcript(handoff_id)[0].seq == 1
    assert "kembali melayani" in await citizen._sends({"button": buttons["Batal antre"]}, None)


async def test_batal_answers_another_question_before_it_leaves_the_queue(client: httpx.AsyncClient, services: Services) -> None:
    citizen = await Citizen(client).arrives()
    await citizen.goes_through(WISH, "ya", "hapus data saya", "batal")
    assert len(services.handoffs.queue()) == 1


async def test_the_same_message_again_is_passed_on_once(
    client: httpx.AsyncClient, services: Services, announcements: Announcements
) -> None:
    citizen = await Citizen(client).arrives()
    await citizen.goes_through(WISH, "ya")
    await in_conversation_with(services, announcements)
    message_id = str(uuid.uuid4())
    assert await citizen.says("halo petugas", message_id) == await citizen.says("halo petugas", message_id) == ""
    assert [text for _, text in await history(client, citizen)].count("halo petugas") == 1


async def test_an_open_form_rests_and_goes_on_to_its_ticket(
    client: httpx.AsyncClient, services: Services, announcements: Announcements
) -> None:
    citizen = await Citizen(client).arrives()
    await citizen.goes_through("saya ingin menyampaikan aspirasi", "ya")
    answer = await citizen.says(WISH)
    assert answer.endswith("Setuju?")
    answer = await citizen.says("ya")
    assert "tuliskan aspirasi" in answer
    (waiting,) = services.handoffs.queue()
    assert waiting.context.journey == "aspiration"
    assert waiting.context.filled == ("consent",)
    handoff_id = await in_conversation_with(services, announcements)
    assert await citizen.says("Tolong perbanyak beasiswa untuk anak nelayan di daerah terpencil") == ""
    services.handoffs.hand_back(handoff_id, OFFICER)
    await tell_all(announcements)
    said = await history(client, citizen)
    assert "kembali melayani" in said[-2][1]
    assert "tuliskan aspirasi" in said[-1][1]
    text = "Tolong perbanyak perpustakaan keliling di pulau kecil"
    answer = await citizen.goes_through(text, "pendidikan", *["lewati"] * 4, "ya")
    assert "ASP-" in answer
    with services.database.session() as session:
        number = session.scalars(select(Ticket.number)).one()
    assert services.tickets.fields_of(number)["text"] == text


@pytest.mark.parametrize("steps", [["saya mau mengajukan permohonan informasi publik"], ["cek status SIMPEL"]])
async def test_asking_for_an_officer_is_no_value_of_a_form(client: httpx.AsyncClient, services: Services, steps: list[str]) -> None:
    citizen = await Citizen(client).arrives()
    await citizen.goes_through(*steps)
    question = citizen.last[-1]["text"]
    assert "antrean" in await citizen.says(WISH)
    assert (await citizen.says("tidak")).endswith(question)


async def test_who_was_not_served_by_closing_time_hears_so_and_gets_a_ticket_offered(
    client: httpx.AsyncClient, services: Services, announcements: Announcements, clock: Clock
) -> None:
    citizen = await Citizen(client).arrives()
    await citizen.goes_through(WISH, "ya")
    clock.set("2026-11-23 15:01")
    services.handoffs.close_unserved()
    await tell_all(announcements)
    messages = (await client.get("/api/chat/messages", headers=citizen.headers)).json()["messages"]
    assert "belum ada petugas" in messages[-1]["text"]
    assert [button["label"] for button in messages[-1]["buttons"]] == ["Sampaikan aspirasi", "Permohonan informasi"]


async def test_the_closing_sentence_leaves_the_question_of_a_form_last(
    client: httpx.AsyncClient, services: Services, announcements: Announcements, clock: Clock
) -> None:
    citizen = await Citizen(client).arrives()
    await citizen.goes_through("saya mau mengajukan permohonan informasi publik", WISH, "ya")
    clock.set("2026-11-23 15:01")
    services.handoffs.close_unserved()
    await tell_all(announcements)
    assert "Informasi apa yang Anda minta" in await citizen.says("1")


async def test_nothing_of_what_is_said_to_an_officer_is_in_rasas_tracker(
    client: httpx.AsyncClient, services: Services, announcements: Announcements
) -> None:
    citizen = await Citizen(client).arrives()
    await citizen.goes_through(WISH, "ya")
    await in_conversation_with(services, announcements)
    await citizen.says("rahasia perusahaan kami")
    with services.database.session() as session:
        assert "rahasia" not in " ".join(session.scalars(select(TrackerEvent.data)))


async def test_after_a_deletion_live_messages_are_still_numbered_onwards(
    client: httpx.AsyncClient, services: Services, announcements: Announcements
) -> None:
    citizen = await Citizen(client).arrives()
    await citizen.goes_through("hapus data saya", "ya")
    newest = citizen.last[-1]["seq"]
    await citizen.says(WISH)
    assert citizen.last[0]["seq"] > newest


async def test_the_application_itself_tells_within_a_moment(services: Services, assistant: Assistant) -> None:
    app = create_app(services, assistant)
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app, client=("127.0.0.1", 1234))
        async with httpx.AsyncClient(transport=transport, base_url="http://sapa.test", timeout=30) as client:
            citizen = await Citizen(client).arrives()
            await citizen.goes_through(WISH, "ya")
            services.handoffs.take(services.handoffs.queue()[0].handoff_id, OFFICER)
            for _ in range(60):
                if "Petugas sudah bergabung" in (await history(client, citizen))[-1][1]:
                    return
                await asyncio.sleep(0.1)
            raise AssertionError("nobody told the citizen")
