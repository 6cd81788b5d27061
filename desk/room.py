"""Puts the desk together: its pages, its files, and what is said to whoever may not come in."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from urllib.parse import quote, urlsplit

from fastapi import APIRouter, FastAPI, HTTPException, Request
from fastapi.responses import RedirectResponse, Response
from starlette.routing import Match

from desk.access import Access, ForeignForm, NotAllowed, NotSignedIn
from desk.pages import Pages, first_place
from services.assembly import Services
from services.desk_sessions import Session
from services.permissions import Permission

STATIC = Path(__file__).with_name("static")
HTMX = files("django_htmx") / "static" / "django_htmx"
OWN_FILES = {
    "desk.css": "text/css",
    "desk.js": "text/javascript",
    "drafts.js": "text/javascript",
    "teach.css": "text/css",
    "teach.js": "text/javascript",
}
HTMX_FILES = {"htmx.js": HTMX / "htmx-2.min.js", "sse.js": HTMX / "ext" / "hx-sse-2.min.js"}


@dataclass(frozen=True)
class Room:
    """What every page of the desk needs."""

    services: Services
    access: Access
    pages: Pages


def open_desk(app: FastAPI, services: Services) -> None:
    """Add the desk to the application, under `/desk`."""
    from desk.account import account
    from desk.audit import audit
    from desk.canned_replies import canned_replies
    from desk.conversations import conversations
    from desk.due_calendar import due_calendar
    from desk.handoff import handoff
    from desk.health import health
    from desk.knowledge import knowledge
    from desk.knowledge_draft import knowledge_draft
    from desk.knowledge_entry import knowledge_entry
    from desk.letters import letters
    from desk.oidc import oidc
    from desk.overview import overview
    from desk.ppid_report import ppid_report
    from desk.queue import queue
    from desk.settings import settings
    from desk.sign_in import sign_in
    from desk.staff import staff
    from desk.teach import teach
    from desk.teach_batches import teach_batches
    from desk.ticket import ticket
    from desk.tickets import tickets
    from desk.unanswered import unanswered
    from desk.working_time import working_time

    room = Room(services, Access(services.desk_sessions), Pages())
    router = APIRouter(prefix="/desk", include_in_schema=False)
    service = (ppid_report, overview, queue, handoff, canned_replies, conversations, due_calendar, tickets, letters, ticket)
    administration = (staff, working_time, health, settings, audit)
    lessons = (teach_batches, teach, unanswered, knowledge_draft, knowledge, knowledge_entry)
    areas = (sign_in, oidc, account, *service, *lessons, *administration)
    for pages in areas:
        router.include_router(pages(room))
    _add_beginning(router, room)
    app.include_router(router)
    _add_refusals(app, room)


def _add_beginning(router: APIRouter, room: Room) -> None:
    someone = room.access.may(Permission.OWN_ACCOUNT)

    @router.get("")
    async def begin(session: Session = someone) -> Response:
        return RedirectResponse(first_place(session), 303)

    @router.get("/static/{name}")
    def static_file(name: str) -> Response:
        headers = {"Cache-Control": "public, max-age=300"}
        if name in HTMX_FILES:
            return Response(HTMX_FILES[name].read_bytes(), media_type="text/javascript", headers=headers)
        if name not in OWN_FILES:
            raise HTTPException(404)
        return Response((STATIC / name).read_bytes(), media_type=OWN_FILES[name], headers=headers)


def _page_of(request: Request, path: str) -> str:
    """The page that shows the form with this path: that itself or the next one above it, at last the desk."""
    while path.startswith("/desk/"):
        asked = {**request.scope, "method": "GET", "path": path}
        if any(route.matches(asked)[0] is Match.FULL for route in request.app.routes):
            return path
        path = path.rpartition("/")[0]
    return "/desk"


def _add_refusals(app: FastAPI, room: Room) -> None:
    @app.exception_handler(NotSignedIn)
    async def to_sign_in(request: Request, _error: NotSignedIn) -> Response:
        is_part = request.headers.get("hx-request")
        url = urlsplit(request.headers.get("hx-current-url", "") if is_part else str(request.url))
        page = _page_of(request, url.path)
        wanted = f"{page}?{url.query}" if url.query and page == url.path else page
        target = f"/desk/sign-in?next={quote(wanted, safe='')}" if wanted != "/desk" else "/desk/sign-in"
        return Response(status_code=401, headers={"HX-Redirect": target}) if is_part else RedirectResponse(target, 303)

    @app.exception_handler(NotAllowed)
    async def not_allowed(request: Request, error: NotAllowed) -> Response:
        return room.pages.show(request, error.session, "refused.html", 403, reason="not_allowed")

    @app.exception_handler(ForeignForm)
    async def foreign_form(request: Request, _error: ForeignForm) -> Response:
        return room.pages.show(request, await room.access.session(request), "refused.html", 403, reason="foreign_form")
