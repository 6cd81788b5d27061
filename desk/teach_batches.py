"""Batches of decisions: handed on, read through by a second person, downloaded as a patch."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Form, HTTPException, Request
from fastapi.responses import RedirectResponse, Response

from desk.pages import address
from desk.steps import led_on
from desk.teach import topic_names
from services.desk_sessions import Session
from services.permissions import Permission
from services.settings import PROJECT
from services.teaching import TeachingRefused
from services.teaching_batches import BatchState, TeachingBatches
from services.teaching_patch import teaching_patch
from store.teaching_models import TeachingBatch

if TYPE_CHECKING:
    from desk.room import Room

LONGEST_NOTE = 500


def teach_batches(room: Room) -> APIRouter:
    router = APIRouter(prefix="/teach/batches")
    teacher = room.access.may(Permission.TEACH)
    batches, audit = room.services.teaching_batches, room.services.audit

    names = room.services.staff.names

    def listed(request: Request, session: Session, status: int = 200, problem: str = "") -> Response:
        return room.pages.show(request, session, "teach_batches.html", status, batches=batches.all(), names=names(), problem=problem)

    def one(request: Request, session: Session, number: int, status: int = 200, **values: Any) -> Response:
        try:
            batch, decisions = batches.get(number)
        except KeyError as unknown:
            raise HTTPException(404) from unknown
        change = teaching_patch(decisions, PROJECT) if batch.state != BatchState.RETURNED else None
        shown = {"problem": "", "done": request.query_params.get("done", ""), "note": "", **values}
        return room.pages.show(
            request,
            session,
            "teach_batch.html",
            status,
            batch=batch,
            decisions=decisions,
            change=change,
            may_review=batch.state == BatchState.PROPOSED and batch.made_by != session.login,
            topics=topic_names(room.services.knowledge),
            names=names(),
            longest=LONGEST_NOTE,
            **shown,
        )

    def close(request: Request, session: Session, number: int, done: str, act: Callable[[], None]) -> Response:
        def closed() -> str:
            act()
            return address(f"/desk/teach/batches/{number}", done=done)

        return led_on(closed, lambda problem: one(request, session, number, 422, problem=problem))

    def patch_file(name: str, number: int | None, session: Session) -> Response:
        change = teaching_patch(batches.approved(number), PROJECT)
        audit.record(session.login, "teach.exported", str(number or "semua"), training=change.training, evaluation=change.evaluation)
        headers = {"Content-Disposition": f'attachment; filename="{name}.patch"'}
        return Response(change.patch.encode(), media_type="text/x-patch; charset=utf-8", headers=headers)

    @router.get("")
    def show_all(request: Request, session: Session = teacher) -> Response:
        return listed(request, session)

    @router.post("")
    def hand_on(request: Request, session: Session = teacher) -> Response:
        try:
            number = batches.hand_on(session.login)
        except TeachingRefused as refused:
            return listed(request, session, 422, problem=refused.problem.value)
        return RedirectResponse(f"/desk/teach/batches/{number}?done=handed_on", 303)

    @router.get("/approved.patch")
    def patch_of_all(session: Session = teacher) -> Response:
        return patch_file("pelajaran", None, session)

    @router.get("/{number}")
    def show(request: Request, number: int, session: Session = teacher) -> Response:
        return one(request, session, number)

    @router.post("/{number}/approve")
    def approve(
        request: Request,
        number: int,
        kept: Annotated[list[int], Form(max_length=1000)] = [],  # noqa: B006 FastAPI copies it
        session: Session = teacher,
    ) -> Response:
        return close(request, session, number, "approved", lambda: batches.approve(session.login, number, kept))

    @router.post("/{number}/return")
    def give_back(
        request: Request, number: int, note: Annotated[str, Form(max_length=LONGEST_NOTE)] = "", session: Session = teacher
    ) -> Response:
        return close(request, session, number, "returned", lambda: batches.give_back(session.login, number, note.strip()))

    @router.get("/{number}/patch")
    def patch(number: int, session: Session = teacher) -> Response:
        batch = _approved(batches, number)
        return patch_file(f"pelajaran-{batch.id}", batch.id, session)

    return router


def _approved(batches: TeachingBatches, number: int) -> TeachingBatch:
    """The batch, which must have been approved: before that nothing of it leaves the desk."""
    try:
        batch, _ = batches.get(number)
    except KeyError as unknown:
        raise HTTPException(404) from unknown
    if batch.state != BatchState.APPROVED:
        raise HTTPException(404)
    return batch
