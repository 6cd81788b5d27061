"""Requests for public information under UU 14/2008: who may ask (art. 1 no. 12, 4), what must be given (art. 22)."""

from __future__ import annotations

import re
from typing import Any

from services import fields
from services.fields import Field
from services.journeys import Journey
from services.spelling import normalise
from services.substance import substance

APPLICANTS = ("wni", "badan_hukum", "lainnya")
LOOKED_UP = "_looked_up"
"""Among the fields: the details for which the knowledge was searched, so that a published answer is offered once."""

NAMED_BY = 2
"""Words that name what is wanted ("laporan keuangan"), beside those for wanting it."""


def opening(message: str) -> dict[str, Any]:
    """What the first message already says: who asks, and what for where it says more than that somebody asks."""
    applicant = fields.Choice(APPLICANTS, "applicant").named(message)
    if applicant == "badan_hukum" and not _SPEAKS_FOR_ONE.search(normalise(message)):
        applicant = None
    details = substance(message, _DETAILS, NAMED_BY)
    return ({"applicant": applicant} if applicant in ("wni", "badan_hukum") else {}) | ({"details": details} if details else {})


_ENTITY = "|".join(re.escape(word) for word in ("badan hukum", *fields.choice_words("applicant")["badan_hukum"]))
_WHO = r"(?:kami|saya|ini)(?: (?:dari|adalah|ini|mewakili|pengurus|ketua|staf|anggota|sebuah)){0,3}|sebagai|mewakili|atas nama"
_WHO_IN_ENGLISH = r"(?:we are|i am|i'm|as|from|on behalf of|our)(?: (?:an?|our|the|from)){0,2}"
_SPEAKS_FOR_ONE = re.compile(rf"\b(?:{_WHO}|{_WHO_IN_ENGLISH}) (?:{_ENTITY})\b|\b(?:{_ENTITY}) (?:kami|saya)\b")
"""The legal entity is who asks ("kami dari yayasan …", "LSM kami") and not what is asked about."""
_DETAILS = fields.text(20, fields.STORY_CHARACTERS, "utter_invalid_details")

JOURNEY = Journey(
    name="information",
    opened_by="submit_information_request",
    basis="utter_information_basis",
    topics=("keterbukaan_informasi", "pelindungan_data", "tentang_asisten"),
    subject="permohonan informasi",
    opening=opening,
    told_before=opening,
    story="details",
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
