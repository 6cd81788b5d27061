"""Greets back, in kind where the greeting asks for it."""

from __future__ import annotations

from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.executor import CollectingDispatcher

from actions.replies import language_of, turn_of
from services.greetings import in_kind
from store.database import utc_now


class ActionGreet(Action):
    def name(self) -> str:
        return "action_greet"

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> list[dict[str, Any]]:
        greeting = in_kind(turn_of(tracker).text, utc_now(), language_of(tracker))
        if greeting:
            dispatcher.utter_message(response="utter_greet_in_kind", greeting=greeting)
        else:
            dispatcher.utter_message(response="utter_greet")
        return []
