"""The conversation log as staff read it: masked, found by filters and words."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, and_, exists, func, literal_column, or_, select, text
from sqlalchemy.orm import InstrumentedAttribute

from services.handoff import State, readable_after
from services.ticket_events import Happening
from services.turn import UNANSWERED
from store.conversations import Conversations
from store.database import Database
from store.models import Conversation, Handoff, Message
from store.staff_models import Reading
from store.ticket_models import Ticket, TicketEvent

LOW_CONFIDENCE = 0.5
ENOUGH_HITS, MOST_HITS = 500, 1000
"""A search by words looks at so many of the newest messages of people that hold them all: at least and at most."""
NEWEST_MESSAGES = 20_000
"""Where PostgreSQL looks first: a frequent word has enough hits among so many messages, a rare one has few anywhere."""
FREQUENT = 30
"""With so many hits among those, as many more as are likely to hold enough are gone through likewise. Else the index is read."""
LOW_RATING = 2
"""Of 1 to 4: the answer to a ticket did not help."""


@dataclass(frozen=True)
class LogFilter:
    """Each one that is set narrows the list."""

    channel: str = ""
    language: str = ""
    since: datetime | None = None
    until: datetime | None = None
    intent: str = ""
    topic: str = ""
    status: str = ""
    low_confidence: bool = False
    unanswered: bool = False
    escalated: bool = False
    has_ticket: bool = False
    rated_low: bool = False
    words: str = ""


@dataclass(frozen=True)
class Summary:
    id: str
    channel: str
    language: str
    began_at: datetime
    last_at: datetime
    messages: int
    unread: bool
    first_question: str
    status: str | None
    """Answer status of the citizen's last message."""
    topic: str | None
    ticket: bool
    handed_over: bool


class ConversationLog:
    def __init__(self, database: Database, conversations: Conversations) -> None:
        self._database = database
        self._conversations = conversations

    def search(
        self, wanted: LogFilter, staff_id: int, *, before: tuple[datetime, str] | None = None, limit: int = 50
    ) -> list[Summary]:
        """The latest first; `before`, the `last_at` and `id` of the last one seen, goes on."""
        query = self._matching(wanted).order_by(Conversation.last_at.desc(), Conversation.id.desc()).limit(limit)
        if before:
            at, conversation_id = before
            same_moment = and_(Conversation.last_at == at, Conversation.id < conversation_id)
            query = query.where(or_(Conversation.last_at < at, same_moment))
        with self._database.analysis(of_words=True) as session:
            found = list(session.scalars(query))
        return self._summaries(found, staff_id)

    def transcript(self, conversation_id: str) -> list[Message]:
        """The newest messages, masked, as far as staff may read them. Raises LookupError.

        While a citizen who has not agreed to it waits for an officer or talks to one, what was said before stays closed.
        """
        if self._conversations.get(conversation_id) is None:
            raise LookupError(conversation_id)
        since = self._readable_after(conversation_id)
        return [] if since is None else self._conversations.newest(conversation_id, since)

    def whole(self, conversation_id: str) -> Iterator[Message]:
        """All messages likewise; none where the conversation was deleted meanwhile."""
        since = self._readable_after(conversation_id)
        while since is not None and (some := self._conversations.after(conversation_id, since)):
            yield from some
            since = some[-1].seq

    def _readable_after(self, conversation_id: str) -> int | None:
        with self._database.session() as session:
            query = select(Handoff).where(Handoff.conversation_id == conversation_id, Handoff.state != State.ENDED)
            handoff = session.scalar(query)
        return readable_after(handoff) if handoff else 0

    def mark_read(self, conversation_id: str, staff_id: int, seq: int) -> None:
        with self._database.session() as session:
            session.merge(Reading(staff_id=staff_id, conversation_id=conversation_id, seq=seq))

    def choices(self) -> dict[str, list[str]]:
        """Which intents, topics and statuses stand in the log."""
        columns = {"intent": Message.intent, "topic": Message.topic, "status": Message.status}
        with self._database.session() as session:
            return {name: list(session.scalars(_values(column))) for name, column in columns.items()}

    def _matching(self, wanted: LogFilter) -> Select[tuple[Conversation]]:
        query = select(Conversation)
        for column, value in ((Conversation.channel, wanted.channel), (Conversation.locale, wanted.language)):
            if value:
                query = query.where(column == value)
        if wanted.since:
            query = query.where(Conversation.last_at >= wanted.since)
        if wanted.until:
            query = query.where(Conversation.last_at < wanted.until)
        of_message = [
            column == value
            for column, value in ((Message.intent, wanted.intent), (Message.topic, wanted.topic), (Message.status, wanted.status))
            if value
        ]
        if wanted.low_confidence:
            of_message.append(Message.confidence < LOW_CONFIDENCE)
        if wanted.unanswered:
            of_message.append(Message.status.in_(UNANSWERED))
        if of_message:
            # Most conversations have such a message: going through them from the newest on finds a page soonest.
            query = query.where(exists().where(Message.conversation_id == Conversation.id, *of_message))
        if wanted.escalated:  # few have one: those first
            query = query.where(Conversation.id.in_(select(Handoff.conversation_id)))
        if wanted.has_ticket:
            query = query.where(Conversation.id.in_(select(Ticket.conversation_id).where(Ticket.conversation_id.is_not(None))))
        if wanted.rated_low:
            query = query.where(Conversation.id.in_(_rated_low()))
        words = re.findall(r"\w+", wanted.words)
        if words:
            query = query.where(Conversation.id.in_(self._with_words(words)))
        return query

    def _with_words(self, words: list[str]) -> Select[tuple[str]]:
        """Conversations with a message of a citizen or an officer that holds all words, each as the beginning of a word.

        The bot's own sentences are in no index: staff look for what people said.
        """
        if self._database.is_sqlite:
            wanted = " ".join(f'"{word}"*' for word in words)
            newest = text("SELECT rowid FROM message_words WHERE message_words MATCH :words ORDER BY rowid DESC LIMIT :most")
            matching = newest.bindparams(words=wanted, most=MOST_HITS).columns(literal_column("rowid"))
            return select(Message.conversation_id).where(Message.id.in_(matching))
        vector = func.to_tsvector(literal_column("'simple'"), Message.text)
        matches = vector.op("@@")(func.to_tsquery(literal_column("'simple'"), " & ".join(f"{word}:*" for word in words)))
        # Cheaper to read than the words of a message, so it is asked first.
        holds = [Message.text.icontains(word, autoescape=True) for word in words]
        having = select(Message.id, Message.conversation_id).where(Message.author != "bot", matches)
        with self._database.analysis(of_words=True) as session:

            def gone_through(after: int, until: int) -> list[str]:
                return hits(having.where(Message.id > after, Message.id <= until, *holds).order_by(Message.id.desc()))

            def by_index(until: int) -> list[str]:
                # An order that no index has: else the planner may go through all messages from the newest on for a rare word.
                return hits(having.where(Message.id <= until).order_by((Message.id + 0).desc()))

            def hits(query: Select[tuple[int, str]]) -> list[str]:
                return [name for _, name in session.execute(query.limit(MOST_HITS - len(found)))]

            last, found = session.scalar(select(func.max(Message.id))) or 0, list[str]()
            first = last - NEWEST_MESSAGES
            found += gone_through(first, last)
            if FREQUENT <= len(found) < ENOUGH_HITS and first > 0:
                first, last = max(0, first - 3 * NEWEST_MESSAGES * ENOUGH_HITS // (2 * len(found))), first
                found += gone_through(first, last)
            if len(found) < ENOUGH_HITS and first > 0:
                found += by_index(first)
        return select(Conversation.id).where(Conversation.id.in_(set(found)))

    def _summaries(self, found: list[Conversation], staff_id: int) -> list[Summary]:
        ids = [conversation.id for conversation in found]
        with self._database.session() as session:
            rows = session.execute(
                select(Message.conversation_id, func.count(), func.max(Message.seq))
                .where(Message.conversation_id.in_(ids))
                .group_by(Message.conversation_id)
            )
            sizes = {conversation_id: (count, newest) for conversation_id, count, newest in rows}
            mine = select(Reading).where(Reading.staff_id == staff_id, Reading.conversation_id.in_(ids))
            read = {reading.conversation_id: reading.seq for reading in session.scalars(mine)}
            filed = set(session.scalars(select(Ticket.conversation_id).where(Ticket.conversation_id.in_(ids))))
            handed = set(session.scalars(select(Handoff.conversation_id).where(Handoff.conversation_id.in_(ids))))
            closed = set(session.scalars(_closed_to_staff(ids)))
            asked = select(Message).where(Message.conversation_id.in_(ids), Message.author == "user").order_by(Message.seq)
            questions: dict[str, list[Message]] = {}
            for message in session.scalars(asked):
                questions.setdefault(message.conversation_id, []).append(message)
        summaries = []
        for one in found:
            count, newest = sizes.get(one.id, (0, 0))
            asked_here = questions.get(one.id, [])
            summary = Summary(
                id=one.id,
                channel=one.channel,
                language=one.locale,
                began_at=one.created_at,
                last_at=one.last_at,
                messages=count,
                unread=newest > read.get(one.id, 0),
                first_question=asked_here[0].text if asked_here and one.id not in closed else "",
                status=asked_here[-1].status if asked_here else None,
                topic=next((message.topic for message in reversed(asked_here) if message.topic), None),
                ticket=one.id in filed,
                handed_over=one.id in handed,
            )
            summaries.append(summary)
        return summaries


def _values(column: InstrumentedAttribute[str | None]) -> Select[tuple[str]]:
    """The values of an indexed column in order, going from each to the next: millions of messages have some dozens of them."""
    found = select(func.min(column).label("value")).where(column.is_not(None)).cte("found", recursive=True)
    following = select(func.min(column)).where(column > found.c.value, column.is_not(None)).scalar_subquery()
    found = found.union_all(select(following).where(found.c.value.is_not(None)))
    return select(found.c.value).where(found.c.value.is_not(None)).order_by(found.c.value)


def _rated_low() -> Select[tuple[str | None]]:
    """Conversations with a ticket whose last rating was low."""
    last = select(func.max(TicketEvent.id)).where(TicketEvent.name == Happening.RATED).group_by(TicketEvent.ticket_id)
    low = select(Ticket.conversation_id).join(TicketEvent, TicketEvent.ticket_id == Ticket.id)
    return low.where(
        TicketEvent.id.in_(last), TicketEvent.data["score"].as_integer() <= LOW_RATING, Ticket.conversation_id.is_not(None)
    )


def _closed_to_staff(ids: list[str]) -> Select[tuple[str]]:
    """Those of the conversations in which the citizen has not agreed that an officer reads what was said before."""
    not_agreed = or_(Handoff.agreed.is_(None), Handoff.agreed.is_(False))
    return select(Handoff.conversation_id).where(Handoff.conversation_id.in_(ids), Handoff.state != State.ENDED, not_agreed)
