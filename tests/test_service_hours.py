from datetime import date, datetime
from pathlib import Path

import pytest

from services.calendar import JAKARTA, UnknownYear, WorkingCalendar
from services.service_hours import BadServiceHours, ServiceHours, service_hours_file

CALENDAR = WorkingCalendar()
HOURS = ServiceHours.from_file(service_hours_file(Path("nowhere")), CALENDAR)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=JAKARTA)


@pytest.mark.parametrize(
    ("moment", "is_open"),
    [
        ("2026-11-23 08:59", False),  # a Monday
        ("2026-11-23 09:00", True),
        ("2026-11-23 11:59", True),
        ("2026-11-23 12:00", False),
        ("2026-11-23 13:00", True),
        ("2026-11-23 14:59", True),
        ("2026-11-23 15:00", False),
        ("2026-11-27 10:59", True),  # a Friday
        ("2026-11-27 11:00", False),
        ("2026-11-27 12:30", False),
        ("2026-11-28 10:00", False),  # a Saturday
        ("2026-12-24 10:00", False),  # cuti bersama
        ("2026-12-25 10:00", False),
    ],
)
def test_officers_are_there_in_the_hours_of_sippn(moment: str, is_open: bool) -> None:
    assert HOURS.is_open(at(moment)) is is_open


def test_hours_are_those_of_jakarta_whatever_the_zone_of_the_question() -> None:
    assert HOURS.is_open(datetime.fromisoformat("2026-11-23T02:00:00+00:00"))
    assert not HOURS.is_open(datetime.fromisoformat("2026-11-23T09:00:00+00:00"))


@pytest.mark.parametrize(
    ("moment", "opening"),
    [
        ("2026-11-23 07:00", "2026-11-23 09:00"),
        ("2026-11-23 12:10", "2026-11-23 13:00"),
        ("2026-11-23 15:00", "2026-11-24 09:00"),
        ("2026-11-27 16:00", "2026-11-30 09:00"),  # over a weekend
        ("2026-12-23 16:00", "2026-12-28 09:00"),  # over cuti bersama, Christmas and a weekend
    ],
)
def test_the_next_opening_leaps_over_breaks_weekends_and_days_off(moment: str, opening: str) -> None:
    assert HOURS.next_opening(at(moment)) == at(opening)


def test_in_a_year_without_a_decree_nobody_is_said_to_be_there() -> None:
    assert not HOURS.is_open(at("2028-01-04 10:00"))
    with pytest.raises(UnknownYear) as caught:
        HOURS.next_opening(at("2027-12-31 16:00"))
    assert caught.value.year == 2028


@pytest.mark.parametrize(
    ("moment", "closing"),
    [
        ("2026-11-23 10:00", "2026-11-23 15:00"),
        ("2026-11-23 16:00", "2026-11-23 16:00"),
        ("2026-11-28 10:00", "2026-11-28 10:00"),
        ("2028-01-04 10:00", "2028-01-04 10:00"),
    ],
)
def test_a_days_service_closes_once_after_its_breaks(moment: str, closing: str) -> None:
    assert HOURS.closing_of(at(moment)) == at(closing)


def test_a_day_off_that_staff_added_is_closed() -> None:
    hours = ServiceHours(HOURS.spans, WorkingCalendar(added=frozenset({date(2026, 11, 23)})))
    assert not hours.is_open(at("2026-11-23 10:00"))


def test_staffs_own_file_in_the_data_folder_comes_first(tmp_path: Path) -> None:
    (tmp_path / "service_hours.yml").write_text('rabu: ["08:00 – 16:30"]\n')
    hours = ServiceHours.from_file(service_hours_file(tmp_path), CALENDAR)
    assert hours.is_open(at("2026-11-25 08:30"))
    assert not hours.is_open(at("2026-11-23 10:00"))


@pytest.mark.parametrize(
    ("content", "part"),
    [
        ("", "write a line for each day"),
        ("- senin", "write a line for each day"),
        ("senin: [", "no YAML"),
        ("sabtu: [09.00-12.00]", "'sabtu' is no day of service"),
        ("senin: 09.00-12.00", "senin: write a list"),
        ("senin: [9-12]", "'9-12' is no span of time; write it as 09.00-12.00"),
        ("senin: [09.00-25.00]", "no span of time"),
        ("senin: [15.00-09.00]", "no span of time"),
        ("senin: [09.00-12.00, 11.00-15.00]", "overlap"),
        ("senin: []", "no day has any hours"),
    ],
)
def test_a_file_that_cannot_be_right_is_refused_with_the_line_and_the_remedy(tmp_path: Path, content: str, part: str) -> None:
    path = tmp_path / "service_hours.yml"
    path.write_text(content)
    with pytest.raises(BadServiceHours, match=r"service_hours\.yml") as caught:
        ServiceHours.from_file(path, CALENDAR)
    assert part in str(caught.value)
