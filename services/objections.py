"""Objections to how an information request was handled: UU 14/2008 art. 35 (grounds a to g) and 36 (30 working days)."""

from __future__ import annotations

import re
from datetime import date
from typing import Any

from services import fields, tickets
from services.calendar import JAKARTA, UnknownYear, WorkingCalendar
from services.date_reading import read_date
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


def past_date(message: str) -> str | Rejection:
    """A day up to today, as ISO text."""
    today = utc_now().astimezone(JAKARTA).date()
    day = read_date(message, today, to_come=False)
    if day is None:
        return Rejection("utter_invalid_date")
    return day.isoformat() if day <= today else Rejection("utter_invalid_future_date")


def request_in(message: str) -> dict[str, Any]:
    """The number of the request, where the message holds one."""
    number = tickets.normalise_number(message)
    return {"request_number": number} if number and number.startswith("PIP-") else {}


def opening(message: str) -> dict[str, Any]:
    """The reason and the day it was found on, where the first message names them: "ditolak pada 16 Oktober 2026"."""
    reason = fields.Choice(GROUNDS, "grounds").named(message)
    found = _FOUND_ON.search(message)
    day = past_date(found[1]) if found else Rejection("")
    return ({"grounds": [reason]} if reason else {}) | ({} if isinstance(day, Rejection) else {"found_on": day})


_FOUND_ON = re.compile(
    r"(?<!tidak )(?<!belum )(?<!not )\b(?:mengetahui|diketahui|ditolak|refused|rejected)\b([^.;\n]{0,40}\d[^.;\n]{0,20})",
    re.IGNORECASE,
)


def request_number(message: str) -> str | Rejection | None:
    """The number, ours or any other that the PPID may have given, also among words; None for who says that there is none."""
    if fields.has_none(message):
        return None
    ours = tickets.normalise_number(message)
    if ours:
        return ours if ours.startswith("PIP-") else Rejection("utter_invalid_request_number")
    among_words = _NUMBER_OF_A_LETTER.search(message)
    words = [among_words[0]] if among_words else fields.without_labels(message)
    value = " ".join(words).strip(" .,;:").upper()
    is_number = len(words) <= LONGEST_NUMBER and re.search(r"\d", value) and not _is_date(value)
    return value if is_number and 3 <= len(value) <= 60 else Rejection("utter_invalid_request_number")


def _is_date(value: str) -> bool:
    today = utc_now().astimezone(JAKARTA).date()
    return bool(_DATE.fullmatch(value)) or read_date(value, today, to_come=False) is not None


LONGEST_NUMBER = 3
"""In words: "B 12 2026"."""
_DATE = re.compile(
    r"\d{1,2}[./-]\d{1,2}[./-](?:\d{2}|\d{4})|\d{1,3}\s(?:HARI|MINGGU|BULAN|TAHUN|DAYS?|WEEKS?|MONTHS?|YEARS?)(?:\s.*)?"
)
_NUMBER_OF_A_LETTER = re.compile(r"(?<!\S)(?=\S{0,59}\d)(?!\d{1,2}/\d{1,2}/(?:\d{2}){1,2}(?!\S))[^\s/]{1,40}/\S{1,40}")


def is_late(found_on: date, today: date, calendar: WorkingCalendar) -> bool | None:
    """Whether more than 30 working days went by (art. 36(1)); None where the calendar of a year is not known."""
    try:
        return today > calendar.due_date(found_on, FILING_DAYS)
    except UnknownYear:
        return None


JOURNEY = Journey(
    name="objection",
    opened_by="submit_objection",
    basis="utter_objection_basis",
    topics=("keterbukaan_informasi", "pelindungan_data", "tentang_asisten"),
    subject="keberatan",
    prefill=request_in,
    opening=opening,
    story="statement",
    fields=(
        Field("request_number", request_number, optional=True),
        Field("grounds", fields.SeveralChoices(GROUNDS, "grounds")),
        Field("found_on", past_date),
        Field("statement", fields.text(20, fields.STORY_CHARACTERS, "utter_invalid_statement"), free_text=True),
        Field("wish", fields.text(3, 500, "utter_invalid_short_text"), optional=True, free_text=True),
        Field("name", fields.name, personal=True, label="nama"),
        Field("contact", fields.contact, personal=True, label="kontak"),
    ),
)
