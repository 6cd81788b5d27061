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
from services.spelling import normalise
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
    """The reason, where the first message names one: "permohonan saya tidak dijawab"."""
    reason = fields.Choice(GROUNDS, "grounds").named(message)
    return {"grounds": [reason]} if reason else {}


def request_number(message: str) -> str | Rejection | None:
    """The number, ours or any other that the PPID may have given, also among words; None for who says that there is none."""
    if _HAS_NONE.search(normalise(message)):
        return None
    ours = tickets.normalise_number(message)
    if ours:
        return ours if ours.startswith("PIP-") else Rejection("utter_invalid_request_number")
    value = message.strip().upper()
    among_words = re.search(r"(?<!\S)(?=\S{0,59}\d)[^\s/]{1,40}/\S{1,40}", value)
    value = among_words[0].strip(".,;:") if among_words else value
    return value if 3 <= len(value) <= 60 and re.search(r"\d", value) else Rejection("utter_invalid_request_number")


_HAS_NONE = re.compile(
    r"\b(?:lupa|hilang|tanpa nomor|tidak (?:ada|punya|dapat|diberi|dikasih|tahu|ingat|tercatat|simpan)"
    r"|belum (?:dapat|diberi|dikasih|punya)|forgot|lost|no number|(?:don't|didn't|do not|did not) (?:have|know|get|remember))\b"
)


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
    fields=(
        Field("request_number", request_number, optional=True),
        Field("grounds", fields.SeveralChoices(GROUNDS, "grounds")),
        Field("found_on", past_date),
        Field("statement", fields.text(20, 2000, "utter_invalid_statement"), free_text=True),
        Field("wish", fields.text(3, 500, "utter_invalid_short_text"), optional=True, free_text=True),
        Field("name", fields.name, personal=True, label="nama"),
        Field("contact", fields.contact, personal=True, label="kontak"),
    ),
)
