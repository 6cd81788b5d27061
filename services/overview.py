"""Figures of a span of days: what was asked and answered, how long people waited, how tickets stand with the law, what rises.

What was asked and answered, and how soon, comes from the figures of each day (services/daily_figures.py): a few rows, however long
the log is.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import date, datetime
from statistics import mean, median

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from services.calendar import JAKARTA, UnknownYear, WorkingCalendar
from services.daily_figures import Counts, DailyFigures, Figure
from services.spans import Span
from services.ticket_events import Happening
from services.tickets import State
from services.turn import UNANSWERED, AnswerStatus
from services.waiting_times import DailyWaits, officer_waits
from store.database import Database
from store.ticket_models import Ticket, TicketEvent

LONGEST_SPAN = 366
TOPICS_SHOWN = 10


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
        self._daily = DailyFigures(database)

    def figures(self, span: Span, today: date) -> Figures:
        """`today` in Jakarta: what is open and overdue is counted as of now, whatever the span."""
        with self._database.analysis() as session:
            counts = self._daily.of(session, span.before.first, span.last)
            days, channels, hours = self._messages(counts, span)
            return Figures(
                span,
                days,
                channels,
                hours,
                self._topics(counts, span),
                self._tickets(session, span, today),
                _ratings(session, span),
                _first_answers(counts, span),
                officer_waits(session, span, is_sqlite=self._database.is_sqlite),
            )

    def _messages(self, counts: Counts, span: Span) -> tuple[list[DayFigures], dict[str, int], list[int]]:
        days = {day: DayFigures(day) for day in span.days}
        channels: Counter[str] = Counter()
        hours = [0] * 24
        for (day, figure, name), count in counts.items():
            figures = days.get(day)
            if figures is None:
                continue
            if figure is Figure.MESSAGES:
                figures.messages += count
            elif figure is Figure.CONVERSATIONS:
                figures.conversations += count
            elif figure is Figure.STATUS:
                figures.answered += count if name == AnswerStatus.ANSWERED else 0
                figures.not_answered += count if name in UNANSWERED else 0
                figures.handed_over += count if name == AnswerStatus.HANDED_OVER else 0
            elif figure is Figure.CHANNEL:
                channels[name] += count
            elif figure is Figure.HOUR:
                hours[int(name)] += count
        return list(days.values()), dict(channels.most_common()), hours

    def _topics(self, counts: Counts, span: Span) -> list[TopicTrend]:
        now, before = Counter[str](), Counter[str]()
        for (day, figure, topic), count in counts.items():
            if figure is Figure.TOPIC:
                (now if day >= span.first else before)[topic] += count
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


def _first_answers(counts: Counts, span: Span) -> DailyWaits:
    waits = ((day, int(tenths), count) for (day, figure, tenths), count in counts.items() if figure is Figure.FIRST_ANSWERS and tenths)
    return DailyWaits.of(span, waits)


def working_days(calendar: WorkingCalendar, received_at: datetime, answered_on: date) -> int | None:
    """Counted as the law's time limit is: from the day after receipt. None for a year whose days off aren't known."""
    try:
        return max(calendar.working_days_between(calendar.receipt_date(received_at), answered_on), 0)
    except UnknownYear:
        return None


def _day(moment: datetime) -> date:
    return moment.astimezone(JAKARTA).date()


def _ratings(session: Session, span: Span) -> dict[int, int]:
    start, end = span.moments
    query = select(TicketEvent.ticket_id, TicketEvent.data).where(TicketEvent.name == Happening.RATED)
    rated = session.execute(query.where(TicketEvent.at >= start, TicketEvent.at < end).order_by(TicketEvent.id))
    last = {ticket_id: int(data["score"]) for ticket_id, data in rated}
    counts = Counter(last.values())
    return {score: counts[score] for score in range(1, 5)}
