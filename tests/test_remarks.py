"""What is said beside a form's question, told from names and addresses by its words."""

from __future__ import annotations

import httpx
import pytest
from sqlalchemy import select

from services.assembly import Services
from services.commands import Command, find_command
from services.remarks import announced_question, is_question, is_small_talk, is_sorrow, turns_aside, wants_again
from store.models import Message, TrackerEvent
from tests.citizen import Citizen

VALUES = """Slamet Riyadi;slamet;Pagi Susanto;Salam Harahap;Horas Sitompul;Kasih Amelia;Terima Sari;Hai Seng;Lie Hai;Thank Simbolon
Bot Siregar;Stop Tobing;Robot Ginting;Setia Budi;Yes Tobing;Bagus Pamungkas;Mantap Purba;Benar Sitorus;Pak Slamet;Batal Sirait
Kembali Siregar;Isma;Andika;Canny;Isabela;Domi;Jl. Mawar 5, Bandung?;Desa Terima Kasih, Nias;Komplek Halo Indah 3 Medan
Jalan Kenanga 12, Malang;Dusun Krajan RT 2 RW 1 Sumberejo;Kampung Melayu Kecil 3 Tebet;Jl. Pagi Sore 4 Padang""".replace(
    "\n", ";"
).split(";")


@pytest.mark.parametrize("value", VALUES)
def test_names_and_addresses_are_no_remarks(value: str) -> None:
    assert not is_question(value)
    assert not is_small_talk(value)
    assert find_command(value) is None


@pytest.mark.parametrize(
    "question",
    ["bayar gak sih ini?", "apa itu PPID?", "berapa lama dijawabnya", "kamu robot ya?", "alamat kantornya di mana ya", "is it free?"],
)
def test_questions_are_known_by_their_words(question: str) -> None:
    assert is_question(question)


@pytest.mark.parametrize("message", ["makasih ya", "siang min", "halo?", "dasar bot goblok", "thank you so much", "selamat pagi pak"])
def test_thanks_greetings_and_insults_are_small_talk(message: str) -> None:
    assert is_small_talk(message)


@pytest.mark.parametrize(
    ("message", "command"),
    [
        ("udahlah batal aja", Command.CANCEL),
        ("hmm gak jadi ah", Command.CANCEL),
        ("gak usah deh, nggak jadi", Command.CANCEL),
        ("Tidak. Batal", Command.CANCEL),
        ("saya urungkan niat saya", Command.CANCEL),
        ("ya, kirim", Command.YES),
        ("yes that is correct", Command.YES),
        ("oke sip bener", Command.YES),
        ("anonim", Command.SKIP),
        ("ya, tapi namanya salah", None),
        ("batalkan kenaikan pajak", None),
    ],
)
def test_commands_are_known_in_everyday_words_and_in_clauses(message: str, command: Command | None) -> None:
    assert find_command(message) is command


@pytest.mark.parametrize("name", ["Lukman Hakim", "Maria Bano", "Salam Harahap", "Robot Ginting", "Stop Tobing"])
async def test_a_name_of_whatever_intent_is_taken_and_kept_out_of_tracker_and_log(
    client: httpx.AsyncClient, services: Services, name: str
) -> None:
    citizen = await Citizen(client).arrives()
    await citizen.goes_through("saya mau ajukan permohonan informasi", "wni", "Laporan layanan informasi tahun 2025", "penelitian")
    assert "Apa alamat" in await citizen.says(name)
    assert "Apa surel" in await citizen.says("Jalan Kenanga 12, Malang, Jawa Timur")
    with services.database.session() as session:
        kept = " ".join([*session.scalars(select(TrackerEvent.data)), *session.scalars(select(Message.text))])
    assert name not in kept
    assert "Kenanga" not in kept


@pytest.mark.parametrize(
    ("message", "sorrow"),
    [
        ("istri saya meninggal bulan lalu", True),
        ("aku kesepian nih, temenin ngobrol dong", True),
        ("I lost my job last friday", True),
        ("kucing kesayanganku mati kemarin", True),
        ("siapa presiden yang meninggal tahun 1970?", False),
        ("hotel sepi murah di bogor", False),
        ("lagu rindu buat ibu", False),
        ("I am not sad", False),
        ("resep rendang dong", False),
    ],
)
def test_who_tells_of_a_loss_is_told_apart_from_who_asks_for_something_else(message: str, sorrow: bool) -> None:
    assert is_sorrow(message) is sorrow


@pytest.mark.parametrize(
    ("message", "wanted"),
    [
        ("tolong ulangi", True),
        ("sumbernya apa", True),
        ("sumbernya?", True),
        ("siapa yang bilang?", True),
        ("who says that?", True),
        ("siapa yang bilang harus bayar?", False),
        ("sumber daya alam", False),
        ("dr mana infonya", True),
        ("what's your source?", True),
        ("sumber daya apa yang dikelola", False),
        ("dari mana data AI diambil", False),
    ],
)
def test_who_wants_an_answer_again_or_its_source_is_heard(message: str, wanted: bool) -> None:
    assert wants_again(message) is wanted


def test_another_thought_is_known_by_how_it_begins() -> None:
    assert turns_aside("btw is my name needed?")
    assert not turns_aside("is my name needed, btw")


@pytest.mark.parametrize(
    ("message", "question"),
    [
        ("sebenarnya saya mau tanya dulu, bayar tidak?", "bayar tidak?"),
        ("numpang tanya kak berapa lama ya", "berapa lama ya"),
        ("can I ask something first, is it free", "is it free"),
        ("mau tanya", None),
        ("data hasil tanya jawab menteri", None),
    ],
)
def test_a_question_that_is_announced_is_found_behind_its_announcement(message: str, question: str | None) -> None:
    assert announced_question(message) == question
