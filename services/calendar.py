"""Working days of the Indonesian government, and the deadlines of UU 14/2008 counted in them.

A working day is Monday to Friday (Perpres 21/2023), not a public holiday and not cuti bersama (joint ministers' decree of the
year, as the `holidays` package carries it). Day 1 is the first working day after receipt. Years without a decree are refused:
a guessed deadline is worse than none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from pathlib import Path
from zoneinfo import ZoneInfo

import holidays
import yaml

JAKARTA = ZoneInfo("Asia/Jakarta")
FIRST_DECREED_YEAR, LAST_DECREED_YEAR = 2025, 2027


class UnknownYear(ValueError):
    """The days off of a year that the count runs into are not decreed yet."""

    def __init__(self, year: int) -> None:
        super().__init__(f"no decree on days off is known for {year}")
        self.year = year


@lru_cache
def decreed_days_off(year: int) -> frozenset[date]:
    """Public holidays and cuti bersama of `year`. Raises `UnknownYear` outside the decreed years."""
    if not FIRST_DECREED_YEAR <= year <= LAST_DECREED_YEAR:
        raise UnknownYear(year)
    return frozenset(holidays.country_holidays("ID", years=year, categories=("public", "government")))


@dataclass(frozen=True)
class Overrides:
    """Days off decided after the yearly decree, and days off that became working days."""

    added: frozenset[date]
    removed: frozenset[date]

    @classmethod
    def read(cls, content: dict[str, list[str]]) -> Overrides:
        """From `{"add": ["2026-12-31"], "remove": [...]}`, as the desk keeps it."""
        return cls(*(frozenset(map(date.fromisoformat, content.get(key, ()))) for key in ("add", "remove")))


def _nothing_set() -> Overrides | None:
    return None


@dataclass(frozen=True)
class WorkingCalendar:
    """`added` and `removed` are days off decided after the yearly decree (staff's `calendar_overrides.yml`)."""

    added: frozenset[date] = frozenset()
    removed: frozenset[date] = frozenset()
    cut_off: time = field(default=time(15, 0))
    at_desk: Callable[[], Overrides | None] = field(default=_nothing_set, compare=False)
    """What staff have set at the desk, looked up each time; it takes the place of `added` and `removed`."""

    @classmethod
    def from_file(cls, path: Path, cut_off: time = time(15, 0)) -> WorkingCalendar:
        """Read `{add: [dates], remove: [dates]}`. Raises ValueError naming the entry that is not a date."""
        content = yaml.safe_load(path.read_text()) or {}
        days: dict[str, frozenset[date]] = {}
        for key in ("add", "remove"):
            entries = content.get(key) or []
            for entry in entries:
                if not isinstance(entry, date):
                    raise ValueError(f"{path.name}: {key}: {entry!r} is not a date; write it as 2026-12-31")
            days[key] = frozenset(entries)
        return cls(days["add"], days["remove"], cut_off)

    @property
    def overrides(self) -> Overrides:
        """Those in force now."""
        return self.at_desk() or Overrides(self.added, self.removed)

    def is_working_day(self, day: date) -> bool:
        """Raises `UnknownYear` when the decree of the day's year is not known."""
        off = decreed_days_off(day.year)
        overrides = self.overrides
        if day in overrides.removed:
            return day.weekday() < 5
        return day.weekday() < 5 and day not in off and day not in overrides.added

    def may_be_working_day(self, day: date) -> bool:
        """The same without an error: of a year without a decree Monday to Friday, for staff to check."""
        try:
            return self.is_working_day(day)
        except UnknownYear:
            return day.weekday() < 5

    def _working_days_after(self, day: date) -> Iterator[date]:
        while True:
            day += timedelta(days=1)
            if self.is_working_day(day):
                yield day

    def due_date(self, received: date, working_days: int) -> date:
        """The last day of a time limit of `working_days` >= 1 for something received on `received`.

        Raises `UnknownYear` when the count runs into a year without a decree.
        """
        if working_days < 1:
            raise ValueError("a time limit is at least one working day")
        days = self._working_days_after(received)
        for _ in range(working_days - 1):
            next(days)
        return next(days)

    def working_days_between(self, start: date, end: date) -> int:
        """How many working days lie after `start` up to and including `end`; negative when `end` is before `start`."""
        if end < start:
            return -self.working_days_between(end, start)
        days = (start + timedelta(days=n) for n in range(1, (end - start).days + 1))
        return sum(self.is_working_day(day) for day in days)

    def receipt_date(self, moment: datetime) -> date:
        """The calendar day in Jakarta on which something counts as received: after the cut-off, the next day."""
        local = moment.astimezone(JAKARTA)
        return local.date() + timedelta(days=1) if local.time() >= self.cut_off else local.date()
