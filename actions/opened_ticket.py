"""Which ticket this conversation may act on: one that it filed, or one that number and access code have opened just now.

The slot holds the number and a time, never the code, and only actions can set it. A number that a citizen types names a ticket to act
on only among those.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from rasa_sdk import Tracker
from rasa_sdk.events import SlotSet

from services.assembly import services
from services.ticket_wishes import Wish, still_open
from services.tickets import TicketView
from store.database import utc_now

SLOT = "opened_ticket"
OPEN_FOR = timedelta(minutes=30)


def remember_opened(number: str) -> dict[str, Any]:
    return dict(SlotSet(SLOT, {"number": number, "until": (utc_now() + OPEN_FOR).isoformat()}))


def named_ticket(tracker: Tracker) -> TicketView | None:
    """The ticket that a button or the message names; None where this conversation may not act on it."""
    return _allowed(tracker, next(tracker.get_latest_entity_values("ticket_number"), None))


def wish_of(tracker: Tracker) -> Wish | None:
    """What the message wants of the ticket, where its words or a button have told it."""
    told = next(tracker.get_latest_entity_values("wish"), None)
    return Wish(told) if told in set(Wish) else None


def opened_ticket(tracker: Tracker) -> TicketView | None:
    """The ticket that a form was begun for; None once this conversation may no longer act on it."""
    return _allowed(tracker, (tracker.get_slot(SLOT) or {}).get("number"))


def _allowed(tracker: Tracker, number: str | None) -> TicketView | None:
    if number is None:
        return None
    own = next((ticket for ticket in services().tickets.of_conversation(tracker.sender_id) if ticket.number == number), None)
    if own:
        return own
    return services().tickets.view(number) if still_open(tracker.get_slot(SLOT), utc_now()) == number else None
