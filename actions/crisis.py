"""Answers a message of danger with the numbers for its kind, and a threat with one calm sentence."""

from __future__ import annotations

from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.executor import CollectingDispatcher

from actions.replies import remember_said, turn_of
from services.dangers import danger_of, sentence_again, sentence_for
from services.follow_ups import After
from services.turn import AnswerStatus


class ActionCrisis(Action):
    def name(self) -> str:
        return "action_crisis"

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> list[dict[str, Any]]:
        turn = turn_of(tracker)
        turn.status = AnswerStatus.CRISIS
        kind, last = danger_of(turn.text), turn.follows
        if last and last.after is After.CRISIS and kind in (None, last.about):
            dispatcher.utter_message(response=sentence_again(last.about))
            return []
        dispatcher.utter_message(response=sentence_for(kind))
        return [remember_said(After.CRISIS, kind or "")]
