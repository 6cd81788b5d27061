"""Tickets: the register by legal clock, and all that staff do with one."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Form, HTTPException, Request
from fastapi.responses import RedirectResponse, Response

from desk.access import NotAllowed
from services.calendar import UnknownYear
from services.staff import PERMISSIONS, Permission, Role, Session
from services.ticket_changes import CLOCKED, MOVES, REFUSAL_GROUNDS, ChangeRefused, resolutions
from services.ticket_events import MAX_ANSWER, MAX_NOTE, MAX_REASON, Happening
from services.ticket_register import NEVER, NOBODY, Entry, RegisterFilter
from services.tickets import Kind, Resolution, State

if TYPE_CHECKING:
    from desk.room import Room

TICKETS_A_PAGE = 50
SHORTEST_REASON = 10
LETTERS = (Happening.ANSWERED, Happening.EXTENDED)
"""What is told by a letter."""


def needed_for(kind: Kind) -> Permission:
    """What somebody must be allowed to change a ticket of this kind."""
    return Permission.HANDLE_REQUESTS if kind in CLOCKED else Permission.HANDLE_TICKETS


def tickets(room: Room) -> APIRouter:
    router = APIRouter(prefix="/tickets")
    reader = room.access.may(Permission.READ_TICKETS)
    handler = room.access.may(Permission.HANDLE_TICKETS)
    register, changes, audit = room.services.ticket_register, room.services.ticket_changes, room.services.audit

    @router.get("")
    def show(
        request: Request,
        kind: str = "",
        state: str = "",
        assigned: str = "",
        number: str = "",
        after: str = "",
        session: Session = reader,
    ) -> Response:
        wanted = RegisterFilter(
            kind=Kind(kind) if kind in set(Kind) else None,
            state=State(state) if state in set(State) else None,
            closed=state == "all",
            assigned_to=session.login if assigned == "me" else assigned,
            number=number.strip(),
        )
        found = register.entries(wanted, after=_cursor(after), limit=TICKETS_A_PAGE + 1)
        shown = found[:TICKETS_A_PAGE]
        filters = {"kind": kind, "state": state, "assigned": assigned, "number": number}
        older = None
        if len(found) > TICKETS_A_PAGE:
            row_id, last = shown[-1]
            older = "?" + urlencode({**filters, "after": f"{last.due_on or NEVER}~{row_id}"})
        return room.pages.show(
            request,
            session,
            "tickets.html",
            entries=[entry for _, entry in shown],
            older=older,
            filters=filters,
            kinds=list(Kind),
            states=list(State),
            nobody=NOBODY,
            everyone=room.services.staff.everyone(),
        )

    def found(number: str) -> Entry:
        try:
            return register.entry(number)
        except KeyError as unknown:
            raise HTTPException(404) from unknown

    def page(request: Request, session: Session, number: str, status: int = 200, **values: Any) -> Response:
        entry = found(number)
        shown = {"problem": "", "unmasked": False, "given": {}, **values}
        may_handle = session.may(needed_for(entry.kind))
        colleagues = [
            m for m in room.services.staff.everyone() if not m.disabled_at and needed_for(entry.kind) in PERMISSIONS[Role(m.role)]
        ]
        return room.pages.show(
            request,
            session,
            "ticket.html",
            status,
            entry=entry,
            fields=register.fields(number),
            history=changes.history(number, internal=True),
            may_handle=may_handle,
            colleagues=colleagues,
            moves=[state for state, before in MOVES.items() if entry.state in before],
            resolutions=resolutions(entry.kind),
            grounds=REFUSAL_GROUNDS if entry.kind is Kind.INFORMATION_REQUEST else "",
            may_extend=entry.kind is Kind.INFORMATION_REQUEST
            and entry.due_on
            and not entry.extended
            and entry.state is not State.CLOSED,
            longest={"answer": MAX_ANSWER, "note": MAX_NOTE, "reason": MAX_REASON},
            letters=LETTERS,
            **shown,
        )

    @router.get("/{number}")
    def read(request: Request, number: str, session: Session = reader) -> Response:
        return page(request, session, number)

    @router.get("/{number}/letter/{happening}")
    def letter(request: Request, number: str, happening: str, session: Session = reader) -> Response:
        """A letter to print: the latest answer or extension."""
        entry = found(number)
        told = [one for one in changes.history(number) if one.name == happening and one.name in LETTERS]
        if not told:
            raise HTTPException(404)
        name = _letter_name(entry, told[-1].name)
        asked = [field for field in register.fields(number) if not field.personal]
        return room.pages.show(request, session, "letter.html", entry=entry, told=told[-1], name=name, asked=asked)

    def change(request: Request, session: Session, number: str, act: Callable[[], object], action: str, **given: str) -> Response:
        """Do it, where the ticket's kind is theirs to handle; else say why not, with what was typed still there."""
        if not session.may(needed_for(found(number).kind)):
            raise NotAllowed(session)
        try:
            act()
        except ChangeRefused as refused:
            return page(request, session, number, 422, problem=refused.refusal.value, given=given)
        except UnknownYear:
            return page(request, session, number, 422, problem="unknown_year", given=given)
        audit.record(session.login, action, number)
        return RedirectResponse(f"/desk/tickets/{number}", 303)

    @router.post("/{number}/unmask")
    def unmask(
        request: Request, number: str, reason: Annotated[str, Form(max_length=500)] = "", session: Session = handler
    ) -> Response:
        if not session.may(needed_for(found(number).kind)):
            raise NotAllowed(session)
        if len(reason.strip()) < SHORTEST_REASON:
            return page(request, session, number, 422, problem="reason_missing", given={"unmask": reason})
        audit.record(session.login, "ticket.unmasked", number, reason.strip())
        return page(request, session, number, unmasked=True)

    @router.post("/{number}/assign")
    def assign(request: Request, number: str, to: Annotated[str, Form(max_length=40)] = "", session: Session = handler) -> Response:
        if to:
            try:
                room.services.staff.get(to)
            except LookupError as unknown:
                raise HTTPException(422) from unknown
        return change(request, session, number, partial(changes.assign, number, to or None, session.login), "ticket.assigned")

    @router.post("/{number}/move")
    def move(request: Request, number: str, state: Annotated[State, Form()], session: Session = handler) -> Response:
        return change(request, session, number, partial(changes.move, number, state, session.login), "ticket.moved")

    @router.post("/{number}/note")
    def note(
        request: Request, number: str, text: Annotated[str, Form(max_length=20_000)] = "", session: Session = handler
    ) -> Response:
        return change(request, session, number, partial(changes.staff_note, number, text, session.login), "ticket.noted", note=text)

    @router.post("/{number}/extend")
    def extend(
        request: Request, number: str, reason: Annotated[str, Form(max_length=20_000)] = "", session: Session = handler
    ) -> Response:
        act = partial(changes.extend, number, reason, session.login)
        return change(request, session, number, act, "ticket.extended", reason=reason)

    @router.post("/{number}/answer")
    def answer(
        request: Request,
        number: str,
        resolution: Annotated[Resolution, Form()],
        text: Annotated[str, Form(max_length=20_000)] = "",
        grounds: Annotated[list[str], Form(max_length=10)] = [],  # noqa: B006 FastAPI copies it
        session: Session = handler,
    ) -> Response:
        letters = "".join(sorted(set(grounds)))
        act = partial(changes.answer, number, text, resolution, session.login, grounds=letters)
        given = {"answer": text, "resolution": resolution.value, "grounds": letters}
        return change(request, session, number, act, "ticket.answered", **given)

    return router


def _letter_name(entry: Entry, told: Happening) -> str:
    """Which of the letters in the texts it is: what follows an answer by law depends on the kind of ticket."""
    if told is Happening.EXTENDED:
        return "extension"
    if entry.kind is Kind.INFORMATION_REQUEST:
        return "refusal" if entry.resolution is Resolution.REFUSED else "answer"
    return "objection" if entry.kind is Kind.OBJECTION else "reply"


def _cursor(after: str) -> tuple[date, int] | None:
    day, _, row_id = after.partition("~")
    try:
        return date.fromisoformat(day), int(row_id)
    except ValueError:
        return None
