"""Properties of ticket numbers and access codes: whatever dress they come in, they are read as they were issued."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.tickets import (
    CODE_LENGTH,
    CROCKFORD,
    TAIL_LENGTH,
    Kind,
    Tickets,
    named_code,
    normalise_code,
    normalise_number,
    without_named_code,
    without_number,
)

ISSUED = re.compile(rf"(?:{'|'.join(Kind)})-[0-9]{{8}}-[0-9A-Z]{{{TAIL_LENGTH}}}")
CONFUSABLE = str.maketrans({"0": "O", "1": "L"})
numbers = st.builds(
    lambda kind, day, tail: f"{kind}-{day:%Y%m%d}-{tail}",
    st.sampled_from(Kind),
    st.dates(datetime(2025, 1, 1, tzinfo=UTC).date(), datetime(2099, 12, 31, tzinfo=UTC).date()),
    st.text(CROCKFORD, min_size=TAIL_LENGTH, max_size=TAIL_LENGTH),
)
separators = st.sampled_from(["-", " ", "", " - ", "_", "–", "—", "/", ".", "  "])
codes = st.builds(
    lambda head, digit: head + digit,
    st.text(CROCKFORD, min_size=CODE_LENGTH - 1, max_size=CODE_LENGTH - 1),
    st.sampled_from("0123456789"),
)


@given(numbers, separators, separators, st.booleans(), st.booleans())
def test_a_number_is_read_in_any_case_spacing_and_with_confused_letters(
    number: str, first: str, second: str, lower: bool, confused: bool
) -> None:
    kind, day, tail = number.split("-")
    typed = first.join([kind, second.join([day, tail.translate(CONFUSABLE) if confused else tail])])
    assert normalise_number(f"tolong cek {typed.lower() if lower else typed} ya") == number


@pytest.mark.parametrize(
    "typed",
    ["ini K E B - 2 0 2 6 1 1 2 4 - 7 K 4 Q ya", "keb 2026/11/24 7k4q", "Keb.2026-11-24.7k4q dong", "keb202611247k4q ya"],
)
def test_a_number_is_read_in_groups_and_letter_by_letter(typed: str) -> None:
    assert normalise_number(typed) == "KEB-20261124-7K4Q"


def test_words_behind_half_a_number_are_no_part_of_it() -> None:
    assert normalise_number("keb 20261124 ini ya") is None


@given(st.text(max_size=80) | st.text("ASPIEKBUNMG0123456789- _–ٰ٣", max_size=40))
def test_any_text_holds_a_number_of_the_issued_form_or_none(text: str) -> None:
    number = normalise_number(text)
    assert number is None or (ISSUED.fullmatch(number) and normalise_number(number) == number)


@given(numbers, codes, st.sampled_from([" kode ", " ", ", kode akses: ", "\n"]))
def test_number_and_code_in_one_message_are_told_apart(number: str, code: str, between: str) -> None:
    message = f"cek {number}{between}{code}"
    assert normalise_number(message) == number
    assert normalise_code(without_number(message)) == code


@given(numbers)
def test_a_message_without_its_number_is_the_words_around_it(number: str) -> None:
    assert without_number(f"cek {number} dong").split() == ["cek", "dong"]


@given(codes, st.booleans(), st.booleans(), st.sampled_from(["", " ", "-"]))
def test_a_code_is_read_in_any_case_and_in_groups(code: str, lower: bool, confused: bool, between: str) -> None:
    # The last character of an issued code is a digit; read aloud, a 0 or 1 among the others may be typed as a letter.
    typed = (code[:-1].translate(CONFUSABLE) if confused else code[:-1]) + code[-1]
    typed = between.join([typed[:3], typed[3:]])
    assert normalise_code(typed.lower() if lower else typed) == code


@given(st.sampled_from(Kind), st.datetimes(datetime(2025, 1, 1), datetime(2099, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001 hypothesis adds the zone
def test_an_issued_number_has_the_issued_form_and_is_its_own_normal_form(kind: Kind, now: datetime) -> None:
    number = Tickets._new_number(kind, now)
    assert ISSUED.fullmatch(number)
    assert normalise_number(number) == number


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("eh ini 7 hari itu hari kerja apa kalender?", None),
        ("yg ke 12 itu hari apa ya kak", None),
        ("eh ini 7 hari itu ya", "EH1N17"),
        ("7K4Q2A itu kodenya, eh ini 7 hari kerja atau kalender", "7K4Q2A"),
        ("KTM 4Q2", "KTM4Q2"),
        ("KTM-4Q2 dari surat yang kemarin itu", None),
        ("7K4 Q2A dari surat yang kemarin itu", "7K4Q2A"),
        ("7 k 4 q 2 a dari surat yang kemarin itu", "7K4Q2A"),
        ("7K4Q2A dari surat yang kemarin itu", "7K4Q2A"),
    ],
)
def test_words_that_come_to_six_characters_among_others_are_no_code(text: str, code: str | None) -> None:
    assert normalise_code(text) == code


def test_a_code_that_is_called_one_is_read_among_any_words() -> None:
    assert named_code("tadi sudah saya cari di surat, kode akses: KTM 4Q2. terima kasih banyak ya") == "KTM4Q2"
    assert named_code("tadi sudah saya cari di surat, KTM 4Q2") is None
    assert named_code("kode yang mana") is None


def test_a_code_that_is_called_one_is_left_out_of_a_message() -> None:
    assert without_named_code("ASP-1 kode: 7K4Q2A. tolong, PIN 1234") == "ASP-1  . tolong,  "
