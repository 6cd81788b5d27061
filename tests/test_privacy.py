import csv
import re
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services import contact_reading
from services.privacy import Kind, mask

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


def test_of_the_labelled_personal_values_at_least_99_in_100_are_masked() -> None:
    missed = [(case, value) for case in CASES for value in VALUE.findall(case) if value in mask(VALUE.sub(r"\1", case)).text]
    values = sum(len(VALUE.findall(case)) for case in CASES)
    assert values >= 200
    assert len(missed) <= values / 100, missed


def test_of_the_labelled_texts_at_most_1_in_100_loses_anything_that_is_not_personal() -> None:
    spoilt = [case for case in CASES if not is_harmless_text_kept(case)]
    assert sum("{" not in case for case in CASES) >= 200
    assert len(spoilt) <= len(CASES) / 100, spoilt


# Time

LONGEST = 100_000
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


def seconds_for(text: str) -> float:
    started = time.process_time()
    mask(text)
    return time.process_time() - started


@pytest.mark.parametrize("piece", HOSTILE.values(), ids=HOSTILE)
def test_masking_takes_time_in_proportion_to_the_text_whatever_it_is(piece: str) -> None:
    """Ten times the text may take thirty times as long, for machines have other work; by the square it would be a hundred."""
    small, large = (piece * (length // len(piece)) for length in (LONGEST // 10, LONGEST))
    assert seconds_for(large) < 30 * max(min(seconds_for(small) for _ in range(2)), 0.01)


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
