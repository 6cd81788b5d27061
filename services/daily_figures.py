"""Counts of each past day's messages, conversations and waits, kept as a few rows, so that an overview need not count years of log.

A day is counted once, some hours after its end, and its figures stay when conversations are deleted later: they name nobody. Days
that are not counted yet are counted from the log whenever they are asked for.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from datetime import date, datetime, timedelta
from enum import StrEnum

from sqlalchemy import Select, delete, func, insert, select
from sqlalchemy.orm import Session

from services.calendar import JAKARTA
from services.spans import Span, local_part
from services.waiting_times import count_first_answers
from store.database import Database, utc_now
from store.models import Conversation, DailyFigure, Message

SETTLED_AFTER = timedelta(hours=2)
"""A message of the day's last minute has been answered by then."""
DAYS_AT_ONCE = 30
OLDEST = timedelta(days=3 * 366)


class Figure(StrEnum):
    """What is counted. Those of `WHOLE` are there without a name for every day on which what belongs to them is counted."""

    MESSAGES = "messages"
    STATUS = "status"
    CHANNEL = "channel"
    HOUR = "hour"
    TOPIC = "topic"
    CONVERSATIONS = "conversations"
    FIRST_ANSWERS = "first_answers"
    """By tenths of a second waited."""


Counts = Counter[tuple[date, Figure, str]]
WHOLE = {Figure.MESSAGES: frozenset(Figure) - {Figure.FIRST_ANSWERS}, Figure.FIRST_ANSWERS: frozenset({Figure.FIRST_ANSWERS})}
"""What is counted together. A day of an older release may have some and not yet others."""


class DailyFigures:
    def __init__(self, database: Database) -> None:
        self._database = database

    def of(self, session: Session, first: date, last: date) -> Counts:
        """Every figure of each day in Jakarta, both ends included."""
        columns = (DailyFigure.day, DailyFigure.figure, DailyFigure.name, DailyFigure.count)
        kept = session.execute(select(*columns).where(DailyFigure.day >= first, DailyFigure.day <= last))
        counts: Counts = Counter({(day, Figure(figure), name): count for day, figure, name, count in kept})
        days = list(Span(first, last).days)
        for whole, count_days in self._counting():
            missing = [day for day in days if (day, whole, "") not in counts]
            for start, end in _runs(missing):
                counts.update(count_days(session, start, end))
        return counts

    def keep_past_days(self, now: datetime | None = None) -> int:
        """Count past days that are not counted yet, the latest first and a month at most; how many."""
        last = ((now or utc_now()) - SETTLED_AFTER).astimezone(JAKARTA).date() - timedelta(days=1)
        with self._database.session() as session:
            oldest = session.scalar(select(func.min(Conversation.created_at)))
            if oldest is None:
                return 0
            first = max(oldest.astimezone(JAKARTA).date(), last - OLDEST)
            known = set(session.execute(_counted_days(first)).tuples())
        days = list(reversed(Span(first, last).days))
        missing = [day for day in days if any((day, whole) not in known for whole in WHOLE)][:DAYS_AT_ONCE]
        for day in missing:
            for whole, count_days in self._counting():
                if (day, whole) not in known:
                    with self._database.session() as session:
                        _keep(session, day, WHOLE[whole], count_days(session, day, day))
        return len(missing)

    def _counting(self) -> Iterable[tuple[Figure, Callable[[Session, date, date], Counts]]]:
        return (Figure.MESSAGES, self._count), (Figure.FIRST_ANSWERS, self._count_waits)

    def _count(self, session: Session, first: date, last: date) -> Counts:
        """From the log, in one pass over the messages of the days."""
        counts: Counts = Counter({(day, Figure.MESSAGES, ""): 0 for day in Span(first, last).days})
        sqlite = self._database.is_sqlite
        start, end = Span(first, last).moments
        parts = (
            local_part(Message.at, "day", is_sqlite=sqlite),
            local_part(Message.at, "hour", is_sqlite=sqlite),
            Conversation.channel,
            Message.status,
            Message.topic,
        )
        query = select(*parts, func.count()).join(Conversation, Conversation.id == Message.conversation_id)
        query = query.where(Message.at >= start, Message.at < end, Message.author == "user").group_by(*parts)
        for text, hour, channel, status, topic, count in session.execute(query):
            day = date.fromisoformat(text)
            counts[day, Figure.MESSAGES, ""] += count
            for figure, name in ((Figure.STATUS, status), (Figure.CHANNEL, channel), (Figure.HOUR, hour), (Figure.TOPIC, topic)):
                if name:
                    counts[day, figure, name] += count
        begun = local_part(Conversation.created_at, "day", is_sqlite=sqlite)
        # Nothing is said before the beginning: the index on `last_at` leaves out what is older.
        new = select(begun, func.count()).where(Conversation.last_at >= start, Conversation.created_at >= start)
        for text, count in session.execute(new.where(Conversation.created_at < end).group_by(begun)):
            counts[date.fromisoformat(text), Figure.CONVERSATIONS, ""] = count
        return counts

    def _count_waits(self, session: Session, first: date, last: date) -> Counts:
        span = Span(first, last)
        counts: Counts = Counter({(day, Figure.FIRST_ANSWERS, ""): 0 for day in span.days})
        for day, tenths, count in count_first_answers(session, span, is_sqlite=self._database.is_sqlite):
            counts[day, Figure.FIRST_ANSWERS, str(tenths)] = count
        return counts


def _counted_days(first: date) -> Select[tuple[date, str]]:
    counted = DailyFigure.figure.in_(WHOLE), DailyFigure.name == ""
    return select(DailyFigure.day, DailyFigure.figure).where(DailyFigure.day >= first, *counted)


def _keep(session: Session, day: date, figures: Collection[Figure], counts: Counts) -> None:
    """In place of what another process may just have kept of them."""
    session.execute(delete(DailyFigure).where(DailyFigure.day == day, DailyFigure.figure.in_(figures)))
    rows = [{"day": day, "figure": figure, "name": name, "count": count} for (_, figure, name), count in counts.items()]
    session.execute(insert(DailyFigure), rows)


def _runs(days: Sequence[date]) -> Iterator[tuple[date, date]]:
    """First and last of each row of days without a gap."""
    for place, day in enumerate(days):
        if place == 0 or days[place - 1] != day - timedelta(days=1):
            start = day
        if place == len(days) - 1 or days[place + 1] != day + timedelta(days=1):
            yield start, day
