"""The conversation log: found by filters and words, read masked."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Form, HTTPException, Query, Request
from fastapi.responses import RedirectResponse, Response

from desk.dates import start_of
from services.audit import SHORTEST_REASON
from services.conversation_export import Rows
from services.conversation_log import LogFilter
from services.conversation_notes import LONGEST_NOTE
from services.desk_sessions import Session
from services.desk_settings import LONGEST_REASON, ReasonMissing, reason_of
from services.permissions import Permission
from store.conversations import READ_AT_ONCE

if TYPE_CHECKING:
    from desk.room import Room

CONVERSATIONS_A_PAGE = 50
MEDIA_TYPES = {
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "csv": "text/csv; charset=utf-8",
}
FLAGS = ("low_confidence", "unanswered", "escalated", "rated_low", "has_ticket")


class Filters:
    """The filters of the list as they stand in its address."""

    def __init__(
        self,
        words: str = "",
        channel: str = "",
        language: str = "",
        since: str = "",
        until: str = "",
        intent: str = "",
        topic: str = "",
        status: str = "",
        flags: Annotated[list[str], Query(alias="flag")] = [],  # noqa: B006 FastAPI copies it
    ) -> None:
        self.values = {
            "words": words.strip()[:200],
            "channel": channel,
            "language": language,
            "since": since,
            "until": until,
            "intent": intent,
            "topic": topic,
            "status": status,
        }
        self.flags = [flag for flag in FLAGS if flag in flags]

    def wanted(self) -> LogFilter:
        dates = {"since": start_of(self.values["since"]), "until": start_of(self.values["until"], later=1)}
        return LogFilter(**{**self.values, **dates, **dict.fromkeys(self.flags, True)})  # type: ignore[arg-type]  # by name

    def address(self, **more: str) -> str:
        pairs = [(name, value) for name, value in {**self.values, **more}.items() if value]
        return "?" + urlencode([*pairs, *(("flag", flag) for flag in self.flags)])


def conversations(room: Room) -> APIRouter:
    router = APIRouter(prefix="/conversations")
    may = room.access.may
    reader, officer = may(Permission.READ_CONVERSATIONS), may(Permission.TAKE_OVER)
    exporter, unmasker = may(Permission.EXPORT), may(Permission.UNMASK)
    log, audit = room.services.conversation_log, room.services.audit

    @router.get("")
    def show(request: Request, filters: Annotated[Filters, Depends()], before: str = "", session: Session = reader) -> Response:
        found = log.search(filters.wanted(), session.staff_id, before=_cursor(before), limit=CONVERSATIONS_A_PAGE + 1)
        shown, more = found[:CONVERSATIONS_A_PAGE], len(found) > CONVERSATIONS_A_PAGE
        older = filters.address(before=f"{shown[-1].last_at.isoformat()}~{shown[-1].id}") if more else None
        return room.pages.show(
            request,
            session,
            "conversations.html",
            found=shown,
            older=older,
            filters=filters,
            flags=FLAGS,
            choices=log.choices(),
            exports=[(rows, form, export_address(filters, rows, form)) for rows in Rows for form in MEDIA_TYPES]
            if session.may(Permission.EXPORT)
            else [],
        )

    @router.get("/export.{form}")
    def export(
        filters: Annotated[Filters, Depends()], form: str, rows: Rows = Rows.CONVERSATIONS, session: Session = exporter
    ) -> Response:
        if form not in MEDIA_TYPES:
            raise HTTPException(404)
        audit.record(session.login, "conversations.exported", "percakapan", filters=filters.address(), rows=rows, form=form)
        table = room.services.conversation_export.file(form, rows, filters.wanted(), session.staff_id)
        name = "percakapan" if rows is Rows.CONVERSATIONS else "pesan"
        headers = {"Content-Disposition": f'attachment; filename="{name}.{form}"'}
        return Response(table, media_type=MEDIA_TYPES[form], headers=headers)

    def transcript(request: Request, session: Session, conversation_id: str, status: int = 200, **values: Any) -> Response:
        try:
            messages = log.transcript(conversation_id)
        except LookupError as unknown:
            raise HTTPException(404) from unknown
        conversation = room.services.conversations.get(conversation_id)
        if messages:
            log.mark_read(conversation_id, session.staff_id, messages[-1].seq)
        shown = {"problem": "", "unmasked": {}, "reason": "", "note": "", **values}
        return room.pages.show(
            request,
            session,
            "conversation.html",
            status,
            conversation=conversation,
            messages=messages,
            read_at_once=READ_AT_ONCE,
            may_unmask=session.may(Permission.UNMASK),
            may_note=session.may(Permission.TAKE_OVER),
            notes=room.services.conversation_notes.of(conversation_id),
            names=room.services.staff.names(),
            longest_note=LONGEST_NOTE,
            shortest_reason=SHORTEST_REASON,
            longest_reason=LONGEST_REASON,
            **shown,
        )

    @router.get("/{conversation_id}")
    def read(request: Request, conversation_id: str, session: Session = reader) -> Response:
        page = transcript(request, session, conversation_id)
        audit.record(session.login, "conversation.read", conversation_id)
        return page

    @router.post("/{conversation_id}/note")
    def add_note(
        request: Request, conversation_id: str, note: Annotated[str, Form(max_length=5000)] = "", session: Session = officer
    ) -> Response:
        try:
            room.services.conversation_notes.add(conversation_id, session.login, note)
        except LookupError as unknown:
            raise HTTPException(404) from unknown
        except ValueError:
            return transcript(request, session, conversation_id, 422, problem="note_length", note=note)
        return RedirectResponse(f"/desk/conversations/{conversation_id}#notes", 303)

    @router.post("/{conversation_id}/unmask")
    def unmask(
        request: Request,
        conversation_id: str,
        reason: Annotated[str, Form(max_length=5000)] = "",
        session: Session = unmasker,
    ) -> Response:
        try:
            written = reason_of(reason)
            messages = log.transcript(conversation_id)
        except ReasonMissing:
            return transcript(request, session, conversation_id, 422, problem="reason_missing", reason=reason)
        except LookupError as unknown:
            raise HTTPException(404) from unknown
        audit.record(session.login, "conversation.unmasked", conversation_id, written)
        seen = {message.id: room.services.conversations.seen_text(message) for message in messages if message.hidden}
        return transcript(request, session, conversation_id, unmasked=seen)

    return router


def export_address(filters: Filters, rows: Rows, form: str) -> str:
    return f"/desk/conversations/export.{form}{filters.address(rows=rows)}"


def _cursor(before: str) -> tuple[datetime, str] | None:
    at, _, conversation_id = before.partition("~")
    try:
        moment = datetime.fromisoformat(at)
    except ValueError:
        return None
    return (moment, conversation_id) if moment.tzinfo else None
