"""What the assistant may say: the list of entries with what is due, one entry with its versions, and the way back."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Form, HTTPException, Request
from fastapi.responses import RedirectResponse, Response

from desk.pages import address
from desk.teach import topic_names
from services.knowledge_catalogue import Due, EntryRow, difference
from services.knowledge_editing import EditRefused
from services.staff import Permission, Session

if TYPE_CHECKING:
    from desk.room import Room

LONGEST_NOTE = 500


def knowledge(room: Room) -> APIRouter:
    router = APIRouter(prefix="/knowledge")
    editor = room.access.may(Permission.EDIT_KNOWLEDGE)
    services = room.services
    catalogue, editing = services.knowledge_catalogue, services.knowledge_editing

    names = services.staff.names

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
            names=names(),
            topics=topic_names(services.knowledge),
            longest=LONGEST_NOTE,
            problem=problem,
            done=request.query_params.get("done", ""),
        )

    def change(request: Request, session: Session, entry_id: str, act: Callable[[], str]) -> Response:
        """Do it and go to the address that it gives."""
        try:
            target = act()
        except KeyError as unknown:
            raise HTTPException(404) from unknown
        except EditRefused as refused:
            return entry_page(request, session, entry_id, 422, problem=refused.problem.value)
        return RedirectResponse(target, 303)

    @router.get("")
    def show(request: Request, words: str = "", topic: str = "", due: str = "", session: Session = editor) -> Response:
        rows = catalogue.entries()
        found = [row for row in rows if _fits(row, words.strip().casefold(), topic, due)]
        return room.pages.show(
            request,
            session,
            "knowledge.html",
            rows=found,
            overdue=sum(row.due is Due.OVERDUE for row in rows),
            soon=sum(row.due is Due.SOON for row in rows),
            drafts=editing.drafts(),
            withdrawn=catalogue.withdrawn(),
            errors=services.knowledge.errors,
            names=names(),
            topics=topic_names(services.knowledge),
            filters={"words": words, "topic": topic, "due": due},
            done=request.query_params.get("done", ""),
        )

    @router.get("/knowledge.patch")
    def patch(session: Session = editor) -> Response:
        services.audit.record(session.login, "knowledge.exported", "pengetahuan")
        headers = {"Content-Disposition": 'attachment; filename="pengetahuan.patch"'}
        return Response(catalogue.patch().encode(), media_type="text/x-patch; charset=utf-8", headers=headers)

    @router.get("/entries/{entry_id}.md")
    def file(entry_id: str, session: Session = editor) -> Response:
        try:
            text = catalogue.text_in_force(entry_id)
        except KeyError as unknown:
            raise HTTPException(404) from unknown
        headers = {"Content-Disposition": f'attachment; filename="{entry_id}.md"'}
        return Response(text.encode(), media_type="text/markdown; charset=utf-8", headers=headers)

    @router.get("/entries/{entry_id}")
    def entry(request: Request, entry_id: str, session: Session = editor) -> Response:
        return entry_page(request, session, entry_id)

    @router.post("/entries/{entry_id}/edit")
    def edit(request: Request, entry_id: str, session: Session = editor) -> Response:
        return change(request, session, entry_id, lambda: f"/desk/knowledge/drafts/{editing.edit(session.login, entry_id)}")

    @router.post("/entries/{entry_id}/withdraw")
    def withdraw(
        request: Request, entry_id: str, note: Annotated[str, Form(max_length=LONGEST_NOTE)] = "", session: Session = editor
    ) -> Response:
        def act() -> str:
            return f"/desk/knowledge/drafts/{editing.propose_withdrawal(session.login, entry_id, note)}?done=proposed"

        return change(request, session, entry_id, act)

    @router.post("/entries/{entry_id}/restore")
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

    @router.get("/entries/{entry_id}/versions/{version_id}")
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
            names=names(),
            longest=LONGEST_NOTE,
        )

    return router


def _fits(row: EntryRow, words: str, topic: str, due: str) -> bool:
    facts = row.entry.facts
    if (topic and facts.topic != topic) or (due and row.due != due):
        return False
    return all(word in f"{facts.id} {facts.title.id} {facts.title.en} {facts.owner}".casefold() for word in words.split())
