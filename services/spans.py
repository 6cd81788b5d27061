"""Spans of days in Jakarta, and how the database tells the day of a moment."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, String, func

from services.calendar import JAKARTA


@dataclass(frozen=True)
class Span:
    """Days in Jakarta, both included."""

    first: date
    last: date

    @property
    def days(self) -> list[date]:
        return [self.first + timedelta(days=n) for n in range((self.last - self.first).days + 1)]

    @property
    def before(self) -> Span:
        """As many days right before this span."""
        return Span(self.first - (self.last - self.first) - timedelta(days=1), self.first - timedelta(days=1))

    @property
    def moments(self) -> tuple[datetime, datetime]:
        """Its beginning, and the moment right after its end."""
        return _midnight(self.first), _midnight(self.last + timedelta(days=1))


def local_part(column: Any, part: str, *, is_sqlite: bool) -> ColumnElement[str]:
    """The day (2026-11-23) or hour (09) of a column of moments in Jakarta, which has no summer time."""
    if is_sqlite:
        return func.strftime({"day": "%Y-%m-%d", "hour": "%H"}[part], column, "+7 hours", type_=String)
    return func.to_char(func.timezone("Asia/Jakarta", column), {"day": "YYYY-MM-DD", "hour": "HH24"}[part], type_=String)


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=JAKARTA)
