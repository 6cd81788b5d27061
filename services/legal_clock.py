"""How much of a legal time limit is left, in working days and as a light."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from services.calendar import UnknownYear, WorkingCalendar

AMBER_DAYS, RED_DAYS = 3, 1
"""At so many working days left, or fewer, the light changes."""


class Light(StrEnum):
    GREEN = "green"
    AMBER = "amber"
    RED = "red"
    OVERDUE = "overdue"


@dataclass(frozen=True)
class LegalClock:
    """The lights of one day: `today` in Jakarta."""

    today: date
    red_until: date
    amber_until: date
    calendar: WorkingCalendar

    @classmethod
    def on(cls, today: date, calendar: WorkingCalendar) -> LegalClock:
        def after(days: int) -> date:
            try:
                return calendar.due_date(today, days)
            except UnknownYear:  # every due date that could be counted lies nearer than that
                return date.max

        return cls(today, after(RED_DAYS), after(AMBER_DAYS), calendar)

    def light(self, due_on: date) -> Light:
        if due_on < self.today:
            return Light.OVERDUE
        if due_on <= self.red_until:
            return Light.RED
        return Light.AMBER if due_on <= self.amber_until else Light.GREEN

    def span(self, light: Light) -> tuple[date, date]:
        """The due dates with this light: after the first, up to and including the second."""
        day_before = date.fromordinal(self.today.toordinal() - 1)
        return {
            Light.OVERDUE: (date.min, day_before),
            Light.RED: (day_before, self.red_until),
            Light.AMBER: (self.red_until, self.amber_until),
            Light.GREEN: (self.amber_until, date.max),
        }[light]

    def working_days_left(self, due_on: date) -> int | None:
        """Negative when overdue; None where a year in between has no decree on days off."""
        try:
            return self.calendar.working_days_between(self.today, due_on)
        except UnknownYear:
            return None


@dataclass(frozen=True)
class Count:
    """How a time limit was counted: received on `received_on`, day 1 is `first_day`, and `days_off` on weekdays don't count."""

    received_on: date
    first_day: date
    working_days: int
    days_off: list[date]

    @classmethod
    def of(cls, received_at: datetime, due_on: date, calendar: WorkingCalendar) -> Count:
        received = calendar.receipt_date(received_at)
        between = [received + timedelta(days=n) for n in range(1, (due_on - received).days + 1)]
        off = [day for day in between if day.weekday() < 5 and not calendar.is_working_day(day)]
        return cls(received, calendar.due_date(received, 1), calendar.working_days_between(received, due_on), off)
