"""Internship enquiry: the form's steps and the enquiry at its end."""

from __future__ import annotations

from typing import Any

from rasa_sdk import Tracker
from rasa_sdk.executor import CollectingDispatcher

from actions.form import Events, FinishForm, ValidateForm
from actions.receipts import file_ticket
from services.internships import JOURNEY
from services.tickets import Kind


class ValidateInternship(ValidateForm):
    journey = JOURNEY


class FinishInternship(FinishForm):
    journey = JOURNEY

    def finish(self, dispatcher: CollectingDispatcher, tracker: Tracker, fields: dict[str, Any]) -> Events:
        return file_ticket(dispatcher, tracker, Kind.INTERNSHIP, fields, subject=fields["level"])
