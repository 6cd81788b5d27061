"""Signing in and out."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response

from desk.access import cookie_name, must_be_own_site
from desk.pages import first_place
from services.desk_sessions import LONGEST_SESSION, Session
from services.permissions import Permission
from services.sign_in import NoEntry

if TYPE_CHECKING:
    from desk.room import Room

OWN_PATH = re.compile(r"/desk(/[\w/-]*)?(\?[\w&=.%+-]*)?", re.ASCII)
"""Where a sign-in may lead to: nowhere outside the desk."""


def sign_in(room: Room) -> APIRouter:
    router = APIRouter()
    someone = room.access.may(Permission.OWN_ACCOUNT)
    oidc = bool(room.services.settings.oidc_issuer)

    @router.get("/sign-in")
    async def show(request: Request, next: str = "") -> Response:
        session = await room.access.session(request)
        if session:
            return RedirectResponse(target(next, session), 303)
        return room.pages.show(request, None, "sign_in.html", next=next, login="", problem="", code_needed=False, oidc=oidc)

    @router.post("/sign-in")
    def enter(
        request: Request,
        login: Annotated[str, Form(max_length=200)] = "",
        password: Annotated[str, Form(max_length=1000)] = "",
        code: Annotated[str, Form(max_length=40)] = "",
        next: Annotated[str, Form(max_length=500)] = "",
    ) -> Response:
        must_be_own_site(request)
        address = request.client.host if request.client else ""
        outcome = room.services.sign_in.by_password(login, password, code, address, browser_of(request))
        if isinstance(outcome, NoEntry):
            needed = outcome is NoEntry.CODE_NEEDED or bool(code)
            status = 429 if outcome is NoEntry.PAUSED else 401
            return room.pages.show(
                request, None, "sign_in.html", status, next=next, login=login, problem=outcome.value, code_needed=needed, oidc=oidc
            )
        return let_in(request, outcome, target(next, outcome))

    @router.post("/sign-out")
    def leave(request: Request, session: Session = someone) -> Response:
        room.services.desk_sessions.end(session.staff_id, session.id)
        response = RedirectResponse("/desk/sign-in", 303)
        response.delete_cookie(cookie_name(request), path="/", secure=request.url.scheme == "https", httponly=True)
        return response

    return router


def let_in(request: Request, session: Session, address: str) -> Response:
    """Go on signed in."""
    response = RedirectResponse(address, 303)
    response.set_cookie(
        cookie_name(request),
        session.token,
        max_age=int(LONGEST_SESSION.total_seconds()),
        path="/",
        secure=request.url.scheme == "https",
        httponly=True,
        samesite="lax",
    )
    return response


def target(wanted: str, session: Session) -> str:
    return wanted if OWN_PATH.fullmatch(wanted) and wanted != "/desk" else first_place(session)


def browser_of(request: Request) -> str:
    """A short name of browser and system, to tell one's own sessions apart."""
    user_agent = request.headers.get("user-agent", "")
    browser = next((name for name in ("Edg", "Firefox", "Chrome", "Safari") if name in user_agent), "?")
    system = next((name for name in ("Android", "iPhone", "iPad", "Windows", "Mac OS", "Linux") if name in user_agent), "?")
    return f"{browser.replace('Edg', 'Edge')}, {system}"
