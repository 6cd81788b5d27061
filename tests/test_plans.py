"""What a sentence about a visit or an internship gives its form, and the message to which a form was offered."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from bot.shortcuts import errand_named
from services.assembly import Services
from services.plans import institution_of, people_of, period_of, semester_of
from services.registry import JOURNEYS
from store.conversations import Reply
from store.offered import offered_to
from tests.citizen import Citizen


@pytest.mark.parametrize(
    ("message", "people"),
    [
        ("45 siswa dan 3 guru dari SMP kami", "45 siswa dan 3 guru"),
        ("sekitar 30 orang mahasiswa", "30 orang mahasiswa"),
        ("60 siswa 4 guru, daring", "60 siswa 4 guru"),
        ("we are 30 students", "30 students"),
        ("kelas 11 semua ikut", None),
        ("tanggal 14 Januari 2027", None),
    ],
)
def test_how_many_come_is_read_with_who_they_are(message: str, people: str | None) -> None:
    assert people_of(message) == people


@pytest.mark.parametrize(
    ("message", "name"),
    [
        ("kami dari SMA 3 Bandung ingin berkunjung", "SMA 3 Bandung"),
        ("rombongan universitas negeri padang 45 mahasiswa", "universitas negeri padang"),
        ("SMKN 2 Ende, 60 siswa", "SMKN 2 Ende"),
        ("mahasiswa unhas semester 7", "unhas"),
        ("dari UI juga boleh?", "UI"),
        ("surat dari unit kami", None),
        ("anak saya SMA, boleh ikut?", None),
        ("dari Bandung mau ke istana", None),
    ],
)
def test_an_institution_is_read_up_to_where_the_sentence_goes_on(message: str, name: str | None) -> None:
    assert institution_of(message) == name


@pytest.mark.parametrize(
    ("message", "semester", "period"),
    [
        ("semester 7, januari - maret 2027", "7", "januari - maret 2027"),
        ("smt akhir, juni sampai agustus tahun depan", "akhir", "juni sampai agustus tahun depan"),
        ("a 5th semester student, July to September", "5", "July to September"),
        ("semester 70, bulan Maret", None, None),
    ],
)
def test_semester_and_months_are_read(message: str, semester: str | None, period: str | None) -> None:
    assert (semester_of(message), period_of(message)) == (semester, period)


@pytest.mark.parametrize(
    ("journey", "message", "told"),
    [
        ("visit", "apakah bisa berkunjung ke istana?", {}),
        ("visit", "apa itu setneg mantul", {}),
        ("visit", "SMA 3 Bandung mau ke setneg tatap muka", {"kind": "kantor", "institution": "SMA 3 Bandung"}),
        ("internship", "magang untuk yang sudah lulus ada?", {}),
        ("internship", "saya mahasiswi Undip", {"level": "perguruan_tinggi", "campus": "Undip"}),
        ("aspiration", "jalan desa kami rusak sejak dua tahun lalu", {"text": ...}),
        ("aspiration", "kenapa jalan desa kami rusak sejak dua tahun lalu?", {}),
        ("information", "berapa jumlah peserta magang dari tiap kampus?", {"details": ...}),
        ("information", "bayar?", {}),
    ],
)
def test_of_the_message_to_which_a_form_was_offered_it_takes_what_is_said_and_nothing_that_stops_it(
    journey: str, message: str, told: dict[str, Any]
) -> None:
    expected = {name: message if value is ... else value for name, value in told.items()}
    told_before = JOURNEYS[journey].told_before
    assert told_before
    assert told_before(message) == expected


@pytest.mark.parametrize(
    ("message", "intent"),
    [
        ("catat rencana kunjungan kami dari SMA 3 Bandung, 40 siswa, tanggal 14 Januari 2027", "start_visit"),
        ("minat magang di setneg, saya mahasiswa semester 7 jurusan hukum dari Unhas", "start_internship"),
        ("mau daftar kunjungan untuk keluarga saya hari Minggu besok bisa gak min", None),
        ("mau tanya cara daftar kunjungan untuk rombongan sekolah kami yang dari Ende", None),
        ("tahun lalu rombongan kami dari SMA 3 Bandung sudah pernah mendaftar kunjungan", None),
    ],
)
def test_a_long_message_that_begins_with_a_wish_opens_the_form(message: str, intent: str | None) -> None:
    assert errand_named(message) == intent


def test_a_form_was_offered_where_its_button_stands_under_the_answer_before(services: Services) -> None:
    conversations = services.conversations
    conversation = conversations.open("web", "id").id
    for number, said in enumerate(("pertanyaan", "tombol", "lagi")):
        received = conversations.add_inbound(conversation, f"id-{number}", said)
        if said == "pertanyaan":
            offers = [Reply("tidak tahu", buttons=[("Catat", "/start_visit")]), Reply("apa lagi?")]
            conversations.add_replies(conversation, offers, reply_to=received.id)
        offered = offered_to(services.database, conversation, "/start_visit")
        assert (offered.text if offered else None) == ("pertanyaan" if said == "tombol" else None)
        assert offered_to(services.database, conversation, "/submit_aspiration") is None


@pytest.mark.parametrize(
    ("message", "press", "says", "asks"),
    [
        ("SMA 3 Bandung mau kunjungan belajar ke setneg, 40 siswa", "Catat rencana kunjungan", "Sebagian isian", "seperti apa"),
        (
            "kampus mana yang paling sering kirim anak magang ke setneg?",
            "Ajukan permohonan informasi",
            "Pesan Anda sebelumnya",
            "sebagai apa",
        ),
        (
            "jalan depan sekolah kami berlubang sudah dua tahun, tidak diperbaiki",
            "Sampaikan aspirasi",
            "Pesan Anda sebelumnya",
            "setuju",
        ),
    ],
)
async def test_what_was_written_before_the_form_was_offered_need_not_be_written_again(
    client: httpx.AsyncClient, message: str, press: str, says: str, asks: str
) -> None:
    citizen = await Citizen(client).arrives()
    await citizen.says(message)
    answer = await citizen.presses(press)
    assert says in answer
    assert asks in answer


async def test_a_call_for_a_person_is_no_text_for_the_form_that_is_offered_instead(client: httpx.AsyncClient) -> None:
    citizen = await Citizen(client).arrives()
    await citizen.goes_through(
        "kampus mana yang paling sering kirim anak magang ke setneg?", "oke, terima kasih banyak atas bantuannya"
    )
    assert "saya catat sebagai isi" not in await citizen.says("ajukan permohonan informasi")


async def test_a_number_that_opens_a_status_check_is_asked_about_no_further(client: httpx.AsyncClient) -> None:
    citizen = await Citizen(client).arrives()
    assert (await citizen.says("cek status SIMPEL DEMO-SMP-000106")).startswith("Berapa kode aksesnya?")
