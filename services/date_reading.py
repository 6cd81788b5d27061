"""Reads a day from what a citizen types: "3 November 2026", "3 nov", "03/11/2026", "2026-11-03", "kemarin", "dua minggu lalu"."""

from __future__ import annotations

import re
from datetime import date, timedelta

from services.dates import MONTHS
from services.number_words import in_figures
from services.spelling import normalise

NEAR = {
    "hari ini": 0,
    "today": 0,
    "tadi": 0,
    "barusan": 0,
    "kemarin dulu": -2,
    "kemarin lusa": -2,
    "kemarin": -1,
    "yesterday": -1,
    "besok": 1,
    "tomorrow": 1,
    "lusa": 2,
}

NUMBERS = {
    word: number for number, word in enumerate("se satu dua tiga empat lima enam tujuh delapan sembilan sepuluh".split()) if number
} | {
    "se": 1,
    "a": 1,
    "one": 1,
    "two": 2,
    "three": 3,
}
DAYS_OF = {"hari": 1, "day": 1, "minggu": 7, "pekan": 7, "week": 7}
_WORDED = re.compile(r"\b(\d{1,2})(?:st|nd|rd|th)?\s+(?:of\s+)?([a-z]{3,9})\w*(?:,?\s+(20\d{2}))?\b")
_ENGLISH = re.compile(r"\b([a-z]{3,9})\s+(\d{1,2})(?:st|nd|rd|th)?(?:,?\s+(20\d{2}))?\b")
_IN_WORDS = re.compile(rf"\b(?:{'|'.join(month[:3] for names in MONTHS.values() for month in names)})", re.IGNORECASE)
"""A month, beside which the day may be dictated in words: "dua Oktober dua ribu dua puluh enam"."""
_AGO = re.compile(
    rf"\b(?:(?P<number>\d{{1,3}}|{'|'.join(NUMBERS)})\s*)?(?P<span>{'|'.join(DAYS_OF)})s?\s+(?:yang\s+)?(?P<when>lalu|kemarin|lampau|ago)\b"
)


WEEKDAYS = {
    name: number
    for number, names in enumerate(
        ("senin monday", "selasa tuesday", "rabu wednesday", "kamis thursday", "jumat jum'at friday", "sabtu saturday", "ahad sunday")
    )
    for name in names.split()
}
_WEEKDAY = re.compile(
    rf"\b(?:(?:minggu|pekan) (?P<before>depan|lalu|kemarin)(?: hari)? )?(?P<day>{'|'.join(WEEKDAYS)}|(?<=hari )minggu)\b"
    r"(?: (?:minggu|pekan) (?P<behind>depan|lalu|kemarin))?"
)
_NUMBERED_MONTH = re.compile(r"\b(\d{1,2}) bulan (1[0-2]|[1-9])(?: (?:tahun )?(20\d{2}|depan|tahun depan|ini))?\b")
_SHORT_YEAR = re.compile(r"\b(\d{1,2})[/.-](\d{1,2})[/.-](\d{2})\b")


def read_date(message: str, today: date, *, to_come: bool) -> date | None:
    """The day that `message` names, or None. A day without a year is the last one, or the next one where it is `to_come`."""
    lowered = in_figures(" ".join(message.lower().split())) if _IN_WORDS.search(message) else message.lower()
    iso = re.search(r"\b(20\d{2})-(\d{1,2})-(\d{1,2})\b", lowered)
    numeric = re.search(r"\b(\d{1,2})[/. -](\d{1,2})[/. -](20\d{2})\b", lowered)
    worded = [found.groups() for found in _WORDED.finditer(lowered)]
    english = [(found[2], found[1], found[3]) for found in _ENGLISH.finditer(lowered)]
    if iso:
        return _day(int(iso[1]), int(iso[2]), int(iso[3]))
    if numeric:
        return _day(int(numeric[3]), int(numeric[2]), int(numeric[1]))
    if short := _SHORT_YEAR.search(lowered):
        return _day(2000 + int(short[3]), int(short[2]), int(short[1]))
    if numbered := _NUMBERED_MONTH.search(in_figures(lowered) if "bulan" in lowered else lowered):
        return _in_month(numbered, today, to_come=to_come)
    for day, name, year in worded + english:
        month = _month(name)
        if month:
            return _day(int(year), month, int(day)) if year else _nearest(month, int(day), today, to_come=to_come)
    spelling, has_figures = f" {normalise(message)} ", re.search(r"\d", lowered)
    if not has_figures and (weekday := _on_weekday(spelling, today, to_come=to_come)):
        return weekday
    ago = None if to_come else _AGO.search(spelling)
    if ago and (ago["number"] or ago["span"] != "hari"):
        number = ago["number"] or "1"
        return today - timedelta(days=(int(number) if number.isdecimal() else NUMBERS[number]) * DAYS_OF[ago["span"]])
    if has_figures:
        return None  # "tanggal 5 kemarin" is not yesterday
    return next((today + timedelta(days=days) for words, days in NEAR.items() if f" {words} " in spelling), None)


def _month(name: str) -> int | None:
    return next((n for names in MONTHS.values() for n, month in enumerate(names, 1) if month.lower().startswith(name[:3])), None)


def _day(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _nearest(month: int, day: int, today: date, *, to_come: bool) -> date | None:
    this_year = _day(today.year, month, day)
    if this_year is None:
        return None
    if to_come:
        return this_year if this_year >= today else _day(today.year + 1, month, day)
    return this_year if this_year <= today else _day(today.year - 1, month, day)


def _in_month(found: re.Match[str], today: date, *, to_come: bool) -> date | None:
    """ "12 bulan 3 tahun depan"."""
    day, month, year = int(found[1]), int(found[2]), found[3]
    if year is None:
        return _nearest(month, day, today, to_come=to_come)
    return _day(int(year) if year.isdecimal() else today.year + ("depan" in year), month, day)


def _on_weekday(spelling: str, today: date, *, to_come: bool) -> date | None:
    """The nearest day of that name on the right side of today, or that of another week: "senin kemarin", "minggu depan hari rabu"."""
    found = _WEEKDAY.search(spelling)
    if found is None:
        return None
    number = WEEKDAYS.get(found["day"], 6)  # "hari minggu" is Sunday, and "minggu" a week
    if week := found["before"] or found["behind"]:
        return today + timedelta(days=number - today.weekday() + (7 if week == "depan" else -7))
    ahead = (number - today.weekday()) % 7 or 7
    return today + timedelta(days=ahead if to_come else (ahead - 7 or -7))
