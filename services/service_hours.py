"""When officers can be reached: weekday hours that staff set, less the days off of the calendar.

Hours are those of phone and counter service in SIPPN (service standard of Kemensetneg), to be confirmed by the PPID. In a year whose
days off are not decreed yet nobody is said to be there.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from itertools import count, pairwise
from pathlib import Path
from typing import Any

import yaml

from services.calendar import JAKARTA, UnknownYear, WorkingCalendar
from services.dates import WEEKDAYS as DAY_NAMES

NAME = "service_hours.yml"
WEEKDAYS = ("senin", "selasa", "rabu", "kamis", "jumat")
_SPAN = re.compile(r"(\d{1,2})[.:](\d{2})\s?[-–]\s?(\d{1,2})[.:](\d{2})")
Span = tuple[time, time]


class BadServiceHours(ValueError):
    """The hours can't be used; the message names the line and says how to write it."""


def _nothing_set() -> dict[int, tuple[Span, ...]] | None:
    return None


@dataclass(frozen=True)
class ServiceHours:
    spans: dict[int, tuple[Span, ...]]
    """Weekday (Monday is 0) to the spans of its service, in order, in Jakarta's time. A day without an entry is closed."""
    calendar: WorkingCalendar
    at_desk: Callable[[], dict[int, tuple[Span, ...]] | None] = field(default=_nothing_set, compare=False)
    """What staff have set at the desk, looked up each time; it takes the place of `spans`."""

    @classmethod
    def from_file(
        cls, path: Path, calendar: WorkingCalendar, at_desk: Callable[[], dict[int, tuple[Span, ...]] | None] = _nothing_set
    ) -> ServiceHours:
        """Read `{senin: [09.00-12.00, 13.00-15.00], …}`. Raises `BadServiceHours`."""
        try:
            content = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.BaseLoader)  # noqa: S506 makes strings only
        except yaml.YAMLError as error:
            raise BadServiceHours(f"{path.name}: this is no YAML: {str(error).splitlines()[0]}") from error
        return cls(read_spans(path.name, content), calendar, at_desk)

    @property
    def in_force(self) -> dict[int, tuple[Span, ...]]:
        """Weekday to spans, as they hold now."""
        set_by_staff = self.at_desk()
        return self.spans if set_by_staff is None else set_by_staff

    def is_open(self, moment: datetime) -> bool:
        """False also in a year whose days off are not known."""
        local = moment.astimezone(JAKARTA)
        try:
            return any(start <= local.time() < end for start, end in self._spans_on(local.date()))
        except UnknownYear:
            return False

    def next_opening(self, moment: datetime) -> datetime:
        """The first beginning of service after `moment`, in Jakarta's time. Raises `UnknownYear` where that can't be known."""
        local = moment.astimezone(JAKARTA)
        for days in count():
            day = local.date() + timedelta(days=days)
            for start, _ in self._spans_on(day):
                opening = datetime.combine(day, start, JAKARTA)
                if opening > local:
                    return opening
        raise AssertionError("the count of days has no end")

    def closing_of(self, moment: datetime) -> datetime:
        """When the service of that day ends for good, a break left aside; `moment` itself where it has ended."""
        local = moment.astimezone(JAKARTA)
        try:
            ends = [datetime.combine(local.date(), end, JAKARTA) for _, end in self._spans_on(local.date())]
        except UnknownYear:
            ends = []
        return max([*ends, local])

    def _spans_on(self, day: date) -> tuple[Span, ...]:
        return self.in_force.get(day.weekday(), ()) if self.calendar.is_working_day(day) else ()


def service_hours_file(data_dir: Path) -> Path:
    """Staff's own file in the data folder, or the one that comes with the program."""
    own = data_dir / NAME
    return own if own.exists() else Path(__file__).with_name(NAME)


def read_spans(source: str, content: Any) -> dict[int, tuple[Span, ...]]:
    """Weekdays to spans, from `{"senin": ["09.00-12.00"], …}`. Raises `BadServiceHours`, whose message begins with `source`."""
    if not isinstance(content, dict) or not content:
        raise BadServiceHours(f"{source}: write a line for each day of service, such as senin: [09.00-15.00]")
    unknown = [day for day in content if day not in WEEKDAYS]
    if unknown:
        raise BadServiceHours(f"{source}: {unknown[0]!r} is no day of service; the days are {', '.join(WEEKDAYS)}")
    spans = {WEEKDAYS.index(day): _spans_of(source, day, written) for day, written in content.items()}
    if not any(spans.values()):
        raise BadServiceHours(f"{source}: no day has any hours")
    return spans


def written(spans: tuple[Span, ...]) -> str:
    """As people write it: "09.00-12.00, 13.00-15.00"."""
    return ", ".join(f"{start:%H.%M}-{end:%H.%M}" for start, end in spans)


def in_words(spans: dict[int, tuple[Span, ...]], language: str) -> str:
    """Such as "Senin–Kamis 09.00-12.00, 13.00-15.00; Jumat 09.00-11.00, 13.00-15.00": neighbours with the same hours in one."""
    groups: list[tuple[int, int, str]] = []
    for day in sorted(day for day, given in spans.items() if given):
        hours = written(spans[day])
        if groups and groups[-1][1] == day - 1 and groups[-1][2] == hours:
            groups[-1] = (groups[-1][0], day, hours)
        else:
            groups.append((day, day, hours))
    names = DAY_NAMES[language]
    return "; ".join(
        f"{names[first]}–{names[last]} {hours}" if last > first else f"{names[first]} {hours}" for first, last, hours in groups
    )


def _spans_of(file: str, day: str, written: Any) -> tuple[Span, ...]:
    if not isinstance(written, list):
        raise BadServiceHours(f"{file}: {day}: write a list, such as {day}: [09.00-12.00, 13.00-15.00]")
    spans = tuple(_span(file, day, one) for one in written)
    for (_, end), (start, _) in pairwise(spans):
        if start < end:
            raise BadServiceHours(f"{file}: {day}: the spans overlap or are not in order at {start:%H.%M}")
    return spans


def _span(file: str, day: str, written: Any) -> Span:
    match = _SPAN.fullmatch(str(written).strip())
    try:
        start, end = (time(int(match[1]), int(match[2])), time(int(match[3]), int(match[4]))) if match else (time(), time())
    except ValueError:
        start = end = time()
    if start >= end:
        raise BadServiceHours(f"{file}: {day}: {written!r} is no span of time; write it as 09.00-12.00")
    return start, end
