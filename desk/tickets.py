"""All tickets, as a list or as a board, filtered by what stands in the address; actions on several at once."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response

from desk.dates import day_of
from desk.pages import address
from services.desk_sessions import Session
from services.legal_clock import Light
from services.permissions import Permission
from services.ticket_list import ALL, NOBODY, OPEN, TicketFilter
from services.tickets import Kind, Resolution, State, normalise_number

if TYPE_CHECKING:
    from desk.room import Room

PATH = "/desk/tickets"
ME = "me"
"""In the address: the reader's own tickets, so that the same link serves everybody."""
MOST_AT_ONCE = 100
FILTERS = ("kind", "state", "resolution", "assignee", "due", "text", "since", "until")
"""As they stand in the address of the list, and in that of an action, which leads back to the same list."""


def tickets(room: Room) -> APIRouter:
    router = APIRouter(prefix="/tickets")
    reader = room.access.may(Permission.READ_TICKETS)
    handler = room.access.may(Permission.HANDLE_TICKETS)
    listed, desk, staff = room.services.ticket_list, room.services.ticket_desk, room.services.staff

    @router.get("")
    def show(
        request: Request,
        kind: str = "",
        state: str = OPEN,
        resolution: str = "",
        assignee: str = "",
        due: str = "",
        text: str = "",
        view: str = "list",
        since: str = "",
        until: str = "",
        cursor: str = "",
        done: int | None = None,
        left: str = "",
        session: Session = reader,
    ) -> Response:
        filters = {"kind": kind, "state": state, "resolution": resolution, "assignee": assignee, "due": due, "text": text[:40]}
        wanted = TicketFilter(
            **{**filters, "assignee": session.login if assignee == ME else assignee}, since=day_of(since), until=day_of(until)
        )
        on_board, everyone = view == "board", staff.everyone()
        return room.pages.show(
            request,
            session,
            "tickets.html",
            filters=filters | {"since": since, "until": until},
            on_board=on_board,
            board=listed.board(wanted) if on_board else {},
            page=None if on_board else listed.page(wanted, cursor),
            lights=listed.lights(),
            choices={"kind": list(Kind), "state": [OPEN, *State, ALL], "resolution": list(Resolution), "due": list(Light)},
            staff=[one for one in everyone if not one.disabled_at],
            names={one.login: one.name for one in everyone},
            nobody=NOBODY,
            me=ME,
            may_handle=session.may(Permission.HANDLE_TICKETS),
            done=done,
            left=[number for one in left.split(",") if (number := normalise_number(one))],
        )

    @router.post("/bulk")
    def bulk(
        request: Request,
        numbers: Annotated[list[str], Form(max_length=MOST_AT_ONCE)] = [],  # noqa: B006  FastAPI copies it
        action: Annotated[str, Form(pattern="^(take_up|assign)$")] = "take_up",
        to: Annotated[str, Form(max_length=40)] = "",
        session: Session = handler,
    ) -> Response:
        if action == "take_up":
            outcome = desk.each(numbers, partial(desk.move, session, state=State.REVIEWED))
        else:
            outcome = desk.each(numbers, partial(desk.assign, session, to=None if to == NOBODY else to or session.login))
        filters = {name: request.query_params[name] for name in FILTERS if name in request.query_params}
        return RedirectResponse(address(PATH, **filters, done=outcome.done, left=",".join(outcome.refused)), 303)

    return router
