"""What a citizen can do with a ticket in the chat: see it, print it, add to it, withdraw it, rate the answer."""

from __future__ import annotations

import re
from datetime import timedelta

import httpx
import pytest
from sqlalchemy import select

from actions import opened_ticket
from services.assembly import Services
from services.ticket_events import Happening
from services.tickets import Filing, Kind, Receipt, Resolution, State
from store.database import utc_now
from store.models import Message, TrackerEvent
from tests.citizen import Citizen

ANSWER = "Laporan kinerja tahun 2024 ada di lampiran surat kami"
REASON = "Dokumen harus dikumpulkan dari tiga unit kerja"
NOTE = "Tolong hubungi saya di 081234567890, Wiratmaja"


def conversation_of(services: Services) -> str:
    with services.database.session() as session:
        return session.scalars(select(Message.conversation_id).order_by(Message.id.desc())).first() or ""


@pytest.fixture
async def citizen(client: httpx.AsyncClient) -> Citizen:
    return await Citizen(client).arrives()


@pytest.fixture
def ticket(services: Services, citizen: Citizen) -> Receipt:
    """Filed in the citizen's own conversation."""
    fields = {"details": "Laporan kinerja 2024", "name": "Siti", "contact": "siti@contoh.id"}
    return services.tickets.file(Filing(Kind.INFORMATION_REQUEST, fields, "wni", conversation_of(services), "id"))


def kept(services: Services) -> str:
    with services.database.session() as session:
        return " ".join([*session.scalars(select(TrackerEvent.data)), *session.scalars(select(Message.text))])


async def test_the_status_shows_state_due_date_history_and_what_can_be_done(
    citizen: Citizen, ticket: Receipt, services: Services
) -> None:
    services.ticket_changes.move(ticket.number, State.REVIEWED, "dewi")
    services.ticket_changes.extend(ticket.number, REASON, "dewi")
    answer = await citizen.says("tiket saya sudah sampai mana?")
    assert "Sedang ditelaah petugas" in answer
    assert "sudah diperpanjang 7 hari kerja" in answer
    assert REASON in answer
    assert re.search(r"- \d+ \w+ \d{4}: tiket diterima\n- \d+ \w+ \d{4}: petugas mulai menelaah", answer)
    assert "dewi" not in answer
    assert [button["label"] for button in citizen.last[-1]["buttons"]] == ["Tambah catatan", "Cabut tiket"]


async def test_an_answer_is_shown_and_is_in_no_tracker_and_no_log(citizen: Citizen, ticket: Receipt, services: Services) -> None:
    services.ticket_changes.answer(ticket.number, ANSWER, Resolution.PARTLY_GRANTED, "dewi")
    shown = await citizen.says("tiket saya sudah sampai mana?")
    assert ANSWER in shown
    assert "Hasil: **dikabulkan sebagian**" in shown
    assert ANSWER not in kept(services)
    history = await citizen.history()
    assert ANSWER in history[-2]["text"]


async def test_a_note_reaches_the_ticket_and_no_log(citizen: Citizen, ticket: Receipt, services: Services) -> None:
    await citizen.says("tiket saya sudah sampai mana?")
    assert "2.000 karakter" in await citizen.presses("Tambah catatan")
    assert ticket.number in await citizen.says(NOTE)
    assert services.ticket_changes.history(ticket.number)[-1].text == NOTE
    assert "Wiratmaja" not in kept(services)
    assert "081234567890" not in kept(services)


async def test_a_note_that_names_another_ticket_goes_to_the_opened_one(citizen: Citizen, ticket: Receipt, services: Services) -> None:
    await citizen.says("tiket saya sudah sampai mana?")
    await citizen.presses("Tambah catatan")
    filing = Filing(Kind.ASPIRATION, {"text": "x"}, "x", conversation_of(services), "id")
    other = services.tickets.file(filing).number
    await citizen.says(f"ini berhubungan dengan {other} yang saya kirim kemarin")
    assert services.ticket_changes.history(ticket.number)[-1].name is Happening.NOTED
    assert len(services.ticket_changes.history(other)) == 1


async def test_withdrawing_asks_once_more(citizen: Citizen, ticket: Receipt, services: Services) -> None:
    await citizen.says("tiket saya sudah sampai mana?")
    assert "Apakah Anda yakin?" in await citizen.presses("Cabut tiket")
    assert "tetap diproses" in await citizen.says("tidak")
    assert services.tickets.view(ticket.number).state is State.RECEIVED
    await citizen.says("tiket saya sudah sampai mana?")
    await citizen.presses("Cabut tiket")
    assert "sudah dicabut" in await citizen.presses("Ya, cabut")
    assert services.tickets.view(ticket.number).resolution is Resolution.WITHDRAWN
    assert "dicabut oleh Anda" in await citizen.says("tiket saya sudah sampai mana?")


@pytest.mark.parametrize(("typed", "score"), [("3", 3), ("sangat puas", 4), ("tidak puas", 1)])
async def test_an_answer_can_be_rated_by_number_or_in_words(
    citizen: Citizen, ticket: Receipt, services: Services, typed: str, score: int
) -> None:
    services.ticket_changes.answer(ticket.number, ANSWER, Resolution.GRANTED, "dewi")
    await citizen.says("tiket saya sudah sampai mana?")
    await citizen.presses("Nilai jawaban")
    assert "alasannya" in await citizen.says(typed)
    assert "Terima kasih atas penilaian" in await citizen.says("lewati")
    rating = services.ticket_changes.history(ticket.number)[-1]
    assert (rating.name, rating.data, rating.text) == (Happening.RATED, {"score": score}, None)


async def test_of_several_tickets_one_is_chosen(citizen: Citizen, ticket: Receipt, services: Services) -> None:
    other = services.tickets.file(Filing(Kind.ASPIRATION, {"text": "x"}, "x", conversation_of(services), "id"))
    assert "beberapa tiket" in await citizen.says("tiket saya sudah sampai mana?")
    assert other.number in await citizen.presses(other.number)
    assert "Batas jawaban" in await citizen.says(f"cek tiket {ticket.number}")


async def test_number_and_code_open_a_ticket_for_a_while_and_not_for_tickets_of_others(
    client: httpx.AsyncClient, ticket: Receipt, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    stranger = await Citizen(client).arrives()
    await stranger.says(f"cek tiket {ticket.number} kode {ticket.access_code}")
    opened = stranger.last
    await stranger.presses("Tambah catatan")
    assert ticket.number in await stranger.says("Tahun 2024 saja sudah cukup")
    assert ticket.access_code not in kept(services)
    stranger.last = opened
    later = utc_now() + opened_ticket.OPEN_FOR
    monkeypatch.setattr(opened_ticket, "utc_now", lambda: later)
    assert "nomor dan kode aksesnya" in await stranger.presses("Tambah catatan")
    stranger.last = opened
    monkeypatch.setattr(opened_ticket, "utc_now", lambda: later - timedelta(minutes=1))
    assert "2.000 karakter" in await stranger.presses("Tambah catatan")


async def test_a_closed_ticket_takes_no_note_by_an_old_button(citizen: Citizen, ticket: Receipt, services: Services) -> None:
    await citizen.says("tiket saya sudah sampai mana?")
    services.ticket_changes.answer(ticket.number, ANSWER, Resolution.GRANTED, "dewi")
    assert "tidak dapat diubah lagi" in await citizen.presses("Tambah catatan")


async def test_a_ticket_that_is_closed_while_a_note_is_written_says_so(citizen: Citizen, ticket: Receipt, services: Services) -> None:
    await citizen.says("tiket saya sudah sampai mana?")
    await citizen.presses("Tambah catatan")
    services.ticket_changes.answer(ticket.number, ANSWER, Resolution.GRANTED, "dewi")
    assert "tidak dapat diubah lagi" in await citizen.says("Tahun 2024 saja sudah cukup")


SIMPEL_QUESTION = "apa itu SIMPEL?"


@pytest.mark.parametrize("words", ["cabut aja tiketnya", "yang {tail} tolong dicabut", "tarik permohonan saya", "batalin tiket itu"])
async def test_a_ticket_is_withdrawn_in_words_also_when_something_else_was_said_in_between(
    citizen: Citizen, ticket: Receipt, services: Services, words: str
) -> None:
    await citizen.goes_through("tiket saya sudah sampai mana?", SIMPEL_QUESTION)
    assert "Apakah Anda yakin?" in await citizen.says(words.format(tail=ticket.number[-4:]))
    assert "sudah dicabut" in await citizen.says("cabut aja deh")
    assert services.tickets.view(ticket.number).resolution is Resolution.WITHDRAWN


async def test_deleting_data_is_no_withdrawal(citizen: Citizen, ticket: Receipt, services: Services) -> None:
    await citizen.says("tiket saya sudah sampai mana?")
    assert "Hapus sekarang?" in await citizen.says("hapus data saya")
    assert services.tickets.view(ticket.number).state is State.RECEIVED


async def test_without_a_ticket_a_withdrawal_asks_for_its_number(citizen: Citizen) -> None:
    assert "nomor tiket" in await citizen.says("cabut tiket")


async def test_a_ticket_of_another_conversation_is_withdrawn_with_its_code_only(client: httpx.AsyncClient, ticket: Receipt) -> None:
    stranger = await Citizen(client).arrives()
    assert "kode akses" in await stranger.says(f"cabut tiket {ticket.number}")


async def test_an_announced_note_is_asked_for_and_a_wish_for_something_else_is_no_note(
    citizen: Citizen, ticket: Receipt, services: Services
) -> None:
    await citizen.says("tiket saya sudah sampai mana?")
    assert "2.000 karakter" in await citizen.says("eh jangan deh, tambah catatan aja")
    assert "tidak saya simpan" in await citizen.says("lho bukan catatan, bikin PERMOHONAN BARU")
    assert "tidak saya simpan" in await citizen.says(f"cabut tiket {ticket.number[-4:]}")
    assert NOTE in await citizen.says(NOTE)
    notes = [entry.text for entry in services.ticket_changes.history(ticket.number) if entry.name is Happening.NOTED]
    assert notes == [NOTE]
    assert NOTE in await citizen.says("lihat catatannya")
    assert "Wiratmaja" not in kept(services)


async def test_notes_are_not_shown_where_only_number_and_code_opened_the_ticket(
    client: httpx.AsyncClient, ticket: Receipt, services: Services
) -> None:
    services.ticket_changes.note(ticket.number, NOTE)
    stranger = await Citizen(client).arrives()
    await stranger.says(f"cek tiket {ticket.number} kode {ticket.access_code}")
    shown = await stranger.says("lihat catatannya")
    assert "Anda menambahkan catatan" in shown
    assert "Wiratmaja" not in shown


async def test_what_was_filed_stays_and_its_correction_is_noted(citizen: Citizen, ticket: Receipt, services: Services) -> None:
    await citizen.says("tiket saya sudah sampai mana?")
    corrected = await citizen.says("ganti nama jadi Budi Wiratmaja, bisa ga")
    assert "tidak dapat diubah" in corrected
    assert "Budi Wiratmaja" in corrected
    assert services.ticket_changes.history(ticket.number)[-1].name is Happening.NOTED
    assert "Wiratmaja" not in kept(services)
    assert "2.000 karakter" in await citizen.says("isinya salah, gimana benerinnya")


@pytest.mark.parametrize(
    "words", ["bisa unduh tiketnya?", "unduh tanda terima dong", "tanda terimanya mana", "bisa diunduh buktinya?"]
)
async def test_the_receipt_is_given_again(citizen: Citizen, ticket: Receipt, words: str) -> None:
    await citizen.says("tiket saya sudah sampai mana?")
    assert "/tanda-terima/" in await citizen.says(words)


async def test_the_time_of_the_answer_is_the_one_that_the_law_sets(citizen: Citizen, ticket: Receipt, services: Services) -> None:
    await citizen.says("tiket saya sudah sampai mana?")
    assert "paling lambat" in await citizen.says("kapan dibalas")
    filing = Filing(Kind.ASPIRATION, {"text": "x"}, "x", conversation_of(services), "id")
    number = services.tickets.file(filing).number
    await citizen.says(f"cek tiket {number}")
    assert "tidak mempunyai batas waktu" in await citizen.says("kapan dibalas")


async def test_the_status_after_a_ticket_is_the_ticket_s(citizen: Citizen, ticket: Receipt) -> None:
    await citizen.says("tiket saya sudah sampai mana?")
    assert ticket.number in await citizen.says("statusnya gmn skrg?")


async def test_the_code_alone_shows_the_ticket_and_stands_in_no_log(citizen: Citizen, ticket: Receipt, services: Services) -> None:
    assert ticket.number in await citizen.says(ticket.access_code)
    assert ticket.access_code not in kept(services)


async def test_another_errand_is_no_note_on_the_old_ticket(citizen: Citizen, ticket: Receipt, services: Services) -> None:
    await citizen.says("tiket saya sudah sampai mana?")
    assert "mengajukan sebagai apa" in await citizen.says("skrg bikin yg baru ya kak, isinya anggaran perjalanan dinas 2025")
    assert len(services.ticket_changes.history(ticket.number)) == 1


async def test_the_status_speaks_english_too(client: httpx.AsyncClient, ticket: Receipt) -> None:
    citizen = await Citizen(client).arrives("en")
    answer = await citizen.says(f"please check my ticket {ticket.number} code {ticket.access_code}")
    assert "Received, waiting for review" in answer
    assert "History of this ticket" in answer
    assert [button["label"] for button in citizen.last[-1]["buttons"]] == ["Add a note", "Withdraw the ticket"]
