"""Switches the language of the replies when asked to; otherwise it follows the citizen's own (bot/nlu/language.py)."""

from __future__ import annotations

import re
from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.events import SlotSet
from rasa_sdk.executor import CollectingDispatcher

from actions.replies import last_said, remember, turn_of
from services.assembly import services
from services.follow_ups import After, LastSaid
from services.spelling import normalise


class ActionSwitchLanguage(Action):
    def name(self) -> str:
        return "action_switch_language"

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> list[dict[str, Any]]:
        return switch_language(dispatcher, tracker)


def switch_language(dispatcher: CollectingDispatcher, tracker: Tracker) -> list[dict[str, Any]]:
    """Set the language that the message names, and say so in that language; outside a form with the last answer in it."""
    language = language_named(turn_of(tracker).text)
    dispatcher.utter_message(response=f"utter_language_{language}" if language else "utter_language_not_offered")
    switched = dict(SlotSet("language", language or tracker.get_slot("language")))
    last = last_said(tracker)
    said = services().knowledge.entry(last.about) if last and last.after is After.ENTRY else None
    if language is None or said is None or tracker.active_loop_name:
        return [switched]
    dispatcher.utter_message(text=said.answers[language], json_message={"sources": [said.source_named()]})
    return [switched, remember(LastSaid(After.ENTRY, said.id, language))]


def language_named(message: str) -> str | None:
    """`id` or `en`: the one that is asked for, else the other of the one that is not wanted; None where neither is meant."""
    wanted: dict[str, bool] = {}
    for clause in map(normalise, _CLAUSES.split(message.lower())):
        for language, name in _NAMES.items():
            named = name.search(clause)
            if named:
                wanted.setdefault(language, not _is_negated(clause[: named.start()], clause[named.end() :]))
    asked = next((language for language, is_wanted in wanted.items() if is_wanted), None)
    if asked or _OTHERS.search(normalise(message)):
        return asked
    return next((other for language, other in (("en", "id"), ("id", "en")) if language in wanted), None)


def _is_negated(before: str, behind: str) -> bool:
    return bool((_NEGATION.search(before) and not _WHY.search(before)) or _REFUSAL.match(behind))


_OTHER_LANGUAGES = "jawa|sunda|bali|minang|batak|bugis|arab|mandarin|jepang|daerah"
_NAMES = {
    "en": re.compile(r"\b(?:english|inggris|inggeris|eng)\b"),
    "id": re.compile(rf"indonesia\w*|\bindo\b|\bbahasa\b(?!\s*(?:inggris|inggeris|english|{_OTHER_LANGUAGES}))"),
}
_OTHERS = re.compile(rf"\b(?:{_OTHER_LANGUAGES})\b")
# "no" is "nomor" once it is normalised.
_NEGATION = re.compile(r"\b(?:jangan|tidak|bukan|belum|kurang|not|nomor|don't|dont|doesn't|can't|cannot|without|stop)\b")
_WHY = re.compile(r"\b(?:why|kenapa|mengapa)\b")
_REFUSAL = re.compile(r"\s*(?:nomor|jangan)\b")
_CLAUSES = re.compile(r"[,.;!?]|\b(?:tetapi|tapi|jadi|but|so|just|please)\b")
