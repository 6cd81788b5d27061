"""What citizens have filed and said, for tests of the desk."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from services.assembly import Services
from services.calendar import JAKARTA
from services.tickets import Filing, Kind
from store.models import Conversation, Message

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


def at(moment: str) -> datetime:
    return datetime.fromisoformat(moment).replace(tzinfo=JAKARTA)


def say(services: Services, channel: str, *messages: tuple[str, str, str | None]) -> None:
    """A conversation with citizen's messages: moment, answer status, topic."""
    with services.database.session() as session:
        number = len(list(session.query(Conversation)))
        times = [at(moment) for moment, _, _ in messages]
        kept = {"id": f"k{number}", "channel": channel, "locale": "id", "created_at": times[0], "last_at": times[-1]}
        session.add(Conversation(**kept))
        session.flush()
        for seq, (moment, status, topic) in enumerate(messages, 1):
            turn = {"status": status, "topic": topic, "intent": "ask_information"}
            values: dict[str, Any] = {"text": "x", "buttons": [], "sources": [], "turn": turn}
            values |= turn  # in columns of their own as well
            session.add(Message(conversation_id=f"k{number}", seq=seq, author="user", at=at(moment), **values))
