"""Days in the desk's addresses and forms, such as "2026-11-24"."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

from services.calendar import JAKARTA


def day_of(text: str) -> date | None:
    """The day that is meant; None for what is none, and for years that no record is of."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if 2000 <= day.year < 9999 else None


def start_of(text: str, later: int = 0) -> datetime | None:
    """The beginning of that day in Jakarta, or of one so many days later; None for what is no day."""
    day = day_of(text)
    return datetime.combine(day + timedelta(days=later), time(), JAKARTA) if day else None
