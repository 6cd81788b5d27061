"""What is said about a danger as long as it is open (services/open_dangers.py)."""

from __future__ import annotations

from typing import Any

from rasa_sdk import Tracker
from rasa_sdk.events import SlotSet
from rasa_sdk.executor import CollectingDispatcher

from actions.replies import last_said, remember_said, turn_of
from services.dangers import Danger, danger_of
from services.follow_ups import After
from services.open_dangers import SLOT, OpenDanger
from services.turn import AnswerStatus
from store.database import utc_now


def open_danger(tracker: Tracker) -> OpenDanger | None:
    return OpenDanger.read(tracker.get_slot(SLOT), last_said(tracker), utc_now())


def remember_danger(danger: OpenDanger) -> list[dict[str, Any]]:
    """The events that keep it open, and let the next message lean on what is said of it now."""
    return [remember_said(After.CRISIS, danger.kind), SlotSet(SLOT, danger.as_slot())]


def say_first(
    dispatcher: CollectingDispatcher, tracker: Tracker, kind: Danger | None, asked: str | None = None
) -> list[dict[str, Any]]:
    """Whom to call in a danger of this kind, which is open from now on. `asked`: the field that a form had asked for."""
    said = OpenDanger.begins(kind, utc_now(), last_said(tracker), asked).starts(turn_of(tracker).text, utc_now())
    for danger in said:
        dispatcher.utter_message(response=danger.told[-1])
    return remember_danger(said[-1])


def say_more(dispatcher: CollectingDispatcher, tracker: Tracker, danger: OpenDanger) -> list[dict[str, Any]]:
    """The further sentence that fits the message."""
    turn = turn_of(tracker)
    turn.status = AnswerStatus.CRISIS
    danger = danger.goes_on(turn.text, utc_now())
    dispatcher.utter_message(response=danger.told[-1])
    return remember_danger(danger)


def say_of(dispatcher: CollectingDispatcher, tracker: Tracker) -> list[dict[str, Any]]:
    """The sentence for a message of danger: a further one where that danger is open already."""
    turn_of(tracker).status = AnswerStatus.CRISIS
    kind, danger = danger_of(turn_of(tracker).text), open_danger(tracker)
    if danger and danger.is_of_writer and kind is Danger.THREAT:
        dispatcher.utter_message(response="utter_crisis_threat")
        return []
    if danger and (danger.is_of_writer or kind in (None, danger.kind)):
        return say_more(dispatcher, tracker, danger)
    return say_first(dispatcher, tracker, kind)
