"""Answers a message of danger with the numbers for its kind, and a threat with one calm sentence."""

from __future__ import annotations

from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.executor import CollectingDispatcher

from actions.open_danger import say_of
from actions.replies import turn_of
from services.turn import AnswerStatus


class ActionCrisis(Action):
    def name(self) -> str:
        return "action_crisis"

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> list[dict[str, Any]]:
        turn = turn_of(tracker)
        if turn.denies:
            turn.status = AnswerStatus.ANSWERED
            dispatcher.utter_message(response="utter_danger_denied")
            return []
        return say_of(dispatcher, tracker)
