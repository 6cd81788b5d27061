"""Answers a question from the reviewed knowledge, offers what is near, or says honestly that it does not know."""

from __future__ import annotations

from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.events import SlotSet
from rasa_sdk.executor import CollectingDispatcher

from actions.complaint_answers import entry_said, say_complaint
from actions.once import answer_once
from actions.open_danger import open_danger, say_more, say_of
from actions.opened_ticket import wish_of
from actions.replies import (
    button,
    language_of,
    last_said,
    remember,
    remember_answered,
    remember_said,
    turn_of,
    utter_entry,
    utter_near,
    utter_neighbour,
    utter_unknown,
)
from services.assembly import services
from services.clarification import answer_offer, offers
from services.complaints import ComplaintKind, kind_going_on, kind_instead_of, kind_of
from services.dangers import Danger, danger_of, only_looks_like_one
from services.denials import rest_of_rejection
from services.follow_ups import AGAINST_THE_ANSWER, STATUS_ENTRY, After, LastSaid, asks_for_next_step, asks_why
from services.knowledge import Finding, Verdict
from services.knowledge_files import Entry
from services.remarks import wants_again
from services.ticket_wishes import Wish
from services.tickets import Kind
from services.turn import AnswerStatus
from services.two_questions import answers

MISSES_BEFORE_OFFICER = 2
FORM_OF_TOPIC = {"setneg_mantul": "utter_offer_visit", "magang": "utter_offer_internship"}
"""What can be asked for here and now, said once where the talk comes to the topic."""
ITS = "nya"
"""So end words for a part of what was spoken of: "jadwalnya"."""
ABOUT_COMPLAINTS = {"pengaduan", "lapor_mas_wapres"}


class ActionAnswer(Action):
    def name(self) -> str:
        return "action_answer"

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> list[dict[str, Any]]:
        last = last_said(tracker)
        if last and last.after is After.STATUS and last.about and (response := _of_status(turn_of(tracker).text, last.about)):
            return _say_of_status(dispatcher, tracker, last, response)
        said = entry_said(tracker)
        chosen = _chosen(tracker) or (said if wants_again(turn_of(tracker).text) else None)
        if chosen:
            return _say_chosen(dispatcher, tracker, chosen)
        of_it = _say_of_the_answer(dispatcher, tracker, said) if said else None
        return _say_found(dispatcher, tracker) if of_it is None else of_it


def _of_status(text: str, status: str) -> str | None:
    """The response to a question for what follows from a SIMPEL status, or why it is so."""
    return f"utter_simpel_next_{status}" if asks_for_next_step(text) else "utter_simpel_no_reason" if asks_why(text) else None


def _say_of_status(dispatcher: CollectingDispatcher, tracker: Tracker, last: LastSaid, response: str) -> list[dict[str, Any]]:
    turn = turn_of(tracker)
    turn.topic, turn.entry, turn.status = "simpel", STATUS_ENTRY, AnswerStatus.ANSWERED
    dispatcher.utter_message(response=response)
    return [remember(last), SlotSet("misses", 0)]


def _chosen(tracker: Tracker) -> Entry | None:
    return services().knowledge.entry(next(tracker.get_latest_entity_values("entry"), ""))


def _say_chosen(dispatcher: CollectingDispatcher, tracker: Tracker, chosen: Entry) -> list[dict[str, Any]]:
    utter_entry(dispatcher, tracker, chosen)
    if wish_of(tracker) is Wish.OBJECT and chosen.id == AGAINST_THE_ANSWER[Kind.INFORMATION_REQUEST]:
        dispatcher.utter_message(response="utter_offer_objection")
    return remember_answered(chosen, LastSaid(After.ENTRY, chosen.id, language_of(tracker)))


def _say_of_the_answer(dispatcher: CollectingDispatcher, tracker: Tracker, said: Entry) -> list[dict[str, Any]] | None:
    """Where the message goes on with the complaint that the answer before was about, or rejects that answer. None for any other."""
    text = turn_of(tracker).text
    if kind := kind_going_on(text, said.id):
        return say_complaint(dispatcher, tracker, kind, said)
    rest = rest_of_rejection(text, said)
    return None if rest is None else say_instead(dispatcher, tracker, said, rest)


def _say_found(dispatcher: CollectingDispatcher, tracker: Tracker) -> list[dict[str, Any]]:
    knowledge, turn, danger = services().knowledge, turn_of(tracker), open_danger(tracker)
    before = turn.follows.entry if turn.follows else None
    finding = knowledge.find_after(turn.text, before) if before else knowledge.find(turn.text, tracker.get_slot("last_topic"))
    if danger and danger.is_of_writer and not (finding.is_certain or (before and finding.verdict is Verdict.ANSWER)):
        return say_more(dispatcher, tracker, danger)
    violence = danger_of(turn.text, found=False) is Danger.VIOLENCE and not only_looks_like_one(turn.text)
    if violence and not finding.is_certain:
        return say_of(dispatcher, tracker)
    return _say(dispatcher, tracker, finding, turn.text, leans=before is not None)


def say_instead(dispatcher: CollectingDispatcher, tracker: Tracker, rejected: Entry, rest: str) -> list[dict[str, Any]]:
    """Answer what stands beside the rejection of the answer before; where that is nothing, ask what was meant."""
    knowledge = services().knowledge
    if not rest:
        turn_of(tracker).status = AnswerStatus.ASKED_AGAIN
        near = [button(*answer_offer(entry, language_of(tracker))) for entry in knowledge.near(rejected.id)]
        dispatcher.utter_message(response="utter_not_what_was_meant", buttons=near)
        return [SlotSet("misses", _misses(tracker) + 1)]
    kind = kind_of(rest) if rejected.topic in ABOUT_COMPLAINTS else None
    if kind and kind.entry != rejected.id and (events := _say_kind(dispatcher, tracker, kind)):
        return events
    finding = knowledge.find(rest, without=rejected.id)
    if finding.verdict is not Verdict.ANSWER or any(word.endswith(ITS) for word in rest.split()):
        finding = knowledge.find(rest, rejected.topic, without=rejected.id)
    return _say(dispatcher, tracker, finding, rest, is_question=True)


def _say(
    dispatcher: CollectingDispatcher,
    tracker: Tracker,
    finding: Finding,
    question: str,
    *,
    leans: bool = False,
    is_question: bool | None = None,
) -> list[dict[str, Any]]:
    """`leans`: on what was said before. `is_question`: whether an answer is wanted, by default as the intent says."""
    best = finding.best
    if is_question is None:
        is_question = tracker.get_intent_of_latest_message() == "ask_information"
    if best and is_question and finding.verdict in (Verdict.ANSWER, Verdict.OFFER):
        kind = kind_instead_of(question, best.id)
        if kind and (events := _say_kind(dispatcher, tracker, kind)):
            return events
    if best and (finding.verdict is Verdict.ANSWER if is_question else finding.is_certain):
        alone = leans or finding.is_close or not is_question
        said = [best] if alone else answers(services().knowledge, question, best)
        events = []
        for entry in said:
            if entry.id == best.id:
                events = answer_once(dispatcher, tracker, entry, leans=leans)
            else:
                utter_entry(dispatcher, tracker, entry)
        turn_of(tracker).topic, turn_of(tracker).entry = best.topic, best.id
        utter_neighbour(dispatcher, tracker, finding)
        offer = FORM_OF_TOPIC.get(best.topic)
        if offer and tracker.get_slot("last_topic") != best.topic:
            dispatcher.utter_message(response=offer)
        return events
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


def _say_kind(dispatcher: CollectingDispatcher, tracker: Tracker, kind: ComplaintKind) -> list[dict[str, Any]]:
    entry = services().knowledge.entry(kind.entry)
    return say_complaint(dispatcher, tracker, kind, entry) if entry else []


def _misses(tracker: Tracker) -> int:
    return int(tracker.get_slot("misses") or 0)
