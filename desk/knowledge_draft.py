"""A draft of a knowledge entry: written, tried out against the real search, proposed, published by a second person."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Depends, Form, HTTPException, Request
from fastapi.responses import RedirectResponse, Response

from desk.pages import address
from desk.steps import led_on
from desk.teach import topic_names
from services.desk_sessions import Session
from services.knowledge_editing import MOST_PROBES, DraftState
from services.knowledge_files import Entry, KnowledgeError, Trust
from services.knowledge_form import LEAST_QUESTIONS, LONGEST, KnowledgeForm
from services.knowledge_preview import Tried
from services.permissions import Permission
from store.knowledge_models import KnowledgeVersion

if TYPE_CHECKING:
    from desk.room import Room

LONGEST_NOTE = 500


async def filled_in(request: Request) -> KnowledgeForm:
    return KnowledgeForm.of(await request.form())


def knowledge_draft(room: Room) -> APIRouter:
    router = APIRouter(prefix="/knowledge/drafts")
    editor = room.access.may(Permission.EDIT_KNOWLEDGE)
    services = room.services
    editing = services.knowledge_editing

    def found(draft_id: int) -> KnowledgeVersion:
        try:
            return editing.draft(draft_id)
        except KeyError as unknown:
            raise HTTPException(404) from unknown

    def page(request: Request, session: Session, draft_id: int, status: int = 200, **values: Any) -> Response:
        draft = found(draft_id)
        form = KnowledgeForm.of(draft.form)
        faults = editing.faults(draft)
        proposed = draft.state == DraftState.PROPOSED
        shown = {"problem": "", "done": request.query_params.get("done", ""), "check": proposed, "tried": None, **values}
        return room.pages.show(
            request,
            session,
            "knowledge_draft.html",
            status,
            draft=draft,
            form=form,
            faults=faults if shown["check"] else [],
            advice=form.advice(services.knowledge_catalogue.today()) if shown["check"] and not draft.withdraws else [],
            usable=not faults,
            change=editing.change(draft) if proposed else [],
            may_publish=proposed and session.login not in draft.authors,
            is_author=session.login in draft.authors,
            topics=topic_names(services.knowledge),
            trusts=list(Trust),
            owners=sorted({entry.facts.owner for entry in services.knowledge.entries}),
            names=services.staff.names(),
            longest=LONGEST | {"note": LONGEST_NOTE},
            least_questions=LEAST_QUESTIONS,
            most_probes=MOST_PROBES,
            **shown,
        )

    def tried(draft: KnowledgeVersion) -> list[Tried]:
        """The draft's questions as they would be answered; none while it can't be used."""
        entry: Entry | None = None
        try:
            entry = None if draft.withdraws else KnowledgeForm.of(draft.form).entry()
        except KnowledgeError:
            return []
        return services.knowledge_preview.ask(draft.entry_id, entry, draft.probes)

    def step(request: Request, session: Session, draft_id: int, act: Callable[[], str]) -> Response:
        return led_on(act, lambda problem: page(request, session, draft_id, 422, problem=problem, check=True))

    @router.post("")
    def begin(
        topic: Annotated[str, Form(max_length=60)] = "",
        title: Annotated[str, Form(max_length=500)] = "",
        question: Annotated[list[str], Form(max_length=200)] = [],  # noqa: B006 FastAPI copies it
        session: Session = editor,
    ) -> Response:
        """A new draft; `question`, what citizens asked, becomes its variants and what it is tried out with."""
        today = services.knowledge_catalogue.today().isoformat()
        form = KnowledgeForm.of(
            {"topic": topic, "title_id": title, "questions_id": "\n".join(question), "checked_on": today, "known": "true"}
        )
        return RedirectResponse(f"/desk/knowledge/drafts/{editing.begin(session.login, form, question)}", 303)

    @router.get("/{draft_id}")
    def show(request: Request, draft_id: int, attempt: str = "", session: Session = editor) -> Response:
        draft = found(draft_id)
        if attempt or draft.state == DraftState.PROPOSED:
            return page(request, session, draft_id, check=True, tried=tried(draft))
        return page(request, session, draft_id)

    @router.post("/{draft_id}")
    def save(
        request: Request,
        draft_id: int,
        form: Annotated[KnowledgeForm, Depends(filled_in)],
        probes: Annotated[str, Form(max_length=20_000)] = "",
        then: Annotated[str, Form(max_length=20)] = "",
        note: Annotated[str, Form(max_length=LONGEST_NOTE)] = "",
        session: Session = editor,
    ) -> Response:
        here = f"/desk/knowledge/drafts/{draft_id}"

        def act() -> str:
            editing.save(session.login, draft_id, form, probes.splitlines())
            if then == "try":
                return f"{here}?attempt=1#preview"
            if then == "propose":
                editing.propose(session.login, draft_id, note)
                return address(here, done="proposed")
            return address(here, done="saved")

        return step(request, session, draft_id, act)

    @router.post("/{draft_id}/publish")
    def publish(request: Request, draft_id: int, session: Session = editor) -> Response:
        def act() -> str:
            version = editing.publish(session.login, draft_id)
            services.unanswered.forget()
            return address(f"/desk/knowledge/entries/{version.entry_id}", done="withdrawn" if version.withdraws else "published")

        return step(request, session, draft_id, act)

    @router.post("/{draft_id}/return")
    def give_back(
        request: Request, draft_id: int, note: Annotated[str, Form(max_length=LONGEST_NOTE)] = "", session: Session = editor
    ) -> Response:
        def act() -> str:
            editing.give_back(session.login, draft_id, note)
            return address("/desk/knowledge", done="given_back")

        return step(request, session, draft_id, act)

    @router.post("/{draft_id}/discard")
    def discard(request: Request, draft_id: int, session: Session = editor) -> Response:
        def act() -> str:
            editing.discard(session.login, draft_id)
            return address("/desk/knowledge", done="discarded")

        return step(request, session, draft_id, act)

    return router
