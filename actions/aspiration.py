"""Aspiration: the form's steps and the ticket at its end."""

from __future__ import annotations

from typing import Any

from rasa_sdk import Tracker
from rasa_sdk.executor import CollectingDispatcher

from actions.form import FinishForm, ValidateForm
from actions.receipts import file_ticket
from services.aspirations import JOINED, JOURNEY, suggested_topic
from services.assembly import services
from services.journeys import SUGGESTED
from services.tickets import Kind

LOOKED_AT = "_looked_at"
"""Among the fields: the text that topic and earlier aspirations were looked up for."""


class ValidateAspiration(ValidateForm):
    journey = JOURNEY

    def look_up(self, dispatcher: CollectingDispatcher, tracker: Tracker, fields: dict[str, Any]) -> dict[str, Any]:
        """Once there is consent, suggest a topic from the text, and notice a text much like one that the same person has just sent."""
        text = fields.get("text")
        if text is None or "consent" not in fields or fields.get(LOOKED_AT) == text:
            return fields
        topic = suggested_topic(text)
        if topic and "topic" not in fields:
            dispatcher.utter_message(response=f"utter_aspiration_topic_{topic}")
        kept = {name: value for name, value in fields.items() if name not in (JOINED, "join")}
        similar = services().ticket_duplicates.similar_open(tracker.sender_id, Kind.ASPIRATION, text)
        return {**kept, LOOKED_AT: text, f"{SUGGESTED}topic": topic, JOINED: similar}


class FinishAspiration(FinishForm):
    journey = JOURNEY

    def finish(self, dispatcher: CollectingDispatcher, tracker: Tracker, fields: dict[str, Any]) -> None:
        if fields.get("join"):
            services().ticket_changes.join(fields[JOINED], fields["text"])
            dispatcher.utter_message(response="utter_aspiration_joined", number=fields[JOINED])
            return
        file_ticket(dispatcher, tracker, Kind.ASPIRATION, fields, subject=fields["topic"])
