"""Enquiries about an internship: a wish to be contacted. Nothing says that registration is open."""

from __future__ import annotations

from typing import Any

from services import fields
from services.fields import Field
from services.journeys import Journey
from services.plans import institution_of, period_of, semester_of

GRADUATE = "lulus"
LEVELS = ("sekolah", "perguruan_tinggi", GRADUATE)

_LEVEL = fields.Choice(LEVELS, "level")


def opening(message: str) -> dict[str, Any]:
    """What a message says of who wishes for an internship, and for when. Who asks about graduates need not be one."""
    level = _LEVEL.named(message)
    told = {
        "level": level if level != GRADUATE else None,
        "campus": institution_of(message),
        "semester": semester_of(message),
        "period": period_of(message),
    }
    return {name: value for name, value in told.items() if value}


JOURNEY = Journey(
    name="internship",
    opened_by="start_internship",
    opening=opening,
    told_before=opening,
    topics=("magang", "pelindungan_data", "tentang_asisten"),
    fields=(
        Field("level", _LEVEL),
        Field("parent", fields.of_age_or_allowed, in_summary=False, when=lambda known: known.get("level") == "sekolah"),
        Field("campus", fields.text(2, 150, "utter_invalid_institution"), free_text=True),
        Field("study", fields.text(2, 100, "utter_invalid_short_answer"), free_text=True),
        Field("semester", fields.text(1, 30, "utter_invalid_short_answer"), free_text=True),
        Field("unit", fields.text(2, 100, "utter_invalid_short_text"), optional=True, free_text=True),
        Field("period", fields.text(3, 100, "utter_invalid_short_answer"), free_text=True),
        Field("name", fields.name, personal=True, label="nama"),
        Field("contact", fields.contact, personal=True, label="kontak"),
    ),
    stops={"level": (GRADUATE, "utter_internship_only_for_students"), "parent": (False, "utter_internship_without_parent")},
)
