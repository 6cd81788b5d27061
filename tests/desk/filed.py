"""Tickets as citizens file them, for tests of the desk."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from services.assembly import Services
from services.calendar import JAKARTA
from services.tickets import Filing, Kind

REQUEST = {
    "applicant": "wni",
    "details": "Salinan laporan kegiatan kunjungan belajar tahun 2025",
    "purpose": "Bahan penyusunan modul ajar",
    "name": "Siti Rahmawati",
    "address": "Jalan Kenanga 12, Malang",
    "contact": "siti.rahmawati@contoh.id",
    "obtain": "salinan",
    "delivery": "email",
}
ASPIRATION = {"text": "Mohon perbanyak beasiswa untuk anak nelayan di Alor", "topic": "pendidikan", "name": "Budi Santoso"}
OBJECTION = {
    "request_number": "PIP-20261020-7K4Q",
    "grounds": ["tidak_ditanggapi"],
    "found_on": "2026-11-10",
    "statement": "Permohonan saya tidak dijawab sampai batas waktu",
    "name": "Siti Rahmawati",
    "contact": "siti.rahmawati@contoh.id",
}
FIELDS: dict[Kind, dict[str, Any]] = {Kind.INFORMATION_REQUEST: REQUEST, Kind.ASPIRATION: ASPIRATION, Kind.OBJECTION: OBJECTION}
SUBJECTS = {Kind.INFORMATION_REQUEST: "wni", Kind.ASPIRATION: "pendidikan", Kind.OBJECTION: ""}


def file(
    services: Services, kind: Kind = Kind.INFORMATION_REQUEST, moment: str = "", conversation_id: str = "c1", **fields: Any
) -> str:
    """The number of a new ticket, received at `moment` in Jakarta, such as "2026-11-23 10:00", or now."""
    now = datetime.fromisoformat(moment).replace(tzinfo=JAKARTA) if moment else None
    filing = Filing(kind, FIELDS[kind] | fields, SUBJECTS[kind], conversation_id, "id")
    return services.tickets.file(filing, now).number
