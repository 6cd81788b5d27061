"""Unanswered questions, gathered by meaning; from a group to a draft."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import APIRouter, Request
from fastapi.responses import Response

from desk.teach import topic_names
from services.desk_sessions import Session
from services.permissions import Permission

if TYPE_CHECKING:
    from desk.room import Room

PATIENCE_SECONDS = 2.0
"""So long a page waits for a first result before it says that it is in the making."""


def unanswered(room: Room) -> APIRouter:
    router = APIRouter(prefix="/knowledge/unanswered")
    editor = room.access.may(Permission.EDIT_KNOWLEDGE)
    questions = room.services.unanswered

    @router.get("")
    def show(request: Request, session: Session = editor) -> Response:
        gathered = questions.current(wait_seconds=PATIENCE_SECONDS)
        topics = topic_names(room.services.knowledge)
        page = room.pages.show(request, session, "unanswered.html", gathered=gathered, topics=topics)
        if gathered is None:
            page.headers["Refresh"] = "3"
        return page

    return router
