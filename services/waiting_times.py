"""How long citizens wait, day by day: for the assistant's first answer, and for an officer.

The database counts the waits by day and tenth of a second, so that a busy month comes back as some thousand rows at most.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from itertools import accumulate
from typing import Any

from sqlalchemy import ColumnElement, Float, Integer, cast, extract, func, select
from sqlalchemy.orm import Session, aliased

from services.spans import Span, local_part
from store.models import Handoff, Message

SECONDS_A_DAY = 86_400

CountedWait = tuple[date, int, int]
"""A day in Jakarta, tenths of a second waited, how many people."""


@dataclass(frozen=True)
class Waits:
    """Of how many people, and how many seconds half of them and the one who waited longest did. None where nobody waited."""

    count: int
    median: float | None
    longest: float | None

    @classmethod
    def of(cls, tenths: Counter[int]) -> Waits:
        """Of how many people waited so many tenths of a second."""
        count = tenths.total()
        if not count:
            return cls(0, None, None)
        ordered = sorted(tenths)
        upto = list(accumulate(tenths[one] for one in ordered))
        lower, upper = (ordered[bisect_right(upto, place)] for place in ((count - 1) // 2, count // 2))
        return cls(count, (lower + upper) / 20, ordered[-1] / 10)


@dataclass(frozen=True)
class DailyWaits:
    days: dict[date, Waits]
    """Every day of the span."""
    total: Waits

    @classmethod
    def of(cls, span: Span, counted: Iterable[CountedWait]) -> DailyWaits:
        """Of what was counted on the days of the span."""
        days: dict[date, Counter[int]] = {day: Counter() for day in span.days}
        for day, tenths, count in counted:
            if day in days:
                days[day][tenths] += count
        return cls({day: Waits.of(waits) for day, waits in days.items()}, Waits.of(sum(days.values(), Counter())))


def count_first_answers(session: Session, span: Span, *, is_sqlite: bool) -> Iterator[CountedWait]:
    """From the first message of each conversation that begins in the span to the assistant's first answer to it, as both are stored.

    A conversation counts on the day of that message. Without an answer, as where an officer has the conversation, it doesn't count.
    It looks at each message of the span; `services/daily_figures.py` keeps what it finds.
    """
    start, end = span.moments
    earlier, answer = aliased(Message), aliased(Message)
    is_first = ~(
        select(earlier.id)
        .where(earlier.conversation_id == Message.conversation_id, earlier.author == "user", earlier.seq < Message.seq)
        .exists()
    )
    answered = select(func.min(answer.at)).where(answer.reply_to == Message.id, answer.author == "bot").scalar_subquery()
    asked = (
        select(Message.at.label("asked"), answered.label("answered"))
        .where(Message.at >= start, Message.at < end, Message.author == "user", is_first)
        .subquery()
    )
    return _count(session, asked.c.asked, asked.c.asked, asked.c.answered, is_sqlite=is_sqlite)


def officer_waits(session: Session, span: Span, *, is_sqlite: bool) -> DailyWaits:
    """From a citizen's wish to the moment an officer took the conversation, of those taken in the span, on the day it was taken."""
    start, end = span.moments
    taken = select(Handoff.asked_at, Handoff.taken_at).where(Handoff.taken_at >= start, Handoff.taken_at < end).subquery()
    return DailyWaits.of(span, _count(session, taken.c.taken_at, taken.c.asked_at, taken.c.taken_at, is_sqlite=is_sqlite))


def _count(session: Session, day_of: Any, begin: Any, end: Any, *, is_sqlite: bool) -> Iterator[CountedWait]:
    parts = local_part(day_of, "day", is_sqlite=is_sqlite), _tenths(begin, end, is_sqlite=is_sqlite)
    query = select(*parts, func.count()).where(end.is_not(None)).group_by(*parts)
    for day, tenths, count in session.execute(query).tuples():
        yield date.fromisoformat(day), tenths, count


def _tenths(begin: Any, end: Any, *, is_sqlite: bool) -> ColumnElement[int]:
    """Tenths of a second between two moments."""
    seconds = (func.julianday(end) - func.julianday(begin)) * SECONDS_A_DAY if is_sqlite else extract("epoch", end - begin)
    return cast(func.round(cast(seconds * 10, Float)), Integer)
