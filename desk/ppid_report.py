"""The PPID's report of a month, to print or as a file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import APIRouter, Request
from fastapi.responses import Response

from services.dates import MONTHS
from services.desk_sessions import Session
from services.permissions import Permission
from services.ppid_report import Month, PpidReport
from services.spreadsheet import csv_file
from services.ticket_desk import GROUNDS
from services.ticket_words import word
from services.tickets import Resolution

if TYPE_CHECKING:
    from desk.room import Room

OUTCOMES: tuple[Resolution | None, ...] = (
    Resolution.GRANTED,
    Resolution.PARTLY_GRANTED,
    Resolution.REFUSED,
    Resolution.NOT_HELD,
    Resolution.ANSWERED,
    Resolution.PASSED_ON,
    Resolution.WITHDRAWN,
    Resolution.MERGED,
    None,
)
COLUMNS = ("number", "received_on", "due_on", "answered_on", "working_days", "extended", "resolution", "grounds")


def ppid_report(room: Room) -> APIRouter:
    router = APIRouter(prefix="/overview")
    reader = room.access.may(Permission.READ_OVERVIEW)
    services = room.services

    def report(month: str) -> PpidReport:
        today = services.ticket_list.legal_clock().today
        return services.ppid_reports.of(Month.parse(month) or Month(today.year, today.month))

    @router.get("/ppid")
    def show(request: Request, month: str = "", session: Session = reader) -> Response:
        found = report(month)
        return room.pages.show(
            request,
            session,
            "ppid_report.html",
            report=found,
            month_name=f"{MONTHS[session.locale][found.month.month - 1]} {found.month.year}",
            outcomes=[(outcome, found.count(outcome)) for outcome in OUTCOMES],
            grounds=[(letter, text, count) for letter, text in GROUNDS.items() if (count := found.count_ground(letter))],
            columns=COLUMNS,
        )

    @router.get("/ppid.csv")
    def as_csv(month: str = "", session: Session = reader) -> Response:
        found = report(month)
        texts = room.pages.texts[session.locale]
        rows = [
            (
                line.number,
                line.received_on.isoformat(),
                line.due_on.isoformat() if line.due_on else "",
                line.answered_on.isoformat() if line.answered_on else "",
                line.working_days,
                texts["yes"] if line.extended else texts["no"],
                word(session.locale, "resolution", line.resolution) if line.resolution else texts["ppid"]["open"],
                " ".join(line.grounds),
            )
            for line in (*found.requests, *found.objections)
        ]
        heading = [texts["ppid"]["columns"][column] for column in COLUMNS]
        headers = {"Content-Disposition": f'attachment; filename="ppid-{found.month}.csv"'}
        return Response(csv_file(heading, rows), media_type="text/csv; charset=utf-8", headers=headers)

    return router
