"""Aspirations: what a citizen wants the government to hear. Logged as written; no answer time is promised.

Base: UU 12/2011 with UU 13/2022 art. 96 (input of the public), UU 25/2009 art. 18 and 39 (participation).
"""

from __future__ import annotations

from services import fields
from services.fields import Field
from services.journeys import Journey

TOPICS = ("ekonomi", "hukum", "pendidikan", "kesehatan", "lingkungan", "layanan_setneg", "lainnya")

JOURNEY = Journey(
    name="aspiration",
    topics=("kanal_aspirasi", "pelindungan_data", "tentang_asisten"),
    fields=(
        Field("consent", fields.agreement),
        Field("text", fields.text(20, 2000, "utter_invalid_aspiration_text"), free_text=True),
        Field("topic", fields.choice(*TOPICS)),
        Field("policy", fields.text(3, 200, "utter_invalid_short_text"), optional=True, free_text=True),
        Field("place", fields.text(2, 80, "utter_invalid_short_text"), optional=True, free_text=True),
        Field("name", fields.name, personal=True, optional=True, label="nama"),
        Field("contact", fields.contact, personal=True, optional=True, label="kontak"),
    ),
    stops={"consent": (False, "utter_aspiration_without_consent")},
)
