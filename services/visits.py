"""Enquiries for a group visit to the ministry (Setneg Mantul). No promise is made; the official letter goes outside the chat."""

from __future__ import annotations

import re

from services import fields
from services.calendar import JAKARTA
from services.date_reading import read_date
from services.fields import Field, Rejection
from services.journeys import Journey
from store.database import utc_now

MODES = ("tatap_muka", "virtual", "ke_kampus")


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


JOURNEY = Journey(
    name="visit",
    opened_by="start_visit",
    topics=("setneg_mantul", "istura", "pelindungan_data", "tentang_asisten"),
    fields=(
        Field("kind", fields.Choice(("kantor", "istana"), "kind"), in_summary=False),
        Field("institution", fields.text(3, 150, "utter_invalid_institution"), free_text=True),
        Field("mode", fields.Choice(MODES, "mode")),
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
