"""One conversation between a citizen and an officer: read, answered, passed on, handed back."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Form, HTTPException, Request
from fastapi.responses import RedirectResponse, Response

from desk.changes import changes
from services.calendar import JAKARTA
from services.canned_replies import Filled
from services.conversation_notes import LONGEST_NOTE
from services.desk_sessions import Session
from services.handoff import LONGEST_MESSAGE, NotYours, State
from services.permissions import Permission, allows
from services.service_hours import in_words
from store.database import utc_now
from store.models import Handoff
from store.staff_models import StaffMember

if TYPE_CHECKING:
    from desk.room import Room


def handoff(room: Room) -> APIRouter:
    router = APIRouter(prefix="/queue/{handoff_id}")
    officer = room.access.may(Permission.TAKE_OVER)
    open_page = room.access.may(Permission.TAKE_OVER, by_itself=True)
    handoffs = room.services.handoffs

    def held(handoff_id: int) -> Handoff:
        try:
            return handoffs.get(handoff_id)
        except LookupError as unknown:
            raise HTTPException(404) from unknown

    def canned(session: Session, handoff: Handoff, language: str) -> list[Filled]:
        services = room.services
        values = {"petugas": session.name, "jam_layanan": in_words(services.hours.in_force, language)}
        filed = services.tickets.of_conversation(handoff.conversation_id) if handoff.agreed else []
        if filed:
            values["nomor_tiket"] = filed[0].number
        return services.canned_replies.filled(language, values, utc_now().astimezone(JAKARTA))

    def conversation(
        request: Request, session: Session, handoff_id: int, status: int = 200, template: str = "handoff.html", **values: Any
    ) -> Response:
        handoff = held(handoff_id)
        everyone = room.services.staff.everyone()
        colleagues = [m for m in everyone if m.login != session.login and _takes_over(m)]
        context = handoffs.context(handoff.conversation_id)
        shown = {"problem": "", "text": "", "note": "", **values}
        return room.pages.show(
            request,
            session,
            template,
            status,
            handoff=handoff,
            mine=handoff.state == State.ACTIVE and handoff.officer == session.login,
            context=context,
            canned=canned(session, handoff, context.language),
            notes=room.services.conversation_notes.of(handoff.conversation_id),
            longest_note=LONGEST_NOTE,
            messages=handoffs.transcript(handoff_id),
            names={member.login: member.name for member in everyone},
            colleagues=colleagues,
            longest=LONGEST_MESSAGE,
            form=secrets.token_urlsafe(16),
            **shown,
        )

    @router.get("")
    def read(request: Request, handoff_id: int, session: Session = officer) -> Response:
        room.services.audit.record(session.login, "conversation.read", held(handoff_id).conversation_id)
        return conversation(request, session, handoff_id)

    @router.get("/messages")
    def messages(request: Request, handoff_id: int, session: Session = open_page) -> Response:
        """The part of the page that changes."""
        return conversation(request, session, handoff_id, template="handoff_messages.html")

    @router.get("/events")
    async def conversation_events(request: Request, handoff_id: int, session: Session = open_page) -> Response:
        conversation_id = (await asyncio.to_thread(held, handoff_id)).conversation_id

        def newest() -> tuple[int, int]:
            return room.services.conversations.newest_seq(conversation_id), handoffs.newest_event(handoff_id)

        return changes(request, partial(room.access.is_signed_in, session), changed=newest, queue=handoffs.newest_event)

    @router.post("/say")
    def say(
        request: Request,
        handoff_id: int,
        text: Annotated[str, Form(max_length=20_000)] = "",
        form: Annotated[str, Form(max_length=40)] = "",
        session: Session = officer,
    ) -> Response:
        """`form` names the very form, so that one that is sent twice says it once."""
        held(handoff_id)
        try:
            handoffs.say(handoff_id, session.login, text, form)
        except NotYours:
            return conversation(request, session, handoff_id, 409, problem="not_yours", text=text)
        except ValueError:
            return conversation(request, session, handoff_id, 422, problem="message_length", text=text)
        return RedirectResponse(f"/desk/queue/{handoff_id}#text", 303)

    @router.post("/compose")
    def compose(
        request: Request,
        handoff_id: int,
        text: Annotated[str, Form(max_length=20_000)] = "",
        reply: Annotated[str, Form(max_length=40)] = "",
        session: Session = officer,
    ) -> Response:
        """The page again with a canned reply put after what is written; scripts insert it where the cursor is."""
        handoff = held(handoff_id)
        ready = canned(session, handoff, handoffs.context(handoff.conversation_id).language)
        chosen = next((one.text for one in ready if one.name == reply), "")
        return conversation(request, session, handoff_id, text="\n".join(filter(None, (text.strip(), chosen))))

    @router.post("/typing")
    def typing(handoff_id: int, session: Session = officer) -> Response:
        room.services.officer_typing.note(handoff_id, session.login)
        return Response(status_code=204)

    @router.post("/note")
    def add_note(
        request: Request, handoff_id: int, note: Annotated[str, Form(max_length=5000)] = "", session: Session = officer
    ) -> Response:
        handoff = held(handoff_id)
        try:
            room.services.conversation_notes.add(handoff.conversation_id, session.login, note)
        except ValueError:
            return conversation(request, session, handoff_id, 422, problem="note_length", note=note)
        return RedirectResponse(f"/desk/queue/{handoff_id}#notes", 303)

    @router.post("/transfer")
    def transfer(
        request: Request, handoff_id: int, to: Annotated[str, Form(max_length=40)] = "", session: Session = officer
    ) -> Response:
        held(handoff_id)
        try:
            member = room.services.staff.get(to)
        except LookupError:
            return conversation(request, session, handoff_id, 422, problem="no_such_officer")
        if not _takes_over(member):
            return conversation(request, session, handoff_id, 422, problem="no_such_officer")
        return step(
            request, session, handoff_id, lambda: handoffs.transfer(handoff_id, session.login, to), "handoff.transferred", to=to
        )

    @router.post("/hand-back")
    def hand_back(request: Request, handoff_id: int, session: Session = officer) -> Response:
        held(handoff_id)
        return step(request, session, handoff_id, partial(handoffs.hand_back, handoff_id, session.login), "handoff.handed_back")

    def step(request: Request, session: Session, handoff_id: int, act: Callable[[], None], action: str, **data: str) -> Response:
        try:
            act()
        except NotYours:
            return conversation(request, session, handoff_id, 409, problem="not_yours")
        room.services.audit.record(session.login, action, str(handoff_id), **data)
        return RedirectResponse("/desk/queue", 303)

    return router


def _takes_over(member: StaffMember) -> bool:
    return not member.disabled_at and allows(member.role, Permission.TAKE_OVER)
