"""Service hours and days off, as they hold from the moment they are saved."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response

from desk.dates import day_of
from desk.pages import address
from services.calendar import FIRST_DECREED_YEAR, LAST_DECREED_YEAR, Overrides, decreed_days_off
from services.desk_sessions import Session
from services.desk_settings import Name, Value
from services.permissions import Permission
from services.service_hours import WEEKDAYS, BadServiceHours, read_spans, written

if TYPE_CHECKING:
    from desk.room import Room

HOURS, DAYS_OFF = "/desk/settings/hours", "/desk/settings/days-off"
MOST_OVERRIDES = 100


def working_time(room: Room) -> APIRouter:
    router = APIRouter(prefix="/settings")
    administrator = room.access.may(Permission.ADMINISTER)
    hours, calendar, desk_settings = room.services.hours, room.services.calendar, room.services.desk_settings

    def hours_page(request: Request, session: Session, status: int = 200, **values: Any) -> Response:
        desk_settings.refresh()
        in_force = {day: written(hours.in_force.get(number, ())) for number, day in enumerate(WEEKDAYS)}
        shown = {"problem": "", "wrong": "", "given": in_force, **values}
        changed = desk_settings.changed(Name.SERVICE_HOURS)
        return room.pages.show(request, session, "service_hours.html", status, weekdays=WEEKDAYS, changed=changed, **shown)

    @router.get("/hours")
    def show_hours(request: Request, session: Session = administrator) -> Response:
        return hours_page(request, session)

    @router.post("/hours")
    def set_hours(
        request: Request,
        senin: Annotated[str, Form(max_length=200)] = "",
        selasa: Annotated[str, Form(max_length=200)] = "",
        rabu: Annotated[str, Form(max_length=200)] = "",
        kamis: Annotated[str, Form(max_length=200)] = "",
        jumat: Annotated[str, Form(max_length=200)] = "",
        session: Session = administrator,
    ) -> Response:
        given = dict(zip(WEEKDAYS, (senin, selasa, rabu, kamis, jumat), strict=True))
        days = {day: [part.strip() for part in text.split(",")] for day, text in given.items() if text.strip()}
        wrong = next((day for day, spans in days.items() if not _can_be_read({day: spans})), "")
        if wrong or not days:
            return hours_page(request, session, 422, problem="hours_form" if wrong else "hours_none", wrong=wrong, given=given)
        desk_settings.set(Name.SERVICE_HOURS, days, session.login)
        return RedirectResponse(HOURS, 303)

    def days_off_page(request: Request, session: Session, status: int = 200, **values: Any) -> Response:
        desk_settings.refresh()
        today = room.services.ticket_list.legal_clock().today
        overrides = calendar.overrides
        years = [year for year in (today.year, today.year + 1) if FIRST_DECREED_YEAR <= year <= LAST_DECREED_YEAR]
        shown = {"problem": "", "day": "", "kind": "add", "moved": request.query_params.get("moved", ""), **values}
        return room.pages.show(
            request,
            session,
            "days_off.html",
            status,
            overridden=sorted([*((one, "add") for one in overrides.added), *((one, "remove") for one in overrides.removed)]),
            decreed={year: [day for day in sorted(decreed_days_off(year)) if day.weekday() < 5] for year in years},
            last_year=LAST_DECREED_YEAR,
            changed=desk_settings.changed(Name.DAYS_OFF),
            given_day=shown.pop("day"),
            **shown,
        )

    def change(session: Session, step: Callable[[set[date], set[date]], object]) -> Response:
        """`step` changes the days that were added and those that were removed."""

        def applied(before: Value) -> dict[str, Any]:
            known = Overrides.read(before) if before else Overrides(calendar.added, calendar.removed)
            added, removed = set(known.added), set(known.removed)
            step(added, removed)
            return {"add": sorted(map(str, added)), "remove": sorted(map(str, removed))}

        desk_settings.change(Name.DAYS_OFF, applied, session.login)
        moved = room.services.ticket_changes.recount(session.login)
        return RedirectResponse(address(DAYS_OFF, moved=len(moved)), 303)

    @router.get("/days-off")
    def show_days_off(request: Request, session: Session = administrator) -> Response:
        return days_off_page(request, session)

    @router.post("/days-off")
    def add_day(
        request: Request,
        day: Annotated[str, Form(max_length=20)] = "",
        kind: Annotated[str, Form(pattern="^(add|remove)$")] = "add",
        session: Session = administrator,
    ) -> Response:
        """A day off beside the decree, or a day off of the decree that is a working day after all."""
        found = day_of(day)
        problem = _problem_of(found, kind, len(calendar.overrides.added | calendar.overrides.removed))
        if problem or found is None:
            return days_off_page(request, session, 422, problem=problem, day=day, kind=kind)

        def set_day(added: set[date], removed: set[date]) -> None:
            (added if kind == "add" else removed).add(found)
            (removed if kind == "add" else added).discard(found)

        return change(session, set_day)

    @router.post("/days-off/{day}/undo")
    def undo(day: str, session: Session = administrator) -> Response:
        gone = {day_of(day)}

        def take_away(added: set[date], removed: set[date]) -> None:
            added.difference_update(gone)
            removed.difference_update(gone)

        return change(session, take_away)

    return router


def _can_be_read(day: Mapping[str, list[str]]) -> bool:
    try:
        read_spans(Name.SERVICE_HOURS, dict(day))
    except BadServiceHours:
        return False
    return True


def _problem_of(day: date | None, kind: str, overrides: int) -> str:
    """Why the day can't be set so; empty where it can."""
    if day is None or not FIRST_DECREED_YEAR <= day.year <= LAST_DECREED_YEAR:
        return "day_off_year"
    if overrides >= MOST_OVERRIDES:
        return "day_off_number"
    if day.weekday() >= 5:
        return "day_off_weekend"
    is_off = day in decreed_days_off(day.year)
    if kind == "add" and is_off:
        return "day_off_decreed"
    return "day_off_not_decreed" if kind == "remove" and not is_off else ""
