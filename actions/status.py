"""Status of a SIMPEL request and of a ticket: number and access code in, the little that may be said out."""

from __future__ import annotations

from typing import Any

from rasa_sdk import Tracker
from rasa_sdk.executor import CollectingDispatcher

from actions.form import FinishForm, ValidateForm
from actions.replies import language_of, long_date, turn_of
from services.assembly import services
from services.simpel import SimpelUnavailable
from services.status_checks import SIMPEL, TICKET
from services.tickets import TicketView, normalise_number
from services.turn import AnswerStatus

SHOWN_AT_ONCE = 3


class ValidateSimpel(ValidateForm):
    journey = SIMPEL


class FinishSimpel(FinishForm):
    journey = SIMPEL

    def finish(self, dispatcher: CollectingDispatcher, tracker: Tracker, fields: dict[str, Any]) -> None:
        try:
            status = services().simpel.check(fields["number"], fields["code"], tracker.sender_id)
        except SimpelUnavailable:
            dispatcher.utter_message(response="utter_simpel_unavailable")
            return
        if status is None:
            dispatcher.utter_message(response="utter_simpel_mismatch")
            return
        changed = long_date(status.changed_on, language_of(tracker))
        dispatcher.utter_message(response=f"utter_simpel_{status.status.lower()}", changed=changed)


class ValidateTicket(ValidateForm):
    journey = TICKET

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> list[dict[str, Any]]:
        """Tickets filed in this very conversation need no code."""
        if tracker.get_slot("requested_slot") is None:
            number = normalise_number(turn_of(tracker).text)
            own = services().tickets.of_conversation(tracker.sender_id)
            own = [ticket for ticket in own if number in (None, ticket.number)][:SHOWN_AT_ONCE]
            for ticket in own:
                utter_ticket(dispatcher, tracker, ticket)
            if own:
                turn_of(tracker).status = AnswerStatus.ANSWERED
                return self.end(confirmed=False)
        return super().run(dispatcher, tracker, domain)


class FinishTicket(FinishForm):
    journey = TICKET

    def finish(self, dispatcher: CollectingDispatcher, tracker: Tracker, fields: dict[str, Any]) -> None:
        ticket = services().tickets.find(fields["number"], fields["code"], tracker.sender_id)
        if ticket is None:
            dispatcher.utter_message(response="utter_ticket_mismatch")
        else:
            utter_ticket(dispatcher, tracker, ticket)


def utter_ticket(dispatcher: CollectingDispatcher, tracker: Tracker, ticket: TicketView) -> None:
    language = language_of(tracker)
    changed = long_date(ticket.changed_on, language)
    response = f"utter_ticket_{ticket.state}"
    if ticket.due_on:
        dispatcher.utter_message(
            response=f"{response}_with_due_date", number=ticket.number, changed=changed, due=long_date(ticket.due_on, language)
        )
    else:
        dispatcher.utter_message(response=response, number=ticket.number, changed=changed)
