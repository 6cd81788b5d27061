"""What is typed into a form beside its answer: corrections, a question, a complaint, a refusal, further answers in a row."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from services.commands import Command, find_command
from services.date_reading import read_date
from services.fields import Rejection, SeveralChoices, agreement, name, of_age_or_allowed
from services.journeys import CONFIRMATION, Outcome
from services.objections import GROUNDS
from services.registry import JOURNEYS
from services.remarks import is_grumble, is_question, with_question
from tests.test_corrections import ASPIRATION, REQUEST

GIVEN: dict[str, dict[str, Any]] = {
    "aspiration": ASPIRATION,
    "information": REQUEST,
    "objection": {
        "request_number": "PIP-20260105-ABCD",
        "grounds": ["penolakan"],
        "found_on": "2026-10-01",
        "statement": "permohonan saya ditolak tanpa alasan",
        "wish": "dijawab",
        "name": "Rina",
        "contact": "rina@contoh.id",
    },
    "visit": {
        "kind": "kantor",
        "institution": "SMA 1",
        "mode": "virtual",
        "date": "2099-02-10",
        "other_date": "2099-02-12",
        "people": "30 siswa",
        "theme": "humas",
        "needs": "kursi roda",
        "name": "Joko",
        "contact": "joko@contoh.id",
    },
    "internship": {
        "level": "perguruan_tinggi",
        "campus": "UGM",
        "study": "hukum",
        "semester": "5",
        "unit": "Humas",
        "period": "Juli 2027",
        "name": "Rara",
        "contact": "rara@contoh.id",
    },
}


def took(journey: str, asked: str, said: str) -> dict[str, Any]:
    """What changed by `said`, where `asked` is open and all before it is given."""
    form, given = JOURNEYS[journey], GIVEN[journey]
    field = form.field_named(asked)
    assert field is not None
    if field is not CONFIRMATION:
        order = [one.name for one in form.fields]
        given = {key: value for key, value in given.items() if order.index(key) < order.index(asked)}
    step = form.take(field, said, given)
    return {key: value for key, value in step.fields.items() if given.get(key, 0) != value}


@pytest.mark.parametrize(
    ("journey", "said", "changed"),
    [
        (
            "information",
            "nomor 3 ganti jadi peliputan investigasi, nomor 4 Andi Prasetyo saja",
            {"purpose": "peliputan investigasi", "name": "Andi Prasetyo"},
        ),
        (
            "objection",
            "6 ganti Siti Aminah, tambahkan di uraian: dikuasakan kepada Bayu SH",
            {"name": "Siti Aminah", "statement": "permohonan saya ditolak tanpa alasan\ndikuasakan kepada Bayu SH"},
        ),
        ("information", "no 8 jadi pos; no 5 jadi Jl Riau 50 Bandung", {"delivery": "pos", "address": "Jl Riau 50 Bandung"}),
        ("visit", "jumlahnya 30 sama narahubungnya jadi Pak Dedi", {"people": "30", "name": "Pak Dedi"}),
        ("visit", "nomor 6 keprotokolan dan nomor 8 Bu Wati", {"theme": "keprotokolan", "name": "Bu Wati"}),
        ("aspiration", "ya bener tp namanya anonim aja", {"name": None}),
        ("visit", "kebutuhan khususe kosongno wae", {"needs": None}),
        ("visit", "udah oke tapi kebutuhannya kosongkeun", {"needs": None}),
        ("aspiration", "eta ngaran abdi salah, Dadang Kosasih", {"name": "Dadang Kosasih"}),
        ("visit", "5 60 siswa dan 3 guru", {"people": "60 siswa dan 3 guru"}),
        ("visit", "7. satu kursi roda", {"needs": "satu kursi roda"}),
        ("visit", "5 ganti 20 siswa, 3 guru, dan 1 sopir", {"people": "20 siswa, 3 guru, dan 1 sopir"}),
    ],
)
def test_a_summary_takes_each_of_several_corrections(journey: str, said: str, changed: dict[str, Any]) -> None:
    assert took(journey, CONFIRMATION.name, said) == changed


@pytest.mark.parametrize(
    ("journey", "asked", "said", "changed"),
    [
        ("information", "address", "Lho nama saya Bambang Sutrisno, yang tadi bukan nama", {"name": "Bambang Sutrisno"}),
        ("internship", "semester", "ganti deh kampusnya UPI", {"campus": "UPI"}),
        ("internship", "name", "Rara. eh boleh ganti kampusnya jd UI", {"name": "Rara", "campus": "UI"}),
        ("internship", "name", "Dewi, eh jurusannya jadi ilmu politik", {"name": "Dewi", "study": "ilmu politik"}),
        ("internship", "unit", "eh salah, semester 6 maksudna", {"semester": "6"}),
        ("internship", "semester", "eh salah, semester 6 maksudna", {"semester": "semester 6"}),
        ("internship", "semester", "tadi udah, 6", {"semester": "6"}),
        ("aspiration", "name", "eh emailnya salah, ratna.sdn@contoh.id", {"contact": "ratna.sdn@contoh.id"}),
        ("aspiration", "policy", "salah sasaran, bantuan sosial", {"policy": "salah sasaran, bantuan sosial"}),
        (
            "information",
            "delivery",
            "email, tapi informasinya tolong ditambah sama draf RUU nya",
            {"delivery": "email", "details": f"{REQUEST['details']}\ndraf RUU nya"},
        ),
    ],
)
def test_an_answer_may_correct_another(journey: str, asked: str, said: str, changed: dict[str, Any]) -> None:
    assert took(journey, asked, said) == changed


@pytest.mark.parametrize(
    ("journey", "asked", "said", "changed"),
    [
        ("internship", "study", "teknik informatika, semester 6", {"study": "teknik informatika", "semester": "6"}),
        ("visit", "mode", "tatap muka, tgl 10 februari 2099", {"mode": "tatap_muka", "date": "2099-02-10"}),
        ("visit", "date", "10 Maret 2099, cadangannya 11 Maret 2099", {"date": "2099-03-10", "other_date": "2099-03-11"}),
        ("internship", "study", "hukum, tata negara", {"study": "hukum, tata negara"}),
        ("aspiration", "policy", "RUU Desa, desa kami tertinggal", {"policy": "RUU Desa, desa kami tertinggal"}),
        ("visit", "name", "saya sendiri, Pak Joko, pak.joko@contoh.id", {"name": "Pak Joko", "contact": "pak.joko@contoh.id"}),
    ],
)
def test_further_answers_in_a_row_are_taken(journey: str, asked: str, said: str, changed: dict[str, Any]) -> None:
    assert took(journey, asked, said) == changed


@pytest.mark.parametrize(
    "said",
    [
        "lewati semua",
        "lewatin semua",
        "yang lain kosongin aja",
        "skip the rest",
        "udah segitu aja langsung kirim",
        "udah itu aja kak",
        "cukup sekian, terima kasih",
        "that's all, thanks",
    ],
)
def test_all_that_is_optional_is_skipped_at_once(said: str) -> None:
    assert took("aspiration", "policy", said) == dict.fromkeys(("policy", "place", "name", "contact"))


def test_what_names_something_to_skip_is_no_such_wish() -> None:
    assert find_command("lewati semua rapat pembahasan RUU") is None
    assert find_command("itu") is None
    assert find_command("sudah cukup lama saya menunggu") is None


def test_repeating_keeps_what_was_given_and_only_from_the_beginning_starts_anew() -> None:
    assert took("internship", "semester", "ulang") == {}
    assert find_command("ulangi dong") is Command.REPEAT
    assert {find_command(said) for said in ("ulang dari awal", "mulai lagi", "restart")} == {Command.RESTART}
    assert find_command("ulang semua") is not Command.RESTART  # may ask to hear everything again


@pytest.mark.parametrize(
    ("journey", "asked", "said", "empty"),
    [
        ("visit", "other_date", "cadangan ga ada", ["other_date"]),
        ("visit", "other_date", "ga ada cadangan, lewati", ["other_date"]),
        ("visit", "other_date", "no alternative date", ["other_date"]),
        ("internship", "unit", "no unit", ["unit"]),
        ("aspiration", "policy", "gaada", ["policy"]),
        ("aspiration", "name", "ga usah kontak2an", ["name", "contact"]),
        ("aspiration", "name", "suryadi eh jangan anonim saja", ["name"]),
    ],
)
def test_what_there_is_none_of_stays_empty(journey: str, asked: str, said: str, empty: list[str]) -> None:
    assert took(journey, asked, said) == dict.fromkeys(empty)


@pytest.mark.parametrize(
    ("said", "read"),
    [
        ("name is Kenji Sato sorry", "Kenji Sato"),
        ("saya sendiri, Pak Joko", "Pak Joko"),
        ("panggil aja Tini", "Tini"),
        ("Tanya Yang", "Tanya Yang"),
        ("Kok Wai Ming", "Kok Wai Ming"),
        ("Dominggus Mau", "Dominggus Mau"),
        ("Sukarno", "Sukarno"),
    ],
)
def test_a_name_is_read_out_of_words_around_it(said: str, read: str) -> None:
    assert name(said) == read


@pytest.mark.parametrize(
    "said", ["kok banyak banget nanyanya", "eh kunjungan ini bayar ga", "saya sendiri", "kok ribet ya", "ganti kampus dong"]
)
def test_what_says_something_is_no_name(said: str) -> None:
    assert isinstance(name(said), Rejection)


@pytest.mark.parametrize(
    "said", ["kok banyak banget nanyanya", "ribet amat formulirnya", "so many questions", "pertanyaannya panjang bgt"]
)
def test_a_complaint_of_many_questions_is_none_of_the_answers(said: str) -> None:
    assert is_grumble(said)
    assert not is_grumble("Banyak jalan rusak di desa kami")


@pytest.mark.parametrize("said", ["eh kunjungan ini bayar ga", "mun magangna 2 bulan tiasa?", "namanya wajib diisi nggak"])
def test_a_question_is_known_without_a_word_that_asks(said: str) -> None:
    assert is_question(said)


@pytest.mark.parametrize("said", ["Jl. Mawar 5?", "Gak", "belum ora", "kursi roda 2 buah"])
def test_such_words_alone_ask_nothing(said: str) -> None:
    assert not is_question(said)


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        ("utk peliputan investigasi. eh ini bakal diumumkan ke publik gak identitas saya?", "utk peliputan investigasi"),
        ("Jaksel. btw is my name needed?", "Jaksel"),
        ("no unit. also visa is need?", "no unit"),
        ("Siti Aminah, eh ini wajib gak", "Siti Aminah"),
        ("Jl. Mawar 5, Bandung", None),
        ("apa ini wajib? kalau iya berapa lama?", None),
    ],
)
def test_a_question_behind_an_answer_is_told_from_it(said: str, answer: str | None) -> None:
    parts = with_question(said)
    assert (parts and parts[0]) == answer


@pytest.mark.parametrize(
    ("said", "letters"),
    [("huruf c tidak ditanggapi, juga huruf g lewat waktu", "cg"), ("poin a dan d", "ad"), ("huruf e", "e"), ("c, g", "cg")],
)
def test_grounds_are_read_by_the_letters_of_the_law(said: str, letters: str) -> None:
    assert SeveralChoices(GROUNDS, "grounds")(said) == [GROUNDS["abcdefg".index(letter)] for letter in letters]


@pytest.mark.parametrize(
    ("said", "day"),
    [
        ("10 hari kerja habis tgl 15 oktober kemarin", date(2026, 10, 15)),
        ("dua oktober dua ribu dua puluh enam", date(2026, 10, 2)),
        ("tiga puluh satu Agustus", date(2026, 8, 31)),
        ("the 2nd of October 2026", date(2026, 10, 2)),
        ("dua minggu lalu", date(2026, 11, 13)),
        ("sepuluh hari kerja", None),
        ("hari senin kemarin", date(2026, 11, 23)),
        ("minggu lalu hari rabu", date(2026, 11, 18)),
        ("hari minggu kemarin", date(2026, 11, 22)),
        ("10/11/26", date(2026, 11, 10)),
        ("tgl 20 bulan satu", date(2026, 1, 20)),
    ],
)
def test_days_among_other_numbers_and_in_words_are_read(said: str, day: date | None) -> None:
    assert read_date(said, date(2026, 11, 27), to_come=False) == day


@pytest.mark.parametrize(
    ("said", "day"),
    [
        ("rabu depan", date(2026, 12, 2)),
        ("minggu depan hari rabu", date(2026, 12, 2)),
        ("12 bulan 3 tahun depan", date(2027, 3, 12)),
        ("20/1/27", date(2027, 1, 20)),
        ("minggu depan", None),
    ],
)
def test_days_to_come_are_read_by_their_names_and_with_short_years(said: str, day: date | None) -> None:
    assert read_date(said, date(2026, 11, 27), to_come=True) == day


@pytest.mark.parametrize(
    "said", ["tidak saya tidak mau aspirasi", "males ah kalo dilempar2", "nggak deh, ga mau", "saya tidak setuju kalau begitu"]
)
def test_a_refusal_in_words_of_ones_own_is_a_no(said: str) -> None:
    assert agreement(said) is False


@pytest.mark.parametrize("said", ["tidak masalah pak", "tidak mau pakai nama boleh?", "maksudnya"])
def test_what_refuses_nothing_is_no_refusal(said: str) -> None:
    assert agreement(said) is not False


@pytest.mark.parametrize(
    ("said", "read"), [("udah 18", True), ("umur saya dua puluh", True), ("mama setuju", True), ("belum 18", None), ("17 tahun", None)]
)
def test_an_age_or_the_leave_of_parents_answers_for_a_pupil(said: str, read: bool | None) -> None:
    value = of_age_or_allowed(said)
    assert (None if isinstance(value, Rejection) else value) is read


def test_a_yes_may_praise() -> None:
    step = JOURNEYS["visit"].take(CONFIRMATION, "mantap kirim pak", GIVEN["visit"])
    assert step.outcome is Outcome.CONFIRMED
