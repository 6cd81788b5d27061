"""What the assistant may say: the list of entries, with what is due to be checked, and all of it as a patch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import APIRouter, Request
from fastapi.responses import Response

from desk.teach import topic_names
from services.desk_sessions import Session
from services.knowledge_catalogue import Due, EntryRow
from services.permissions import Permission

if TYPE_CHECKING:
    from desk.room import Room


def knowledge(room: Room) -> APIRouter:
    router = APIRouter(prefix="/knowledge")
    editor = room.access.may(Permission.EDIT_KNOWLEDGE)
    services = room.services
    catalogue, editing = services.knowledge_catalogue, services.knowledge_editing

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
            names=services.staff.names(),
            topics=topic_names(services.knowledge),
            filters={"words": words, "topic": topic, "due": due},
            done=request.query_params.get("done", ""),
        )

    @router.get("/knowledge.patch")
    def patch(session: Session = editor) -> Response:
        services.audit.record(session.login, "knowledge.exported", "pengetahuan")
        headers = {"Content-Disposition": 'attachment; filename="pengetahuan.patch"'}
        return Response(catalogue.patch().encode(), media_type="text/x-patch; charset=utf-8", headers=headers)

    return router


def _fits(row: EntryRow, words: str, topic: str, due: str) -> bool:
    facts = row.entry.facts
    if (topic and facts.topic != topic) or (due and row.due != due):
        return False
    return all(word in f"{facts.id} {facts.title.id} {facts.title.en} {facts.owner}".casefold() for word in words.split())
