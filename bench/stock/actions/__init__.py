"""The least that stock Rasa needs to answer: one fixed text and forms that fill nothing, so that no search is charged to it."""

from pathlib import Path
from typing import Any

import yaml
from rasa_sdk import Action, Tracker
from rasa_sdk.executor import CollectingDispatcher


class ActionAnswer(Action):
    def name(self) -> str:
        return "action_answer"

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> list[dict[str, Any]]:
        dispatcher.utter_message(text="Jawaban tetap untuk pengukuran.")
        return []


def _idle(name: str) -> type[Action]:
    """An action that does nothing, under the name that the domain calls it by."""
    return type(name, (Action,), {"name": lambda self: name, "run": lambda self, dispatcher, tracker, domain: []})


_names = yaml.safe_load(Path("domain.yml").read_text(encoding="utf-8"))["actions"]
IDLE = [_idle(name) for name in _names if name != "action_answer"]
