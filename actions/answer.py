"""Answers a question from the reviewed knowledge, offers what is near, or says honestly that it does not know."""

from __future__ import annotations

from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.events import SlotSet
from rasa_sdk.executor import CollectingDispatcher

from actions.open_danger import open_danger, say_more, say_of
from actions.replies import button, language_of, remember_answered, remember_said, turn_of, utter_entry, utter_near, utter_unknown
from services.assembly import services
from services.clarification import offers
from services.dangers import Danger, danger_of
from services.follow_ups import After
from services.knowledge import Finding, Verdict
from services.turn import AnswerStatus
from services.two_questions import answers

MISSES_BEFORE_OFFICER = 2
FORM_OF_TOPIC = {"setneg_mantul": "utter_offer_visit", "magang": "utter_offer_internship"}
"""What can be asked for here and now, said once where the talk comes to the topic."""


class ActionAnswer(Action):
    def name(self) -> str:
        return "action_answer"

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> list[dict[str, Any]]:
        knowledge = services().knowledge
        chosen = knowledge.entry(next(tracker.get_latest_entity_values("entry"), ""))
        if chosen:
            utter_entry(dispatcher, tracker, chosen)
            return remember_answered(chosen)
        turn = turn_of(tracker)
        before = turn.follows.entry if turn.follows else None
        finding = knowledge.find_after(turn.text, before) if before else knowledge.find(turn.text, tracker.get_slot("last_topic"))
        danger = open_danger(tracker)
        if danger and danger.is_of_writer and not (finding.is_certain or (before and finding.verdict is Verdict.ANSWER)):
            return say_more(dispatcher, tracker, danger)
        if not finding.is_certain and danger_of(turn.text, found=False) is Danger.VIOLENCE:
            return say_of(dispatcher, tracker)
        return self._say(dispatcher, tracker, finding, before)

    def _say(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, finding: Finding, before: str | None = None
    ) -> list[dict[str, Any]]:
        """`before`: the entry that the question leans on."""
        best = finding.best
        is_question = tracker.get_intent_of_latest_message() == "ask_information"
        if best and (finding.verdict is Verdict.ANSWER if is_question else finding.is_certain):
            said = answers(services().knowledge, turn_of(tracker).text, best) if is_question and not before else [best]
            if best.id == before:
                dispatcher.utter_message(response="utter_no_more_known")
            for entry in said:
                utter_entry(dispatcher, tracker, entry)
            turn_of(tracker).topic, turn_of(tracker).entry = best.topic, best.id
            offer = FORM_OF_TOPIC.get(best.topic)
            if offer and tracker.get_slot("last_topic") != best.topic:
                dispatcher.utter_message(response=offer)
            return remember_answered(best)
        turn = turn_of(tracker)
        if best and finding.verdict is Verdict.OFFER and is_question:
            turn.status = AnswerStatus.ASKED_AGAIN
            misses = _misses(tracker) + 1
            utter_near(dispatcher, tracker, finding, with_officer=misses >= MISSES_BEFORE_OFFICER)
            return [SlotSet("misses", misses)]
        if is_question:
            turn.status = AnswerStatus.NOT_KNOWN
            utter_unknown(dispatcher, tracker, finding)
            return [remember_said(After.UNKNOWN), SlotSet("misses", 0)]
        return say_not_understood(dispatcher, tracker, finding)


def say_not_understood(dispatcher: CollectingDispatcher, tracker: Tracker, finding: Finding) -> list[dict[str, Any]]:
    """Offer what came near, or ask for other words; after two misses in a row offer a person."""
    turn_of(tracker).status = AnswerStatus.ABSTAINED
    misses = _misses(tracker) + 1
    ranking = tracker.latest_message.get("intent_ranking") or []
    near = offers(ranking, finding, language_of(tracker)) if misses < MISSES_BEFORE_OFFICER else []
    if near:
        dispatcher.utter_message(response="utter_not_understood_near", buttons=[button(*one) for one in near])
    else:
        dispatcher.utter_message(response="utter_not_understood" if misses < MISSES_BEFORE_OFFICER else "utter_not_understood_again")
    return [SlotSet("misses", misses)]


def _misses(tracker: Tracker) -> int:
    return int(tracker.get_slot("misses") or 0)
