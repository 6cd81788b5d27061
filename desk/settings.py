"""What holds for the whole service: its channels, and how long data is kept. Each change needs a reason and is live at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Form, HTTPException, Request
from fastapi.responses import RedirectResponse, Response

from services.audit import SHORTEST_REASON
from services.channels import CHANNELS
from services.desk_sessions import Session
from services.desk_settings import LONGEST_REASON, Name, ReasonMissing
from services.permissions import Permission
from services.retention import DEFAULTS, LONGEST_DAYS, SHORTEST_DAYS, BadDays, Kind

if TYPE_CHECKING:
    from desk.room import Room

REASON = {"shortest": SHORTEST_REASON, "longest": LONGEST_REASON}


def settings(room: Room) -> APIRouter:
    router = APIRouter(prefix="/settings")
    administrator = room.access.may(Permission.ADMINISTER)
    channels, retention, desk_settings = room.services.channels, room.services.retention, room.services.desk_settings

    def channels_page(request: Request, session: Session, status: int = 200, problem: str = "", reason: str = "") -> Response:
        desk_settings.refresh()
        return room.pages.show(
            request,
            session,
            "channels.html",
            status,
            channels=CHANNELS,
            off=channels.off(),
            changed=desk_settings.changed(Name.CHANNELS),
            limits=REASON,
            problem=problem,
            reason=reason,
        )

    @router.get("")
    async def begin(session: Session = administrator) -> Response:
        return RedirectResponse("/desk/settings/channels", 303)

    @router.get("/channels")
    def show_channels(request: Request, session: Session = administrator) -> Response:
        return channels_page(request, session)

    @router.post("/channels/{channel}")
    def switch(
        request: Request,
        channel: str,
        off: Annotated[bool, Form()] = False,
        reason: Annotated[str, Form(max_length=5000)] = "",
        session: Session = administrator,
    ) -> Response:
        try:
            channels.switch(channel, off=off, actor=session.login, reason=reason)
        except KeyError as unknown:
            raise HTTPException(404) from unknown
        except ReasonMissing:
            return channels_page(request, session, 422, problem="setting_reason", reason=reason)
        return RedirectResponse("/desk/settings/channels", 303)

    def retention_page(request: Request, session: Session, status: int = 200, **values: Any) -> Response:
        desk_settings.refresh()
        shown = {"problem": "", "reason": "", "days": retention.days(), **values}
        return room.pages.show(
            request,
            session,
            "retention.html",
            status,
            shortest=SHORTEST_DAYS,
            longest=LONGEST_DAYS,
            changed=desk_settings.changed(Name.RETENTION),
            reports=retention.reports(),
            limits=REASON,
            **shown,
        )

    @router.get("/retention")
    def show_retention(request: Request, session: Session = administrator) -> Response:
        return retention_page(request, session)

    @router.post("/retention")
    def set_retention(
        request: Request,
        conversations: Annotated[int, Form()] = DEFAULTS[Kind.CONVERSATIONS],
        drafts: Annotated[int, Form()] = DEFAULTS[Kind.DRAFTS],
        tickets: Annotated[int, Form()] = DEFAULTS[Kind.TICKETS],
        sessions: Annotated[int, Form()] = DEFAULTS[Kind.SESSIONS],
        reason: Annotated[str, Form(max_length=5000)] = "",
        session: Session = administrator,
    ) -> Response:
        days = {Kind.CONVERSATIONS: conversations, Kind.DRAFTS: drafts, Kind.TICKETS: tickets, Kind.SESSIONS: sessions}
        try:
            retention.set_days(days, session.login, reason)
        except ReasonMissing:
            return retention_page(request, session, 422, problem="setting_reason", days=days, reason=reason)
        except BadDays:
            return retention_page(request, session, 422, problem="retention_days", days=days, reason=reason)
        return RedirectResponse("/desk/settings/retention", 303)

    return router
