"""Enquiries about an internship: a wish to be contacted. Nothing says that registration is open."""

from __future__ import annotations

from services import fields
from services.fields import Field
from services.journeys import Journey

LEVELS = ("sekolah", "perguruan_tinggi", "lulus")

JOURNEY = Journey(
    name="internship",
    opened_by="start_internship",
    topics=("magang", "pelindungan_data", "tentang_asisten"),
    fields=(
        Field("level", fields.Choice(LEVELS, "level")),
        Field("parent", fields.of_age_or_allowed, in_summary=False, when=lambda known: known.get("level") == "sekolah"),
        Field("campus", fields.text(2, 150, "utter_invalid_institution"), free_text=True),
        Field("study", fields.text(2, 100, "utter_invalid_short_answer"), free_text=True),
        Field("semester", fields.text(1, 30, "utter_invalid_short_answer"), free_text=True),
        Field("unit", fields.text(2, 100, "utter_invalid_short_text"), optional=True, free_text=True),
        Field("period", fields.text(3, 100, "utter_invalid_short_answer"), free_text=True),
        Field("name", fields.name, personal=True, label="nama"),
        Field("contact", fields.contact, personal=True, label="kontak"),
    ),
    stops={"level": ("lulus", "utter_internship_only_for_students"), "parent": (False, "utter_internship_without_parent")},
)
