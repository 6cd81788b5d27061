"""Note, withdrawal and rating: what a citizen does with a ticket that this conversation has opened."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

from rasa_sdk import Tracker
from rasa_sdk.executor import CollectingDispatcher

from actions.beside_form import Beside
from actions.form import Events, FinishForm, ValidateForm
from actions.opened_ticket import SLOT, named_ticket, opened_ticket, remember_opened, wish_of
from actions.replies import remember_said, turn_of
from actions.status import utter_number
from services.assembly import services
from services.follow_ups import After
from services.journeys import KEY
from services.ticket_changes import ChangeRefused
from services.ticket_follow_ups import NOTE, RATING, SATISFACTION, WITHDRAWAL
from services.ticket_wishes import Reach, Wish, find_wish, is_other_wish
from services.tickets import TicketView


def _obstacle(ticket: TicketView | None, *, needs_answer: bool) -> str | None:
    """The sentence that says why the form can't begin."""
    if ticket is None:
        return "utter_ticket_not_opened"
    if needs_answer:
        return None if ticket.can_be_rated else "utter_ticket_not_answered_yet"
    return "utter_ticket_closed_already" if ticket.is_closed else None


class ValidateFollowUp(ValidateForm):
    needs_answer = False

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> list[dict[str, Any]]:
        if tracker.get_slot("requested_slot") is not None:
            return super().run(dispatcher, tracker, domain)
        ticket = named_ticket(tracker)
        obstacle = _obstacle(ticket, needs_answer=self.needs_answer)
        if ticket is None or obstacle:
            dispatcher.utter_message(response=obstacle, number=ticket.number if ticket else None)
            return self.end(confirmed=False)
        self.before_beginning(dispatcher, tracker)
        opened = tracker.get_slot(SLOT) or {}
        kept = [] if opened.get("number") == ticket.number else [remember_opened(ticket.number)]
        return [*kept, *super().run(dispatcher, tracker, domain)]

    def before_beginning(self, dispatcher: CollectingDispatcher, tracker: Tracker) -> None:
        """What is said before the first question."""


class FinishFollowUp(FinishForm):
    def finish(self, dispatcher: CollectingDispatcher, tracker: Tracker, fields: dict[str, Any]) -> Events | None:
        ticket = opened_ticket(tracker)
        if ticket is None:
            dispatcher.utter_message(response="utter_ticket_not_opened")
            return None
        try:
            self.change(ticket.number, fields)
        except ChangeRefused:
            dispatcher.utter_message(response="utter_ticket_closed_already", number=ticket.number)
            return None
        dispatcher.utter_message(response=self.done, number=ticket.number, **self.shown(tracker, fields))
        return [remember_said(After.TICKET, ticket.number)]

    done: str
    """The sentence that says that it is done."""

    def shown(self, tracker: Tracker, fields: dict[str, Any]) -> dict[str, str]:
        """What of the fields that sentence shows."""
        return {}

    @abstractmethod
    def change(self, number: str, fields: dict[str, Any]) -> None:
        """Do what the citizen has asked for. Raises `ChangeRefused`."""


class ValidateNote(ValidateFollowUp):
    journey = NOTE

    def before_beginning(self, dispatcher: CollectingDispatcher, tracker: Tracker) -> None:
        if wish_of(tracker) is Wish.CORRECT:
            dispatcher.utter_message(response="utter_filed_stays")

    def interruption(self, beside: Beside) -> Events | None:
        """A wish for something else is refused as a note and not answered as a question, which has the form go on as if unheard.

        The number is said at once: who asks for it while writing a note needs it.
        """
        turn, ticket = turn_of(beside.tracker), opened_ticket(beside.tracker)
        if ticket and not turn.is_command and find_wish(turn.text, Reach.AT_HAND) is Wish.NUMBER:
            utter_number(beside.dispatcher, beside.tracker, ticket.number)
            return []
        if not turn.is_command and is_other_wish(turn.text):
            return None
        return super().interruption(beside)


class FinishNote(FinishFollowUp):
    journey = NOTE
    done = "utter_note_added"

    def shown(self, tracker: Tracker, fields: dict[str, Any]) -> dict[str, str]:
        return {"note": turn_of(tracker).hide(str(NOTE.fields[0].label), fields["text"])}

    def change(self, number: str, fields: dict[str, Any]) -> None:
        services().ticket_changes.note(number, fields["text"], submission_key=fields[KEY])


class ValidateWithdrawal(ValidateFollowUp):
    journey = WITHDRAWAL


class FinishWithdrawal(FinishFollowUp):
    journey = WITHDRAWAL
    done = "utter_withdrawn"

    def change(self, number: str, fields: dict[str, Any]) -> None:
        services().ticket_changes.withdraw(number, submission_key=fields[KEY])


class ValidateRating(ValidateFollowUp):
    journey = RATING
    needs_answer = True


class FinishRating(FinishFollowUp):
    journey = RATING
    done = "utter_rated"

    def change(self, number: str, fields: dict[str, Any]) -> None:
        score = SATISFACTION.index(fields["score"]) + 1
        services().ticket_changes.rate(number, score, fields.get("reason"), submission_key=fields[KEY])
