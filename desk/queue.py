"""Citizens who wait for an officer, and the conversations that officers hold."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import RedirectResponse, Response

from desk.changes import changes
from services.desk_sessions import Session
from services.handoff import NotYours
from services.permissions import Permission
from store.database import utc_now

if TYPE_CHECKING:
    from desk.room import Room


def queue(room: Room) -> APIRouter:
    router = APIRouter(prefix="/queue")
    officer = room.access.may(Permission.TAKE_OVER)
    open_page = room.access.may(Permission.TAKE_OVER, by_itself=True)
    handoffs = room.services.handoffs

    def waiting_and_held(request: Request, session: Session, template: str, status: int = 200, problem: str = "") -> Response:
        waiting = sorted(handoffs.queue(), key=lambda one: not one.urgent)
        return room.pages.show(
            request,
            session,
            template,
            status,
            waiting=waiting,
            held=handoffs.active(),
            names=room.services.staff.names(),
            now=utc_now(),
            problem=problem,
        )

    @router.get("")
    def show(request: Request, session: Session = officer) -> Response:
        return waiting_and_held(request, session, "queue.html")

    @router.get("/list")
    def listed(request: Request, session: Session = open_page) -> Response:
        """The part of the page that changes."""
        return waiting_and_held(request, session, "queue_list.html")

    @router.get("/events")
    async def events(request: Request, session: Session = open_page) -> Response:
        return changes(request, partial(room.access.is_signed_in, session), changed=handoffs.newest_event)

    @router.post("/{handoff_id}/take")
    def take(request: Request, handoff_id: int, session: Session = officer) -> Response:
        try:
            handoffs.get(handoff_id)
            handoffs.take(handoff_id, session.login)
        except LookupError as unknown:
            raise HTTPException(404) from unknown
        except NotYours:
            return waiting_and_held(request, session, "queue.html", 409, problem="taken_by_other")
        room.services.audit.record(session.login, "handoff.taken", str(handoff_id))
        return RedirectResponse(f"/desk/queue/{handoff_id}", 303)

    return router
