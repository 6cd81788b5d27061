import csv
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services import contact_reading, privacy, tickets
from services.privacy import Kind, Masked, contains_personal_data, mask
from services.turn import Turn
from tests.cost import costs_in_proportion

PERSONAL = [
    ("NIK saya 3201234509870001", Kind.NIK),
    ("nik: 3201 2345 0987 0001 ya", Kind.NIK),
    ("KK 3201.2345.0987.0001", Kind.NIK),
    ("NIP 198705122010011001", Kind.NIP),
    ("nip saya 19870512 201001 1 001", Kind.NIP),
    ("hp 081234567890", Kind.PHONE),
    ("wa +62 812-3456-7890", Kind.PHONE),
    ("62812 3456 7890 nomor saya", Kind.PHONE),
    ("call me at +44 7911 123456", Kind.PHONE),
    ("email budi.santoso+kantor@contoh.co.id dong", Kind.EMAIL),
    ("paspor A1234567", Kind.PASSPORT),
    ("passport no X 123456", Kind.PASSPORT),
    ("NPWP 09.254.294.3-407.000", Kind.NPWP),
    ("npwp saya 092542943407000", Kind.NPWP),
    ("kartu 4111 1111 1111 1111", Kind.CARD),
    ("rek BCA 1234567890", Kind.ACCOUNT),
]
KEPT = [
    "ASP-20261123-7K4Q",
    "pip 20261123 ab12",
    "DEMO-SMP-000101",
    "demo smp 101",
    "B-32/M/S/LN.00/12/2024",
    "nomor 12/PPID/2026",
    "UU 14/2008 Pasal 22 ayat (7)",
    "tahun 2025-2027",
    "pukul 09.00-15.00 WIB",
    "jam 08.15-09.30, 12 orang",
    "08.15 – 09.30 10.45",
    "Jl. Veteran No. 17-18, Jakarta 10110",
    "anggaran Rp 1.500.000",
    "SMS 1708, telepon 112",
    "23 November 2026",
    "123e4567-e89b-12d3-a456-426614174000",
]


@pytest.mark.parametrize(("text", "kind"), PERSONAL)
def test_a_personal_value_is_masked_by_its_kind(text: str, kind: Kind) -> None:
    masked = mask(text)
    assert [found for found, _ in masked.found] == [kind]
    assert f"[{kind}]" in masked.text
    assert masked.found[0][1] not in masked.text


def test_each_value_that_is_hidden_has_one_stand_in_of_its_own() -> None:
    turn = Turn("c1", "")
    assert [turn.hide("nama", name) for name in ("Siti", "Budi", "Siti", "Ani")] == ["[nama]", "[nama 2]", "[nama]", "[nama 3]"]
    assert turn.hidden == {"[nama]": "Siti", "[nama 2]": "Budi", "[nama 3]": "Ani"}


@pytest.mark.parametrize("text", KEPT)
def test_what_is_no_personal_value_stays(text: str) -> None:
    assert mask(text).text == text


def test_several_values_in_one_message_are_all_masked() -> None:
    masked = mask("NIK 3201234509870001, hp 0812 3456 7890, tiket ASP-20261123-7K4Q")
    assert masked.text == "NIK [nik], hp [telepon], tiket ASP-20261123-7K4Q"


def test_a_value_that_hid_behind_another_is_masked_and_a_sum_of_money_beside_it_is_not() -> None:
    assert mask("1234567890A1234567").text == "[rekening][paspor]"
    assert mask("1234567890, anggaran Rp 1.500.000.000").text == "[rekening], anggaran Rp 1.500.000.000"


@given(st.text(max_size=400))
def test_masking_is_stable_and_never_fails(text: str) -> None:
    once = mask(text).text
    assert mask(once).text == once


@given(st.text(alphabet="0123456789 .-/+@aA", max_size=4000))
def test_masking_hostile_text_ends_in_time(text: str) -> None:
    mask(text)


# Labelled cases

VALUE = re.compile(r"\{([^}]*)\}")
with Path(__file__).with_name("personal_data.csv").open(encoding="utf-8", newline="") as opened:
    CASES = [row["text"] for row in csv.DictReader(opened)]


def is_harmless_text_kept(case: str) -> bool:
    """Whether all that stands outside the braces came through unchanged."""
    outside = r"\[[a-z]+\]".join(re.escape(part) for part in VALUE.split(case)[::2])
    return re.fullmatch(outside, mask(VALUE.sub(r"\1", case)).text) is not None


NOT_UNDERSTOOD = "wa q {08l2-3456-7890}"
"""The one labelled text that is not masked: a letter stands for a digit."""


def test_all_labelled_personal_values_but_one_are_masked() -> None:
    missed = [case for case in CASES for value in VALUE.findall(case) if value in mask(VALUE.sub(r"\1", case)).text]
    assert sum(len(VALUE.findall(case)) for case in CASES) >= 200
    assert missed == [NOT_UNDERSTOOD]


def test_no_labelled_text_loses_anything_that_is_not_personal() -> None:
    assert sum("{" not in case for case in CASES) >= 200
    assert [case for case in CASES if not is_harmless_text_kept(case)] == [NOT_UNDERSTOOD]


# What makes a number personal, where no word says it


@pytest.mark.parametrize(
    "nik",
    [
        "320123 010187 0001",
        "320123 310187 0001",
        "320123 410187 0001",  # a woman born on the first
        "320123 710187 0001",
        "320123 011287 0001",
        "110123 010187 0001",
        "970123 010187 0001",
    ],
)
def test_digits_grouped_as_a_nik_are_one_where_they_carry_a_province_and_a_day_of_birth(nik: str) -> None:
    assert mask(f"saya {nik} ya") == Masked("saya [nik] ya", [(Kind.NIK, nik)])


@pytest.mark.parametrize(
    ("digits", "why"),
    [
        ("320123 000187 0001", "no day 0"),
        ("320123 320187 0001", "no day 32"),
        ("320123 400187 0001", "no day 0 of a woman"),
        ("320123 720187 0001", "no day 32 of a woman"),
        ("320123 010087 0001", "no month 0"),
        ("320123 011387 0001", "no month 13"),
        ("100123 010187 0001", "no such province"),
        ("Rp 320123 010187 0001", "a sum"),
        ("320123 010187 0001 rupiah", "a sum"),
        ("-6.170166 106.824111", "a place on the map: West Kalimantan, 21 June, as a NIK"),
    ],
)
def test_digits_grouped_as_a_nik_stay_where_they_can_be_none(digits: str, why: str) -> None:
    assert mask(f"data {digits} ya").text == f"data {digits} ya", why


@pytest.mark.parametrize("digits", ["9999234509870002", "9999 2345 0987 0002", "4111 1111 1111 1112"])
def test_a_mistyped_nik_or_card_is_masked_as_a_nik(digits: str) -> None:
    assert mask(f"saya {digits} ya") == Masked("saya [nik] ya", [(Kind.NIK, digits)])


@pytest.mark.parametrize(
    "text", ["99 9923 4509 8700 02", "pesanan 9999 2345 0987 0002", "Rp 9999 2345 0987 0002", "2024 2025 2026 2027"]
)
def test_sixteen_digits_stay_in_other_groups_as_orders_as_sums_and_as_years(text: str) -> None:
    assert mask(text).text == text


@pytest.mark.parametrize("nip", ["19870131 201001 1 001", "20001201 202412 2 001", "19870512 202421 1 001", "19870512 202529 1 001"])
def test_eighteen_digits_with_a_birth_date_and_an_appointment_are_an_nip(nip: str) -> None:
    assert mask(f"saya {nip} ya") == Masked("saya [nip] ya", [(Kind.NIP, nip)])


@pytest.mark.parametrize(
    ("digits", "why"),
    [
        ("18870512 201001 1 001", "born in another century"),
        ("21870512 201001 1 001", "born in another century"),
        ("19870012 201001 1 001", "no month 0"),
        ("19871312 201001 1 001", "no month 13"),
        ("19870500 201001 1 001", "no day 0"),
        ("19870532 201001 1 001", "no day 32"),
        ("19870512 201000 1 001", "appointed in no month"),
        ("19870512 201013 1 001", "appointed in no month"),
        ("19870512 202420 1 001", "no agreement"),
        ("19870512 202430 1 001", "no agreement"),
        ("Rp 19870512 201001 1 001", "a sum"),
    ],
)
def test_eighteen_digits_stay_where_they_can_be_no_nip(digits: str, why: str) -> None:
    assert mask(f"data {digits} ya").text == f"data {digits} ya", why


@pytest.mark.parametrize(
    "card",
    [
        "5555 5555 5555 4444",
        "6011000990139424",
        "4222 2222 2222 2",
        "3782 822463 10005",
        "3056 930902 5904",
        "4 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1",
        "6304 0000 0000 0000 000",
    ],
)
def test_digits_that_pass_luhns_check_in_the_groups_of_a_card_are_one(card: str) -> None:
    assert mask(f"saya {card} ya") == Masked("saya [kartu] ya", [(Kind.CARD, card)])


@pytest.mark.parametrize(
    ("digits", "why"),
    [
        ("3782 822463 10006", "fails the check"),
        ("41111 11111 111111", "grouped as no card is"),
        ("4111 11111 1111 111", "grouped as no card is"),
        ("4111 1111 11111 111", "grouped as no card is"),
        ("41111 1111 1111 111", "grouped as no card is"),
        ("4111 1111 1111 00009", "grouped as no card is"),
        ("37828 22463 10005", "grouped as no card is"),
        ("3782 8224631 0005", "grouped as no card is"),
        ("3782 82246 310005", "grouped as no card is"),
        ("2018 2018 2018 2020", "years"),
        ("nomor pesanan 4111 1111 1111 1111", "an order"),
        ("Rp 4111 1111 1111 1111", "a sum"),
    ],
)
def test_digits_that_can_be_no_card_stay(digits: str, why: str) -> None:
    assert mask(f"data {digits} ya").text == f"data {digits} ya", why


@pytest.mark.parametrize("phone", ["0812345678906", "6281234567899", "0812-3456-7890-6"])
def test_a_mobile_number_that_passes_luhns_check_is_no_card(phone: str) -> None:
    assert mask(f"saya {phone} ya").found == [(Kind.PHONE, phone)]


@pytest.mark.parametrize("text", ["km 123456", "KM 123456", "No 1234567", "rt 123456"])
def test_a_word_of_two_letters_before_a_number_makes_no_passport_of_it(text: str) -> None:
    assert mask(text).text == text


@pytest.mark.parametrize(
    "said",
    [
        "nol delapan satu dua tiga empat lima enam tujuh",
        "Kosong lapan satu dua tiga empat lima enam tujuh",
        "ZERO EIGHT ONE TWO THREE FOUR FIVE SIX SEVEN",
        "enam dua delapan satu dua tiga empat lima enam",
        "six two eight one two three four five six",
        "satu dua tiga 4 5 6 7 8 9 0",
        "lima dua delapan satu dua tiga empat lima enam tujuh",
    ],
)
def test_ten_said_digits_or_nine_that_begin_as_a_mobile_number_does_are_masked(said: str) -> None:
    assert mask(f"hubungi {said} ya") == Masked("hubungi [telepon] ya", [(Kind.PHONE, said)])


@pytest.mark.parametrize(
    "text",
    [
        "satu dua tiga empat lima enam tujuh delapan sembilan",
        "nol delapan satu dua tiga empat lima enam",
        "jawaban dua belas 1 dua 3 4 5 6 7 8 9 0 1",
    ],
)
def test_fewer_said_digits_stay_and_so_does_a_list_of_written_ones(text: str) -> None:
    assert mask(text).text == text


@pytest.mark.parametrize("text", ["INV/20261123/MPL/4111111111111111", "trx/20261123/4111111111111111"])
def test_the_number_of_an_invoice_stays_though_its_end_looks_like_a_card(text: str) -> None:
    assert mask(text).text == text


def test_a_letter_number_hides_no_number_of_a_person() -> None:
    assert mask("surat 12/34/081234567890").text == "surat 12/34/[telepon]"
    assert mask("0812/3456/7890").text == "[telepon]"


def test_numbers_that_stay_keep_their_places_beside_a_number_that_was_said() -> None:
    said = "nol delapan satu dua tiga empat lima enam tujuh"
    assert mask(f"{said} ASP-20261123-7K4Q, PIP-20261123-AB12").text == "[telepon] ASP-20261123-7K4Q, PIP-20261123-AB12"


@pytest.mark.parametrize("text", ["a\x00b", "nomor\x00 17"])
def test_a_zero_byte_is_left_out(text: str) -> None:
    assert mask(text).text == text.replace("\x00", "")


def test_a_value_can_be_looked_for_without_masking_it() -> None:
    assert contains_personal_data("hp 081234567890")
    assert not contains_personal_data("ASP-20261123-7K4Q, kode pos 10110")


def test_the_number_of_a_ticket_is_kept_whatever_its_kind() -> None:
    kept = [match for series in tickets.Kind if (match := privacy.KEPT.fullmatch(f"{series}-20261123-7K4Q"))]
    assert len(kept) == len(tickets.Kind)
    assert all(match["ours"] for match in kept)


# Time

"""Five times what a request may carry."""
HOSTILE = {
    "digits": "1",
    "digits and spaces": "0 ",
    "zeros and eights": "08",
    "dots and digits": "1.",
    "slashes": "1/",
    "letter numbers without end": "A-1/",
    "words of an address": "a ",
    "at signs": "@",
    "addresses without an end": "a@a.",
    "said addresses": "a at a dot ",
    "said digits": "satu ",
    "said digits with commas": "nol, ",
    "the word NIK": "nik ",
    "the word rekening": "rekening:",
    "passports": "A1",
    "plus signs": "+6",
    "parentheses": "(0",
    "stand-ins": "[nik]",
    "zero bytes": "\x000\x01",
    "combining marks": "e\u0301",
    "line breaks": "\n",
}


@pytest.mark.parametrize("piece", HOSTILE.values(), ids=HOSTILE)
def test_masking_takes_time_in_proportion_to_the_text_whatever_it_is(piece: str) -> None:
    assert costs_in_proportion(mask, piece)


# Contacts as people write them


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("081234567890", "+6281234567890"),
        ("+62 (0)812-3456-7890", "+6281234567890"),
        ("0062 812 3456 7890", "+6281234567890"),
        ("O812 3456 7890", "+6281234567890"),
        ("(0812) 3456-7890", "+6281234567890"),
        ("wa.me/6281234567890", "+6281234567890"),
        ("nol delapan satu dua 3456 tujuh lapan sembilan nol", "+6281234567890"),
        ("plus enam dua delapan satu dua tiga empat lima enam tujuh delapan", "+62812345678"),
        ("+44 7911 123456", "+447911123456"),
        ("021-7654321", "+62217654321"),
        ("０８１２３４５６７８９０", "+6281234567890"),
        ("12", None),
    ],
)
def test_a_phone_number_is_read_in_any_spelling(written: str, read: str | None) -> None:
    assert contact_reading.phone(written) == read


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("Budi.Santoso@Contoh.co.id", "budi.santoso@contoh.co.id"),
        ("budi at gmail dot com", "budi@gmail.com"),
        ("budi.santoso (at) contoh (dot) co (dot) id", "budi.santoso@contoh.co.id"),
        ("andi @ gmail . com", "andi@gmail.com"),
        ("rina@gmail,com", "rina@gmail.com"),
        ("joko@gmail com", "joko@gmail.com"),
        ("nur titik aini at yahoo titik com", "nur.aini@yahoo.com"),
        ("budi at gmail", None),
    ],
)
def test_an_address_is_read_in_any_spelling_and_never_guessed(written: str, read: str | None) -> None:
    assert contact_reading.email(written) == read
