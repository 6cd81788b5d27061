"""Aspiration: the form's steps and the ticket at its end."""

from __future__ import annotations

from typing import Any

from rasa_sdk import Tracker
from rasa_sdk.executor import CollectingDispatcher

from actions.form import Events, FinishForm, ValidateForm
from actions.receipts import file_ticket
from actions.replies import language_of, remember_said
from services.aspirations import JOINED, JOURNEY, suggested_topic
from services.assembly import services
from services.follow_ups import After
from services.journeys import CONFIRMATION, KEY, SUGGESTED, Outcome, Step
from services.ticket_changes import ChangeRefused
from services.tickets import Kind
from services.value_words import shown

LOOKED_AT = "_looked_at"
"""Among the fields: the text that topic and earlier aspirations were looked up for."""


class ValidateAspiration(ValidateForm):
    journey = JOURNEY

    def look_up(self, dispatcher: CollectingDispatcher, tracker: Tracker, fields: dict[str, Any]) -> dict[str, Any]:
        """Once there is consent, find the topic that the text suggests, and notice a text like one that the person has just sent."""
        text = fields.get("text")
        if text is None or "consent" not in fields or fields.get(LOOKED_AT) == text:
            return fields
        topic = suggested_topic(text)
        kept = {name: value for name, value in fields.items() if name not in (JOINED, "join")}
        similar = services().ticket_duplicates.similar_open(tracker.sender_id, Kind.ASPIRATION, text)
        return {**kept, LOOKED_AT: text, f"{SUGGESTED}topic": topic, JOINED: similar}

    def before_asking(self, dispatcher: CollectingDispatcher, tracker: Tracker, step: Step) -> None:
        topic = step.fields.get(f"{SUGGESTED}topic")
        if topic and step.field is not None and step.field.name == "topic" and step.outcome is Outcome.ASK:
            label = shown(topic, language_of(tracker))
            dispatcher.utter_message(response="utter_aspiration_topic_suggested", topic=label)


class FinishAspiration(FinishForm):
    journey = JOURNEY

    def _finish(self, dispatcher: CollectingDispatcher, tracker: Tracker, fields: dict[str, Any]) -> Events:
        """As in every form; where staff have closed the other aspiration meanwhile, this one stays as a draft of its own."""
        try:
            return super()._finish(dispatcher, tracker, fields)
        except ChangeRefused:
            of_joining = (JOINED, "join", LOOKED_AT, CONFIRMATION.name)
            alone = {name: value for name, value in fields.items() if name not in of_joining}
            services().drafts.write(tracker.sender_id, JOURNEY.name, alone)
            dispatcher.utter_message(response="utter_ticket_closed_already", number=fields[JOINED])
            dispatcher.utter_message(response="utter_form_kept", opened_by=JOURNEY.opened_by)
            return []

    def finish(self, dispatcher: CollectingDispatcher, tracker: Tracker, fields: dict[str, Any]) -> Events:
        if fields.get("join"):
            services().ticket_changes.join(fields[JOINED], fields["text"], submission_key=fields[KEY])
            dispatcher.utter_message(response="utter_aspiration_joined", number=fields[JOINED])
            return [remember_said(After.TICKET, fields[JOINED])]
        return file_ticket(dispatcher, tracker, Kind.ASPIRATION, fields, subject=fields["topic"])
