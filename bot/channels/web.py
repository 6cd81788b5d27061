"""The web channel: signed sessions, idempotent messages, history after a number, live events."""

import asyncio
import json
import uuid
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal, Self

from fastapi import APIRouter, Depends, HTTPException, Query, Request, Response
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from itsdangerous import BadSignature
from pydantic import BaseModel, ConfigDict, Field, model_validator
from sse_starlette import EventSourceResponse, ServerSentEvent

from bot.channels.web_schema import NEWEST, MessagesSchema, SessionSchema, problems
from bot.conversation import ConversationService, TooManyWaiting, UnknownConversation
from bot.messages import Inbound, Outbound
from services.signed_tokens import SignedTokens
from services.wakeups import Wakeups
from store.conversations import Conversations

LOOK_SECONDS = 5.0
"""How often an open stream looks into the database though nothing woke it."""
OFFICER_TYPING = json.dumps({"from": "officer"})
MAX_TEXT = 20_000
"""Longer bodies are refused outright; up to here the assistant itself says that 4,000 characters are the limit."""


class Sessions:
    """Tokens that only the server can make: they name a conversation and the time they were signed at."""

    def __init__(self, signing_keys: list[str], hours: int) -> None:
        self._serializer = SignedTokens(signing_keys, salt="web-session")
        self._lifetime = timedelta(hours=hours)

    def issue(self, conversation_id: str) -> tuple[str, datetime]:
        return self._serializer.dumps(conversation_id), datetime.now(UTC) + self._lifetime

    def conversation_of(self, token: str) -> str | None:
        """None for a token that was changed, made elsewhere, or is too old."""
        try:
            return str(self._serializer.loads(token, max_age=int(self._lifetime.total_seconds())))
        except BadSignature:
            return None


class NewSession(BaseModel):
    model_config = ConfigDict(extra="forbid")
    locale: Literal["id", "en"] = "id"


class NewMessage(BaseModel):
    model_config = ConfigDict(extra="forbid")
    client_message_id: uuid.UUID
    text: Annotated[str, Field(max_length=MAX_TEXT)] | None = None
    button: Annotated[str, Field(max_length=64)] | None = None

    @model_validator(mode="after")
    def says_one_thing(self) -> Self:
        if (self.text is None) == (self.button is None):
            raise ValueError("give either text or button")
        return self


def as_json(message: Outbound) -> dict[str, Any]:
    """The `Message` of the contract; a citizen's own message also names its `client_message_id`, to be matched with."""
    own = {"client_message_id": message.external_id} if message.external_id else {}
    return {
        "seq": message.seq,
        "from": message.author,
        "text": message.text,
        "buttons": [{"id": button.id, "label": button.label} for button in message.buttons],
        "sources": message.sources,
        "at": message.at.isoformat().replace("+00:00", "Z"),
        **own,
    }


def web_channel(service: ConversationService, conversations: Conversations, sessions: Sessions, wakeups: Wakeups) -> APIRouter:
    router = APIRouter(prefix="/api/chat")
    bearer = HTTPBearer(auto_error=False)

    expired = HTTPException(401, "session_expired", {"WWW-Authenticate": "Bearer"})

    async def named_conversation(credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)]) -> str:
        """What the signed token names; it may be deleted by now."""
        found = sessions.conversation_of(credentials.credentials) if credentials else None
        if found is None:
            raise expired
        return found

    async def known_conversation(named: Annotated[str, Depends(named_conversation)]) -> str:
        if await asyncio.to_thread(conversations.get, named) is None:
            raise expired
        return named

    Named = Annotated[str, Depends(named_conversation)]  # noqa: N806 a type
    Owned = Annotated[str, Depends(known_conversation)]  # noqa: N806 a type

    After = Annotated[int, Query(ge=0, le=NEWEST)]  # noqa: N806 a type

    @router.post("/sessions", status_code=201, responses=problems(422) | {201: {"model": SessionSchema}})
    async def open_session(body: NewSession | None = None) -> dict[str, Any]:
        locale = body.locale if body else "id"
        conversation = await asyncio.to_thread(conversations.open, "web", locale)
        greeting = await service.greet(conversation.id, locale)
        token, expires_at = sessions.issue(conversation.id)
        stamp = expires_at.isoformat(timespec="seconds").replace("+00:00", "Z")
        return {"token": token, "expires_at": stamp, "messages": [as_json(message) for message in greeting]}

    @router.delete("/sessions", status_code=204, responses=problems(401))
    async def delete_session(session: Owned) -> Response:
        await service.forget(session)
        return Response(status_code=204)

    @router.post("/messages", responses=problems(401, 422) | {200: {"model": MessagesSchema}})
    async def send(body: NewMessage, session: Named) -> dict[str, Any]:
        inbound = Inbound(session, str(body.client_message_id), body.text or "", body.button)
        try:
            replies = await service.handle(inbound)
        except TooManyWaiting as error:
            raise HTTPException(429, error.sentence, {"Retry-After": "5"}) from error
        except UnknownConversation as error:
            raise expired from error
        return {"messages": [as_json(message) for message in replies]}

    @router.get("/messages", responses=problems(401, 422) | {200: {"model": MessagesSchema}})
    async def history(session: Owned, after: After = 0) -> dict[str, Any]:
        return {"messages": [as_json(message) for message in await service.messages_after(session, after)]}

    @router.get("/events", responses=problems(401, 422) | {200: {"content": {"text/event-stream": {}}}}, response_class=Response)
    async def events(request: Request, session: Owned, after: After = 0) -> EventSourceResponse:
        async def stream() -> AsyncIterator[ServerSentEvent]:
            newest = after
            typed_at = None
            with wakeups.listen(session) as listener:
                while not await request.is_disconnected():
                    for message in await service.messages_after(session, newest):
                        newest = message.seq
                        data = json.dumps(as_json(message), ensure_ascii=False)
                        yield ServerSentEvent(data, event="message", id=str(message.seq))
                    seen = await service.officer_typed_at(session)
                    if seen and seen != typed_at:
                        yield ServerSentEvent(OFFICER_TYPING, event="typing")
                    typed_at = seen
                    await listener.wait(LOOK_SECONDS)

        return EventSourceResponse(stream(), ping=20)

    return router
