"""Says that something is no matter of this service; to who tells of grief or loneliness with sympathy, and where to turn."""

from __future__ import annotations

from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.executor import CollectingDispatcher

from actions.replies import turn_of
from services.remarks import is_sorrow


class ActionOutOfScope(Action):
    def name(self) -> str:
        return "action_out_of_scope"

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> list[dict[str, Any]]:
        dispatcher.utter_message(response="utter_sorry_to_hear" if is_sorrow(turn_of(tracker).text) else "utter_out_of_scope")
        return []
