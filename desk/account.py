"""A member of staff's own account: language, password, second factor, sessions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import segno
from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response

from services.desk_sessions import Session
from services.permissions import Permission
from services.second_factor import SecondFactor
from services.staff import StaffRefused

if TYPE_CHECKING:
    from desk.room import Room


def account(room: Room) -> APIRouter:
    router = APIRouter(prefix="/account")
    someone = room.access.may(Permission.OWN_ACCOUNT)
    staff, sessions, second_factor = room.services.staff, room.services.desk_sessions, room.services.second_factor

    def page(request: Request, session: Session, status: int = 200, **values: Any) -> Response:
        member = staff.get(session.login)
        shown = {"problem": "", "done": request.query_params.get("done", ""), "secret": "", "recovery_codes": [], **values}
        return room.pages.show(
            request,
            session,
            "account.html",
            status,
            member=member,
            sessions=sessions.of(session.staff_id),
            picture=_picture(session.login, shown["secret"]) if shown["secret"] else "",
            **shown,
        )

    @router.get("")
    def show(request: Request, session: Session = someone) -> Response:
        return page(request, session)

    @router.get("/here")
    def here(session: Session = someone) -> Response:
        """Somebody reads or writes on an open page: the session goes on."""
        return Response(status_code=204)

    @router.post("/language")
    def language(locale: Annotated[str, Form(max_length=2)], session: Session = someone) -> Response:
        staff.set_locale(session, locale)
        return RedirectResponse("/desk/account", 303)

    @router.post("/password")
    def password(
        request: Request,
        old: Annotated[str, Form(max_length=1000)] = "",
        new: Annotated[str, Form(max_length=1000)] = "",
        session: Session = someone,
    ) -> Response:
        try:
            staff.change_password(session, old, new)
        except StaffRefused as refused:
            return page(request, session, 422, problem=refused.problem.value)
        return RedirectResponse("/desk/account?done=password", 303)

    @router.post("/totp/begin")
    def begin_totp(request: Request, session: Session = someone) -> Response:
        return page(request, session, secret=second_factor.new_secret())

    @router.post("/totp/start")
    def start_totp(
        request: Request,
        secret: Annotated[str, Form(pattern=r"^[A-Z2-7]{16,64}$")],
        code: Annotated[str, Form(max_length=20)] = "",
        session: Session = someone,
    ) -> Response:
        try:
            codes = second_factor.start(session, secret, code)
        except StaffRefused as refused:
            return page(request, session, 422, secret=secret, problem=refused.problem.value)
        return page(request, session, recovery_codes=codes)

    @router.post("/totp/stop")
    def stop_totp(request: Request, password: Annotated[str, Form(max_length=1000)] = "", session: Session = someone) -> Response:
        try:
            second_factor.stop(session, password)
        except StaffRefused as refused:
            return page(request, session, 422, problem=refused.problem.value)
        return RedirectResponse("/desk/account?done=totp_stopped", 303)

    @router.post("/sessions/{session_id}/end")
    def end_session(session_id: int, session: Session = someone) -> Response:
        sessions.end(session.staff_id, session_id)
        return RedirectResponse("/desk/account?done=session_ended", 303)

    return router


def _picture(login: str, secret: str) -> str:
    """A data URI, for the secret must stand in no address: browsers and proxies keep those."""
    code: str = segno.make(SecondFactor.address(login, secret)).svg_data_uri(scale=5, border=2, light="white")
    return code
