"""Letters of UU 14/2008 to print and sign. They are in Indonesian; their words stand in letters.yml."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import yaml
from fastapi import APIRouter, Form, HTTPException, Request
from fastapi.responses import Response

from desk.ticket import LIMITS, attempt, available_letters, shown_fields
from services import value_words
from services.calendar import JAKARTA
from services.dates import day_and_month, long_date
from services.desk_sessions import Session
from services.permissions import Permission
from services.registry import JOURNEY_OF
from services.ticket_desk import GROUNDS
from services.ticket_events import Happening
from services.ticket_words import word

if TYPE_CHECKING:
    from desk.room import Room

LANGUAGE = "id"
EVENT_OF = {"perpanjangan": Happening.EXTENDED, "penolakan": Happening.ANSWERED, "jawaban": Happening.ANSWERED}


def letters(room: Room) -> APIRouter:
    router = APIRouter(prefix="/tickets/{number}/letters")
    reader = room.access.may(Permission.READ_TICKETS)
    handler = room.access.may(Permission.HANDLE_TICKETS)
    services = room.services
    words: dict[str, Any] = yaml.safe_load(Path(__file__).with_name("letters.yml").read_text(encoding="utf-8"))

    def page(
        request: Request, session: Session, number: str, letter: str, status: int = 200, problem: str = "", *, revealed: bool = False
    ) -> Response:
        row = _row(number)
        history = services.ticket_changes.history(number)
        if letter not in available_letters(row, history):
            raise HTTPException(404)
        event = next(entry for entry in reversed(history) if entry.name is EVENT_OF[letter])
        personal = {field.name for field in JOURNEY_OF[row.kind].fields if field.personal}
        fields = shown_fields(services, number, row.kind, revealed=revealed)
        return room.pages.show(
            request,
            session,
            "letter.html",
            status,
            letter=letter,
            w=words,
            row=row,
            problem=problem,
            limits=LIMITS,
            revealed=revealed,
            may_reveal=session.may(Permission.HANDLE_TICKETS) and services.ticket_desk.may_reveal(session, row.kind),
            to=[value for name, value, _ in fields if name in personal],
            asked=[
                (words["fields"][name], value_words.shown(value, LANGUAGE)) for name, value, _ in fields if name in words["fields"]
            ],
            written_on=day_and_month(event.at.astimezone(JAKARTA).date(), LANGUAGE),
            received_on=day_and_month(row.received_at.astimezone(JAKARTA).date(), LANGUAGE),
            due=long_date(row.due_on, LANGUAGE) if row.due_on else "",
            resolution=word(LANGUAGE, "resolution", row.resolution) if row.resolution else "",
            text=event.text or "",
            grounds=[(one, GROUNDS[one]) for one in event.data.get("grounds", [])],
            files=services.ticket_files.of(number) if letter != "perpanjangan" else [],
        )

    def _row(number: str) -> Any:
        try:
            return services.ticket_list.row(number)
        except KeyError as unknown:
            raise HTTPException(404) from unknown

    @router.get("/{letter}")
    def show(request: Request, number: str, letter: str, session: Session = reader) -> Response:
        return page(request, session, number, letter)

    @router.post("/{letter}")
    def show_with_name(
        request: Request, number: str, letter: str, reason: Annotated[str, Form(max_length=5000)] = "", session: Session = handler
    ) -> Response:
        problem = attempt(session, lambda: services.ticket_desk.reveal(session, number, reason))
        return page(request, session, number, letter, 422 if problem else 200, problem, revealed=not problem)

    return router
