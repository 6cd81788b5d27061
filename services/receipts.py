"""Printable receipts: a signed link that works for some days, and what the page behind it may show.

The link opens the receipt to whoever has it, so it shows no access code, name, address or contact.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from itsdangerous import BadSignature, SignatureExpired
from sqlalchemy import select

from services.calendar import JAKARTA
from services.registry import JOURNEY_OF
from services.signed_tokens import SignedTokens
from services.tickets import WORKING_DAYS, Kind
from store.database import Database
from store.encryption import Encryption
from store.ticket_models import Ticket

PATH = "/tanda-terima/"


class LinkFault(StrEnum):
    EXPIRED = "expired"
    FORGED = "forged"
    """Not signed by this server, or of a ticket that it doesn't hold."""


@dataclass(frozen=True)
class PrintedReceipt:
    number: str
    kind: Kind
    locale: str
    received_at: datetime
    """In Jakarta's time."""
    due_on: date | None
    working_days: int | None
    """The legal time limit; None where the law sets none."""
    extended: bool
    fields: dict[str, Any]
    """What was asked, in the order of the form; what was left out is not in it."""


class Receipts:
    def __init__(self, database: Database, encryption: Encryption, hours: int, address: str) -> None:
        """`address` is the server's, without a slash at its end."""
        self._database = database
        self._encryption = encryption
        self._seconds = hours * 3600
        self._address = address
        self._serializer = SignedTokens(encryption.signing_keys, salt="receipt")

    def link(self, number: str) -> str:
        """An address that shows the receipt of this ticket. It holds no character that our markup would read as its own."""
        return f"{self._address}{PATH}{self._serializer.dumps(number)}"

    def open(self, token: str) -> PrintedReceipt | LinkFault:
        """The receipt that the last part of a link stands for."""
        try:
            number = self._serializer.loads(token, max_age=self._seconds)
        except SignatureExpired:
            return LinkFault.EXPIRED
        except BadSignature:
            return LinkFault.FORGED
        with self._database.session() as session:
            ticket = session.scalar(select(Ticket).where(Ticket.number == number))
        return self._receipt(ticket) if ticket else LinkFault.FORGED

    def _receipt(self, ticket: Ticket) -> PrintedReceipt:
        kind = Kind(ticket.kind)
        given = self._encryption.unseal(ticket.fields)
        journey = JOURNEY_OF.get(kind)
        asked = [field.name for field in journey.fields if not field.personal] if journey else []
        return PrintedReceipt(
            ticket.number,
            kind,
            ticket.locale,
            ticket.received_at.astimezone(JAKARTA),
            ticket.due_on,
            WORKING_DAYS.get(kind),
            ticket.extended_from is not None,
            {name: given[name] for name in asked if given.get(name) not in (None, "", [])},
        )
