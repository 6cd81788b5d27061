"""A clock that a test sets."""

from __future__ import annotations

from datetime import datetime, timedelta

from services.calendar import JAKARTA


class Clock:
    def __init__(self, moment: str) -> None:
        """`moment` in Jakarta, such as "2026-11-23 10:00"."""
        self.now = datetime.fromisoformat(moment).replace(tzinfo=JAKARTA)

    def __call__(self) -> datetime:
        return self.now

    def set(self, moment: str) -> None:
        self.now = Clock(moment).now

    def forward(self, **span: float) -> None:
        self.now += timedelta(**span)
