"""A citizen's rights over their own data (UU 27/2022 art. 5–13): see it, get a copy, have it deleted.

Everything is of one conversation: who writes in it is the only person whom the program can tell from others.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from itsdangerous import BadSignature
from sqlalchemy import func, select

from services.calendar import JAKARTA
from services.journeys import CONFIRMATION
from services.signed_tokens import SignedTokens
from services.spelling import normalise
from services.tickets import Tickets, TicketView
from store.conversations import Conversations, Reply
from store.database import Database, utc_now
from store.encryption import Encryption
from store.models import Conversation, Draft, Handoff, Message

WORDS_FILE = Path(__file__).with_name("own_data_words.yml")
LINK_SECONDS = 3600
PATH = "/data-saya/"


class Wish(StrEnum):
    SEE = "see"
    DOWNLOAD = "download"
    ASK_DELETE = "ask_delete"
    CORRECT = "correct"
    DELETE = "delete"
    """Confirmed; only a button can say so."""
    KEEP = "keep"


@dataclass(frozen=True)
class Overview:
    """What is held of a conversation, in numbers and names, without contents."""

    messages: int
    since: date
    """In Jakarta."""
    drafts: list[str]
    """Names of journeys."""
    tickets: list[TicketView]
    handoffs: int


@cache
def _patterns() -> dict[Wish, re.Pattern[str]]:
    lists = yaml.safe_load(WORDS_FILE.read_text(encoding="utf-8"))
    return {Wish(name): re.compile(rf"\b(?:{'|'.join(map(re.escape, words))})") for name, words in lists.items()}


def find_wish(message: str) -> Wish | None:
    """What the message wants of the citizen's data; None where it says nothing of it, or several things."""
    spelling = normalise(message)
    found = [wish for wish, pattern in _patterns().items() if pattern.search(spelling)]
    return found[0] if len(found) == 1 else None


class OwnData:
    def __init__(
        self,
        database: Database,
        encryption: Encryption,
        conversations: Conversations,
        tickets: Tickets,
        address: str,
        pseudonymise: Callable[[str], object],
    ) -> None:
        """`address` is the server's, without a slash at its end; `pseudonymise` takes the citizen out of a conversation's tickets."""
        self._database = database
        self._encryption = encryption
        self._conversations = conversations
        self._tickets = tickets
        self._address = address
        self._pseudonymise = pseudonymise
        self._serializer = SignedTokens(encryption.signing_keys, salt="own-data")

    def overview(self, conversation_id: str) -> Overview:
        """Raises LookupError for an unknown conversation."""
        conversation = self._conversation(conversation_id)
        with self._database.session() as session:
            messages = session.scalar(select(func.count()).where(Message.conversation_id == conversation_id))
            handoffs = session.scalar(select(func.count()).where(Handoff.conversation_id == conversation_id))
            drafts = list(session.scalars(select(Draft.journey).where(Draft.conversation_id == conversation_id)))
        tickets = self._tickets.of_conversation(conversation_id)
        since = conversation.created_at.astimezone(JAKARTA).date()
        return Overview(messages or 0, since, sorted(drafts), tickets, handoffs or 0)

    def download_link(self, conversation_id: str) -> str | None:
        """An address that opens the download for an hour. None away from our pages while the server has no public address."""
        if self._conversation(conversation_id).address and not self._address.startswith("https://"):
            return None
        return f"{self._address}{PATH}{self._serializer.dumps(conversation_id)}"

    def conversation_of(self, token: str) -> str | None:
        """None for a token that was changed, made elsewhere or is older than an hour, and for a deleted conversation."""
        try:
            conversation_id = str(self._serializer.loads(token, max_age=LINK_SECONDS))
        except BadSignature:
            return None
        return conversation_id if self._conversations.get(conversation_id) else None

    def export(self, conversation_id: str) -> dict[str, Any]:
        """Everything held of the conversation, ready for JSON, as the citizen sees it. Raises LookupError."""
        conversation = self._conversation(conversation_id)
        with self._database.session() as session:
            query = select(Message).where(Message.conversation_id == conversation_id).order_by(Message.seq)
            messages = list(session.scalars(query))
            drafts = list(session.scalars(select(Draft).where(Draft.conversation_id == conversation_id)))
            handoffs = list(session.scalars(select(Handoff).where(Handoff.conversation_id == conversation_id)))
        return {
            "made_at": _moment(utc_now()),
            "conversation": {
                "channel": conversation.channel,
                "language": conversation.locale,
                "since": _moment(conversation.created_at),
                "last_message_at": _moment(conversation.last_at),
            },
            "messages": [self._message(message) for message in messages],
            "drafts": [
                {"form": one.journey, "changed_at": _moment(one.updated_at), "fields": _fields(self._encryption.unseal(one.fields))}
                for one in drafts
            ],
            "tickets": [self._ticket(ticket) for ticket in self._tickets.of_conversation(conversation_id)],
            "handoffs": [_handoff(one) for one in handoffs],
        }

    def delete(self, conversation_id: str, replies: Sequence[Reply] = ()) -> list[Message]:
        """Delete messages, tracker, drafts and hand-offs at once; tickets stay in the register, without the person.

        `replies` as for `Conversations.forget_messages`.
        """
        self._pseudonymise(conversation_id)
        return self._conversations.forget_messages(conversation_id, replies)

    def _conversation(self, conversation_id: str) -> Conversation:
        conversation = self._conversations.get(conversation_id)
        if conversation is None:
            raise LookupError(conversation_id)
        return conversation

    def _message(self, message: Message) -> dict[str, Any]:
        return {
            "seq": message.seq,
            "from": message.author,
            "text": self._conversations.seen_text(message),
            "buttons": [button["label"] for button in message.buttons],
            "sources": message.sources,
            "at": _moment(message.at),
            "understood_as": message.turn,
        }

    def _ticket(self, ticket: TicketView) -> dict[str, Any]:
        return {
            "number": ticket.number,
            "kind": ticket.kind,
            "state": ticket.state,
            "resolution": ticket.resolution,
            "received_on": ticket.received_on.isoformat(),
            "due_on": ticket.due_on.isoformat() if ticket.due_on else None,
            "fields": self._tickets.fields_of(ticket.number),
        }


def _handoff(handoff: Handoff) -> dict[str, Any]:
    """Without the officer's name, which is the officer's own data."""
    return {
        "state": handoff.state,
        "outcome": handoff.outcome,
        "agreed_to_show_conversation": handoff.agreed,
        "asked_at": _moment(handoff.asked_at),
        "taken_at": _moment(handoff.taken_at),
        "ended_at": _moment(handoff.ended_at),
    }


def _fields(draft: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in draft.items() if name != CONFIRMATION.name and not name.startswith("_")}


def _moment(at: datetime | None) -> str | None:
    return at.isoformat(timespec="seconds").replace("+00:00", "Z") if at else None
