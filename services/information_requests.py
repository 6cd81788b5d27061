"""Requests for public information under UU 14/2008: who may ask (art. 1 no. 12, 4), what must be given (art. 22)."""

from __future__ import annotations

from services import fields
from services.fields import Field
from services.journeys import Journey

APPLICANTS = ("wni", "badan_hukum", "lainnya")

JOURNEY = Journey(
    name="information",
    topics=("keterbukaan_informasi", "pelindungan_data", "tentang_asisten"),
    fields=(
        Field("applicant", fields.choice(*APPLICANTS)),
        Field("details", fields.text(20, 2000, "utter_invalid_details"), free_text=True),
        Field("purpose", fields.text(5, 500, "utter_invalid_purpose"), free_text=True),
        Field("name", fields.name, personal=True, label="nama"),
        Field("address", fields.address, personal=True, label="alamat"),
        Field("contact", fields.contact, personal=True, label="kontak"),
        Field("obtain", fields.choice("melihat", "salinan")),
        Field("delivery", fields.choice("email", "pos", "ambil_langsung")),
    ),
    stops={"applicant": ("lainnya", "utter_information_only_for_indonesians")},
)
