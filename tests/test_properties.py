"""Properties of what reads a citizen's words: masking, several answers at once, dates, choices, SIMPEL numbers."""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from services import aspirations, information_requests, internships, objections, simpel, tickets, visits
from services.date_reading import NEAR, WEEKDAYS, read_date
from services.dates import MONTHS
from services.fields import Choice, Field, Rejection, choice_words
from services.journeys import Journey
from services.privacy import NO_PASSPORTS, PROVINCES, Kind, mask
from services.several_answers import read
from services.tickets import CROCKFORD

# Masking

WORDS = st.sampled_from(
    ["", "saya", "nomor:", "NIK", "hp", "ini ya", "tolong dicek,", "(", "tahun 2026", "2", "\n", "😀", "Jl. Melati 5"]
)
TAILS = st.sampled_from(["", " ya", ".", ",", ")", " atas nama saya", "\n", "?", " 2026", " 😀"])
digits = st.text("0123456789", min_size=1)
niks = st.builds(
    lambda province, rest, day, month, year, serial: f"{province:02}{rest:04}{day:02}{month:02}{year:02}{serial:04}",
    st.sampled_from(sorted(PROVINCES)),
    st.integers(0, 9999),
    st.integers(1, 31) | st.integers(41, 71),
    st.integers(1, 12),
    st.integers(0, 99),
    st.integers(0, 9999),
)
phones = st.builds(
    lambda prefix, operator, rest: f"{prefix}8{operator}{rest}",
    st.sampled_from(["0", "62", "+62", "+62 ", "0-"]),
    st.integers(1, 9),  # 080 begins numbers of services
    st.text("0123456789", min_size=7, max_size=9),
)
emails = st.from_regex(r"[a-z][a-z0-9.+_-]{0,20}[a-z0-9]@[a-z][a-z0-9-]{0,20}\.(?:id|co\.id|com|go\.id)", fullmatch=True)
passports = st.from_regex(r"[A-Z]{1,2} ?[0-9]{6,7}", fullmatch=True).filter(
    lambda p: p.rstrip(" 0123456789").lower() not in NO_PASSPORTS
)
ticket_numbers = st.builds(
    lambda kind, day, tail: f"{kind}-{day:%Y%m%d}-{tail}",
    st.sampled_from(tickets.Kind),
    st.dates(date(2025, 1, 1), date(2099, 12, 31)),
    st.text(CROCKFORD, min_size=4, max_size=4),
)


def spaced(value: str, separator: str, every: int) -> str:
    return separator.join(value[n : n + every] for n in range(0, len(value), every))


@given(WORDS, niks, st.sampled_from(["", " ", ".", "-"]), st.sampled_from([2, 4, 6]), TAILS)
def test_no_nik_stays_in_a_masked_text(before: str, nik: str, separator: str, every: int, after: str) -> None:
    assume(not re.search(r"\d$", before))  # a digit before it makes another number of it
    masked = mask(f"{before} {spaced(nik, separator, every)}{after}").text
    assert nik not in re.sub(r"[ .-]", "", masked)


@given(WORDS, phones, st.sampled_from(["", " ", ".", "-"]), TAILS)
def test_no_mobile_number_stays_in_a_masked_text(before: str, phone: str, separator: str, after: str) -> None:
    assume(not re.search(r"\d$", before))
    masked = mask(f"{before} {phone[:4]}{spaced(phone[4:], separator, 4)}{after}").text
    assert re.sub(r"\D", "", phone)[2:] not in re.sub(r"\D", "", masked)


@given(WORDS, emails, TAILS)
def test_no_email_address_stays_in_a_masked_text(before: str, email: str, after: str) -> None:
    assert mask(f"{before} {email}{after}").text == f"{before} [email]{after}"


@given(WORDS, passports, st.booleans(), TAILS)
def test_no_passport_number_stays_in_a_masked_text(before: str, passport: str, lower: bool, after: str) -> None:
    masked = mask(f"{before} {passport.lower() if lower else passport}{after}").text
    assert re.sub(r"\D", "", passport) not in masked


@given(WORDS, ticket_numbers, st.sampled_from(["-", " ", " - "]), st.booleans(), TAILS, niks)
def test_a_ticket_number_survives_masking(before: str, number: str, separator: str, lower: bool, after: str, nik: str) -> None:
    typed = number.replace("-", separator)
    typed = typed.lower() if lower else typed
    assert typed in mask(f"{before} {typed}{after}").text
    beside = mask(f"{typed}, NIK {nik}")
    assert beside.text == f"{typed}, NIK [nik]"
    assert beside.found == [(Kind.NIK, nik)]


@given(
    st.lists(st.one_of(WORDS, niks, phones, emails, passports, ticket_numbers, digits, st.text(max_size=10)), max_size=8),
    st.sampled_from([" ", "", ", "]),
)
@example(["1234567890A1234567", "3201234509870001x81234567890"], "")
@example(["\x000\x01", "ASP-20261123-7K4Q"], " ")
def test_masking_twice_changes_nothing(parts: list[str], between: str) -> None:
    once = mask(between.join(parts))
    assert mask(once.text).text == once.text
    assert not mask(once.text).found


# Several answers in one message

FORMS = [aspirations.JOURNEY, information_requests.JOURNEY, objections.JOURNEY, visits.JOURNEY, internships.JOURNEY]
questions = st.sampled_from([(journey, field) for journey in FORMS for field in journey.fields])
PIECES = st.sampled_from(
    "nama: alamat: kontak: email: tujuan: topik: tema= Budi Santoso , ; \n dan lewat Jl.Melati 5,Magelang,Jawa Tengah budi@contoh.id "
    "081234567890 salinan melihat email pos ekonomi wni virtual kantor sekolah 1 2".split(" ")
)
messages = st.lists(PIECES, max_size=10).map(" ".join) | st.text(max_size=60)


@given(questions, messages)
@example((information_requests.JOURNEY, information_requests.JOURNEY.fields[3]), "Budi, Jl. Melati 5 Magelang, budi@contoh.id")
@example((information_requests.JOURNEY, information_requests.JOURNEY.fields[6]), "salinan lewat email")
def test_whatever_is_taken_of_several_answers_is_what_the_fields_own_check_takes(
    question: tuple[Journey, Field], message: str
) -> None:
    journey, asked = question
    found = read(journey.fields, asked, message, {})
    assert not found or (asked.name in found and len(found) >= 2)
    for name, value in found.items():
        field = journey.field_named(name)
        assert field is not None
        assert field.when({})
        assert not isinstance(value, Rejection)
        again = field.check(", ".join(value) if isinstance(value, list) else str(value).replace("_", " "))
        assert again == value


@given(questions, messages, st.data())
def test_an_answer_that_was_given_before_is_not_taken_again(
    question: tuple[Journey, Field], message: str, data: st.DataObject
) -> None:
    journey, asked = question
    known: dict[str, Any] = dict.fromkeys(data.draw(st.sets(st.sampled_from([field.name for field in journey.fields]))), "known")
    assert not set(read(journey.fields, asked, message, known)) & (set(known) - {asked.name})


def test_a_number_that_nobody_asked_for_is_kept_in_no_answer() -> None:
    asked = objections.JOURNEY.field_named("name")
    assert asked is not None
    found = read(objections.JOURNEY.fields, asked, "Siti Aminah, NIK 3201234509870001, siti@contoh.id", {})
    assert found == {"name": "Siti Aminah", "contact": "siti@contoh.id"}
    asked = information_requests.JOURNEY.field_named("name")
    assert asked is not None
    said = "Siti Aminah, NIK 3201234509870001, Jl. Melati 5 Magelang, siti@contoh.id"
    assert read(information_requests.JOURNEY.fields, asked, said, {"applicant": "wni"}) == {
        "name": "Siti Aminah",
        "address": "Jl. Melati 5 Magelang",
        "contact": "siti@contoh.id",
    }


ONE_ANSWER = {
    "name": "Siti Aminah",
    "address": "Jl. Melati 5, Magelang, Jawa Tengah",
    "contact": "siti@contoh.id",
    "obtain": "salinan",
    "delivery": "email",
    "applicant": "wni",
    "topic": "ekonomi",
    "mode": "virtual",
    "kind": "kantor",
    "level": "sekolah",
}


@pytest.mark.parametrize("journey", FORMS, ids=lambda journey: journey.name)
def test_a_message_with_one_answer_is_left_to_the_form(journey: Journey) -> None:
    for asked in journey.fields:
        if asked.name in ONE_ANSWER:
            assert read(journey.fields, asked, ONE_ANSWER[asked.name], {}) == {}, asked.name


# Dates

days = st.dates(date(2020, 1, 1), date(2099, 12, 31))
EITHER = pytest.mark.parametrize("to_come", [True, False])


def written(day: date) -> list[str]:
    """The forms that services/date_reading.py names, with a year."""
    names = [names[day.month - 1] for names in MONTHS.values()]
    worded = [form for name in names for form in (f"{day.day} {name} {day.year}", f"{day.day} {name[:3].lower()} {day.year}")]
    english = [f"{names[1]} {day.day}, {day.year}", f"{names[1]} {day.day}th {day.year}"]
    return [
        *worded,
        *english,
        f"{day:%d/%m/%Y}",
        f"{day:%d-%m-%Y}",
        f"{day:%d.%m.%Y}",
        f"{day.day}/{day.month}/{day.year}",
        day.isoformat(),
    ]


@EITHER
@given(days, st.sampled_from(["{}", "tanggal {} ya", "pada hari Senin, {}.", "kira-kira {}, pagi"]))
def test_a_date_written_in_any_of_the_forms_is_read_back(to_come: bool, day: date, around: str) -> None:
    for form in written(day):
        assert read_date(around.format(form), date(2026, 11, 23), to_come=to_come) == day, form


@EITHER
@given(days, days)
def test_a_date_without_a_year_is_the_nearest_on_the_right_side(to_come: bool, day: date, today: date) -> None:
    assume((day.month, day.day) != (2, 29))
    for names in MONTHS.values():
        found = read_date(f"{day.day} {names[day.month - 1]}", today, to_come=to_come)
        assert found is not None
        assert (found.month, found.day) == (day.month, day.day)
        assert found >= today if to_come else found <= today
        assert abs((found - today).days) <= 366


def test_a_number_of_something_else_before_the_date_is_not_taken_for_its_day() -> None:
    assert read_date("12 orang, March 5", date(2026, 11, 23), to_come=True) == date(2027, 3, 5)


@pytest.mark.parametrize("word", NEAR)
@given(days)
def test_a_near_word_is_so_many_days_from_today(word: str, today: date) -> None:
    assert read_date(f"kira-kira {word} ya", today, to_come=True) == today + timedelta(days=NEAR[word])


@EITHER
@given(st.text().filter(lambda text: not re.search(r"\d", text)))
def test_nothing_is_read_from_a_text_without_digits_and_near_words(to_come: bool, text: str) -> None:
    near = ("ini", "today", "tadi", "barusan", "lusa", "besok", "tomorrow", "yesterday", "kmrn", "kemar", "minggu", *WEEKDAYS)
    assume(not any(word in re.sub(r"\W+", " ", text.lower()) for word in near))
    assert read_date(text, date(2026, 11, 23), to_come=to_come) is None


@EITHER
@given(st.text(alphabet="0123456789/-. janfebmrodsi,th", max_size=40))
def test_whatever_is_typed_a_date_or_nothing_is_read(to_come: bool, text: str) -> None:
    read_date(text, date(2026, 11, 23), to_come=to_come)


# Choices

CHOICES = {
    f"{journey.name}.{field.name}": field.check for journey in FORMS for field in journey.fields if isinstance(field.check, Choice)
}


@pytest.mark.parametrize("choice", CHOICES.values(), ids=CHOICES)
def test_every_value_is_chosen_by_its_name_its_number_and_each_of_its_words(choice: Choice) -> None:
    for number, value in enumerate(choice.values, 1):
        for typed in (value, value.replace("_", " ").upper(), f"{number}", f"nomor {number}", f"yang ke-{number} aja"):
            assert choice(typed) == value, typed
        for word in choice_words(choice.words).get(value, ()):
            assert choice(word) == value, word


@pytest.mark.parametrize("choice", CHOICES.values(), ids=CHOICES)
@given(st.text(max_size=40) | st.integers(0, 200).map(str) | PIECES)
def test_a_choice_is_one_of_its_values_or_refused(choice: Choice, typed: str) -> None:
    chosen = choice(typed)
    assert chosen in choice.values or chosen == Rejection("utter_invalid_choice")


@pytest.mark.parametrize("choice", CHOICES.values(), ids=CHOICES)
@given(st.integers(0, 99))
def test_a_number_that_is_on_no_list_chooses_nothing(choice: Choice, number: int) -> None:
    assume(not 1 <= number <= len(choice.values))
    assert choice(f"nomor {number}") == Rejection("utter_invalid_choice")


# SIMPEL numbers

letters = st.builds(
    lambda head, number, middle, month, year: f"{head}-{number}/{middle}/LN.00/{month:02}/{year}",
    st.sampled_from(["B", "R", "SP", "ND"]),
    st.integers(1, 999_999),
    st.sampled_from(["M/S", "KSN/S", "Kemensetneg/Set/KTLN", "Setneg/Sesmen"]),
    st.integers(1, 12),
    st.integers(2010, 2099),
)
demo_numbers = st.integers(0, 999_999).map(lambda number: f"DEMO-SMP-{number:06}")


@given(
    letters | demo_numbers,
    st.sampled_from([" ", "  "]),
    st.booleans(),
    st.booleans(),
    st.sampled_from(["cek {}", "{}", "nomor {} ya kak", "({})", "{}?"]),
)
def test_a_simpel_number_is_the_same_in_any_spacing_and_case(number: str, space: str, before: bool, after: bool, around: str) -> None:
    typed = re.sub(r"[/-]", lambda match: (space if before else "") + match.group() + (space if after else ""), number)
    for case in (typed, typed.lower(), typed.upper()):
        found = simpel.find_number(around.format(case))
        assert found is not None, case
        assert simpel.normalise_number(found) == simpel.normalise_number(number), case


@given(st.text(max_size=80))
def test_a_normal_form_is_its_own_normal_form(text: str) -> None:
    assert simpel.normalise_number(simpel.normalise_number(text)) == simpel.normalise_number(text)
