"""Days in the desk's filters."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

from services.calendar import JAKARTA


def start_of(day: str, later: int = 0) -> datetime | None:
    """The beginning of a day (such as "2026-11-24") in Jakarta, or of one so many days later; None for what is no day."""
    try:
        return datetime.combine(date.fromisoformat(day) + timedelta(days=later), time(), JAKARTA)
    except (ValueError, OverflowError):
        return None
