"""How the service itself is: what `sapa doctor` finds, and when the scheduled jobs were last done."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from fastapi import APIRouter, Request
from fastapi.responses import Response

from services.backup import JOB as BACKUP
from services.desk_sessions import Session
from services.permissions import Permission
from store.database import utc_now

if TYPE_CHECKING:
    from desk.room import Room

LATE_AFTER = {
    BACKUP: timedelta(hours=26),  # every night, by whatever the operator has for that
    "knowledge_checks": timedelta(hours=7),
    "queued_turns": timedelta(hours=7),
}
OTHERS_LATE_AFTER = timedelta(minutes=15)
"""Every other job is done more often than this: one that was not is shown as late."""


def health(room: Room) -> APIRouter:
    router = APIRouter(prefix="/settings/health")
    administrator = room.access.may(Permission.ADMINISTER)
    services = room.services

    @router.get("")
    def show(request: Request, session: Session = administrator) -> Response:
        now = utc_now()
        runs = services.health.jobs()
        return room.pages.show(
            request,
            session,
            "health.html",
            findings=services.health.findings(services.ticket_list.legal_clock().today, whole_audit_log=False),
            jobs=[(run, now - run.at > LATE_AFTER.get(run.name, OTHERS_LATE_AFTER)) for run in runs if run.name != "telegram_updates"],
            facts={
                "database": services.database.url.get_backend_name(),
                "knowledge": len(services.knowledge.entries),
                "environment": services.settings.environment,
                "waiting": len(services.handoffs.queue()),
            },
        )

    return router
