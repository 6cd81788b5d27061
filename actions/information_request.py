"""Request for public information: the form's steps and the registered request at its end."""

from __future__ import annotations

from typing import Any

from rasa_sdk import Tracker
from rasa_sdk.executor import CollectingDispatcher

from actions.form import FinishForm, ValidateForm
from actions.receipts import file_ticket
from services.information_requests import JOURNEY
from services.tickets import Kind


class ValidateInformation(ValidateForm):
    journey = JOURNEY


class FinishInformation(FinishForm):
    journey = JOURNEY

    def finish(self, dispatcher: CollectingDispatcher, tracker: Tracker, fields: dict[str, Any]) -> None:
        file_ticket(dispatcher, tracker, Kind.INFORMATION_REQUEST, fields, subject=fields["applicant"])
