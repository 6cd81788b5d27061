"""A citizen's own data: says what is kept, and deletes the conversation when the button for it is pressed."""

from __future__ import annotations

from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.executor import CollectingDispatcher

from actions.replies import turn_of


class ActionManageData(Action):
    def name(self) -> str:
        return "action_manage_data"

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> list[dict[str, Any]]:
        wants_deletion = next(tracker.get_latest_entity_values("data"), None) == "delete"
        turn_of(tracker).delete_afterwards = wants_deletion
        dispatcher.utter_message(response="utter_data_deleted" if wants_deletion else "utter_manage_my_data")
        return []
