"""Status of a SIMPEL request and of a ticket: number and access code in, the little that may be said out."""

from __future__ import annotations

import json
from typing import Any

from rasa_sdk import Tracker
from rasa_sdk.executor import CollectingDispatcher

from actions.form import Events, FinishForm, NotMatched, ValidateForm
from actions.opened_ticket import named_ticket, remember_opened, wish_of
from actions.receipts import receipt_link, utter_receipt
from actions.replies import button, language_of, long_date, remember_said, turn_of
from services.assembly import services
from services.follow_ups import After
from services.simpel import SimpelUnavailable
from services.status_checks import SIMPEL, TICKET, holds_another, is_for_someone_else, is_status_alone
from services.ticket_events import Happening
from services.ticket_wishes import Wish, wants_it_spelled
from services.ticket_words import details, history_lines, word
from services.tickets import WORKING_DAYS, TicketView, normalise_number
from services.turn import AnswerStatus

SHOWN_AT_ONCE = 5


class ValidateSimpel(ValidateForm):
    journey = SIMPEL

    def refuse(self, tracker: Tracker) -> str | None:
        """Nobody gets another person's status, and a bare "status" may mean a ticket."""
        text = turn_of(tracker).text
        if is_for_someone_else(text):
            return "utter_other_persons_status"
        return "utter_which_status" if is_status_alone(text) else None


class FinishSimpel(FinishForm):
    journey = SIMPEL

    def finish(self, dispatcher: CollectingDispatcher, tracker: Tracker, fields: dict[str, Any]) -> Events | None:
        try:
            status = services().simpel.check(fields["number"], fields["code"], tracker.sender_id)
        except SimpelUnavailable:
            dispatcher.utter_message(response="utter_simpel_unavailable")
            return None
        if status is None:
            raise NotMatched("utter_simpel_mismatch", {"number": fields["number"]})
        changed = long_date(status.changed_on, language_of(tracker))
        dispatcher.utter_message(response=f"utter_simpel_{status.status.lower()}", changed=changed)
        if holds_another(turn_of(tracker).text):
            dispatcher.utter_message(response="utter_one_at_a_time")
        return [remember_said(After.STATUS, status.status.lower())]


class ValidateTicket(ValidateForm):
    journey = TICKET

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> list[dict[str, Any]]:
        """Tickets filed in this very conversation need no code, and one that was opened with it just now none again."""
        if tracker.get_slot("requested_slot") is None:
            number = normalise_number(turn_of(tracker).text) or next(tracker.get_latest_entity_values("ticket_number"), None)
            own = services().tickets.of_conversation(tracker.sender_id)
            own = [ticket for ticket in own if number in (None, ticket.number)][:SHOWN_AT_ONCE]
            opened = named_ticket(tracker) if turn_of(tracker).follows or wish_of(tracker) else None
            own = own or ([opened] if opened else [])
            if own:
                shown = self._show(dispatcher, tracker, own)
                turn_of(tracker).status = AnswerStatus.ANSWERED
                return [*shown, *self.end(confirmed=False)]
        return super().run(dispatcher, tracker, domain)

    def refuse(self, tracker: Tracker) -> str | None:
        return "utter_which_status" if is_status_alone(turn_of(tracker).text) else None

    @staticmethod
    def _show(dispatcher: CollectingDispatcher, tracker: Tracker, own: list[TicketView]) -> Events:
        wish = wish_of(tracker)
        if len(own) == 1:
            utter_wished(dispatcher, tracker, own[0], wish)
            return [remember_opened(own[0].number), remember_said(After.TICKET, own[0].number)]
        wished = {"wish": wish.value} if wish else {}
        named = [(t.number, f"/check_ticket_status{json.dumps({'ticket_number': t.number, **wished})}") for t in own]
        dispatcher.utter_message(response="utter_ticket_list", buttons=[button(number, payload) for number, payload in named])
        return []


class FinishTicket(FinishForm):
    journey = TICKET

    def finish(self, dispatcher: CollectingDispatcher, tracker: Tracker, fields: dict[str, Any]) -> Events:
        ticket = services().tickets.find(fields["number"], fields["code"], tracker.sender_id)
        if ticket is None:
            raise NotMatched("utter_ticket_mismatch", {"number": fields["number"]})
        utter_ticket(dispatcher, tracker, ticket)
        return [remember_opened(ticket.number), remember_said(After.TICKET, ticket.number)]


def utter_wished(dispatcher: CollectingDispatcher, tracker: Tracker, ticket: TicketView, wish: Wish | None) -> None:
    """The part of the ticket that is wished to be seen, or all of it."""
    if wish is Wish.RECEIPT:
        utter_receipt(dispatcher, tracker, ticket.number)
        return
    if wish is Wish.NOTES and _is_own(tracker, ticket):
        _utter_notes(dispatcher, tracker, ticket)
        return
    if wish is Wish.NUMBER:
        utter_number(dispatcher, tracker, ticket.number)
        return
    if wish is Wish.NOTED and _is_own(tracker, ticket) and notes_on(ticket):
        _utter_notes(dispatcher, tracker, ticket)
        return
    if wish in (Wish.MAY_WITHDRAW, Wish.ACCEPTED) and not ticket.is_closed:
        response = "utter_ticket_may_be_withdrawn" if wish is Wish.MAY_WITHDRAW else "utter_ticket_not_decided"
        dispatcher.utter_message(response=response, number=ticket.number)
        return
    if wish is Wish.DUE and not ticket.is_closed:
        _utter_due(dispatcher, tracker, ticket)
    utter_ticket(dispatcher, tracker, ticket)


def _is_own(tracker: Tracker, ticket: TicketView) -> bool:
    """Filed here: notes hold what only who wrote them should read, as number and code may have been passed on."""
    return any(ticket.number == one.number for one in services().tickets.of_conversation(tracker.sender_id))


def utter_number(dispatcher: CollectingDispatcher, tracker: Tracker, number: str) -> None:
    """The number once more, character by character where that is asked for, and where its code stands."""
    response = "utter_ticket_number_spelled" if wants_it_spelled(turn_of(tracker).text) else "utter_ticket_number"
    dispatcher.utter_message(response=response, number=number, characters=" ".join(number))
    dispatcher.utter_message(response="utter_ticket_code_once")


def notes_on(ticket: TicketView) -> list[str]:
    history = services().ticket_changes.history(ticket.number)
    return [entry.text for entry in history if entry.name is Happening.NOTED and entry.text]


def _utter_notes(dispatcher: CollectingDispatcher, tracker: Tracker, ticket: TicketView) -> None:
    notes = notes_on(ticket)
    if not notes:
        dispatcher.utter_message(response="utter_ticket_without_notes", number=ticket.number)
        return
    listed = "\n".join(f"- {turn_of(tracker).hide('catatan', note)}" for note in notes)
    dispatcher.utter_message(response="utter_ticket_notes", number=ticket.number, notes=listed)


def _utter_due(dispatcher: CollectingDispatcher, tracker: Tracker, ticket: TicketView) -> None:
    """By which day there is an answer, or that no law sets one."""
    if ticket.due_on:
        due = long_date(ticket.due_on, language_of(tracker))
        dispatcher.utter_message(response="utter_ticket_due", number=ticket.number, due=due)
    elif ticket.kind in WORKING_DAYS:
        dispatcher.utter_message(response="utter_ticket_due_in_days", number=ticket.number, days=WORKING_DAYS[ticket.kind])
    else:
        dispatcher.utter_message(response="utter_ticket_without_due_date", number=ticket.number)


def utter_ticket(dispatcher: CollectingDispatcher, tracker: Tracker, ticket: TicketView) -> None:
    """State, history, answer, and what the citizen can do with it now."""
    language, turn = language_of(tracker), turn_of(tracker)
    history = services().ticket_changes.history(ticket.number)
    dispatcher.utter_message(
        response="utter_ticket_status",
        number=ticket.number,
        kind=word(language, "kind", ticket.kind),
        state=word(language, "state", ticket.state),
        details=details(ticket, language),
    )
    dispatcher.utter_message(response="utter_ticket_history", history=history_lines(history, language))
    for entry in history:
        if entry.name is Happening.EXTENDED and entry.text and not ticket.is_closed:
            dispatcher.utter_message(response="utter_ticket_extension_reason", reason=turn.hide("alasan perpanjangan", entry.text))
        if entry.name is Happening.ANSWERED and entry.text:
            dispatcher.utter_message(response="utter_ticket_answer", answer=turn.hide("jawaban petugas", entry.text))
            if entry.data.get("grounds"):
                dispatcher.utter_message(response="utter_ticket_grounds", letters=", ".join(entry.data["grounds"]))
            if services().ticket_files.of(ticket.number):
                files = services().ticket_files
                dispatcher.utter_message(
                    response="utter_ticket_files", link=turn.hide("tautan berkas", files.link(ticket.number)), hours=files.hours
                )
    choices = "open" if not ticket.is_closed else "answered" if ticket.can_be_rated else "withdrawn"
    link = receipt_link(tracker, ticket.number)
    dispatcher.utter_message(response=f"utter_ticket_choices_{choices}", number=ticket.number, link=link)
