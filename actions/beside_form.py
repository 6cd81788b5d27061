"""What is said beside the open question of a form: a question, a greeting, another errand. It is answered, and the form goes on."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any

from rasa_sdk import Tracker
from rasa_sdk.events import SlotSet
from rasa_sdk.executor import CollectingDispatcher

from actions.language import switch_language
from actions.replies import confidence_of, intent_of, turn_of, utter_entry, utter_near, utter_neighbour
from services.assembly import services
from services.fields import Field
from services.journeys import CONFIRMATION, Journey
from services.knowledge import Verdict
from services.registry import ERRANDS
from services.remarks import (
    SURE,
    VERY_SURE,
    announced_question,
    is_grumble,
    is_puzzled,
    is_question,
    is_small_talk,
    turns_aside,
    wants_to_be_told,
    with_question,
)

Events = list[dict[str, Any]]
REMARKS = {
    "thank": "utter_thanked_in_form",
    "greet": "utter_greet_again",
    "bot_challenge": "utter_bot_challenge",
    "help": "utter_help_in_form",
    "talk_to_officer": "utter_talk_to_officer",
    "manage_my_data": "utter_manage_my_data",
    "insult": "utter_insulted_in_form",
    "criticise_bot": "utter_criticised_in_form",
    "out_of_scope": "utter_out_of_scope_in_form",
    **dict.fromkeys(ERRANDS, "utter_finish_first"),
}
NEVER_A_VALUE = {"check_simpel_status", "check_ticket_status"}
ERRAND_WORDS = 6
"""A message of so few words that asks for a status is no place, policy or name ("cek tiket saya")."""
ANYWHERE = {"talk_to_officer", "switch_language", "bot_challenge"}
"""Remarks that are not taken for a value even where any sentence could be one."""
SHORT_WORDS = 15


@dataclass(frozen=True)
class Beside:
    """A message at the question `asked` of a journey."""

    journey: Journey
    dispatcher: CollectingDispatcher
    tracker: Tracker
    asked: Field
    part: str | None = None
    """What of the message is meant, where not all is."""

    @property
    def _text(self) -> str:
        return self.part or turn_of(self.tracker).text

    def answer_alone(self) -> str | None:
        """The answer to the open question, where a question stands behind it, which is answered here."""
        parts = None if self.asked in (CONFIRMATION, self.journey.field_named(self.journey.story or "")) else with_question(self._text)
        if parts is None or not self.asked.accepts(parts[0]):
            return None
        behind = replace(self, part=parts[1])
        if behind._answer() is None:  # perhaps more of the value, unless it plainly begins another thought
            if not turns_aside(parts[1]):
                return None
            self.dispatcher.utter_message(response="utter_no_information")
        return parts[0]

    def answered(self) -> Events | None:
        """Answer what is not an answer to the open question. None where the message should be taken as a value."""
        name, confidence, text, asked = intent_of(self.tracker), confidence_of(self.tracker), self._text, self.asked
        if turn_of(self.tracker).is_command:
            return self._command(name)
        if is_puzzled(text):
            self.dispatcher.utter_message(response="utter_help_in_form")
            return []
        if is_grumble(text) and asked.name != self.journey.story:
            return self._remark("criticise_bot")
        if asked.takes_sentences:
            return self._beside_sentences(name if confidence >= SURE else "", confidence)
        could_be_value = asked.accepts(text)
        if confidence < SURE:  # a question all the same, if not which: it is answered, or known not to be
            return None if could_be_value or not is_question(text) else self._answer()
        if name == "ask_information" and (is_question(text) or (not could_be_value and len(text.split()) > 1)):
            return self._answer()
        if name == "switch_language":
            return switch_language(self.dispatcher, self.tracker)
        if name in ("thank", "greet") and not is_small_talk(text):
            return None
        if name == "out_of_scope" and (asked is CONFIRMATION or not self._is_surely_outside(confidence)):
            return None
        if name not in REMARKS or could_be_value or self.journey.prefill(text) or self._misspells(name):
            return None
        return self._remark(name)

    def _remark(self, intent: str) -> Events:
        """Answer a remark; the form's own errand is under way."""
        response = REMARKS.get(intent) if intent != self.journey.opened_by else None
        self.dispatcher.utter_message(response=response or "utter_help_in_form", errand=intent)
        return []

    def _misspells(self, intent: str) -> bool:
        """Whether the message, with digits and of the form's own errand, gives its number wrongly."""
        return intent == self.journey.opened_by and bool(re.search(r"\d", self._text))

    def _is_surely_outside(self, confidence: float) -> bool:
        """Whether a message that no field wants is about something else ("harga bitcoin"), and no misspelt value."""
        text = self._text
        return len(text.split()) > 1 and not re.search(r"\d", text) and (confidence >= VERY_SURE or is_question(text))

    def _beside_sentences(self, name: str, confidence: float) -> Events | None:
        """The same where any sentence could be the value: only what its words show to be said beside the question is answered."""
        text, asked = self._text, self.asked
        if len(text.split()) > SHORT_WORDS:
            return None
        anywhere = name in ANYWHERE and confidence >= VERY_SURE
        if name == "bot_challenge" and asked.personal and not is_question(text):
            anywhere = False  # "Robot Ginting"
        if anywhere and name == "switch_language":
            return switch_language(self.dispatcher, self.tracker)
        beside = name in NEVER_A_VALUE and confidence >= VERY_SURE and len(text.split()) <= ERRAND_WORDS
        if anywhere or beside or (name in REMARKS and is_small_talk(text)):
            return self._remark(name)
        if is_question(text) or announced_question(text):
            return self._answer()
        if name == "ask_information" and (wants_to_be_told(text) or not asked.accepts(text)):
            return self._answer()
        return None

    def _command(self, name: str) -> Events:
        """A button of an earlier message: its entry is said, and a remark is answered."""
        entry = services().knowledge.entry(next(self.tracker.get_latest_entity_values("entry"), ""))
        if entry:
            utter_entry(self.dispatcher, self.tracker, entry)
            return [SlotSet("last_topic", entry.topic)]
        return self._remark(name)

    def _answer(self) -> Events | None:
        """Answer a question from the knowledge, or say that nothing is known of it. None where it may be a value after all."""
        asked, topics = self.asked, self.journey.topics
        question = announced_question(self._text)
        finding = services().knowledge.find(question or self._text, topics[0], self.journey.subject)
        entry, asks = finding.best, question is not None or is_question(self._text)
        if finding.verdict is Verdict.ANSWER and entry and (asks or not asked.takes_sentences or entry.topic in topics):
            utter_entry(self.dispatcher, self.tracker, entry)
            utter_neighbour(self.dispatcher, self.tracker, finding)
            return [SlotSet("last_topic", entry.topic)]
        if asked.takes_sentences and not asks:
            return None
        if finding.verdict is Verdict.OFFER:
            utter_near(self.dispatcher, self.tracker, finding)
            return []
        if asked.takes_sentences and not asked.personal and question is None:
            return None
        self.dispatcher.utter_message(response="utter_no_information")
        return []
