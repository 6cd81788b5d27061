"""Ready replies, kept by those who use them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Form, HTTPException, Request
from fastapi.responses import RedirectResponse, Response

from services.canned_replies import LONGEST_TEXT, VARIABLES, CannedRefused
from services.desk_sessions import Session
from services.permissions import Permission

if TYPE_CHECKING:
    from desk.room import Room

PATH = "/desk/canned-replies"


def canned_replies(room: Room) -> APIRouter:
    router = APIRouter(prefix="/canned-replies")
    officer = room.access.may(Permission.TAKE_OVER)
    replies = room.services.canned_replies

    def page(request: Request, session: Session, status: int = 200, **values: Any) -> Response:
        shown = {"problem": "", "given": {"name": "", "id": "", "en": ""}, **values}
        return room.pages.show(
            request,
            session,
            "canned_replies.html",
            status,
            replies=replies.all(),
            variables=VARIABLES,
            longest=LONGEST_TEXT,
            names=room.services.staff.names(),
            **shown,
        )

    @router.get("")
    def show(request: Request, edit: str = "", session: Session = officer) -> Response:
        chosen = next((one for one in replies.all() if one.name == edit), None)
        given = {"name": chosen.name, "id": "", "en": "", **chosen.texts} if chosen else {"name": "", "id": "", "en": ""}
        return page(request, session, given=given)

    @router.post("")
    def save(
        request: Request,
        name: Annotated[str, Form(max_length=200)] = "",
        text_id: Annotated[str, Form(max_length=20_000)] = "",
        text_en: Annotated[str, Form(max_length=20_000)] = "",
        session: Session = officer,
    ) -> Response:
        texts = {"id": text_id, "en": text_en}
        try:
            replies.save(name, texts, session.login)
        except CannedRefused as refused:
            return page(request, session, 422, problem=refused.problem.value, given={"name": name, **texts})
        return RedirectResponse(PATH, 303)

    @router.post("/examples")
    def examples(session: Session = officer) -> Response:
        replies.add_examples(session.login)
        return RedirectResponse(PATH, 303)

    @router.post("/{name}/remove")
    def remove(name: str, session: Session = officer) -> Response:
        try:
            replies.remove(name, session.login)
        except LookupError as unknown:
            raise HTTPException(404) from unknown
        return RedirectResponse(PATH, 303)

    return router
