"""Requests for public information under UU 14/2008: who may ask (art. 1 no. 12, 4), what must be given (art. 22)."""

from __future__ import annotations

from typing import Any

from services import fields
from services.fields import Field
from services.journeys import Journey

APPLICANTS = ("wni", "badan_hukum", "lainnya")
LOOKED_UP = "_looked_up"
"""Among the fields: the details for which the knowledge was searched, so that a published answer is offered once."""


def opening(message: str) -> dict[str, Any]:
    """What the first message already says: who asks, and what for where it says more than that somebody asks."""
    applicant = fields.Choice(APPLICANTS, "applicant").named(message)
    details = fields.substance(message, _DETAILS)
    return ({"applicant": applicant} if applicant in ("wni", "badan_hukum") else {}) | ({"details": details} if details else {})


_DETAILS = fields.text(20, 2000, "utter_invalid_details")

JOURNEY = Journey(
    name="information",
    opened_by="submit_information_request",
    basis="utter_information_basis",
    topics=("keterbukaan_informasi", "pelindungan_data", "tentang_asisten"),
    subject="permohonan informasi",
    opening=opening,
    fields=(
        Field("applicant", fields.Choice(APPLICANTS, "applicant")),
        Field("details", _DETAILS, free_text=True),
        Field("purpose", fields.text(5, 500, "utter_invalid_purpose"), free_text=True),
        Field("name", fields.name, personal=True, label="nama"),
        Field("address", fields.address, personal=True, label="alamat"),
        Field("contact", fields.contact, personal=True, label="kontak"),
        Field("obtain", fields.Choice(("melihat", "salinan"), "obtain")),
        Field("delivery", fields.Choice(("email", "pos", "ambil_langsung"), "delivery")),
    ),
    stops={"applicant": ("lainnya", "utter_information_only_for_indonesians")},
)
