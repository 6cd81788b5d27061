"""Figures of the last days: each with its chart, its table and its file."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import Response

from desk.charts import CHARTS, HEADERS, draw
from desk.dates import day_of
from services.desk_sessions import Session
from services.overview import LONGEST_SPAN, Figures
from services.permissions import Permission
from services.spans import Span
from services.spreadsheet import csv_file
from services.waiting_times import DailyWaits

if TYPE_CHECKING:
    from desk.room import Room

DEFAULT_DAYS = 30
SHORTCUTS = (1, 7, 30, 90)


def overview(room: Room) -> APIRouter:
    router = APIRouter(prefix="/overview")
    reader = room.access.may(Permission.READ_OVERVIEW)
    listed, figures_of = room.services.ticket_list, room.services.overview.figures

    def figures(since: str, until: str) -> Figures:
        today = listed.legal_clock().today
        return figures_of(chosen_span(since, until, today), today)

    def words(session: Session) -> dict[str, Any]:
        texts: dict[str, Any] = room.pages.texts[session.locale]["overview"]
        return texts

    @router.get("")
    def show(request: Request, since: str = "", until: str = "", session: Session = reader) -> Response:
        found = figures(since, until)
        tables = {name: table(name, found, words(session)) for name in TABLES}
        today = listed.legal_clock().today
        return room.pages.show(
            request,
            session,
            "overview.html",
            figures=found,
            tables=tables,
            charts=[name for name in TABLES if name in CHARTS],
            lights=listed.lights(),
            checks_overdue=room.services.knowledge_catalogue.overdue() if session.may(Permission.EDIT_KNOWLEDGE) else 0,
            since=found.span.first.isoformat(),
            until=found.span.last.isoformat(),
            shortcuts=[(days, (today - timedelta(days=days - 1)).isoformat(), today.isoformat()) for days in SHORTCUTS],
        )

    @router.get("/{name}.csv")
    def as_csv(name: str, since: str = "", until: str = "", session: Session = reader) -> Response:
        if name not in TABLES:
            raise HTTPException(404)
        heading, rows = table(name, figures(since, until), words(session))
        headers = {"Content-Disposition": f'attachment; filename="{name}.csv"'}
        return Response(csv_file(heading, rows), media_type="text/csv; charset=utf-8", headers=headers)

    @router.get("/{name}.svg")
    def as_picture(name: str, since: str = "", until: str = "", session: Session = reader) -> Response:
        if name not in CHARTS:
            raise HTTPException(404)
        heading, rows = table(name, figures(since, until), words(session))
        return Response(draw(name, heading, rows), media_type="image/svg+xml", headers=HEADERS)

    return router


def chosen_span(since: str, until: str, today: date) -> Span:
    """The days that the address asks for; the last thirty where it asks for none, and never more than a year."""
    last = min(day_of(until) or today, today)
    first = day_of(since) or last - timedelta(days=DEFAULT_DAYS - 1)
    if first > last:
        first, last = last, min(first, today)
    return Span(max(first, last - timedelta(days=LONGEST_SPAN - 1)), last)


Table = tuple[list[str], list[tuple[Any, ...]]]


def table(name: str, figures: Figures, words: dict[str, Any]) -> Table:
    """Heading and rows; the first column names the row."""
    heading = [words["columns"][column] for column in TABLES[name]]
    return heading, _ROWS[name](figures, words)


TABLES = {
    "days": ("day", "conversations", "messages", "answered", "not_answered", "handed_over"),
    "hours": ("hour", "messages"),
    "channels": ("channel", "messages"),
    "first_answers": ("day", "conversations", "median_seconds", "longest_seconds"),
    "officer_waits": ("day", "taken", "median_minutes", "longest_minutes"),
    "topics": ("topic", "now", "before", "rise"),
    "ratings": ("rating", "tickets"),
}
MINUTE = 60


def _of_waits(found: DailyWaits, unit: int) -> list[tuple[Any, ...]]:
    """Rows of day, number, median and longest, in seconds or minutes to a tenth; an empty cell where nobody waited."""

    def shown(seconds: float | None) -> float | None:
        return None if seconds is None else round(seconds / unit, 1)

    return [(day.isoformat(), one.count, shown(one.median), shown(one.longest)) for day, one in found.days.items()]


_ROWS: dict[str, Callable[[Figures, dict[str, Any]], list[tuple[Any, ...]]]] = {
    "days": lambda figures, words: [
        (day.day.isoformat(), day.conversations, day.messages, day.answered, day.not_answered, day.handed_over) for day in figures.days
    ],
    "hours": lambda figures, words: [(f"{hour:02}.00", count) for hour, count in enumerate(figures.hours)],
    "channels": lambda figures, words: [(words["channels"].get(name, name), count) for name, count in figures.channels.items()],
    "first_answers": lambda figures, words: _of_waits(figures.first_answers, 1),
    "officer_waits": lambda figures, words: _of_waits(figures.officer_waits, MINUTE),
    "topics": lambda figures, words: [(trend.topic, trend.now, trend.before, trend.rise) for trend in figures.topics],
    "ratings": lambda figures, words: [(words["scores"][str(score)], count) for score, count in figures.ratings.items()],
}
