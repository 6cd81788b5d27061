"""What a message means that leans on what the assistant said last: "berapa lama" after an answer, "cabut saja" after a ticket.

bot/nlu/follow_up_model.py tells what a message is after each kind of thing said; it learns that from data/follow_ups.csv.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from services.spelling import normalise
from services.status_checks import TICKET
from services.ticket_wishes import Wish
from services.tickets import Kind


class After(StrEnum):
    """What was said last."""

    ENTRY = "entry"
    """An answer of the knowledge."""
    STATUS = "status"
    """Of a SIMPEL request."""
    TICKET = "ticket"
    """One that was filed or shown."""
    CRISIS = "crisis"
    """Whom to call in danger."""
    SORROW = "sorrow"
    """A word of sympathy."""
    UNKNOWN = "unknown"
    """That there is no information."""
    CANCELLED = "cancelled"
    """That a form is called off. The classifier knows nothing of it."""


class Meant(StrEnum):
    """What the citizen writes next."""

    ASK = "ask"
    """Asks on, or tells what a question would: "IPK saya 2,9"."""
    ERRAND = "errand"
    """Wants to do now what was spoken of: "ya sudah, lewat sini saja"."""
    DUE = "due"
    NOTE = "note"
    WITHDRAW = "withdraw"
    DANGER = "danger"
    """Goes on about it: "percuma, tidak diangkat"."""
    OWN = "own"
    """Needs nothing of what was said to be understood."""


@dataclass(frozen=True)
class LastSaid:
    after: After
    about: str = ""
    """The entry's id, the ticket's number, the kind of danger, the intent of a form, or a SIMPEL status in small letters."""
    language: str = ""
    """Of an entry: in which its whole answer was said, where it was."""
    parts: tuple[str, ...] = ()
    """Of an entry: what was said of it alone, or in its place. Places of sentences in its answer, and names of responses."""

    @classmethod
    def read(cls, slot: dict[str, Any] | None) -> LastSaid | None:
        """What `as_slot` wrote; None for nothing."""
        return cls(After(slot["after"]), slot["about"], slot.get("language", ""), tuple(slot.get("parts", ()))) if slot else None

    def as_slot(self) -> dict[str, Any]:
        known = {"after": self.after.value, "about": self.about}
        return {**known, "language": self.language, "parts": list(self.parts)} if self.language or self.parts else known

    def has_said(self, entry: str, language: str) -> bool:
        """Whether the whole answer of an entry was said last, in this language."""
        return self.after is After.ENTRY and (self.about, self.language) == (entry, language)

    @property
    def entry(self) -> str | None:
        """The knowledge entry whose subject a question leaves unsaid."""
        if self.after is After.ENTRY:
            return self.about
        if self.after is After.STATUS:
            return STATUS_ENTRY
        return ENTRY_OF_TICKET[Kind(self.about[:3])] if self.after is After.TICKET else None


STATUS_ENTRY = "simpel_arti_status"
ENTRY_OF_TICKET = {
    Kind.ASPIRATION: "kanal_aspirasi_status",
    Kind.INFORMATION_REQUEST: "keterbukaan_informasi_tenggat",
    Kind.OBJECTION: "keterbukaan_informasi_keberatan_tenggat",
    Kind.VISIT: "setneg_mantul_cara_daftar",
    Kind.INTERNSHIP: "magang_tahapan",
}
ERRAND_OF_ENTRY = {
    "kanal_aspirasi_status": "check_ticket_status",
    "kanal_aspirasi": "submit_aspiration",
    "keterbukaan_informasi_keberatan": "submit_objection",
    "keterbukaan_informasi": "submit_information_request",
    "setneg_mantul": "start_visit",
    "istura": "start_visit",
    "magang": "start_internship",
    "simpel": "check_simpel_status",
    "pengaduan": "report_complaint",
    "pelindungan_data": "manage_my_data",
    "tentang_asisten_hapus_percakapan": "manage_my_data",
    "tentang_asisten_pencatatan": "manage_my_data",
    "jdih": "submit_information_request",
    "webinar_untidar": "submit_information_request",
    "ai_big_data_perundangan": "submit_information_request",
}
"""By how the id of the entry begins; the first that fits."""
AGAINST_THE_ANSWER = {
    Kind.INFORMATION_REQUEST: "keterbukaan_informasi_keberatan",
    Kind.OBJECTION: "keterbukaan_informasi_sengketa",
}
"""The entry that says what can be done where the answer to a ticket is late or a refusal. For other kinds no law gives a way."""
OFFERED_WHERE_UNKNOWN = "submit_information_request"


_ON = r"(?:terus|lalu|jadi|so|then|and|oke|iya|(?:h?abis|setelah) ini|sekarang)"
_ONE = r"(?:saya|aku|gue|kami|i|kak|min|pak|bu|dong|ini|lagi|now)"
_NEXT = re.compile(
    rf"^(?:{_ON} )+(?:{_ONE} )*(?:bagaimana|ngapain|apa|what)(?: {_ONE})*\W*$|\b(?:harus|mesti|kudu|perlu|sebaiknya)(?: {_ONE})* "
    r"(?:apa|bagaimana|diapain|berbuat)\b|\bngapain\b|\b(?:langkah|tindakan)\b.{0,15}\b(?:berikut\w*|selanjutnya|apa)\b"
    r"|\b(?:selanjutnya|berikutnya)\b.{0,12}\b(?:apa|bagaimana)\b"
    r"|\bwhat (?:should|do|must|can) i do\b|\bwhat(?:'s| is)? (?:next|now)\b|\bnext steps?\b"
    r"|\bsiapa (?:yang )?(?:pegang|megang|memegang|proses|memproses)\b|\bwho (?:has|holds|is handling) (?:it|my (?:file|request))\b"
)
LONGEST_NEXT = 8
"""In words: a longer message asks for something of its own."""


def asks_for_next_step(text: str) -> bool:
    """Whether it is asked what to do now, and of nothing else: "trus saya harus ngapain", "what next"."""
    spelling = normalise(text)
    return len(spelling.split()) <= LONGEST_NEXT and bool(_NEXT.search(spelling))


_REASON = r"(?:kenapa|mengapa|kok bisa|naha|ngopo|kunaon|why|how come|alasannya(?: apa)?|apa alasannya)"
_WHY = re.compile(rf"(?:{_ON} |{_ONE} |kok |lho |but )*{_REASON}(?: {_ONE}| ya| iya)*\W*")


def asks_why(text: str) -> bool:
    """Whether nothing but the reason is asked for: "kok bisa?", "why?"."""
    return bool(_WHY.fullmatch(normalise(text)))


def intent_meant(meant: Meant, last: LastSaid) -> tuple[str, dict[str, str]] | None:
    """Intent and entities of a message that means this after `last`; None where it has to be understood by itself."""
    if meant is Meant.ASK:
        return "ask_information", {}
    if meant is Meant.DANGER:
        return ("out_of_scope" if last.after is After.SORROW else "crisis"), {}
    if meant is Meant.ERRAND:
        intent = OFFERED_WHERE_UNKNOWN if last.after is After.UNKNOWN else _errand(last.entry)
        return (intent, {}) if intent else None
    if meant in _OF_TICKETS and last.after is After.TICKET:
        wish = _OF_TICKETS[meant]
        return OF_TICKET.get(wish, str(TICKET.opened_by)), {"ticket_number": last.about, "wish": wish.value}
    return None


NOTE_ON_TICKET = "note_on_ticket"
OF_TICKET = {Wish.NOTE: NOTE_ON_TICKET, Wish.CORRECT: NOTE_ON_TICKET, Wish.WITHDRAW: "withdraw_ticket"}
"""The intents of wishes that have one of their own; the others are told where the ticket is shown."""
_OF_TICKETS = {Meant.DUE: Wish.DUE, Meant.NOTE: Wish.NOTE, Meant.WITHDRAW: Wish.WITHDRAW}


def _errand(entry: str | None) -> str | None:
    return next((intent for begins, intent in ERRAND_OF_ENTRY.items() if (entry or "").startswith(begins)), None)
