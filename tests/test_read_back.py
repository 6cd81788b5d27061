"""Hearing again what was said: choices, the summary of a form, its question, the number of a ticket. And a cancel taken back."""

from __future__ import annotations

import httpx
import pytest

from bot.shortcuts import button_meant, still_standing
from services.assembly import Services
from services.read_back import asks_what_a_number_is, takes_back, wants_choices, wants_summary
from store.models import Button
from tests.citizen import Citizen

TO_SUMMARY = (
    "mau kirim aspirasi",
    "setuju",
    "Jalan di depan pasar rusak parah dan perlu segera diperbaiki",
    "lingkungan",
    "lewati",
    "lewati",
    "lewati",
    "lewati",
)
OWN_DATA = [
    Button(label="Lihat data saya", payload='/manage_my_data{"data": "see"}'),
    Button(label="Unduh data saya", payload='/manage_my_data{"data": "download"}'),
    Button(label="Hapus data saya", payload='/manage_my_data{"data": "ask_delete"}'),
]


@pytest.fixture
async def citizen(client: httpx.AsyncClient) -> Citizen:
    return await Citizen(client).arrives()


@pytest.mark.parametrize(
    "text",
    [
        "tolong ulangi pilihannya apa saja tadi",
        "bukan yang itu pilihan yang sebelumnya",
        "tolong bacakan pilihan pakai nomor",
        "low vision, tolong pilihan dibacakan",
        "saya tunanetra tolong bacakan pilihannya",
        "opsinya apa aja kak",
        "read me the options again please",
    ],
)
def test_choices_are_asked_for_in_many_words(text: str) -> None:
    assert wants_choices(text)


@pytest.mark.parametrize("text", ["pilihan jurusan magang apa saja", "pilihan saya yang kedua", "ulangi", "pilihan presiden tadi"])
def test_other_words_ask_for_no_choices(text: str) -> None:
    assert not wants_choices(text)


@pytest.mark.parametrize(
    ("text", "asks"),
    [
        ("kalo nomor 1 apa", True),
        ("yg kedua apa", True),
        ("terus pilihan 3 itu apa", True),
        ("nomor 1", False),
        ("nomor tiketku apa", False),
        ("nomor 1 apa yang bisa saya bantu", False),
        ("perpres 35 apa", False),
    ],
)
def test_a_number_may_be_asked_about(text: str, asks: bool) -> None:
    assert asks_what_a_number_is(text) is asks


@pytest.mark.parametrize(
    ("text", "wants"),
    [
        ("ulangi semuanya tolong", True),
        ("bacakan ringkasannya dari awal", True),
        ("tolong bacakan ulang isinya saja", True),
        ("apa tadi pertanyaannya", True),
        ("what was the question again", True),
        ("semua jalan rusak, tolong diperbaiki", False),
        ("isi perpres 35 apa", False),
        ("semua", False),
    ],
)
def test_a_summary_is_asked_for_in_many_words(text: str, wants: bool) -> None:
    assert wants_summary(text) is wants


@pytest.mark.parametrize(
    ("text", "takes"),
    [
        ("eh jadi deh kak", True),
        ("ga jadi batal deh", True),
        ("tetep jadi kirim aspirasinya ya", True),
        ("lanjut aja deh", True),
        ("jadi saya harus gimana", False),
        ("batal", False),
        ("gak jadi", False),
    ],
)
def test_a_cancel_is_taken_back_in_many_words(text: str, takes: bool) -> None:
    assert takes_back(text) is takes


@pytest.mark.parametrize(
    ("text", "label"),
    [("unduh", "Unduh data saya"), ("unduh dong", "Unduh data saya"), ("hapus data", "Hapus data saya"), ("data", None), ("ya", None)],
)
def test_the_beginning_of_a_label_presses_it(text: str, label: str | None) -> None:
    meant = button_meant(text, OWN_DATA)
    assert (meant.label if meant else None) == label


def test_no_old_yes_and_no_answer_to_a_form_can_be_pressed_later() -> None:
    yes = [Button(label="Ya, hapus", payload='/manage_my_data{"data": "delete"}'), Button(label="Tidak", payload="/deny")]
    assert still_standing(yes) == []
    assert still_standing([Button(label="Pendidikan", payload="pendidikan")]) == []
    assert still_standing(OWN_DATA) == OWN_DATA


async def test_the_choices_are_read_out_and_a_number_presses_one_after_a_question_in_between(citizen: Citizen) -> None:
    await citizen.says("data saya")
    await citizen.says("terima kasih")
    answer = await citizen.says("low vision, tolong pilihan dibacakan")
    assert "1. Lihat data saya\n2. Unduh data saya\n3. Hapus data saya" in answer
    assert len(citizen.last[-1]["buttons"]) == 3
    await citizen.says("terima kasih")
    assert "hapus" in (await citizen.says("3")).lower()
    await citizen.says("terima kasih")
    assert "sudah dihapus" not in await citizen.says("1")


async def test_at_a_choice_of_a_form_it_is_read_out_and_stays_open(citizen: Citizen) -> None:
    await citizen.says("mau kirim aspirasi")
    assert "1. Ya, setuju\n2. Tidak" in await citizen.says("kalo nomor 1 apa")
    assert "tuliskan aspirasi" in await citizen.says("1")


async def test_the_summary_is_said_again_and_its_choices_have_no_numbers(citizen: Citizen) -> None:
    await citizen.goes_through(*TO_SUMMARY)
    for words in ("ulangi semuanya tolong", "bacakan ringkasannya dari awal"):
        assert "- 1. Isi: Jalan di depan pasar" in await citizen.says(words)
    assert "- Ya, kirim" in await citizen.says("pilihannya apa aja tadi")
    assert "sudah tercatat" in await citizen.says("ya, kirim")


async def test_the_number_of_a_ticket_is_said_again_also_while_a_note_is_written(citizen: Citizen, services: Services) -> None:
    await citizen.goes_through(*TO_SUMMARY, "ya, kirim")
    spelled = await citizen.says("tolong sebutkan lagi nomor tiketnya pelan pelan huruf demi huruf")
    assert "**A S P - 2" in spelled
    assert "hanya tampil sekali" in await citizen.says("kodenya apa tadi tolong diulang")
    await citizen.says("tambah catatan")
    answer = await citizen.says("nomor tiketku berapa tadi kak")
    assert "ASP-" in answer and "tuliskan catatan" in answer
    assert "pagarnya roboh" in await citizen.says("catat: pagarnya roboh")
    assert "pagarnya roboh" in await citizen.says("pagar itu dicatat ga?")


async def test_a_form_that_was_called_off_begins_anew_where_that_is_taken_back(citizen: Citizen) -> None:
    await citizen.goes_through("mau kirim aspirasi", "batal", "makasih")
    assert "Apakah Anda setuju" in await citizen.says("eh jadi deh kak")
