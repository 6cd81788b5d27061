"""What a citizen can add to a ticket that they have opened: a note, a withdrawal, a rating of the answer."""

from __future__ import annotations

import re

from services.fields import Check, Choice, Field, Rejection, agreement
from services.journeys import KEEPS, Journey
from services.spelling import normalise
from services.ticket_events import MAX_NOTE, MAX_REASON
from services.ticket_wishes import announces_note, is_other_wish, told_note, withdraws, withdraws_that, without_announcement

SATISFACTION = ("tidak_puas", "kurang_puas", "puas", "sangat_puas")
"""The scores 1 to 4 in words."""
_A_NO = re.compile(r"^(?:(?:tidak|jangan|nomor|eh|oh|ah|maaf)\b\W*)+")
_STAYS = re.compile(r"\b(?:tidak|gajadi|gakjadi|jangan|don't)\b.{0,20}\b(?:di)?(?:cabut|tarik|batalkan|withdraw)")
_CALLS_OFF = re.compile(r"\b\w{0,3}batal|\bcancel")
"""May mean the withdrawal as well as the ticket, where no ticket is named."""
TOPICS = ("kanal_aspirasi", "keterbukaan_informasi", "tentang_asisten")


def _anything(maximum: int, response: str) -> Check:
    """Up to `maximum` characters, personal data among them: the text is encrypted and never logged."""

    def check(message: str) -> str | Rejection:
        value = message.strip()
        return value if 1 <= len(value) <= maximum else Rejection(response)

    return check


def _note(message: str) -> str | Rejection:
    """The words of a note, and none that want something else or only say that a note is to come."""
    if is_other_wish(message):
        return Rejection("utter_not_taken_as_note")
    return Rejection("utter_write_it_down") if announces_note(message) else _any_note(without_announcement(message))


def _told_at_once(message: str) -> dict[str, str]:
    told = told_note(message)
    return {"text": without_announcement(told)} if told and len(told) <= MAX_NOTE else {}


_any_note = _anything(MAX_NOTE, "utter_invalid_note")


def _sure(message: str) -> bool | Rejection:
    """An agreement, or the wish to withdraw once more: "cabut aja deh semuanya"."""
    answer, spelling = agreement(message), normalise(message)
    if isinstance(answer, Rejection) and (_STAYS.search(spelling) or KEEPS.fullmatch(_A_NO.sub("", spelling))):
        return False
    wishes_it = withdraws(message) or (withdraws_that(message) and not _CALLS_OFF.search(normalise(message)))
    return True if isinstance(answer, Rejection) and wishes_it else answer


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
    fields=(Field("sure", _sure),),
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
