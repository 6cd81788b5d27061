"""What a message denies is neither what its complaint is about nor what is searched."""

from __future__ import annotations

from pathlib import Path

import pytest

from services.complaints import kind_of
from services.denials import rest_of_rejection
from services.knowledge_files import Entry, read_all


@pytest.fixture(scope="module")
def entries() -> dict[str, Entry]:
    return read_all(Path("knowledge"))[0]


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        ("siapa yang membahas korupsi, jembatan kami yang putus", "region"),
        ("bukan soal penipuan ya, petugasnya yang galak", "service"),
        ("saya nggak nanya suap, loketnya antre empat jam", "service"),
        ("bukan penipuan atau korupsi, petugas loket kasar", "service"),
        ("gak ada pungli di sini, cuma pelayanannya lambat", "service"),
        ("dudu korupsi mas, dalan nang desaku rusak", "region"),
        ("sanes penipuan kang, jalan ruksak", "region"),
        ("lain lapor mas wapres atuh pak", None),
        ("bukan ke wapres, ke presiden langsung", "president"),
        ("not fraud, the clerk was rude to me", "service"),
        ("I'm not asking about corruption, the street light is dead", "region"),
        ("there is no corruption, just a slow office", "service"),
    ],
)
def test_what_is_denied_is_not_what_a_complaint_is_about(message: str, kind: str | None) -> None:
    found = kind_of(message)
    assert (found.name if found else None) == kind


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        ("apakah ini bukan penipuan?", "fraud"),
        ("ini bukan penipuan kan?", "fraud"),
        ("itu penipuan atau bukan", "fraud"),
        ("bukan korupsi atau apa, pungli", "corruption"),
        ("bukan cuma korupsi, pungli juga", "corruption"),
        ("kami tidak mau pungli lagi", "corruption"),
        ("kenapa tidak ada petugas di loket", "service"),
        ("saya tidak puas dengan pelayanan loket", "service"),
        ("siapa yang menerima laporan korupsi", "corruption"),
        ("is this not fraud?", "fraud"),
        ("orang lain minta uang rokok", "corruption"),
        ("ada pegawai yang bukan petugas loket minta imbalan", "corruption"),
        ("tidak ditindaklanjuti padahal sudah dua kali", "maladministration"),
    ],
)
def test_a_question_or_another_denial_leaves_the_subject(message: str, kind: str) -> None:
    found = kind_of(message)
    assert found is not None
    assert found.name == kind


@pytest.mark.parametrize(
    ("said", "message", "rest"),
    [
        ("magang_syarat", "bukan itu", ""),
        ("magang_syarat", "bukan itu yang saya maksud kak", ""),
        ("magang_syarat", "that's not what I meant", ""),
        ("magang_syarat", "bukan syaratnya, jadwalnya kapan", "jadwalnya kapan"),
        ("keterbukaan_informasi_biaya", "saya gak tanya biaya, tanya lamanya", "tanya lamanya"),
        ("pengaduan_korupsi", "siapa yg ngomong korupsi bang, jalanan hancur", "jalanan hancur"),
        ("pengaduan_korupsi", "BUKAN KORUPSI. Maksud saya cara surat ke presiden", "cara surat ke presiden"),
        ("pengaduan_penipuan", "mau titip aspirasi, bukan penipuan", "mau titip aspirasi"),
        ("lapor_mas_wapres_cara", "lain lapor mas wapres atuh pak", ""),
        ("simpel_focal_point", "not focal point, I mean grants", "grants"),
        ("kemensetneg_profil_alamat", "bukan jalan veteran nak, saya veteran perang", "veteran perang"),
        ("pengaduan_korupsi", "dudu korupsi mas, dalan rusak", "dalan rusak"),
    ],
)
def test_what_stands_beside_a_rejection_is_what_was_meant(entries: dict[str, Entry], said: str, message: str, rest: str) -> None:
    assert rest_of_rejection(message, entries[said]) == rest


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ("magang_syarat", "saya bukan mahasiswa"),
        ("magang_syarat", "bukan mahasiswa, lulusan SMK bisa?"),
        ("magang_syarat", "kalau bukan mahasiswa gimana"),
        ("magang_uang_saku", "bukan saya, adik saya"),
        ("simpel_siapa_wajib", "rektor PTS yang bukan PNS kena nggak"),
        ("simpel_siapa_wajib", "bukan pns boleh?"),
        ("kemensetneg_profil_hari_libur", "besok bukan libur kan?"),
        ("pengaduan_penipuan", "saya bukan mau bayar, udah kejadian"),
        ("pengaduan_penipuan", "tapi dia bukan pegawai setneg kan"),
        ("pengaduan_korupsi", "tidak ada nomor lain?"),
        ("tentang_asisten", "kamu bukan manusia ya?"),
        ("keterbukaan_informasi_siapa", "not a citizen, can I ask?"),
        ("pengaduan_lapor", "laporan saya tidak dibalas"),
        ("pengaduan_korupsi", "siapa yang bilang itu, jalan rusak"),
        ("magang_syarat", "bukan syarat apa lagi"),
    ],
)
def test_who_denies_something_of_their_own_rejects_no_answer(entries: dict[str, Entry], said: str, message: str) -> None:
    assert rest_of_rejection(message, entries[said]) is None
