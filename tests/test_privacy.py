import pytest
from hypothesis import given
from hypothesis import strategies as st

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
