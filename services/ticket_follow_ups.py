"""What a citizen can add to a ticket that they have opened: a note, a withdrawal, a rating of the answer."""

from __future__ import annotations

from services.fields import Check, Choice, Field, Rejection, agreement, substance
from services.journeys import Journey
from services.ticket_events import MAX_NOTE, MAX_REASON

SATISFACTION = ("tidak_puas", "kurang_puas", "puas", "sangat_puas")
"""The scores 1 to 4 in words."""
TOPICS = ("kanal_aspirasi", "keterbukaan_informasi", "tentang_asisten")


def _anything(maximum: int, response: str) -> Check:
    """Up to `maximum` characters, personal data among them: the text is encrypted and never logged."""

    def check(message: str) -> str | Rejection:
        value = message.strip()
        return value if 1 <= len(value) <= maximum else Rejection(response)

    return check


_note = _anything(MAX_NOTE, "utter_invalid_note")


def _told_at_once(message: str) -> dict[str, str]:
    return {"text": message.strip()} if substance(message, _note) else {}


NOTE = Journey(
    name="note",
    opening=_told_at_once,
    cancelled="utter_stopped_here",
    topics=TOPICS,
    confirm=False,
    fields=(Field("text", _note, personal=True, free_text=True, label="catatan"),),
)
WITHDRAWAL = Journey(
    name="withdrawal",
    cancelled="utter_withdrawal_not_done",
    topics=TOPICS,
    confirm=False,
    fields=(Field("sure", agreement),),
    stops={"sure": (False, "utter_withdrawal_not_done")},
)
RATING = Journey(
    name="rating",
    cancelled="utter_stopped_here",
    topics=TOPICS,
    confirm=False,
    fields=(
        Field("score", Choice(SATISFACTION)),
        Field(
            "reason",
            _anything(MAX_REASON, "utter_invalid_rating_reason"),
            personal=True,
            optional=True,
            free_text=True,
            label="alasan",
        ),
    ),
)
