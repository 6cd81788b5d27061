"""The chat without JavaScript: plain HTML forms, the same conversation service."""

from __future__ import annotations

import asyncio
import uuid
from typing import Annotated

from fastapi import APIRouter, Cookie, Form, HTTPException, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from bot.channels.web import Sessions
from bot.conversation import ConversationService, TooManyWaiting
from bot.html_pages import HtmlPage, language_of
from bot.markup import Span, spans
from bot.messages import Inbound, Outbound
from store.conversations import Conversations
from store.models import Conversation

COOKIE = "sapa_chat"
LANGUAGES = ("id", "en")


def lines_of(message: Outbound) -> list[list[Span]]:
    """The lines of a message to be shown; a citizen's own words stay words, whatever they look like."""
    lines = message.text.split("\n")
    return [[Span("text", line)] if message.author == "user" else list(spans(line)) for line in lines]


def plain_chat(service: ConversationService, conversations: Conversations, sessions: Sessions) -> APIRouter:
    router = APIRouter(include_in_schema=False)
    page = HtmlPage("chat")

    async def known(token: str | None) -> Conversation | None:
        found = sessions.conversation_of(token) if token else None
        return await asyncio.to_thread(conversations.get, found) if found else None

    async def shown(conversation_id: str, locale: str, status: int = 200, **values: str) -> HTMLResponse:
        newest = await asyncio.to_thread(conversations.newest, conversation_id)
        messages = [service.transcript.render(message) for message in newest]
        log = [{"seq": m.seq, "author": m.author, "sources": m.sources, "lines": lines_of(m)} for m in messages]
        buttons = messages[-1].buttons if messages else []
        return HTMLResponse(page.render(locale, messages=log, buttons=buttons, once=uuid.uuid4(), **values), status)

    async def begun(request: Request, locale: str, status: int = 200, **values: str) -> Response:
        conversation = await asyncio.to_thread(conversations.open, "web", locale)
        await service.greet(conversation.id, locale)
        response = await shown(conversation.id, locale, status, **values)
        token, _ = sessions.issue(conversation.id)
        response.set_cookie(COOKIE, token, httponly=True, secure=request.url.scheme == "https", samesite="strict", path="/chat")
        return response

    @router.get("/chat")
    async def show(request: Request, sapa_chat: Annotated[str | None, Cookie()] = None, lang: str | None = None) -> Response:
        """In the language asked for, or else in that of the conversation."""
        asked = lang if lang in LANGUAGES else None
        conversation = await known(sapa_chat)
        if conversation is None:
            return await begun(request, asked or LANGUAGES[0])
        return await shown(conversation.id, asked or await service.transcript.language(conversation))

    @router.post("/chat")
    async def send(
        request: Request,
        once: Annotated[uuid.UUID, Form()],
        text: Annotated[str, Form(max_length=20_000)] = "",
        button: Annotated[str | None, Form(max_length=64)] = None,
        sapa_chat: Annotated[str | None, Cookie()] = None,
    ) -> Response:
        if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
            raise HTTPException(403)
        conversation = await known(sapa_chat)
        if conversation is None:
            locale = language_of(request)
            problem = await service.sentence("utter_problem_session", locale)
            return await begun(request, locale, 401, problem=problem, text=text)
        try:
            await service.handle(Inbound(conversation.id, str(once), text, button))
        except TooManyWaiting as error:
            raise HTTPException(429) from error
        return RedirectResponse("/chat#compose", 303)

    @router.post("/chat/forget")
    async def forget(request: Request, sapa_chat: Annotated[str | None, Cookie()] = None) -> Response:
        if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
            raise HTTPException(403)
        conversation = await known(sapa_chat)
        if conversation:
            await service.forget(conversation.id)
        response = RedirectResponse("/chat", 303)
        response.delete_cookie(COOKIE, path="/chat")
        return response

    return router
