"""Request for public information: the form's steps and the registered request at its end."""

from __future__ import annotations

from typing import Any

from rasa_sdk import Tracker
from rasa_sdk.executor import CollectingDispatcher

from actions.form import FinishForm, ValidateForm
from actions.receipts import file_ticket
from actions.replies import utter_entry
from services.assembly import services
from services.information_requests import JOURNEY, PUBLISHED
from services.tickets import Kind


class ValidateInformation(ValidateForm):
    journey = JOURNEY

    def look_up(self, dispatcher: CollectingDispatcher, tracker: Tracker, fields: dict[str, Any]) -> dict[str, Any]:
        """Offer the published answer once the details are known, and again after they were changed."""
        details = fields.get("details")
        if details is None or (fields.get(PUBLISHED) or {}).get("for") == details:
            return fields
        finding = services().knowledge.find(details)
        entry = finding.best if finding.is_certain else None
        if entry and entry.facts.known:
            utter_entry(dispatcher, tracker, entry)
        found = {"for": details, "entry": entry.id if entry and entry.facts.known else None}
        return {name: value for name, value in fields.items() if name != "published"} | {PUBLISHED: found}


class FinishInformation(FinishForm):
    journey = JOURNEY

    def finish(self, dispatcher: CollectingDispatcher, tracker: Tracker, fields: dict[str, Any]) -> None:
        file_ticket(dispatcher, tracker, Kind.INFORMATION_REQUEST, fields, subject=fields["applicant"])
