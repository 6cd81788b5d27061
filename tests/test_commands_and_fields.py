from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actions.language import language_named
from services import fields, simpel, tickets
from services.aspirations import TOPICS, suggested_topic
from services.commands import Command, find_command, find_ordinal
from services.date_reading import read_date
from services.fields import Rejection
from services.objections import GROUNDS, past_date
from services.status_checks import mask_factors
from services.tickets import CROCKFORD

COMMANDS = [
    ("batal", Command.CANCEL),
    ("gak jadi deh", Command.CANCEL),
    ("Cancel please", Command.CANCEL),
    ("kembali", Command.BACK),
    ("ulang dari awal", Command.RESTART),
    ("lewatin aja kak", Command.SKIP),
    ("lewati aja", Command.SKIP),
    ("ga usah", Command.SKIP),
    ("y", Command.YES),
    ("iya bener", Command.YES),
    ("oke lanjut kak", Command.YES),
    ("Ya, kirim", Command.YES),
    ("gpp", Command.YES),
    ("udah bener kok", Command.YES),
    ("saya bersedia", Command.YES),
    ("gada", Command.SKIP),
    ("ga mau", Command.NO),
    ("mau ubah dong", Command.CHANGE),
    ("Change something", Command.CHANGE),
    ("belum pas", Command.NO),
    ("enggak", Command.NO),
    ("batal itu apa ya artinya", None),
    ("saya mau batalkan langganan", None),
]


@pytest.mark.parametrize(("message", "command"), COMMANDS)
def test_a_command_is_recognised_only_as_a_whole_message(message: str, command: Command | None) -> None:
    assert find_command(message) is command


@pytest.mark.parametrize(
    ("message", "number"),
    [("1", 1), ("yg kedua", 2), ("nomor 3", 3), ("pilih 2 aja", 2), ("the first one", 1), ("ketiga", 3), ("no 4", 4)],
)
def test_an_ordinal_is_read_in_words_and_digits(message: str, number: int) -> None:
    assert find_ordinal(message) == number


@pytest.mark.parametrize("message", ["", "😀", ".", "saya punya 2 anak", "tahun 2026", "one day I will"])
def test_what_says_more_than_a_choice_is_no_ordinal(message: str) -> None:
    assert find_ordinal(message) is None


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("nama saya Siti Aminah", "Siti Aminah"),
        ("I'm John O'Neil", "John O'Neil"),
        ("Ni Luh", "Ni Luh"),
        ("sebut saja Rina", "Rina"),
        ("perkenalkan saya Budi", "Budi"),
        ("nama gw Raka", "Raka"),
    ],
)
def test_a_name_is_taken_without_the_words_around_it(typed: str, kept: str) -> None:
    assert fields.name(typed) == kept


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "x",
        "12345",
        "nama siapa?",
        "a" * 101,
        "jln kenanga 5 solo",
        "Jalan Mawar",
        "Kenanga no 5",
        "nanti saya kabari",
        "hehe malu ah",
    ],
)
def test_what_can_be_no_name_is_rejected(typed: str) -> None:
    assert fields.name(typed) == Rejection("utter_invalid_name")


@pytest.mark.parametrize("typed", ["jln kenanga 5 solo", "Jalan Mawar", "Kenanga no 5", "saya ini petani dari NTT"])
def test_a_place_or_a_trade_is_no_name(typed: str) -> None:
    assert fields.name(typed) == Rejection("utter_invalid_name")


@pytest.mark.parametrize("typed", ["sebut saja Raka", "perkenalkan saya Raka", "nama gw Raka"])
def test_a_name_is_taken_however_it_is_introduced(typed: str) -> None:
    assert fields.name(typed) == "Raka"


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("hp saya 0812-3456-7890 ya", "+6281234567890"),
        ("62 812 3456 7890", "+6281234567890"),
        ("Budi@Contoh.ID", "budi@contoh.id"),
        ("+44 7911 123456", "+447911123456"),
        ("NIK 3201234509870001, hp 0812-3456-7890", "+6281234567890"),
    ],
)
def test_a_contact_is_found_in_a_sentence(typed: str, kept: str) -> None:
    assert fields.contact(typed) == kept


@pytest.mark.parametrize(
    ("typed", "kept"),
    [("2", "b"), ("yang pertama", "a"), ("layanan c", "layanan_c"), ("layanna c", "layanan_c"), ("9", None), ("zzz", None)],
)
def test_a_choice_is_read_by_name_misspelling_and_number(typed: str, kept: str | None) -> None:
    assert fields.Choice(("a", "b", "layanan_c"))(typed) == (kept or Rejection("utter_invalid_choice"))


@pytest.mark.parametrize(
    ("typed", "numbers"), [("3 dan 7", [2, 6]), ("c, g", [2, 6]), ("1,2", [0, 1]), ("penolakan", [0]), ("1 3", [0, 2])]
)
def test_several_grounds_can_be_chosen_at_once(typed: str, numbers: list[int]) -> None:
    assert fields.SeveralChoices(GROUNDS)(typed) == [GROUNDS[n] for n in numbers]


@pytest.mark.parametrize("typed", ["20 Januari 2026", "20/01/2026", "2026-01-20", "tgl 20 jan 2026", "January 20? 20 January 2026"])
def test_a_past_date_is_read_in_many_forms(typed: str) -> None:
    assert past_date(typed) == "2026-01-20"


@pytest.mark.parametrize(
    ("typed", "day"),
    [
        ("dua minggu lalu", 6),
        ("10 hari yang lalu", 10),
        ("ditolak seminggu yg lalu", 13),
        ("minggu lalu", 13),
        ("3 days ago", 17),
        ("hari lalu", None),
    ],
)
def test_a_past_date_may_be_counted_back_in_days_or_weeks(typed: str, day: int | None) -> None:
    assert read_date(typed, date(2026, 1, 20), to_come=False) == (date(2026, 1, day) if day else None)


@pytest.mark.parametrize(
    ("typed", "reason"),
    [
        ("bulan lalu", "utter_invalid_date"),
        ("31/02/2026", "utter_invalid_date"),
        ("31 Februari", "utter_invalid_date"),
        ("1 Januari 2099", "utter_invalid_future_date"),
    ],
)
def test_a_date_that_is_none_or_not_past_is_rejected(typed: str, reason: str) -> None:
    assert past_date(typed) == Rejection(reason)


@given(st.integers(0, 999_999), st.sampled_from(["-", " ", "", "_", " - "]), st.booleans())
def test_a_demo_number_is_found_in_any_spacing_and_case(number: int, separator: str, upper: bool) -> None:
    written = f"demo{separator}smp{separator}{number}"
    found = simpel.find_number(f"cek {written.upper() if upper else written} ya")
    assert found is not None
    assert simpel.normalise_number(found) == f"DEMO-SMP-{number:06d}"


@pytest.mark.parametrize(
    "letter", ["B-32/M/S/LN.00/12/2024", "B-28/KSN/S/LN.00/09/2022", "b - 1234/Kemensetneg/Set/KTLN/LN.00/1/2025"]
)
def test_a_letter_number_is_found_whatever_its_middle(letter: str) -> None:
    assert simpel.find_number(f"SP saya {letter} sampai mana") == letter


codes = st.text(CROCKFORD, min_size=6, max_size=6).filter(lambda code: any(c.isdigit() for c in code))


@given(codes)
def test_an_access_code_is_found_in_a_sentence(code: str) -> None:
    assert tickets.normalise_code(f"kodenya {code.lower()} ya") == code


@given(st.text(CROCKFORD, min_size=4, max_size=4), st.sampled_from(["-", " ", ""]))
def test_a_ticket_number_is_found_in_any_spacing(tail: str, separator: str) -> None:
    assert tickets.normalise_number(f"tiket asp{separator}20261123{separator}{tail.lower()}") == f"ASP-20261123-{tail}"


@given(codes)
def test_proofs_are_taken_out_of_what_is_kept(code: str) -> None:
    assert code not in mask_factors(f"cek DEMO-SMP-000101 kode {code}")
    assert code not in mask_factors(f"kode saya {code}")


def test_words_are_not_taken_for_codes() -> None:
    assert mask_factors("apa kode pos istana?") == "apa kode pos istana?"
    assert tickets.normalise_code("berapa lama proses") is None


def test_a_question_where_a_code_is_asked_for_is_no_try() -> None:
    assert fields.access_code("eh ini 7 hari sebelum berangkat tu hari kerja apa kalender?") == fields.NO_CODE
    assert fields.access_code("yang tadi dikirim petugas ke surel saya itu lho, kode KTM 4Q2") == "KTM4Q2"


@pytest.mark.parametrize(
    ("message", "topic"),
    [
        ("infrastruktur", "lainnya"),
        ("soal transportasi aja kak", "lainnya"),
        ("religion", "lainnya"),
        ("sekolah", "pendidikan"),
        ("apakah bisa anonim?", Rejection("utter_invalid_choice")),
    ],
)
def test_what_an_aspiration_is_about_may_be_none_of_the_topics(message: str, topic: str | Rejection) -> None:
    assert fields.Choice(TOPICS, "topic")(message) == topic


def test_a_topic_that_is_none_of_the_others_is_not_suggested() -> None:
    assert suggested_topic("Jalan rusak dan jembatan putus di depan sekolah kami") == "pendidikan"
    assert suggested_topic("Jalan rusak dan jembatan putus di kampung kami") is None


@pytest.mark.parametrize(
    ("message", "language"),
    [
        ("in english please", "en"),
        ("pakai bahasa indonesia saja", "id"),
        ("gue ga ngerti inggris, pakai bahasa indonesia aja", "id"),
        ("saya tidak bisa bahasa inggris", "id"),
        ("please don't use english", "id"),
        ("I don't speak Indonesian", "en"),
        ("bahasa jawa bisa?", None),
        ("bahasa sunda, bukan bahasa indonesia", None),
        ("kenapa tidak pakai bahasa inggris", "en"),
        ("english no", "id"),
    ],
)
def test_a_language_that_is_not_wanted_is_not_spoken(message: str, language: str | None) -> None:
    assert language_named(message) == language
