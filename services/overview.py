"""Figures of a span of days: what was asked and answered, how long people waited, how tickets stand with the law, what rises.

Everything is counted in the database by day, hour, channel and answer status in one pass over the span's messages; what comes
back is a few rows for each day, however long the log is.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import date, datetime
from statistics import mean, median
from typing import Any

from sqlalchemy import ColumnElement, String, cast, func, select
from sqlalchemy.orm import Session

from services.calendar import JAKARTA, UnknownYear, WorkingCalendar
from services.spans import Span, local_part
from services.ticket_events import Happening
from services.tickets import State
from services.turn import AnswerStatus
from services.waiting_times import DailyWaits, first_answers, officer_waits
from store.database import Database
from store.models import Conversation, Message, Ticket, TicketEvent

LONGEST_SPAN = 366
TOPICS_SHOWN = 10
NOT_ANSWERED = frozenset({AnswerStatus.NOT_KNOWN, AnswerStatus.ASKED_AGAIN, AnswerStatus.ABSTAINED, AnswerStatus.FAILED})


@dataclass
class DayFigures:
    day: date
    conversations: int = 0
    messages: int = 0
    answered: int = 0
    not_answered: int = 0
    handed_over: int = 0


@dataclass(frozen=True)
class TopicTrend:
    topic: str
    now: int
    before: int

    @property
    def rise(self) -> int:
        return self.now - self.before


@dataclass(frozen=True)
class TicketFigures:
    filed: int
    answered_in_time: int
    answered_late: int
    answered_without_limit: int
    open_now: int
    overdue_now: int
    median_working_days: float | None
    """From receipt to answer, of what was answered in the span."""


@dataclass(frozen=True)
class Figures:
    span: Span
    days: list[DayFigures]
    channels: dict[str, int]
    hours: list[int]
    """Messages by hour of the day, from 0 to 23."""
    topics: list[TopicTrend]
    tickets: TicketFigures
    ratings: dict[int, int]
    """How many tickets were last rated with each score, 1 (worst) to 4."""
    first_answers: DailyWaits
    """Of the assistant."""
    officer_waits: DailyWaits
    total: DayFigures = field(init=False)

    def __post_init__(self) -> None:
        total = DayFigures(self.span.last)
        for name in ("conversations", "messages", "answered", "not_answered", "handed_over"):
            setattr(total, name, sum(getattr(day, name) for day in self.days))
        object.__setattr__(self, "total", total)

    @property
    def mean_rating(self) -> float | None:
        scores = [score for score, count in self.ratings.items() for _ in range(count)]
        return mean(scores) if scores else None


class Overview:
    def __init__(self, database: Database, calendar: WorkingCalendar) -> None:
        self._database = database
        self._calendar = calendar

    def figures(self, span: Span, today: date) -> Figures:
        """`today` in Jakarta: what is open and overdue is counted as of now, whatever the span."""
        with self._database.session() as session:
            days, channels, hours = self._messages(session, span)
            return Figures(
                span,
                days,
                channels,
                hours,
                self._topics(session, span),
                self._tickets(session, span, today),
                _ratings(session, span),
                first_answers(session, span, is_sqlite=self._database.is_sqlite),
                officer_waits(session, span, is_sqlite=self._database.is_sqlite),
            )

    def _messages(self, session: Session, span: Span) -> tuple[list[DayFigures], dict[str, int], list[int]]:
        start, end = span.moments
        parts = (self._part(Message.at, "day"), self._part(Message.at, "hour"), Conversation.channel, _turn("status"))
        query = select(*parts, func.count()).join(Conversation, Conversation.id == Message.conversation_id)
        query = query.where(Message.at >= start, Message.at < end, Message.author == "user").group_by(*parts)
        days = {day: DayFigures(day) for day in span.days}
        channels: Counter[str] = Counter()
        hours = [0] * 24
        for day, hour, channel, status, count in session.execute(query):
            figures = days[date.fromisoformat(day)]
            figures.messages += count
            figures.answered += count if status == AnswerStatus.ANSWERED else 0
            figures.not_answered += count if status in NOT_ANSWERED else 0
            figures.handed_over += count if status == AnswerStatus.HANDED_OVER else 0
            channels[channel] += count
            hours[int(hour)] += count
        begun = self._part(Conversation.created_at, "day")
        # Nothing is said before the beginning: the index on `last_at` leaves out what is older.
        new = select(begun, func.count()).where(Conversation.last_at >= start, Conversation.created_at >= start)
        for day, count in session.execute(new.where(Conversation.created_at < end).group_by(begun)):
            days[date.fromisoformat(day)].conversations = count
        return list(days.values()), dict(channels.most_common()), hours

    def _topics(self, session: Session, span: Span) -> list[TopicTrend]:
        now, before = _topic_counts(session, span), _topic_counts(session, span.before)
        trends = [TopicTrend(topic, now[topic], before[topic]) for topic in now | before]
        return sorted(trends, key=lambda trend: (-trend.rise, -trend.now, trend.topic))[:TOPICS_SHOWN]

    def _tickets(self, session: Session, span: Span, today: date) -> TicketFigures:
        start, end = span.moments
        filed = select(func.count()).select_from(Ticket).where(Ticket.received_at >= start, Ticket.received_at < end)
        still_open = select(func.count()).select_from(Ticket).where(Ticket.state != State.CLOSED)
        answered = select(Ticket.received_at, Ticket.due_on, TicketEvent.at).join(TicketEvent, TicketEvent.ticket_id == Ticket.id)
        answered = answered.where(TicketEvent.name == Happening.ANSWERED, TicketEvent.at >= start, TicketEvent.at < end)
        rows = [(received, due, _day(at)) for received, due, at in session.execute(answered)]
        limited = [(due, day) for _, due, day in rows if due]
        late = sum(day > due for due, day in limited)
        needed = [days for received, _, day in rows if (days := working_days(self._calendar, received, day)) is not None]
        return TicketFigures(
            filed=session.scalar(filed) or 0,
            answered_in_time=len(limited) - late,
            answered_late=late,
            answered_without_limit=len(rows) - len(limited),
            open_now=session.scalar(still_open) or 0,
            overdue_now=session.scalar(still_open.where(Ticket.due_on < today)) or 0,
            median_working_days=median(needed) if needed else None,
        )

    def _part(self, column: Any, part: str) -> ColumnElement[str]:
        return local_part(column, part, is_sqlite=self._database.is_sqlite)


def working_days(calendar: WorkingCalendar, received_at: datetime, answered_on: date) -> int | None:
    """Counted as the law's time limit is: from the day after receipt. None for a year whose days off aren't known."""
    try:
        return max(calendar.working_days_between(calendar.receipt_date(received_at), answered_on), 0)
    except UnknownYear:
        return None


def _day(moment: datetime) -> date:
    return moment.astimezone(JAKARTA).date()


def _turn(name: str) -> ColumnElement[str]:
    """What is known of the turn that answered a message."""
    return cast(Message.turn[name].as_string(), String)


def _topic_counts(session: Session, span: Span) -> Counter[str]:
    start, end = span.moments
    topic = _turn("topic")
    query = select(topic, func.count()).where(Message.at >= start, Message.at < end, Message.author == "user", topic.is_not(None))
    return Counter(dict(session.execute(query.group_by(topic)).tuples().all()))


def _ratings(session: Session, span: Span) -> dict[int, int]:
    start, end = span.moments
    query = select(TicketEvent.ticket_id, TicketEvent.data).where(TicketEvent.name == Happening.RATED)
    rated = session.execute(query.where(TicketEvent.at >= start, TicketEvent.at < end).order_by(TicketEvent.id))
    last = {ticket_id: int(data["score"]) for ticket_id, data in rated}
    counts = Counter(last.values())
    return {score: counts[score] for score in range(1, 5)}
