"""Answers a message of danger with the numbers for its kind, and a threat with one calm sentence."""

from __future__ import annotations

from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.executor import CollectingDispatcher

from actions.replies import turn_of
from services.dangers import sentence_for
from services.turn import AnswerStatus


class ActionCrisis(Action):
    def name(self) -> str:
        return "action_crisis"

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> list[dict[str, Any]]:
        turn = turn_of(tracker)
        turn.status = AnswerStatus.CRISIS
        dispatcher.utter_message(response=sentence_for(turn.text))
        return []
