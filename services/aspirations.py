"""Aspirations: what a citizen wants the government to hear. Logged as written; no answer time is promised.

Base: UU 12/2011 with UU 13/2022 art. 96 (input of the public), UU 25/2009 art. 18 and 39 (participation).
"""

from __future__ import annotations

import re
from typing import Any

from services import fields
from services.fields import Field
from services.journeys import Journey
from services.remarks import is_question
from services.spelling import normalise
from services.substance import SUBSTANTIAL_WORDS, substance

OTHER = "lainnya"
TOPICS = ("ekonomi", "hukum", "pendidikan", "kesehatan", "lingkungan", "layanan_setneg", OTHER)
JOINED = "_similar"
"""Among the fields: the number of an aspiration much like this one that the same person sent within a day."""

SAID_BY = 3
"""Words that say an aspiration ("gaji DPR potong separo") where nobody speaks of one ("usul soal gaji DPR", which is a subject)."""
_ERRAND = re.compile(
    r"\b(?:aspi?ra|usul|saran|masukan|kritik|pendapat|une[gk]|titip|samp(?:ai|e)|suggest|feedback|opinion|pesan untuk)"
)


def suggested_topic(text: str) -> str | None:
    """The topic whose words stand in the text most often; None where no topic leads."""
    spelling = f" {normalise(text)} "
    listed = {topic: words for topic, words in fields.choice_words("topic").items() if topic != OTHER}
    counts = {topic: sum(f" {word} " in spelling for word in words) for topic, words in listed.items()}
    best, second = sorted(counts.values(), reverse=True)[:2]
    return next(topic for topic, count in counts.items() if count == best) if best > second else None


def opening(message: str) -> dict[str, Any]:
    """The aspiration itself, where the first message holds it."""
    errand_is_named = _ERRAND.search(normalise(message))
    text = substance(message, _TEXT, SUBSTANTIAL_WORDS if errand_is_named else SAID_BY)
    return {"text": text} if text else {}


def told_before(message: str) -> dict[str, Any]:
    """The same of a message that was answered with the offer to note it; a question is none."""
    text = None if is_question(message) else substance(message, _TEXT)
    return {"text": text} if text else {}


def is_new(known: dict[str, Any]) -> bool:
    """What is joined to an earlier ticket needs no further fields."""
    return not known.get("join")


_TEXT = fields.text(20, fields.STORY_CHARACTERS, "utter_invalid_aspiration_text")

JOURNEY = Journey(
    name="aspiration",
    opened_by="submit_aspiration",
    topics=("kanal_aspirasi", "pelindungan_data", "tentang_asisten"),
    opening=opening,
    told_before=told_before,
    story="text",
    fields=(
        Field("consent", fields.consent, in_summary=False),
        Field("text", _TEXT, free_text=True),
        Field("join", fields.agreement, in_summary=False, when=lambda known: bool(known.get(JOINED))),
        Field("topic", fields.Choice(TOPICS, "topic"), when=is_new),
        Field("policy", fields.text(3, 200, "utter_invalid_short_text"), optional=True, free_text=True, when=is_new),
        Field("place", fields.text(2, 80, "utter_invalid_short_text"), optional=True, free_text=True, when=is_new),
        Field("name", fields.name, personal=True, optional=True, label="nama", when=is_new),
        Field("contact", fields.contact, personal=True, optional=True, label="kontak", when=is_new),
    ),
    stops={"consent": (False, "utter_aspiration_without_consent")},
)
