"""Complaint: names the right channel from the reviewed knowledge, after one question where the kind is unclear. Files nothing."""

from __future__ import annotations

from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.executor import CollectingDispatcher

from actions.open_danger import say_of
from actions.replies import remember_answered, turn_of, utter_entry
from services.assembly import services
from services.complaints import CORRUPTION, kind_of
from services.dangers import Danger, danger_of
from services.turn import AnswerStatus


class ActionComplaint(Action):
    def name(self) -> str:
        return "action_complaint"

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> list[dict[str, Any]]:
        text = turn_of(tracker).text
        kind, violent = kind_of(text), danger_of(text, found=False) is Danger.VIOLENCE
        opened = say_of(dispatcher, tracker) if violent else []
        entry = services().knowledge.entry(kind.entry) if kind else None
        if violent and entry is None:
            return opened
        if kind is None or entry is None:
            turn_of(tracker).status = AnswerStatus.ASKED_AGAIN
            dispatcher.utter_message(response="utter_which_complaint")
            return []
        if kind.name == CORRUPTION:
            dispatcher.utter_message(response="utter_complaint_not_collected")
        utter_entry(dispatcher, tracker, entry)
        return [*opened, *remember_answered(entry)]
