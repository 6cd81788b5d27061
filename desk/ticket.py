"""One ticket: what was asked, its legal clock, its history, and everything that staff can do with it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Form, HTTPException, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import RedirectResponse, Response
from starlette.datastructures import UploadFile

from desk.access import NotAllowed
from desk.pages import address
from services.audit import SHORTEST_REASON
from services.calendar import UnknownYear
from services.desk_sessions import Session
from services.legal_clock import Count
from services.permissions import Permission
from services.privacy import mask
from services.registry import JOURNEY_OF
from services.ticket_changes import CLOCKED, MOVES, ChangeRefused
from services.ticket_desk import GROUNDS, NotYoursToHandle
from services.ticket_events import MAX_ANSWER, MAX_NOTE, MAX_REASON, Actor, Happening, HistoryEntry
from services.ticket_files import MOST_FILES, FileProblem, FileRefused
from services.tickets import UNANSWERED, WORKING_DAYS, Kind, Resolution, State

if TYPE_CHECKING:
    from desk.room import Room
    from services.assembly import Services
    from services.ticket_list import TicketRow

HIDDEN = "••••••"
OF_ANY_KIND = frozenset({Resolution.ANSWERED, Resolution.PASSED_ON})
"""How tickets can end that ask for no decision."""
LIMITS = {"answer": MAX_ANSWER, "note": MAX_NOTE, "reason": MAX_REASON, "shortest_reason": SHORTEST_REASON, "files": MOST_FILES}


def ticket(room: Room) -> APIRouter:
    router = APIRouter(prefix="/tickets/{number}")
    reader = room.access.may(Permission.READ_TICKETS)
    handler = room.access.may(Permission.HANDLE_TICKETS)
    desk = room.services.ticket_desk

    def page(request: Request, session: Session, number: str, status: int = 200, **values: Any) -> Response:
        query = request.query_params
        shown = {"problem": query.get("problem", ""), "done": query.get("done", ""), "given": {}, "revealed": False, **values}
        contents = _contents(room.services, session, number, revealed=shown["revealed"])
        return room.pages.show(request, session, "ticket.html", status, **contents, **shown)

    def change(request: Request, session: Session, number: str, done: str, act: Callable[[], object], **given: Any) -> Response:
        problem = attempt(session, act)
        if problem:
            return page(request, session, number, 422, problem=problem, given=given)
        return RedirectResponse(address(f"/desk/tickets/{number}", done=done), 303)

    @router.get("")
    def show(request: Request, number: str, session: Session = reader) -> Response:
        return page(request, session, number)

    @router.post("/reveal")
    def reveal(
        request: Request, number: str, reason: Annotated[str, Form(max_length=5000)] = "", session: Session = handler
    ) -> Response:
        problem = attempt(session, lambda: desk.reveal(session, number, reason))
        return page(request, session, number, 422 if problem else 200, problem=problem, revealed=not problem)

    @router.post("/assign")
    def assign(request: Request, number: str, to: Annotated[str, Form(max_length=40)] = "", session: Session = handler) -> Response:
        return change(request, session, number, "assigned", lambda: desk.assign(session, number, to or None))

    @router.post("/move")
    def move(request: Request, number: str, state: Annotated[State, Form()], session: Session = handler) -> Response:
        return change(request, session, number, "moved", lambda: desk.move(session, number, state))

    @router.post("/extend")
    def extend(
        request: Request, number: str, reason: Annotated[str, Form(max_length=5000)] = "", session: Session = handler
    ) -> Response:
        return change(request, session, number, "extended", lambda: desk.extend(session, number, reason), extension=reason)

    @router.post("/answer")
    def answer(
        request: Request,
        number: str,
        resolution: Annotated[Resolution, Form()],
        text: Annotated[str, Form(max_length=20_000)] = "",
        grounds: Annotated[list[str], Form(max_length=10)] = [],  # noqa: B006  FastAPI copies it
        session: Session = handler,
    ) -> Response:
        given = {"answer": text, "resolution": resolution, "grounds": grounds}
        return change(request, session, number, "answered", lambda: desk.answer(session, number, text, resolution, grounds), **given)

    @router.post("/note")
    def note(
        request: Request, number: str, text: Annotated[str, Form(max_length=10_000)] = "", session: Session = handler
    ) -> Response:
        return change(request, session, number, "noted", lambda: desk.remark(session, number, text), note=text)

    @router.post("/merge")
    def merge(request: Request, number: str, into: Annotated[str, Form(max_length=40)] = "", session: Session = handler) -> Response:
        return change(request, session, number, "merged", lambda: desk.merge(session, number, into))

    # Not declared as a parameter: FastAPI would read a stranger's file before it asks who sends it.
    @router.post("/files")
    async def add_file(request: Request, number: str, session: Session = handler) -> Response:
        sent = (await request.form()).get("file")

        def keep() -> None:
            if not isinstance(sent, UploadFile):
                raise FileRefused(FileProblem.EMPTY)
            desk.add_file(session, number, sent.filename or "", sent.file.read(room.services.ticket_files.largest + 1))

        try:
            return await run_in_threadpool(change, request, session, number, "file_added", keep)
        finally:
            await request.close()

    @router.post("/files/{file_id}/remove")
    def remove_file(request: Request, number: str, file_id: int, session: Session = handler) -> Response:
        return change(request, session, number, "file_removed", lambda: desk.remove_file(session, number, file_id))

    @router.get("/files/{file_id}")
    def read_file(number: str, file_id: int, session: Session = handler) -> Response:
        try:
            file, content = desk.read_file(session, number, file_id)
        except KeyError as unknown:
            raise HTTPException(404) from unknown
        except NotYoursToHandle as refused:
            raise NotAllowed(session) from refused
        headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{quote(file.name)}"}
        return Response(content, media_type=file.media_type, headers=headers)

    return router


def attempt(session: Session, act: Callable[[], object]) -> str:
    """Do it; the name of the problem where the rules say no. Raises `NotAllowed`, and 404 for what is not there."""
    try:
        act()
    except KeyError as unknown:
        raise HTTPException(404) from unknown
    except NotYoursToHandle as refused:
        raise NotAllowed(session) from refused
    except (ChangeRefused, FileRefused) as refused:
        return refused.problem.value
    except UnknownYear:
        return "unknown_year"
    return ""


def _contents(services: Services, session: Session, number: str, *, revealed: bool) -> dict[str, Any]:
    try:
        row = services.ticket_list.row(number)
    except KeyError as unknown:
        raise HTTPException(404) from unknown
    kind, desk = row.kind, services.ticket_desk
    history = services.ticket_changes.history(number, internal=True)
    may_handle = desk.may_handle(session, kind)
    return {
        "row": row,
        "fields": shown_fields(services, number, kind, revealed=revealed),
        "filed_late": bool(services.tickets.fields_of(number).get("late")),
        "count": Count.of(row.received_at, row.due_on, services.calendar) if row.due_on else None,
        "limit": WORKING_DAYS.get(kind),
        "history": [(entry, _shown_text(entry, revealed=revealed)) for entry in history],
        "letters": available_letters(row, history),
        "files": services.ticket_files.of(number),
        "largest": services.ticket_files.largest,
        "others": services.ticket_list.same_citizen(number) if may_handle and row.is_open else [],
        "colleagues": desk.colleagues(kind),
        "names": services.staff.names(),
        "may_handle": may_handle,
        "may_reveal": desk.may_reveal(session, kind),
        "may_read_files": session.may(Permission.HANDLE_TICKETS) and desk.may_reveal(session, kind),
        "moves": [state for state, origins in MOVES.items() if row.state in origins],
        "can_extend": kind is Kind.INFORMATION_REQUEST and row.is_open and row.due_on is not None and not row.extended,
        "resolutions": [one for one in Resolution if one not in UNANSWERED and (kind in CLOCKED or one in OF_ANY_KIND)],
        "grounds": GROUNDS if kind is Kind.INFORMATION_REQUEST else {},
        "limits": LIMITS,
    }


def shown_fields(services: Services, number: str, kind: Kind, *, revealed: bool) -> list[tuple[str, Any, bool]]:
    """Name, value, and whether it is hidden, of each field that was given; in the order of the form."""
    given = services.tickets.fields_of(number)
    shown = []
    for field in JOURNEY_OF[kind].fields:
        value = given.get(field.name)
        if value in (None, "", []) or not field.in_summary:
            continue
        hidden = field.personal and not revealed
        if field.free_text and not field.personal and not revealed:
            value = mask(str(value)).text
        shown.append((field.name, HIDDEN if hidden else value, hidden))
    return shown


def available_letters(row: TicketRow, history: list[HistoryEntry]) -> list[str]:
    """Names of the letters that what happened asks for."""
    happened = {entry.name for entry in history}
    letters = ["perpanjangan"] if Happening.EXTENDED in happened else []
    if Happening.ANSWERED in happened and row.kind in CLOCKED:
        refused = row.kind is Kind.INFORMATION_REQUEST and row.resolution is Resolution.REFUSED
        letters.append("penolakan" if refused else "jawaban")
    return letters


def _shown_text(entry: HistoryEntry, *, revealed: bool) -> str:
    """What was written; a citizen's words masked, since a note may be there to give a number."""
    if not entry.text:
        return ""
    by_citizen = entry.actor is Actor.CITIZEN or entry.name is Happening.JOINED
    return mask(entry.text).text if by_citizen and not revealed else entry.text
