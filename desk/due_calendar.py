"""Due dates by month, and the feed of them for calendar programs."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import RedirectResponse, Response

from services.dates import MONTHS, WEEKDAYS
from services.desk_sessions import Session
from services.permissions import Permission
from services.ppid_report import Month

if TYPE_CHECKING:
    from desk.room import Room

PATH = "/desk/tickets/calendar"


def due_calendar(room: Room) -> APIRouter:
    router = APIRouter()
    reader = room.access.may(Permission.READ_TICKETS)
    listed, feeds, calendar = room.services.ticket_list, room.services.due_calendar, room.services.calendar

    def page(request: Request, session: Session, feed: str = "") -> Response:
        today = listed.legal_clock().today
        month = Month.parse(request.query_params.get("month", "")) or Month(today.year, today.month)
        first = month.first - timedelta(days=month.first.weekday())
        last = month.last + timedelta(days=6 - month.last.weekday())
        due: dict[date, list[object]] = {first + timedelta(days=n): [] for n in range((last - first).days + 1)}
        for row in listed.due_between(first, last):
            assert row.due_on
            due[row.due_on].append(row)
        return room.pages.show(
            request,
            session,
            "due_calendar.html",
            month=month,
            month_name=f"{MONTHS[session.locale][month.month - 1]} {month.year}",
            weekdays=WEEKDAYS[session.locale],
            days=due.items(),
            off={day for day in due if not calendar.may_be_working_day(day)},
            today=today,
            has_feed=feeds.has_feed(session),
            feed=feed,
        )

    @router.get("/tickets/calendar")
    def show(request: Request, session: Session = reader) -> Response:
        return page(request, session)

    @router.post("/tickets/calendar/start")
    def start(request: Request, session: Session = reader) -> Response:
        return page(request, session, feeds.start(session))

    @router.post("/tickets/calendar/stop")
    def stop(session: Session = reader) -> Response:
        feeds.stop(session)
        return RedirectResponse(PATH, 303)

    # The token is all that a calendar program has: no cookie, no sign-in.
    @router.get("/calendar/{token}.ics")
    def feed(token: str) -> Response:
        content = feeds.feed(token)
        if content is None:
            raise HTTPException(404)
        return Response(content, media_type="text/calendar; charset=utf-8", headers={"Cache-Control": "private, max-age=300"})

    return router
