"""Objections to how an information request was handled: UU 14/2008 art. 35 (grounds a to g) and 36 (30 working days)."""

from __future__ import annotations

import re
from datetime import date
from zoneinfo import ZoneInfo

from services import fields
from services.calendar import UnknownYear, WorkingCalendar
from services.fields import Field, Rejection
from services.journeys import Journey
from store.database import utc_now

GROUNDS = (
    "penolakan",
    "tidak_disediakan_berkala",
    "tidak_ditanggapi",
    "tidak_sesuai_permintaan",
    "tidak_dipenuhi",
    "biaya_tidak_wajar",
    "terlambat",
)
"""In the order of art. 35(1) a to g."""
FILING_DAYS = 30
MONTHS = (
    ["januari", "februari", "maret", "april", "mei", "juni", "juli", "agustus", "september", "oktober", "november", "desember"],
    ["january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december"],
)


def past_date(message: str) -> str | Rejection:
    """A day up to today, as ISO text: "3 November 2026", "03/11/2026" and "2026-11-03" are read."""
    lowered = message.lower()
    iso = re.search(r"\b(20\d{2})-(\d{1,2})-(\d{1,2})\b", lowered)
    numeric = re.search(r"\b(\d{1,2})[/. -](\d{1,2})[/. -](20\d{2})\b", lowered)
    worded = re.search(r"\b(\d{1,2})\s+([a-z]{3,9})\w*\s+(20\d{2})\b", lowered)
    try:
        if iso:
            day = date(int(iso[1]), int(iso[2]), int(iso[3]))
        elif numeric:
            day = date(int(numeric[3]), int(numeric[2]), int(numeric[1]))
        elif worded:
            month = next(n for names in MONTHS for n, m in enumerate(names, 1) if m.startswith(worded[2][:3]))
            day = date(int(worded[3]), month, int(worded[1]))
        else:
            return Rejection("utter_invalid_date")
    except (ValueError, StopIteration):
        return Rejection("utter_invalid_date")
    today = utc_now().astimezone(ZoneInfo("Asia/Jakarta")).date()
    return day.isoformat() if day <= today else Rejection("utter_invalid_future_date")


def is_late(found_on: date, today: date, calendar: WorkingCalendar) -> bool | None:
    """Whether more than 30 working days went by (art. 36(1)); None where the calendar of a year is not known."""
    try:
        return today > calendar.due_date(found_on, FILING_DAYS)
    except UnknownYear:
        return None


JOURNEY = Journey(
    name="objection",
    topics=("keterbukaan_informasi", "pelindungan_data", "tentang_asisten"),
    fields=(
        Field("request_number", fields.request_number),
        Field("grounds", fields.choice(*GROUNDS, several=True)),
        Field("found_on", past_date),
        Field("statement", fields.text(20, 2000, "utter_invalid_statement"), free_text=True),
        Field("wish", fields.text(3, 500, "utter_invalid_short_text"), optional=True, free_text=True),
        Field("name", fields.name, personal=True, label="nama"),
        Field("contact", fields.contact, personal=True, label="kontak"),
    ),
)
