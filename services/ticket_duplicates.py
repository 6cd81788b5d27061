"""Finds out whether a citizen is about to file the same thing twice, so that it can be added to the first ticket instead.

Two texts are taken for the same when nearly all words agree in any order, and not both have words of their own. The second
condition keeps "jalan di Alor" apart from "jalan di Ende", which differ in one word of twelve. Thresholds were set on the pairs
in tests/test_ticket_duplicates.py: repeats with other spelling, order, endings or an added clause score from 93 (set) and 80
(sorted); other requests in the same words stay below one of them. Where in doubt a second ticket is made.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from rapidfuzz import fuzz
from sqlalchemy import select

from services.registry import JOURNEY_OF
from services.spelling import normalise
from services.tickets import Kind, State
from store.database import Database, utc_now
from store.encryption import Encryption
from store.ticket_models import Ticket

SAME_WORDS, SAME_TEXT, SAME_WORD = 93, 80, 75
"""Of 100: `token_set_ratio`, `token_sort_ratio`, and `ratio` of two words."""
OWN_WORD_LETTERS = 4
FUNCTION_WORDS = frozenset(
    """
    agar supaya untuk bagi karena sebab tolong mohon saya kami kita yang dengan dalam pada kepada dari sudah telah juga
    ingin usul harap please that this with from would should because also have
    """.split()
)


class TicketDuplicates:
    def __init__(self, database: Database, encryption: Encryption) -> None:
        self._database = database
        self._encryption = encryption

    def similar_open(
        self, conversation_id: str, kind: Kind, text: str, within: timedelta = timedelta(days=1), now: datetime | None = None
    ) -> str | None:
        """Number of the newest open ticket of this kind that the conversation has filed lately and that says the same."""
        since = (now or utc_now()) - within
        query = (
            select(Ticket)
            .where(Ticket.conversation_id == conversation_id, Ticket.kind == kind, Ticket.state != State.CLOSED)
            .where(Ticket.received_at >= since)
            .order_by(Ticket.id.desc())
        )
        with self._database.session() as session:
            tickets = list(session.scalars(query))
        said = ((ticket.number, main_text(kind, self._encryption.unseal(ticket.fields))) for ticket in tickets)
        return next((number for number, earlier in said if says_the_same(text, earlier)), None)


def main_text(kind: Kind, fields: dict[str, Any]) -> str:
    """What the ticket asks for or says: its first free text that is not personal. Empty where a kind has none."""
    journey = JOURNEY_OF.get(kind)
    names = [field.name for field in journey.fields if field.free_text and not field.personal] if journey else []
    return str(fields.get(names[0]) or "") if names else ""


def says_the_same(one: str, other: str) -> bool:
    a, b = normalise(one), normalise(other)
    if fuzz.token_set_ratio(a, b) < SAME_WORDS or fuzz.token_sort_ratio(a, b) < SAME_TEXT:
        return False
    return not (_has_own_word(a, b) and _has_own_word(b, a))


def _has_own_word(text: str, other: str) -> bool:
    words = [word for word in text.split() if len(word) >= OWN_WORD_LETTERS and word not in FUNCTION_WORDS]
    return any(not any(_is_near(word, known) for known in other.split()) for word in words)


def _is_near(word: str, known: str) -> bool:
    if word.isdigit() or known.isdigit():
        return word == known
    same_stem = len(known) >= OWN_WORD_LETTERS and (known in word or word in known)
    return same_stem or fuzz.ratio(word, known) >= SAME_WORD
