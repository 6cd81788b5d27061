"""Switches the language of the replies when asked to; otherwise it follows the citizen's own (bot/nlu/language.py)."""

from __future__ import annotations

import re
from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.events import SlotSet
from rasa_sdk.executor import CollectingDispatcher

from actions.replies import turn_of


class ActionSwitchLanguage(Action):
    def name(self) -> str:
        return "action_switch_language"

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> list[dict[str, Any]]:
        return switch_language(dispatcher, tracker)


def switch_language(dispatcher: CollectingDispatcher, tracker: Tracker) -> list[dict[str, Any]]:
    """Set the language that the message names, and say so in that language."""
    text = turn_of(tracker).text.lower()
    if re.search(r"\b(?:english|inggris|inggeris|eng)\b", text) and not re.search(
        r"\b(?:jangan|not|no)\b.{0,12}(?:english|inggris)", text
    ):
        language, response = "en", "utter_language_en"
    elif re.search(r"indonesi|\bindo\b|\bbahasa\b(?!\s*(?:jawa|sunda|bali|minang|batak|bugis|arab|mandarin|jepang|daerah))", text):
        language, response = "id", "utter_language_id"
    else:
        language, response = tracker.get_slot("language"), "utter_language_not_offered"
    dispatcher.utter_message(response=response)
    return [SlotSet("language", language)]
