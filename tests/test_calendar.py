from datetime import UTC, date, datetime, time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.calendar import JAKARTA, Overrides, UnknownYear, WorkingCalendar, decreed_days_off

CALENDAR = WorkingCalendar()
LIMITS = (3, 5, 10, 14, 17, 30, 60)
VECTORS = {
    date(2025, 8, 11): ("2025-08-14", "2025-08-19", "2025-08-26", "2025-09-01", "2025-09-04", "2025-09-24", "2025-11-05"),
    date(2026, 2, 13): ("2026-02-20", "2026-02-24", "2026-03-03", "2026-03-09", "2026-03-12", "2026-04-08", "2026-05-25"),
    date(2026, 3, 9): ("2026-03-12", "2026-03-16", "2026-03-30", "2026-04-06", "2026-04-09", "2026-04-28", "2026-06-18"),
    date(2026, 11, 23): ("2026-11-26", "2026-11-30", "2026-12-07", "2026-12-11", "2026-12-16", "2027-01-08", "2027-02-22"),
    date(2026, 12, 18): ("2026-12-23", "2026-12-29", "2027-01-07", "2027-01-13", "2027-01-18", "2027-02-04", "2027-03-31"),
    date(2027, 3, 1): ("2027-03-04", "2027-03-16", "2027-03-23", "2027-03-31", "2027-04-05", "2027-04-22", "2027-06-11"),
}
decreed_days = st.dates(date(2025, 1, 1), date(2027, 6, 1))


@pytest.mark.parametrize("received", VECTORS)
def test_due_dates_are_those_counted_by_hand_from_the_decrees(received: date) -> None:
    assert tuple(CALENDAR.due_date(received, n).isoformat() for n in LIMITS) == VECTORS[received]


@pytest.mark.parametrize(("year", "working_days"), [(2025, 237), (2026, 240), (2027, 242)])
def test_a_year_has_its_known_number_of_working_days(year: int, working_days: int) -> None:
    days = [date.fromordinal(n) for n in range(date(year, 1, 1).toordinal(), date(year, 12, 31).toordinal() + 1)]
    assert sum(CALENDAR.is_working_day(day) for day in days) == working_days


def test_cuti_bersama_is_a_day_off() -> None:
    assert date(2026, 12, 24) in decreed_days_off(2026)


def test_a_count_that_runs_into_a_year_without_decree_is_refused() -> None:
    with pytest.raises(UnknownYear, match="2028"):
        CALENDAR.due_date(date(2027, 12, 20), 10)


def test_a_request_after_the_cut_off_counts_as_received_on_the_next_day() -> None:
    before = datetime(2026, 11, 23, 7, 59, tzinfo=UTC)  # 14:59 WIB
    after = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)  # 15:00 WIB
    assert CALENDAR.receipt_date(before) == date(2026, 11, 23)
    assert CALENDAR.receipt_date(after) == date(2026, 11, 24)


def test_staff_can_add_and_remove_days_off(tmp_path: Path) -> None:
    overrides = tmp_path / "overrides.yml"
    overrides.write_text("add: [2026-11-26]\nremove: [2026-12-24]\n")
    calendar = WorkingCalendar.from_file(overrides, time(16))
    assert not calendar.is_working_day(date(2026, 11, 26))
    assert calendar.is_working_day(date(2026, 12, 24))
    assert calendar.receipt_date(datetime(2026, 11, 23, 8, 30, tzinfo=UTC)) == date(2026, 11, 23)  # 15:30 WIB, before that cut-off


def test_what_the_desk_keeps_is_read_as_dates_and_may_lack_a_list() -> None:
    assert Overrides.read({"add": ["2026-12-31"], "remove": ["2026-12-24"]}) == Overrides(
        frozenset({date(2026, 12, 31)}), frozenset({date(2026, 12, 24)})
    )
    assert Overrides.read({}) == Overrides(frozenset(), frozenset())


def test_a_weekend_that_is_no_day_off_any_more_is_still_a_weekend() -> None:
    christmas_weekend = {date(2026, 12, 26), date(2026, 12, 27)}
    calendar = WorkingCalendar(removed=frozenset(christmas_weekend))
    assert not any(calendar.is_working_day(day) for day in christmas_weekend)


def test_no_working_day_lies_between_a_day_and_itself() -> None:
    assert CALENDAR.working_days_between(date(2026, 11, 23), date(2026, 11, 23)) == 0


def test_the_year_that_is_not_decreed_is_named() -> None:
    with pytest.raises(UnknownYear) as unknown:
        CALENDAR.is_working_day(date(2028, 1, 3))
    assert unknown.value.year == 2028


def test_an_override_that_is_not_a_date_is_named(tmp_path: Path) -> None:
    overrides = tmp_path / "overrides.yml"
    overrides.write_text("add: [besok]\n")
    with pytest.raises(ValueError, match="'besok' is not a date"):
        WorkingCalendar.from_file(overrides)


def test_the_shipped_overrides_can_be_read() -> None:
    WorkingCalendar.from_file(Path("services/calendar_overrides.yml"))


def test_a_limit_of_no_days_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^a time limit is at least one working day$"):
        CALENDAR.due_date(date(2026, 11, 23), 0)


@given(decreed_days, st.integers(1, 60))
def test_a_due_date_is_a_working_day_and_counts_back_to_the_limit(received: date, limit: int) -> None:
    due = CALENDAR.due_date(received, limit)
    assert CALENDAR.is_working_day(due)
    assert CALENDAR.working_days_between(received, due) == limit
    assert CALENDAR.working_days_between(due, received) == -limit


@given(decreed_days, decreed_days, st.integers(1, 60))
def test_what_comes_in_later_is_never_due_earlier(one: date, other: date, limit: int) -> None:
    earlier, later = sorted((one, other))
    assert CALENDAR.due_date(earlier, limit) <= CALENDAR.due_date(later, limit)


@given(decreed_days, st.integers(1, 30), st.integers(1, 30))
def test_an_extension_counted_from_the_due_date_is_the_longer_limit_counted_from_receipt(
    received: date, limit: int, extension: int
) -> None:
    longer = CALENDAR.due_date(received, limit + extension)
    assert CALENDAR.due_date(CALENDAR.due_date(received, limit), extension) == longer
    assert longer > CALENDAR.due_date(received, limit) > received


@given(st.datetimes(datetime(2025, 1, 1), datetime(2027, 6, 1), timezones=st.just(UTC)))  # noqa: DTZ001 hypothesis adds the zone
def test_the_day_of_receipt_is_never_before_the_day_in_jakarta_and_at_most_one_after(moment: datetime) -> None:
    local = moment.astimezone(JAKARTA).date()
    assert 0 <= (CALENDAR.receipt_date(moment) - local).days <= 1


def test_of_a_year_without_a_decree_monday_to_friday_may_be_working_days() -> None:
    calendar = WorkingCalendar()
    days = [date(2026, 12, 25), date(2026, 12, 28), date(2029, 1, 1), date(2029, 1, 6)]
    assert [calendar.may_be_working_day(day) for day in days] == [False, True, True, False]
