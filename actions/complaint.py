"""Complaint: names the right channel from the reviewed knowledge, after one question where the kind is unclear. Files nothing."""

from __future__ import annotations

from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.executor import CollectingDispatcher

from actions.answer import say_instead
from actions.complaint_answers import entry_said, say_complaint
from actions.open_danger import say_of
from actions.replies import turn_of
from services.assembly import services
from services.complaints import BULLYING, kind_going_on, kind_of
from services.dangers import Danger, danger_of
from services.denials import rest_of_rejection
from services.remarks import turned_to
from services.turn import AnswerStatus


class ActionComplaint(Action):
    def name(self) -> str:
        return "action_complaint"

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> list[dict[str, Any]]:
        return say_right_channel(dispatcher, tracker)


def say_right_channel(dispatcher: CollectingDispatcher, tracker: Tracker) -> list[dict[str, Any]]:
    said, text = entry_said(tracker), turn_of(tracker).text
    text = turned_to(text) or text
    kind, violent = kind_of(text), danger_of(text, found=False) is Danger.VIOLENCE
    rest = rest_of_rejection(text, said) if said else None
    if said and rest is not None and not violent:
        if kind is None:
            return say_instead(dispatcher, tracker, said, rest)
        kind = kind if kind.entry != said.id else None
    elif said:
        kind = kind_going_on(text, said.id) or kind
    opened = say_of(dispatcher, tracker) if violent else []
    entry = services().knowledge.entry(kind.entry) if kind else None
    if violent and (kind is None or kind.name == BULLYING or entry is None):
        return opened
    if kind is None or entry is None:
        turn_of(tracker).status = AnswerStatus.ASKED_AGAIN
        dispatcher.utter_message(response="utter_which_complaint")
        return []
    return [*opened, *say_complaint(dispatcher, tracker, kind, entry)]
