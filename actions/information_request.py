"""Request for public information: the form's steps and the registered request at its end."""

from __future__ import annotations

from typing import Any

from rasa_sdk import Tracker
from rasa_sdk.executor import CollectingDispatcher

from actions.form import Events, FinishForm, ValidateForm
from actions.receipts import file_ticket
from actions.replies import utter_entry
from services import contact_reading
from services.assembly import services
from services.information_requests import JOURNEY, LOOKED_UP
from services.journeys import CONFIRMATION, Step
from services.tickets import Kind


class ValidateInformation(ValidateForm):
    journey = JOURNEY

    def look_up(self, dispatcher: CollectingDispatcher, tracker: Tracker, fields: dict[str, Any]) -> dict[str, Any]:
        """Show what is published already once the details are known, and again after they were changed."""
        details = fields.get("details")
        if details is None or fields.get(LOOKED_UP) == details:
            return fields
        finding = services().knowledge.find(details)
        if finding.best and finding.is_plain and finding.best.facts.known and finding.best.topic not in self.journey.topics:
            utter_entry(dispatcher, tracker, finding.best)
            dispatcher.utter_message(response="utter_published_already")
        return {**fields, LOOKED_UP: details}

    def before_asking(self, dispatcher: CollectingDispatcher, tracker: Tracker, step: Step) -> None:
        """Says that an answer by e-mail has no address to go to."""
        by_email = step.field is CONFIRMATION and step.fields.get("delivery") == "email"
        if by_email and contact_reading.email(step.fields["contact"]) is None:
            dispatcher.utter_message(response="utter_delivery_needs_email")


class FinishInformation(FinishForm):
    journey = JOURNEY

    def finish(self, dispatcher: CollectingDispatcher, tracker: Tracker, fields: dict[str, Any]) -> Events:
        return file_ticket(dispatcher, tracker, Kind.INFORMATION_REQUEST, fields, subject=fields["applicant"])
