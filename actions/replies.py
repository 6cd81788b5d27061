"""What actions share: the open turn, and small pieces of a reply. Sentences themselves stand in domain.yml."""

from __future__ import annotations

import json
from typing import Any

from rasa_sdk import Tracker
from rasa_sdk.executor import CollectingDispatcher

from services.dates import long_date as long_date
from services.knowledge import Finding
from services.knowledge_files import Entry
from services.turn import AnswerStatus, Turn, current


def turn_of(tracker: Tracker) -> Turn:
    return current(tracker.sender_id, tracker.latest_message.get("text") or "")


def language_of(tracker: Tracker) -> str:
    return "en" if tracker.get_slot("language") == "en" else "id"


def utter_entry(dispatcher: CollectingDispatcher, tracker: Tracker, entry: Entry) -> None:
    """Say a knowledge entry with its source and check date."""
    turn = turn_of(tracker)
    turn.topic, turn.entry = entry.topic, entry.id
    turn.status = AnswerStatus.ANSWERED if entry.facts.known else AnswerStatus.NOT_KNOWN
    dispatcher.utter_message(text=entry.answers[language_of(tracker)], json_message={"sources": [entry.source_named()]})


def utter_near(dispatcher: CollectingDispatcher, tracker: Tracker, finding: Finding) -> None:
    """Offer the entries that come near to what was asked."""
    titles = {hit.entry.id: getattr(hit.entry.facts.title, language_of(tracker)) for hit in finding.hits}
    buttons = [button(title, f"/ask_information{json.dumps({'entry': entry_id})}") for entry_id, title in titles.items()]
    dispatcher.utter_message(response="utter_did_you_mean", buttons=buttons)


def button(title: str, payload: str) -> dict[str, Any]:
    return {"title": title, "payload": payload}
