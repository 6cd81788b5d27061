"""Files a ticket and hands the citizen its receipt, with a link to print it."""

from __future__ import annotations

from typing import Any

from rasa_sdk import Tracker
from rasa_sdk.executor import CollectingDispatcher

from actions.opened_ticket import remember_opened
from actions.replies import language_of, long_date, remember_said, turn_of
from services.assembly import services
from services.follow_ups import After
from services.journeys import CONFIRMATION, KEY
from services.registry import JOURNEY_OF
from services.tickets import WORKING_DAYS, Filing, Kind


def file_ticket(
    dispatcher: CollectingDispatcher, tracker: Tracker, kind: Kind, fields: dict[str, Any], subject: str
) -> list[dict[str, Any]]:
    language = language_of(tracker)
    kept = {name: value for name, value in fields.items() if name != CONFIRMATION.name and not name.startswith("_")}
    receipt = services().tickets.file(Filing(kind, kept, subject, tracker.sender_id, language, fields[KEY]))
    code = turn_of(tracker).hide("kode akses", receipt.access_code)
    link, hours = receipt_link(tracker, receipt.number), services().settings.receipt_hours
    values: dict[str, Any] = {"number": receipt.number, "code": code, "link": link, "hours": hours}
    if receipt.due_on:
        values["due"] = long_date(receipt.due_on, language)
    response = f"utter_{JOURNEY_OF[kind].name}_filed"
    if kind in WORKING_DAYS and receipt.due_on is None:
        response += "_without_due_date"
    dispatcher.utter_message(response=response, **values)
    return [remember_opened(receipt.number), remember_said(After.TICKET, receipt.number)]


def utter_receipt(dispatcher: CollectingDispatcher, tracker: Tracker, number: str) -> None:
    """The link anew: each time it is made it works for as long as the first."""
    link, hours = receipt_link(tracker, number), services().settings.receipt_hours
    dispatcher.utter_message(response="utter_ticket_receipt", number=number, link=link, hours=hours)


def receipt_link(tracker: Tracker, number: str) -> str:
    """A stand-in for the address of the printable receipt, which opens it to whoever knows it."""
    return turn_of(tracker).hide("tautan tanda terima", services().receipts.link(number))
