"""What actions share: the open turn, and small pieces of a reply. Sentences themselves stand in domain.yml."""

from __future__ import annotations

from datetime import date
from typing import Any

from rasa_sdk import Tracker
from rasa_sdk.executor import CollectingDispatcher

from services.knowledge_files import Entry
from services.turn import AnswerStatus, Turn, current

WEEKDAYS = {
    "id": ["Senin", "Selasa", "Rabu", "Kamis", "Jumat", "Sabtu", "Minggu"],
    "en": ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"],
}
MONTHS = {
    "id": """
        Januari Februari Maret April Mei Juni Juli Agustus September Oktober November Desember
    """.split(),
    "en": """
        January February March April May June July August September October November December
    """.split(),
}


def turn_of(tracker: Tracker) -> Turn:
    return current(tracker.sender_id, tracker.latest_message.get("text") or "")


def language_of(tracker: Tracker) -> str:
    return "en" if tracker.get_slot("language") == "en" else "id"


def long_date(day: date, language: str) -> str:
    """Such as "Senin, 7 Desember 2026" or "Monday, 7 December 2026"."""
    return f"{WEEKDAYS[language][day.weekday()]}, {day.day} {MONTHS[language][day.month - 1]} {day.year}"


def utter_entry(dispatcher: CollectingDispatcher, tracker: Tracker, entry: Entry) -> None:
    """Say a knowledge entry with its source and check date."""
    turn = turn_of(tracker)
    turn.topic, turn.entry = entry.topic, entry.id
    turn.status = AnswerStatus.ANSWERED if entry.facts.known else AnswerStatus.NOT_KNOWN
    source = entry.facts.source
    named = {
        "title": source.title if source.url else f"{source.title}: {source.document}",
        "url": str(source.url) if source.url else None,
        "checked_on": entry.facts.checked_on.isoformat(),
    }
    dispatcher.utter_message(text=entry.answers[language_of(tracker)], json_message={"sources": [named]})


def button(title: str, payload: str) -> dict[str, Any]:
    return {"title": title, "payload": payload}
