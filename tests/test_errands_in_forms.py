"""An errand that is named while the form of another one is open: a status check gives way, a form with a story is kept for later."""

from __future__ import annotations

import httpx
import pytest

from tests.citizen import Citizen

STORY = "Tolong perbanyak bus sekolah di kampung kami karena anak-anak berjalan jauh"


@pytest.mark.parametrize(
    ("errand", "answer"),
    [
        ("bukan, mau lapor penipuan tadi", "Simpan bukti"),
        ("eh gak jadi, mau kirim aspirasi aja", "Apakah Anda setuju"),
        ("mau minta informasi publik", "Anda mengajukan sebagai apa"),
        ("ASP-20261120-1A2B", "kode akses"),
    ],
)
async def test_who_only_wanted_to_see_a_status_gets_what_is_asked_for_instead(
    client: httpx.AsyncClient, errand: str, answer: str
) -> None:
    citizen = await Citizen(client).arrives()
    await citizen.says("mau cek status simpel")
    said = await citizen.says(errand)
    assert answer in said
    assert "nomor permohonan Anda" not in said
    assert len(citizen.last) <= 2, "it is said once, and a form asks its question besides"


async def test_after_a_complaint_that_ended_a_status_check_the_talk_goes_on(client: httpx.AsyncClient) -> None:
    citizen = await Citizen(client).arrives()
    await citizen.goes_through("mau cek status simpel", "mau lapor penipuan")
    assert "asisten" in await citizen.says("kamu ini apa?")
    assert "nomor permohonan" in await citizen.says("mau cek status simpel")


async def test_the_number_that_was_given_is_still_there_afterwards(client: httpx.AsyncClient) -> None:
    citizen = await Citizen(client).arrives()
    await citizen.goes_through("mau cek status simpel", "DEMO-SMP-000105")
    assert "tetap tersimpan" in await citizen.says("mau kirim aspirasi aja")
    await citizen.says("batal")
    await citizen.says("mau cek status simpel")
    assert "Dikembalikan untuk dilengkapi" in await citizen.says("4ZD8KF")


async def test_a_form_with_a_story_asks_before_it_is_left_and_keeps_what_was_told(client: httpx.AsyncClient) -> None:
    citizen = await Citizen(client).arrives()
    await citizen.goes_through("saya ingin menyampaikan aspirasi", "ya", STORY, "layanan setneg", "lewati", "Alor, NTT")
    asked = await citizen.says("cek tiket saya")
    assert "belum selesai" in asked
    assert "Atas nama siapa" in asked or "nama" in asked
    assert "tetap tersimpan" in await citizen.presses("Simpan, buka yang lain")
    await citizen.says("batal")
    assert "nama" in await citizen.says("lanjutkan aspirasi saya")
    assert STORY in await citizen.goes_through("lewati", "lewati")


async def test_who_calls_a_form_off_for_something_else_gets_that(client: httpx.AsyncClient) -> None:
    citizen = await Citizen(client).arrives()
    await citizen.goes_through("saya ingin menyampaikan aspirasi", "ya", STORY)
    said = await citizen.says("gak jadi, mau cek tiket aja")
    assert "tetap tersimpan" not in said
    assert "nomor tiket" in said.lower()


@pytest.mark.parametrize("correction", ["1 jadi SMK Harapan Baru", "7 ubah jadi juru bahasa isyarat", "25 orang perangkat desa"])
async def test_a_summary_is_never_left_for_what_only_sounds_like_an_errand(correction: str, client: httpx.AsyncClient) -> None:
    citizen = await Citizen(client).arrives()
    await citizen.goes_through("daftar kunjungan setneg mantul", "kantor", "SMA Negeri 1 Magelang", "tatap muka")
    said = await citizen.says(correction)
    assert "tetap tersimpan" not in said
    assert "aspirasi" not in said.lower()
