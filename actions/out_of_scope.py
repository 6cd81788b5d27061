"""Says that something is no matter of this service; to who tells of grief or loneliness with sympathy, and where to turn."""

from __future__ import annotations

from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.executor import CollectingDispatcher

from actions.replies import remember_said, turn_of
from services.follow_ups import After
from services.remarks import is_sorrow


class ActionOutOfScope(Action):
    def name(self) -> str:
        return "action_out_of_scope"

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> list[dict[str, Any]]:
        turn = turn_of(tracker)
        if turn.follows and turn.follows.after is After.SORROW:
            dispatcher.utter_message(response="utter_sorry_again")
            return []
        if is_sorrow(turn.text):
            dispatcher.utter_message(response="utter_sorry_to_hear")
            return [remember_said(After.SORROW)]
        dispatcher.utter_message(response="utter_out_of_scope")
        return []
