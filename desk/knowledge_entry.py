"""One entry of what the assistant may say: its versions, and the ways to change it, to take it back, to return to an earlier text."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Form, HTTPException, Request
from fastapi.responses import Response

from desk.knowledge_draft import LONGEST_NOTE
from desk.pages import address
from desk.steps import led_on
from desk.teach import topic_names
from services.desk_sessions import Session
from services.knowledge_catalogue import difference
from services.permissions import Permission

if TYPE_CHECKING:
    from desk.room import Room


def knowledge_entry(room: Room) -> APIRouter:
    router = APIRouter(prefix="/knowledge/entries/{entry_id}")
    editor = room.access.may(Permission.EDIT_KNOWLEDGE)
    services = room.services
    catalogue, editing = services.knowledge_catalogue, services.knowledge_editing

    def entry_page(request: Request, session: Session, entry_id: str, status: int = 200, problem: str = "") -> Response:
        versions = editing.versions(entry_id)
        row, file_text = catalogue.row(entry_id), catalogue.file_text(entry_id)
        if row is None and not versions and file_text is None:
            raise HTTPException(404)
        return room.pages.show(
            request,
            session,
            "knowledge_entry.html",
            status,
            entry_id=entry_id,
            entry=row.entry if row else None,
            row=row,
            versions=versions,
            has_file=file_text is not None,
            drafts=[draft for draft in editing.drafts() if draft.entry_id == entry_id],
            names=services.staff.names(),
            topics=topic_names(services.knowledge),
            longest=LONGEST_NOTE,
            problem=problem,
            done=request.query_params.get("done", ""),
        )

    def change(request: Request, session: Session, entry_id: str, act: Callable[[], str]) -> Response:
        return led_on(act, lambda problem: entry_page(request, session, entry_id, 422, problem))

    @router.get(".md")
    def file(entry_id: str, session: Session = editor) -> Response:
        try:
            text = catalogue.text_in_force(entry_id)
        except KeyError as unknown:
            raise HTTPException(404) from unknown
        headers = {"Content-Disposition": f'attachment; filename="{entry_id}.md"'}
        return Response(text.encode(), media_type="text/markdown; charset=utf-8", headers=headers)

    @router.get("")
    def entry(request: Request, entry_id: str, session: Session = editor) -> Response:
        return entry_page(request, session, entry_id)

    @router.post("/edit")
    def edit(request: Request, entry_id: str, session: Session = editor) -> Response:
        return change(request, session, entry_id, lambda: f"/desk/knowledge/drafts/{editing.edit(session.login, entry_id)}")

    @router.post("/withdraw")
    def withdraw(
        request: Request, entry_id: str, note: Annotated[str, Form(max_length=LONGEST_NOTE)] = "", session: Session = editor
    ) -> Response:
        def act() -> str:
            return f"/desk/knowledge/drafts/{editing.propose_withdrawal(session.login, entry_id, note)}?done=proposed"

        return change(request, session, entry_id, act)

    @router.post("/restore")
    def restore(
        request: Request,
        entry_id: str,
        version: Annotated[int, Form()],
        note: Annotated[str, Form(max_length=LONGEST_NOTE)] = "",
        session: Session = editor,
    ) -> Response:
        """`version` is the id of a published version, 0 for the shipped file."""

        def act() -> str:
            if version == 0:
                editing.restore_file(session.login, entry_id, note)
            elif editing.version(version).entry_id != entry_id:
                raise KeyError(version)
            else:
                editing.restore(session.login, version, note)
            return address(f"/desk/knowledge/entries/{entry_id}", done="restored")

        return change(request, session, entry_id, act)

    @router.get("/versions/{version_id}")
    def version(request: Request, entry_id: str, version_id: int, session: Session = editor) -> Response:
        """A published version, 0 for the shipped file, against what is in force."""
        published: Any = None
        if version_id:
            try:
                published = editing.version(version_id)
            except KeyError as unknown:
                raise HTTPException(404) from unknown
        text = published.content if published else catalogue.file_text(entry_id)
        if (published is None and text is None) or (published and (published.entry_id != entry_id or published.publication is None)):
            raise HTTPException(404)
        row = catalogue.row(entry_id)
        try:
            now = catalogue.text_in_force(entry_id)
        except KeyError:
            now = ""
        return room.pages.show(
            request,
            session,
            "knowledge_version.html",
            entry_id=entry_id,
            entry=row.entry if row else None,
            version=published,
            text=text,
            change=difference(now, text or ""),
            names=services.staff.names(),
            longest=LONGEST_NOTE,
        )

    return router
