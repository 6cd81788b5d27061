"""Days and times as citizens read them, in Indonesian and English, in Jakarta's time."""

from __future__ import annotations

from datetime import date, datetime

from services.calendar import JAKARTA

WEEKDAYS = {
    "id": ["Senin", "Selasa", "Rabu", "Kamis", "Jumat", "Sabtu", "Minggu"],
    "en": ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"],
}
MONTHS = {
    "id": """
        Januari Februari Maret April Mei Juni Juli Agustus September Oktober November Desember
    """.split(),
    "en": """
        January February March April May June July August September October November December
    """.split(),
}


def day_and_month(day: date, language: str) -> str:
    """Such as "7 Desember 2026" or "7 December 2026"."""
    return f"{day.day} {MONTHS[language][day.month - 1]} {day.year}"


def long_date(day: date, language: str) -> str:
    """Such as "Senin, 7 Desember 2026" or "Monday, 7 December 2026"."""
    return f"{WEEKDAYS[language][day.weekday()]}, {day_and_month(day, language)}"


def clock_time(moment: datetime) -> str:
    """Such as "10.05 WIB": hours and minutes in Jakarta."""
    return f"{moment.astimezone(JAKARTA):%H.%M} WIB"
