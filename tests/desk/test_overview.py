from __future__ import annotations

import csv
import io
import re
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import delete, func, select

from services.assembly import Services
from services.calendar import JAKARTA
from services.conversation_log import LogFilter
from services.daily_figures import Figure
from services.handoff import State as HandoffState
from services.overview import Overview
from services.permissions import Role
from services.ppid_report import Month
from services.spans import Span
from services.spreadsheet import csv_file
from services.tickets import Kind, Resolution
from services.turn import UNANSWERED, AnswerStatus
from services.waiting_times import Waits
from store.models import DailyFigure, Handoff, Message
from tests.desk.filed import at, file, say

FIRST, LAST = date(2026, 11, 10), date(2026, 11, 16)


def test_messages_are_counted_by_day_hour_channel_and_answer_in_jakarta(services: Services) -> None:
    say(services, "web", ("2026-11-10 00:30", "answered", "magang"), ("2026-11-10 09:10", "abstained", None))
    say(services, "telegram", ("2026-11-16 23:59", "handed_over", None), ("2026-11-17 00:00", "answered", "magang"))
    say(services, "web", ("2026-11-09 23:59", "answered", "magang"), ("2026-11-12 09:00", "answered", "simpel"))
    found = services.overview.figures(Span(FIRST, LAST), date(2026, 11, 20))
    assert [day.day for day in found.days] == [FIRST + timedelta(days=n) for n in range(7)]
    first, total = found.days[0], found.total
    assert (first.conversations, first.messages, first.answered, first.not_answered) == (1, 2, 1, 1)
    assert (total.conversations, total.messages, total.answered, total.not_answered, total.handed_over) == (2, 4, 2, 1, 1)
    assert found.channels == {"web": 3, "telegram": 1}
    assert (found.hours[0], found.hours[9], found.hours[23]) == (1, 2, 1)
    assert [(one.topic, one.now, one.before) for one in found.topics] == [("simpel", 1, 0), ("magang", 1, 1)]


def test_past_days_are_counted_once_and_give_the_same_figures(services: Services) -> None:
    say(services, "web", ("2026-11-10 00:30", "answered", "magang"), ("2026-11-10 09:10", "abstained", None))
    reply(services, "k0", 1, 0.5)
    say(services, "telegram", ("2026-11-13 23:59", "handed_over", None), ("2026-11-14 00:00", "answered", "magang"))
    reply(services, "k1", 1, 3)
    span, today = Span(FIRST, LAST), date(2026, 11, 14)
    live = services.overview.figures(span, today)
    assert live.first_answers.total == Waits(2, 1.75, 3.0)
    assert services.daily_figures.keep_past_days(at("2026-11-14 01:30")) == 3, "the last day is not over for long enough"
    assert services.daily_figures.keep_past_days(at("2026-11-14 02:30")) == 1
    assert services.daily_figures.keep_past_days(at("2026-11-14 02:30")) == 0
    assert services.overview.figures(span, today) == live
    say(services, "web", ("2026-11-14 08:00", "answered", "simpel"))
    after = services.overview.figures(span, today)
    assert after.total.messages == live.total.messages + 1, "today is counted live"


def test_the_figures_of_a_counted_day_stay_when_its_conversations_are_deleted(services: Services) -> None:
    say(services, "web", ("2026-11-10 00:30", "answered", "magang"))
    services.daily_figures.keep_past_days(at("2026-11-11 08:00"))
    counted = services.overview.figures(Span(FIRST, LAST), LAST)
    services.conversations.forget_idle(at("2026-11-20 00:00"))
    assert services.overview.figures(Span(FIRST, LAST), LAST) == counted
    assert counted.total.conversations == 1


def test_waits_are_added_to_days_that_were_counted_without_them(services: Services) -> None:
    """As the release before did, whose conversations of those days may be deleted since."""
    say(services, "web", ("2026-11-10 09:00", "answered", "magang"))
    say(services, "web", ("2026-11-10 10:00", "answered", "magang"))
    reply(services, "k1", 1, 2)
    services.daily_figures.keep_past_days(at("2026-11-11 08:00"))
    with services.database.session() as session:
        session.execute(delete(DailyFigure).where(DailyFigure.figure == Figure.FIRST_ANSWERS))
        session.execute(delete(Message).where(Message.conversation_id == "k0"))
    span = Span(FIRST, FIRST)
    live = services.overview.figures(span, LAST)
    assert (live.total.messages, live.first_answers.total) == (2, Waits(1, 2.0, 2.0))
    assert services.daily_figures.keep_past_days(at("2026-11-11 08:00")) == 1
    assert services.overview.figures(span, LAST) == live


def test_a_month_of_days_is_counted_at_a_time_the_latest_first(services: Services) -> None:
    say(services, "web", ("2026-09-01 08:00", "answered", "magang"))
    now = at("2026-11-01 08:00")
    assert [services.daily_figures.keep_past_days(now) for _ in range(4)] == [30, 30, 1, 0]
    assert services.overview.figures(Span(date(2026, 9, 1), date(2026, 9, 2)), now.date()).total.messages == 1


def test_tickets_are_in_time_late_or_open(services: Services) -> None:
    in_time, late = (file(services, moment="2026-10-26 10:00") for _ in range(2))
    aspiration = file(services, Kind.ASPIRATION, "2026-11-10 10:00")
    for number, moment in ((in_time, "2026-11-09 16:00"), (late, "2026-11-10 08:00"), (aspiration, "2026-11-12 08:00")):
        services.ticket_changes.answer(number, "Jawaban", Resolution.GRANTED, "sari", at(moment))
    overdue = file(services, moment="2026-10-27 10:00")
    file(services, moment="2026-11-16 10:00")
    services.ticket_changes.rate(late, 1, now=at("2026-11-10 09:00"))
    services.ticket_changes.rate(late, 4, now=at("2026-11-10 10:00"))
    found = services.overview.figures(Span(date(2026, 11, 1), LAST), LAST)
    tickets = found.tickets
    assert services.tickets.view(overdue).due_on == date(2026, 11, 10)
    assert (tickets.filed, tickets.answered_in_time, tickets.answered_late, tickets.answered_without_limit) == (2, 1, 1, 1)
    assert (tickets.open_now, tickets.overdue_now, tickets.median_working_days) == (2, 1, 10)
    assert found.ratings == {1: 0, 2: 0, 3: 0, 4: 1}


def test_working_days_are_not_counted_through_a_year_without_decree(services: Services) -> None:
    number = file(services, moment="2027-12-27 10:00")
    services.ticket_changes.answer(number, "Jawaban", Resolution.GRANTED, "sari", at("2028-01-10 10:00"))
    tickets = services.overview.figures(Span(date(2028, 1, 1), date(2028, 1, 31)), date(2028, 2, 1)).tickets
    assert (tickets.answered_without_limit, tickets.median_working_days) == (1, None)


def reply(services: Services, conversation_id: str, asked_seq: int, seconds: float, author: str = "bot") -> None:
    """An answer so many seconds after the message with this number."""
    with services.database.session() as session:
        asked = session.scalars(select(Message).filter_by(conversation_id=conversation_id, seq=asked_seq)).one()
        newest = session.scalar(select(func.max(Message.seq)).filter_by(conversation_id=conversation_id)) or 0
        values: dict[str, Any] = {"text": "y", "buttons": [], "sources": [], "at": asked.at + timedelta(seconds=seconds)}
        session.add(Message(conversation_id=conversation_id, seq=newest + 1, author=author, reply_to=asked.id, **values))


def test_the_time_to_the_first_answer_is_that_of_a_conversations_first_message(services: Services) -> None:
    say(services, "web", ("2026-11-10 00:00", "answered", "magang"), ("2026-11-10 00:05", "answered", "magang"))
    reply(services, "k0", 1, 0.5)
    reply(services, "k0", 1, 4)  # a second bubble of the same answer
    reply(services, "k0", 2, 60)  # a later question
    say(services, "telegram", ("2026-11-10 23:59", "answered", "magang"))
    reply(services, "k1", 1, 90)  # answered the next day
    say(services, "web", ("2026-11-11 09:00", "handed_over", None))  # nobody has answered
    say(services, "web", ("2026-11-12 09:00", "handed_over", None))
    reply(services, "k3", 1, 7, author="officer")
    say(services, "web", ("2026-11-09 23:59", "answered", "magang"), ("2026-11-13 10:00", "answered", "magang"))
    reply(services, "k4", 2, 5)  # it began before the span
    say(services, "web", ("2026-11-09 10:00", "answered", "magang"))
    reply(services, "k5", 1, 1)  # all of it was before
    found = services.overview.figures(Span(FIRST, LAST), LAST).first_answers
    assert found.total == Waits(2, 45.25, 90.0)
    assert found.days[FIRST] == found.total
    assert all(found.days[FIRST + timedelta(days=n)] == Waits(0, None, None) for n in range(1, 7))


def test_the_wait_for_an_officer_is_counted_of_those_taken(services: Services) -> None:
    say(services, "web", ("2026-11-10 09:00", "handed_over", None))
    with services.database.session() as session:
        for minutes in (1, 5, 30):
            asked = at("2026-11-10 09:00")
            kept = {"state": HandoffState.ENDED, "urgent": False, "asked_at": asked, "taken_at": asked + timedelta(minutes=minutes)}
            session.add(Handoff(conversation_id="k0", **kept))
    found = services.overview.figures(Span(FIRST, LAST), LAST).officer_waits
    assert found.total == Waits(3, 300.0, 1800.0)
    assert found.days[FIRST] == found.total


def test_the_log_is_read_by_its_index(services: Services) -> None:
    from sqlalchemy import event

    plans = []

    def explain(connection: Any, _cursor: Any, statement: str, parameters: Any, _context: Any, many: bool) -> None:
        if statement.startswith("SELECT") and "messages" in statement:
            cursor = connection.connection.driver_connection.execute(f"EXPLAIN QUERY PLAN {statement}", parameters)
            plans.append(" ".join(str(row[3]) for row in cursor))

    event.listen(services.database._engine, "before_cursor_execute", explain)
    Overview(services.database, services.calendar).figures(Span(FIRST, LAST), LAST)
    assert plans
    assert all("ix_messages_at" in plan and "SCAN messages" not in plan for plan in plans), plans


async def test_the_page_has_a_chart_a_table_and_a_file_of_each_figure(services: Services, sign_in) -> None:
    today = datetime.now(JAKARTA).date()
    say(services, "web", (f"{today} 00:01", "answered", "=HYPERLINK(1)"))
    reader = await sign_in(Role.READER)
    page = await reader.reads("/desk/overview")
    for path in re.findall(r'<img src="(/desk/overview/[^"]+)"', page):
        picture = await reader.opens(path.replace("&amp;", "&"))
        assert picture.headers["content-type"] == "image/svg+xml"
        assert "<script" not in picture.text and "http://kozea" not in picture.text
        assert "style-src 'unsafe-inline'" in picture.headers["content-security-policy"]
    files = re.findall(r'href="(/desk/overview/[a-z_]+\.csv[^"]*)"', page)
    assert len(files) == 7
    for path in files:
        assert (await reader.opens(path.replace("&amp;", "&"))).content.startswith(b"\xef\xbb\xbf")
    topics = (await reader.opens("/desk/overview/topics.csv")).content.decode("utf-8-sig")
    assert list(csv.reader(io.StringIO(topics)))[1][0] == "'=HYPERLINK(1)"


@pytest.mark.parametrize("span", ["since=x&until=y", "since=2026-12-31&until=2026-01-01", "since=0001-01-01", "until=9999-12-31"])
async def test_any_span_is_answered(span: str, sign_in) -> None:
    reader = await sign_in(Role.READER)
    assert 'type="date"' in await reader.reads(f"/desk/overview?{span}")


@pytest.mark.parametrize("sign", ["=", "+", "-", "@", "\t", "\r"])
def test_no_cell_of_a_csv_file_is_a_formula(sign: str) -> None:
    content = csv_file([sign + "judul"], [(f"{sign}1+1", -5, None)]).decode("utf-8-sig")
    assert list(csv.reader(io.StringIO(content, newline=""))) == [[f"'{sign}judul"], [f"'{sign}1+1", "-5", ""]]


async def test_the_ppids_report_counts_what_was_received_in_the_month(services: Services, sign_in) -> None:
    granted, refused, waiting = (file(services, moment=f"2026-11-0{day} 10:00") for day in (2, 3, 4))
    file(services, moment="2026-12-01 00:00")
    objection = file(services, Kind.OBJECTION, "2026-11-05 10:00")
    services.ticket_changes.answer(granted, "Ini", Resolution.GRANTED, "sari", at("2026-11-05 10:00"))
    services.ticket_changes.extend(refused, "Perlu waktu", "sari", at("2026-11-10 10:00"))
    services.ticket_changes.answer(refused, "Rahasia", Resolution.REFUSED, "sari", at("2026-12-20 10:00"), grounds=["h"])
    reader = await sign_in(Role.READER)
    page = await reader.reads("/desk/overview/ppid?month=2026-11")
    assert all(number in page for number in (granted, refused, waiting, objection))
    assert "Siti" not in page
    content = (await reader.opens("/desk/overview/ppid.csv?month=2026-11")).content.decode("utf-8-sig")
    lines = {row[0]: row for row in csv.reader(io.StringIO(content))}
    assert lines[granted][1:] == ["2026-11-02", "2026-11-16", "2026-11-05", "3", "Tidak", "dikabulkan", ""]
    assert lines[refused][5:] == ["Ya", "ditolak", "h"]
    assert lines[waiting][6] == "masih diproses"
    report = services.ppid_reports.of(Month(2026, 11))
    assert f"<dd>{report.mean_working_days:.1f}</dd>".replace(".", ",") in page
    assert (report.count(Resolution.GRANTED), report.count(None), report.late, report.extended, report.count_ground("h")) == (
        1,
        1,
        1,
        1,
        1,
    )
    for odd in ("2026-00", "x", "2099-12"):
        assert "<h1>" in await reader.reads(f"/desk/overview/ppid?month={odd}")


def test_a_span_begins_at_midnight_in_jakarta() -> None:
    assert Span(FIRST, LAST).moments[0] == datetime(2026, 11, 9, 17, tzinfo=UTC)
    assert Span(FIRST, LAST).before == Span(date(2026, 11, 3), date(2026, 11, 9))


async def test_the_figure_of_the_unanswered_leads_to_the_conversations_that_were_counted(services: Services, sign_in) -> None:
    for status in AnswerStatus:
        say(services, "web", ("2026-11-10 09:00", status, None))
    counted = services.overview.figures(Span(FIRST, LAST), LAST).total.not_answered
    found = services.conversation_log.search(LogFilter(unanswered=True), 0)
    assert {one.status for one in found} == UNANSWERED
    assert counted == len(found)
    page = await (await sign_in(Role.READER)).reads("/desk/overview?since=2026-11-10&until=2026-11-16")
    assert re.search(r"flag=unanswered\"><strong>4</strong>", page)
