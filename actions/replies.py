"""What actions share: the open turn, and small pieces of a reply. Sentences themselves stand in domain.yml."""

from __future__ import annotations

from typing import Any

from rasa_sdk import Tracker
from rasa_sdk.events import SlotSet
from rasa_sdk.executor import CollectingDispatcher

from services.clarification import OFFICER, answer_offer, wish_offer
from services.dates import long_date as long_date
from services.follow_ups import After, LastSaid
from services.knowledge import Finding
from services.knowledge_files import Entry
from services.turn import AnswerStatus, Turn, current

NEAR_THE_UNKNOWN = 2


def turn_of(tracker: Tracker) -> Turn:
    return current(tracker.sender_id, tracker.latest_message.get("text") or "")


def intent_of(tracker: Tracker) -> str:
    return str((tracker.latest_message.get("intent") or {}).get("name"))


def confidence_of(tracker: Tracker) -> float:
    return float((tracker.latest_message.get("intent") or {}).get("confidence") or 0)


def language_of(tracker: Tracker) -> str:
    return "en" if tracker.get_slot("language") == "en" else "id"


def tell_turn(tracker: Tracker, entry: Entry, *, known: bool) -> None:
    """Note for the log that this entry answers, and whether what was asked is known."""
    turn = turn_of(tracker)
    turn.topic, turn.entry = entry.topic, entry.id
    turn.status = AnswerStatus.ANSWERED if known else AnswerStatus.NOT_KNOWN


def utter_entry(dispatcher: CollectingDispatcher, tracker: Tracker, entry: Entry) -> None:
    """Say a knowledge entry with its source and check date."""
    tell_turn(tracker, entry, known=entry.facts.known)
    dispatcher.utter_message(text=entry.answers[language_of(tracker)], json_message={"sources": [entry.source_named()]})


def utter_near(dispatcher: CollectingDispatcher, tracker: Tracker, finding: Finding, *, with_officer: bool = False) -> None:
    """Offer the entries that come near to what was asked, and a person where that was done before in vain."""
    buttons = [button(*answer_offer(hit.entry, language_of(tracker))) for hit in finding.hits]
    if with_officer:
        buttons.append(button(*wish_offer(OFFICER, language_of(tracker))))
    dispatcher.utter_message(response="utter_did_you_mean", buttons=buttons)


def utter_neighbour(dispatcher: CollectingDispatcher, tracker: Tracker, finding: Finding) -> None:
    """Offer what may have been meant instead of the answer just said, where that is close."""
    if finding.neighbour:
        offer = button(*answer_offer(finding.neighbour, language_of(tracker)))
        dispatcher.utter_message(response="utter_or_this", buttons=[offer])


def utter_unknown(dispatcher: CollectingDispatcher, tracker: Tracker, finding: Finding) -> None:
    """Say that there is no information, and what there is near it."""
    near = [button(*answer_offer(hit.entry, language_of(tracker))) for hit in finding.hits[:NEAR_THE_UNKNOWN]]
    dispatcher.utter_message(response="utter_no_information_near" if near else "utter_no_information", buttons=near)


def remember_said(after: After, about: str = "") -> dict[str, Any]:
    """The event that lets the next message lean on what is said now (services/follow_ups.py)."""
    return remember(LastSaid(after, about))


def remember(said: LastSaid) -> dict[str, Any]:
    return dict(SlotSet("last_said", said.as_slot()))


def last_said(tracker: Tracker) -> LastSaid | None:
    return LastSaid.read(tracker.get_slot("last_said"))


def remember_answered(entry: Entry, said: LastSaid) -> list[dict[str, Any]]:
    """The events of an answer by this entry: what was said of it, what the talk is about, and that it was understood."""
    return [remember(said), SlotSet("last_topic", entry.topic), SlotSet("misses", 0)]


def button(title: str, payload: str) -> dict[str, Any]:
    return {"title": title, "payload": payload}
