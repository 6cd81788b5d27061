"""A citizen's own data: what is held, a copy, deletion after a second yes, and where to have it corrected."""

from __future__ import annotations

from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.executor import CollectingDispatcher

from actions.replies import language_of, long_date, turn_of
from actions.status import utter_ticket
from services.assembly import services
from services.own_data import Wish, find_wish
from services.retention import KEPT, Kind
from services.ticket_wishes import withdraws
from services.turn import AnswerStatus

TICKETS_SHOWN = 5


class ActionManageData(Action):
    def name(self) -> str:
        return "action_manage_data"

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> list[dict[str, Any]]:
        turn = turn_of(tracker)
        turn.status = AnswerStatus.ANSWERED
        pressed = next(tracker.get_latest_entity_values("data"), None)
        wish = Wish(pressed) if pressed in set(Wish) else find_wish(turn.text)
        if pressed is None and wish is Wish.ASK_DELETE and withdraws(turn.text):
            dispatcher.utter_message(response="utter_withdrawing_is_not_deleting")
            return []
        (STEPS[wish] if wish else choose)(dispatcher, tracker)
        return []


def choose(dispatcher: CollectingDispatcher, tracker: Tracker) -> None:
    turn_of(tracker).status = AnswerStatus.ASKED_AGAIN
    dispatcher.utter_message(response="utter_manage_my_data")


def see(dispatcher: CollectingDispatcher, tracker: Tracker) -> None:
    held = services().own_data.overview(tracker.sender_id)
    since = long_date(held.since, language_of(tracker))
    counts = {"messages": held.messages, "drafts": len(held.drafts), "tickets": len(held.tickets), "handoffs": held.handoffs}
    dispatcher.utter_message(response="utter_my_data", since=since, **counts)
    for journey in held.drafts:
        dispatcher.utter_message(response=f"utter_my_data_draft_{journey}")
    for ticket in held.tickets[:TICKETS_SHOWN]:
        utter_ticket(dispatcher, tracker, ticket)
    days = services().retention.days()[Kind.CONVERSATIONS]
    dispatcher.utter_message(response="utter_my_data_retention" if days == KEPT else "utter_my_data_retention_days", days=days)


def download(dispatcher: CollectingDispatcher, tracker: Tracker) -> None:
    link = services().own_data.download_link(tracker.sender_id)
    if link is None:
        dispatcher.utter_message(response="utter_download_not_here")
    else:
        dispatcher.utter_message(response="utter_download", link=turn_of(tracker).hide("tautan", link))


def ask_delete(dispatcher: CollectingDispatcher, tracker: Tracker) -> None:
    turn_of(tracker).asks = True
    dispatcher.utter_message(response="utter_delete_explained")
    dispatcher.utter_message(response="utter_delete_confirm")


def delete(dispatcher: CollectingDispatcher, tracker: Tracker) -> None:
    turn_of(tracker).forgets = True
    dispatcher.utter_message(response="utter_data_deleted")


def keep(dispatcher: CollectingDispatcher, tracker: Tracker) -> None:
    dispatcher.utter_message(response="utter_data_kept")


def correct(dispatcher: CollectingDispatcher, tracker: Tracker) -> None:
    dispatcher.utter_message(response="utter_correct_my_data")


STEPS = {
    Wish.SEE: see,
    Wish.DOWNLOAD: download,
    Wish.ASK_DELETE: ask_delete,
    Wish.CORRECT: correct,
    Wish.DELETE: delete,
    Wish.KEEP: keep,
}
