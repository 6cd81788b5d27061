"""Objection: the form's steps and the registered objection at its end; a late one is taken and marked."""

from __future__ import annotations

from datetime import date
from typing import Any

from rasa_sdk import Tracker
from rasa_sdk.executor import CollectingDispatcher

from actions.form import Events, FinishForm, ValidateForm
from actions.receipts import file_ticket
from services.assembly import services
from services.calendar import JAKARTA
from services.journeys import CONFIRMATION, Outcome, Step
from services.objections import JOURNEY, is_late
from services.tickets import Kind
from store.database import utc_now


def _is_late(fields: dict[str, Any]) -> bool | None:
    return is_late(date.fromisoformat(fields["found_on"]), utc_now().astimezone(JAKARTA).date(), services().calendar)


class ValidateObjection(ValidateForm):
    journey = JOURNEY

    def before_asking(self, dispatcher: CollectingDispatcher, tracker: Tracker, step: Step) -> None:
        """Says how a request without its number is found, when it turns out to have none; and before it is sent that it is late."""
        if step.field is CONFIRMATION and _is_late(step.fields):
            dispatcher.utter_message(response="utter_objection_late")
        has_none = step.fields.get("request_number", "") is None
        if has_none and step.outcome is Outcome.ASK and tracker.get_slot("objection_request_number") is None:
            dispatcher.utter_message(response="utter_objection_without_number")


class FinishObjection(FinishForm):
    journey = JOURNEY

    def finish(self, dispatcher: CollectingDispatcher, tracker: Tracker, fields: dict[str, Any]) -> Events:
        return file_ticket(dispatcher, tracker, Kind.OBJECTION, {**fields, "late": _is_late(fields)}, subject=fields["grounds"][0])
