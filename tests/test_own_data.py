"""A citizen's rights over their own data, over the web channel with the trained model."""

from __future__ import annotations

import json
import re
import uuid
from unittest.mock import Mock

import httpx
import pytest
import yaml
from sqlalchemy import select

from services.assembly import Services, assemble
from services.handoff import Handoffs
from services.own_data import LINK_SECONDS, OwnData, Wish, find_wish
from services.registry import JOURNEYS
from services.settings import PROJECT
from services.tickets import Filing, Kind
from store.models import Button, Draft, Message, TrackerEvent
from store.ticket_models import Ticket
from tests.citizen import Citizen
from tests.clock import Clock

FILING = ("saya ingin menyampaikan aspirasi", "ya", "Tolong perbanyak beasiswa untuk anak nelayan", "pendidikan", *["lewati"] * 2)


@pytest.mark.parametrize(
    ("message", "wish"),
    [
        ("lihat data saya", Wish.SEE),
        ("liatin dong lo nyimpen apa tentang gue", Wish.SEE),
        ("data saya yang disimpan apa saja", Wish.SEE),
        ("show me what you keep about me", Wish.SEE),
        ("unduh data saya", Wish.DOWNLOAD),
        ("mau download riwayat obrolan aku", Wish.DOWNLOAD),
        ("minta salinan data pribadi saya", Wish.DOWNLOAD),
        ("export my data please", Wish.DOWNLOAD),
        ("hapus data saya", Wish.ASK_DELETE),
        ("hpus dta gw dong", Wish.ASK_DELETE),
        ("apusin semua chat gue", Wish.ASK_DELETE),
        ("delete everything you have on me", Wish.ASK_DELETE),
        ("saya cabut persetujuan saya", Wish.ASK_DELETE),
        ("perbaiki data saya", Wish.CORRECT),
        ("nama gue salah ketik di situ, benerin dong", Wish.CORRECT),
        ("please correct my e-mail", Wish.CORRECT),
        ("data saya", None),
        ("unduh lalu hapus data saya", None),
        ("show me all what you saved and remove", None),
    ],
)
def test_words_say_what_is_wanted_and_two_wishes_at_once_are_asked_back(message: str, wish: Wish | None) -> None:
    assert find_wish(message) is wish


def test_every_form_that_is_not_sent_yet_has_a_name_to_be_shown_by() -> None:
    sentences = yaml.safe_load((PROJECT / "domain.yml").read_text(encoding="utf-8"))["responses"]
    assert [name for name in JOURNEYS if f"utter_my_data_draft_{name}" not in sentences] == []


def test_no_words_delete_without_a_second_yes() -> None:
    for message in ("hapus", "delete", "ya hapus sekarang juga semua data saya"):
        assert find_wish(message) not in (Wish.DELETE, Wish.KEEP)


async def test_an_unclear_wish_gets_the_three_as_buttons(client: httpx.AsyncClient) -> None:
    citizen = await Citizen(client).arrives()
    await citizen.says("unduh lalu hapus data saya dong")
    assert [button["label"] for button in citizen.last[-1]["buttons"]] == ["Lihat data saya", "Unduh data saya", "Hapus data saya"]


async def test_seeing_names_numbers_forms_and_tickets_without_values(client: httpx.AsyncClient) -> None:
    citizen = await Citizen(client).arrives()
    answer = await citizen.goes_through(*FILING, "Wiratmaja Kusumah", "lewati", "ya")
    number = re.findall(r"ASP-\d{8}-[0-9A-Z]{4}", answer)[0]
    answer = await citizen.says("lihat data saya")
    assert number in answer
    assert "Diterima" in answer
    assert "tiket: 1" in answer
    assert re.search(r"pesan: \d+", answer)
    assert "2026" in answer
    assert "Masa simpan percakapan belum ditetapkan" in answer
    assert "Wiratmaja" not in answer


async def test_an_open_form_is_named_and_goes_on_after_its_data_was_looked_at(client: httpx.AsyncClient) -> None:
    citizen = await Citizen(client).arrives()
    answer = await citizen.goes_through("saya mau mengajukan permohonan informasi publik", "lihat data saya")
    assert "Isian yang belum terkirim: **permohonan informasi**" in answer
    assert answer.endswith("Anda mengajukan sebagai apa?")
    assert "Informasi apa yang Anda minta" in await citizen.says("1")


async def test_the_answer_is_english_for_who_writes_english(client: httpx.AsyncClient) -> None:
    citizen = await Citizen(client).arrives("en")
    assert "language: English" in await citizen.says("show me what data you keep about me")


async def link_of(citizen: Citizen) -> str:
    answer = await citizen.says("unduh data saya")
    match = re.search(r"\]\(http://localhost:8080(/data-saya/[\w.-]+)\)", answer)
    assert match, answer
    return match[1]


async def test_a_download_holds_ones_own_data_as_one_sees_it(client: httpx.AsyncClient) -> None:
    citizen = await Citizen(client).arrives()
    filed = await citizen.goes_through(*FILING, "Wiratmaja Kusumah", "lewati", "ya")
    code = re.findall(r"Kode akses: \*\*([0-9A-Z]{6})\*\*", filed)[0]
    await citizen.goes_through("saya mau mengajukan permohonan informasi publik", "1", "batal", "cek status simpel")
    await citizen.says("batal")
    response = await client.get(await link_of(citizen))
    assert response.status_code == 200
    assert response.headers["content-disposition"] == 'attachment; filename="data-saya.json"'
    assert response.headers["cache-control"] == "no-store"
    assert response.headers["x-content-type-options"] == "nosniff"
    data = response.json()
    assert set(data) == {"made_at", "conversation", "messages", "drafts", "tickets", "handoffs"}
    assert data["tickets"][0]["fields"]["name"] == "Wiratmaja Kusumah"
    assert any(code in message["text"] for message in data["messages"])
    assert [message["seq"] for message in data["messages"]] == list(range(1, len(data["messages"]) + 1))
    assert any((message["understood_as"] or {}).get("intent") == "submit_aspiration" for message in data["messages"])


async def test_the_download_of_an_english_conversation_says_so(client: httpx.AsyncClient) -> None:
    citizen = await Citizen(client).arrives("en")
    assert "[Download my data (JSON)](http://localhost:8080/data-saya/" in await citizen.says("download my data")


async def test_a_download_holds_a_form_that_is_not_sent(client: httpx.AsyncClient, services: Services) -> None:
    conversation = services.conversations.open("web", "id").id
    services.drafts.write(conversation, "aspiration", {"_submission_key": "secret", "consent": True, "text": "Usul"})
    link = services.own_data.download_link(conversation)
    assert link
    (draft,) = (await client.get(link)).json()["drafts"]
    assert (draft["form"], draft["fields"]) == ("aspiration", {"consent": True, "text": "Usul"})
    assert "secret" not in json.dumps(draft)


def test_a_download_holds_the_talk_with_an_officer_but_not_the_officers_name(services: Services) -> None:
    conversation = services.conversations.open("web", "id").id
    clock = Clock("2026-11-23 10:00")
    handoffs = Handoffs(services.database, services.conversations, services.drafts, services.hours, clock)
    handoff_id = handoffs.ask(conversation).handoff_id
    handoffs.answer(conversation, agreed=True)
    handoffs.take(handoff_id, "rina")
    handoffs.hand_back(handoff_id, "rina")
    exported = services.own_data.export(conversation)
    (talk,) = exported["handoffs"]
    assert (talk["state"], talk["outcome"], talk["agreed_to_show_conversation"]) == ("ended", "handed_back", True)
    assert {talk[name] for name in ("asked_at", "taken_at", "ended_at")} == {"2026-11-23T03:00:00Z"}
    assert "rina" not in json.dumps(exported)


async def test_nothing_of_another_citizen_is_in_a_download(client: httpx.AsyncClient) -> None:
    citizen, other = await Citizen(client).arrives(), await Citizen(client).arrives()
    await other.says("apa itu magang?")
    await citizen.says("apa itu simpel?")
    text = (await client.get(await link_of(citizen))).text
    assert "apa itu simpel?" in text
    assert "apa itu magang?" not in text


async def test_the_links_token_is_in_no_log_and_no_tracker(client: httpx.AsyncClient, services: Services) -> None:
    citizen = await Citizen(client).arrives()
    token = (await link_of(citizen)).removeprefix("/data-saya/")
    with services.database.session() as session:
        kept = " ".join([*session.scalars(select(TrackerEvent.data)), *session.scalars(select(Message.text))])
    assert token not in kept
    assert token in json.dumps((await client.get("/api/chat/messages", headers=citizen.headers)).json())


@pytest.mark.parametrize("token", ["x", "IjEyMyI.aaaa.bbbb", "%2e%2e"])
async def test_a_forged_link_is_refused(client: httpx.AsyncClient, token: str) -> None:
    response = await client.get(f"/data-saya/{token}")
    assert response.status_code in (404, 410)
    assert '<p role="alert">' in response.text


async def test_a_session_token_is_no_download_link_and_the_other_way_round(client: httpx.AsyncClient) -> None:
    citizen = await Citizen(client).arrives()
    assert (await client.get(f"/data-saya/{citizen.token}")).status_code == 410
    token = (await link_of(citizen)).removeprefix("/data-saya/")
    response = await client.get("/api/chat/messages", headers={"Authorization": f"Bearer {token}"})
    assert response.status_code == 401


async def test_a_link_is_dead_after_an_hour_and_after_the_conversation_is_deleted(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    citizen = await Citizen(client).arrives()
    link = await link_of(citizen)
    from itsdangerous import TimestampSigner

    now = TimestampSigner.get_timestamp
    monkeypatch.setattr(TimestampSigner, "get_timestamp", lambda self: now(self) + LINK_SECONDS + 1)
    response = await client.get(link)
    assert response.status_code == 410
    assert "tidak berlaku" in response.text
    monkeypatch.undo()
    await client.delete("/api/chat/sessions", headers=citizen.headers)
    assert (await client.get(link)).status_code == 410


@pytest.mark.parametrize("words", ["ya", "Ya, hapus", "iya hapus", "1"])
async def test_deleting_asks_once_and_then_deletes_everything_but_the_ticket(
    client: httpx.AsyncClient, services: Services, words: str
) -> None:
    citizen = await Citizen(client).arrives()
    await citizen.goes_through(*FILING, "Budi", "lewati", "ya")
    answer = await citizen.says("hapus data saya")
    assert "Hapus sekarang?" in answer
    assert "hukum mewajibkan register" in answer
    with services.database.session() as session:
        assert list(session.scalars(select(Message)))
    assert "sudah dihapus" in await citizen.says(words)
    with services.database.session() as session:
        for table in (Message, Button, TrackerEvent, Draft):
            assert not list(session.scalars(select(table))), table
        assert len(list(session.scalars(select(Ticket)))) == 1


async def test_a_deletion_that_fails_is_not_said_to_be_done_and_can_be_tried_again(
    client: httpx.AsyncClient, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    citizen = await Citizen(client).arrives()
    await citizen.goes_through("apa itu simpel?", "hapus data saya")
    yes = {"json": {"client_message_id": str(uuid.uuid4()), "text": "ya"}, "headers": citizen.headers}
    with monkeypatch.context() as broken:
        broken.setattr(services.conversations, "forget_messages", Mock(side_effect=RuntimeError))
        assert (await client.post("/api/chat/messages", **yes)).status_code == 500
    assert "sudah dihapus" not in str(await citizen.history())
    again = await client.post("/api/chat/messages", **yes)
    assert "sudah dihapus" in again.text
    assert not await citizen.history()


@pytest.mark.parametrize("words", ["tidak", "gak jadi", "batal", "apa itu simpel?"])
async def test_anything_but_a_yes_deletes_nothing(client: httpx.AsyncClient, services: Services, words: str) -> None:
    citizen = await Citizen(client).arrives()
    await citizen.goes_through("hapus data saya", words, "ya")
    with services.database.session() as session:
        assert len(list(session.scalars(select(Message)))) > 6


async def test_an_old_yes_deletes_nothing(client: httpx.AsyncClient, services: Services) -> None:
    citizen = await Citizen(client).arrives()
    await citizen.goes_through("hapus data saya", "apa itu simpel?", "ya")
    with services.database.session() as session:
        assert list(session.scalars(select(Message)))


async def test_a_deletion_in_the_middle_of_a_form_ends_the_form(client: httpx.AsyncClient, services: Services) -> None:
    citizen = await Citizen(client).arrives()
    await citizen.goes_through("saya mau mengajukan permohonan informasi publik", "unduh dan hapus data saya")
    buttons = {button["label"]: button["id"] for message in citizen.last for button in message["buttons"]}
    answer = await citizen._sends({"button": buttons["Hapus data saya"]}, None)
    assert answer.endswith("Hapus sekarang?")
    assert "sudah dihapus" in await citizen.says("ya")
    with services.database.session() as session:
        assert not list(session.scalars(select(Draft)))
    assert "Perjalanan Dinas Luar Negeri" in await citizen.says("apa itu simpel?")
    assert "sebagai apa" not in "\n".join(message["text"] for message in citizen.last)


async def test_own_data_can_be_asked_for_where_any_sentence_could_be_the_value(client: httpx.AsyncClient) -> None:
    citizen = await Citizen(client).arrives()
    answer = await citizen.goes_through("saya ingin menyampaikan aspirasi", "ya", "lihat data saya")
    assert "Isian yang belum terkirim: **aspirasi**" in answer
    answer = await citizen.says("Tolong hapus data warga miskin yang salah agar bantuan tepat sasaran")
    assert "tentang apa" in answer


async def test_correcting_points_to_a_ticket_and_an_officer(client: httpx.AsyncClient) -> None:
    citizen = await Citizen(client).arrives()
    answer = await citizen.says("perbaiki data saya")
    assert "belum mengetahui nama petugas pelindungan data" in answer
    assert [button["label"] for button in citizen.last[-1]["buttons"]] == ["Sampaikan aspirasi", "Bicara dengan petugas"]


def test_the_download_address_is_whole_where_one_is_configured(services: Services) -> None:
    telegram = services.conversations.open("telegram", "id", "7").id
    assert services.own_data.download_link(telegram) is None
    made = assemble(services.settings.model_copy(update={"public_url": "https://sapa.example"}), services.knowledge)
    link = made.own_data.download_link(telegram)
    assert link
    assert link.startswith("https://sapa.example/data-saya/")
    assert made.own_data.conversation_of(link.rsplit("/", 1)[1]) == telegram


def test_deleting_takes_the_citizen_out_of_the_tickets(services: Services) -> None:
    conversation = services.conversations.open("web", "id").id
    asked: list[str] = []
    made = OwnData(services.database, services.encryption, services.conversations, services.tickets, "", asked.append)
    made.delete(conversation)
    assert asked == [conversation]


def test_an_overview_is_of_one_conversation(services: Services) -> None:
    mine, other = services.conversations.open("web", "id").id, services.conversations.open("web", "id").id
    services.conversations.add_inbound(other, "1", "halo")
    services.tickets.file(Filing(Kind.ASPIRATION, {"text": "x"}, "pendidikan", other, "id"))
    held = services.own_data.overview(mine)
    assert (held.messages, held.drafts, held.tickets, held.handoffs) == (0, [], [], 0)
    with pytest.raises(LookupError):
        services.own_data.overview("nobody")
