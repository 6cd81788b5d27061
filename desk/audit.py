"""The audit log, to be searched by those who administer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import APIRouter, Request
from fastapi.responses import Response

from desk.dates import start_of
from services.audit import AuditFilter
from services.desk_sessions import Session
from services.permissions import Permission

if TYPE_CHECKING:
    from desk.room import Room

ENTRIES_A_PAGE = 50


def audit(room: Room) -> APIRouter:
    router = APIRouter(prefix="/audit")
    administrator = room.access.may(Permission.ADMINISTER)

    @router.get("")
    def show(
        request: Request,
        actor: str = "",
        action: str = "",
        subject: str = "",
        since: str = "",
        until: str = "",
        before: int | None = None,
        verify: bool = False,
        session: Session = administrator,
    ) -> Response:
        wanted = AuditFilter(actor.strip(), action.strip(), subject.strip(), start_of(since), start_of(until, later=1))
        entries = room.services.audit.search(wanted, before_id=before, limit=ENTRIES_A_PAGE + 1)
        filters = {"actor": actor, "action": action, "subject": subject, "since": since, "until": until}
        return room.pages.show(
            request,
            session,
            "audit.html",
            entries=entries[:ENTRIES_A_PAGE],
            older=entries[ENTRIES_A_PAGE - 1].id if len(entries) > ENTRIES_A_PAGE else None,
            filters=filters,
            verified=(room.services.audit.first_broken() or 0) if verify else None,
            actors=sorted({member.login for member in room.services.staff.everyone()}),
        )

    return router
