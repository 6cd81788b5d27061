"""Group visit: the form's steps and the enquiry at its end."""

from __future__ import annotations

from datetime import date
from typing import Any

from rasa_sdk import Tracker
from rasa_sdk.executor import CollectingDispatcher

from actions.form import Events, FinishForm, ValidateForm
from actions.receipts import file_ticket
from actions.replies import language_of, long_date
from services.assembly import services
from services.tickets import Kind
from services.visits import JOURNEY


class ValidateVisit(ValidateForm):
    journey = JOURNEY

    def look_up(self, dispatcher: CollectingDispatcher, tracker: Tracker, fields: dict[str, Any]) -> dict[str, Any]:
        """Visits are on working days only: another day is asked for again, with the reason."""
        kept = dict(fields)
        for name in ("date", "other_date"):
            if kept.get(name) and not services().calendar.may_be_working_day(date.fromisoformat(kept[name])):
                day = long_date(date.fromisoformat(kept.pop(name)), language_of(tracker))
                dispatcher.utter_message(response="utter_visit_not_a_working_day", day=day)
        return kept


class FinishVisit(FinishForm):
    journey = JOURNEY

    def finish(self, dispatcher: CollectingDispatcher, tracker: Tracker, fields: dict[str, Any]) -> Events:
        return file_ticket(dispatcher, tracker, Kind.VISIT, fields, subject=fields["mode"])
