"""Enquiries for a group visit to the ministry (Setneg Mantul). No promise is made; the official letter goes outside the chat."""

from __future__ import annotations

import re
from typing import Any

from services import fields
from services.calendar import JAKARTA
from services.date_reading import read_date
from services.fields import Field, Rejection
from services.journeys import Journey
from services.plans import institution_of, people_of
from store.database import utc_now

OFFICE, VIRTUAL = "kantor", "virtual"
MODES = ("tatap_muka", VIRTUAL, "ke_kampus")


def day_to_come(message: str) -> str | Rejection:
    """A day after today, as ISO text. Whether it is a working day the calendar says later."""
    today = utc_now().astimezone(JAKARTA).date()
    day = read_date(message, today, to_come=True)
    if day is None:
        return Rejection("utter_invalid_day_to_come")
    return day.isoformat() if day > today else Rejection("utter_invalid_day_to_come")


def group_size(message: str) -> str | Rejection:
    """How many people, in the citizen's own words: "45 siswa dan 3 guru"."""
    value = " ".join(message.split())
    return value if len(value) <= 100 and re.search(r"[1-9]", value) else Rejection("utter_invalid_group_size")


_KIND, _MODE = fields.Choice((OFFICE, "istana"), "kind"), fields.Choice(MODES, "mode")


def opening(message: str) -> dict[str, Any]:
    """What a message says of the visit that it wishes for or asks about."""
    day, mode = day_to_come(message), _MODE.named(message)
    told = {
        "institution": institution_of(message),
        "mode": mode if mode == VIRTUAL else None,  # "ke setneg" need not mean in person
        "date": None if isinstance(day, Rejection) else day,
        "people": people_of(message),
    }
    told = {name: value for name, value in told.items() if value}
    return {"kind": OFFICE, **told} if told and _KIND.named(message) == OFFICE else told


JOURNEY = Journey(
    name="visit",
    opened_by="start_visit",
    opening=opening,
    told_before=opening,
    topics=("setneg_mantul", "istura", "pelindungan_data", "tentang_asisten"),
    fields=(
        Field("kind", _KIND, in_summary=False),
        Field("institution", fields.text(3, 150, "utter_invalid_institution"), free_text=True),
        Field("mode", _MODE),
        Field("date", day_to_come),
        Field("other_date", day_to_come, optional=True),
        Field("people", group_size),
        Field("theme", fields.text(3, 300, "utter_invalid_theme"), free_text=True),
        Field("needs", fields.text(3, 300, "utter_invalid_short_text"), optional=True, free_text=True),
        Field("name", fields.name, personal=True, label="nama"),
        Field("contact", fields.contact, personal=True, label="kontak"),
    ),
    stops={"kind": ("istana", "utter_visit_is_istura")},
)
