"""The queue of messages from which the assistant can learn: one at a time, decided with one key."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Form, HTTPException, Request
from fastapi.responses import RedirectResponse, Response

from desk.pages import address
from services.desk_sessions import Session
from services.knowledge import Knowledge
from services.knowledge_files import TOPICS
from services.permissions import Permission
from services.teaching import FALLBACK, LONGEST, OUT_OF_SCOPE, QUESTION, Candidate, TeachingRefused

if TYPE_CHECKING:
    from desk.room import Room

MOST_INTENTS, MOST_TOPICS = 3, 2
SHOWN_OF_MINE = 12


def teach(room: Room) -> APIRouter:
    router = APIRouter(prefix="/teach")
    teacher = room.access.may(Permission.TEACH)
    teaching, knowledge = room.services.teaching, room.services.knowledge

    def page(request: Request, session: Session, status: int = 200, problem: str = "", done: str = "") -> Response:
        waiting = teaching.queue()
        first = waiting[0] if waiting else None
        return room.pages.show(
            request,
            session,
            "teach.html",
            status,
            candidate=first,
            context=teaching.context(first) if first else None,
            choices=likely(first, knowledge) if first else [],
            waiting=len(waiting),
            mine=teaching.decided_by(session.login),
            shown=SHOWN_OF_MINE,
            last=teaching.last(session.login),
            intents=teaching.intents(),
            topics=topic_names(knowledge),
            longest=LONGEST,
            problem=problem,
            done=done,
        )

    def step(request: Request, session: Session, done: str, act: Callable[[], object]) -> Response:
        try:
            act()
        except KeyError as unknown:
            raise HTTPException(404) from unknown
        except TeachingRefused as refused:
            return page(request, session, 422, problem=refused.problem.value)
        return RedirectResponse(address("/desk/teach", done=done), 303)

    @router.get("")
    def show(request: Request, done: str = "", session: Session = teacher) -> Response:
        return page(request, session, done=done)

    @router.post("/decide")
    def decide(
        request: Request,
        message: Annotated[int, Form()],
        choice: Annotated[str, Form(max_length=120)] = "",
        intent: Annotated[str, Form(max_length=60)] = "",
        topic: Annotated[str, Form(max_length=60)] = "",
        text: Annotated[str, Form(max_length=5000)] = "",
        session: Session = teacher,
    ) -> Response:
        """`choice` is a button, "intent" or "intent/topic"; without one the two lists decide."""
        chosen, _, of_topic = choice.partition("/") if choice else (intent, "", topic if intent == QUESTION else "")
        return step(
            request,
            session,
            "decided",
            lambda: teaching.decide(session.login, message, chosen, of_topic, text if text.strip() else None),
        )

    @router.post("/set-aside")
    def set_aside(request: Request, message: Annotated[int, Form()], session: Session = teacher) -> Response:
        return step(request, session, "set_aside", lambda: teaching.set_aside(session.login, message))

    @router.post("/undo")
    def undo(request: Request, session: Session = teacher) -> Response:
        return step(request, session, "undone", lambda: teaching.undo(session.login))

    return router


def topic_names(knowledge: Knowledge) -> dict[str, tuple[str, str]]:
    """Topic to its name in Indonesian and English: the title of its main entry."""
    mains = {topic: knowledge.entry(topic) for topic in TOPICS}
    return {topic: (main.facts.title.id, main.facts.title.en) if main else (topic, topic) for topic, main in mains.items()}


def likely(candidate: Candidate, knowledge: Knowledge) -> list[str]:
    """The likeliest decisions, as "intent" or "intent/topic"; "out of scope" has a button of its own."""
    intents = candidate.ranking[:MOST_INTENTS] or ([candidate.intent] if candidate.intent not in (None, FALLBACK) else [])
    topics = list(dict.fromkeys(hit.entry.topic for hit in knowledge.find(candidate.text).hits))[:MOST_TOPICS]
    questions = [f"{QUESTION}/{topic}" for topic in topics]
    if QUESTION not in intents:
        intents = [*intents, *([QUESTION] if topics else [])]
        questions = questions[:1]
    choices = []
    for intent in intents:
        if intent == QUESTION:
            choices += [*questions] or [QUESTION]
        elif intent not in (None, OUT_OF_SCOPE):
            choices.append(intent)
    return choices
