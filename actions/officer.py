"""Talking to an officer: the queue inside service hours, the next opening and other ways outside them."""

from __future__ import annotations

from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.executor import CollectingDispatcher

from actions.open_danger import open_danger, say_more
from actions.replies import language_of, long_date, turn_of
from services.assembly import services
from services.handoff import Closed, State
from services.turn import AnswerStatus


class ActionOfficer(Action):
    def name(self) -> str:
        return "action_officer"

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> list[dict[str, Any]]:
        turn_of(tracker).status = AnswerStatus.HANDED_OVER
        step = {"leave": leave, "agree": agree, "decline": decline}.get(next(tracker.get_latest_entity_values("officer"), ""))
        if step is None:
            return ask(dispatcher, tracker)
        step(dispatcher, tracker)
        return []


def ask(dispatcher: CollectingDispatcher, tracker: Tracker) -> list[dict[str, Any]]:
    try:
        place = services().handoffs.ask(tracker.sender_id)
    except Closed as closed:
        return say_closed(dispatcher, tracker, closed)
    except LookupError:  # Rasa's own shell knows no conversation of ours
        dispatcher.utter_message(response="utter_talk_to_officer")
        return []
    if place.agreed is None:
        dispatcher.utter_message(response="utter_officer_queued", position=place.position)
        dispatcher.utter_message(response="utter_officer_consent")
        turn_of(tracker).asks = True
    else:
        dispatcher.utter_message(response="utter_officer_queued_already", position=place.position)
    return []


def say_closed(dispatcher: CollectingDispatcher, tracker: Tracker, closed: Closed) -> list[dict[str, Any]]:
    """When officers are there again; in a danger who listens now instead."""
    turn_of(tracker).status = AnswerStatus.ANSWERED
    danger = open_danger(tracker)
    if danger and danger.is_of_writer:
        return say_more(dispatcher, tracker, danger)
    if closed.opens_at is None:
        dispatcher.utter_message(response="utter_officer_calendar_unknown", year=closed.unknown_year)
    else:
        day, hour = long_date(closed.opens_at.date(), language_of(tracker)), f"{closed.opens_at:%H.%M}"
        dispatcher.utter_message(response="utter_officer_closed", day=day, hour=hour)
    dispatcher.utter_message(response="utter_officer_leave_ticket")
    return []


def leave(dispatcher: CollectingDispatcher, tracker: Tracker) -> None:
    place = services().handoffs.place(tracker.sender_id)
    if not services().handoffs.leave(tracker.sender_id):
        dispatcher.utter_message(response="utter_officer_not_queued")
    elif place and place.state is State.ACTIVE:
        dispatcher.utter_message(response="utter_officer_handed_back")
    else:
        dispatcher.utter_message(response="utter_officer_left")


def agree(dispatcher: CollectingDispatcher, tracker: Tracker) -> None:
    answer(dispatcher, tracker, agreed=True)


def decline(dispatcher: CollectingDispatcher, tracker: Tracker) -> None:
    answer(dispatcher, tracker, agreed=False)


def answer(dispatcher: CollectingDispatcher, tracker: Tracker, *, agreed: bool) -> None:
    if not services().handoffs.answer(tracker.sender_id, agreed=agreed):
        dispatcher.utter_message(response="utter_officer_not_queued")
    else:
        dispatcher.utter_message(response="utter_officer_agreed" if agreed else "utter_officer_declined")
