"""The real channel on the stand-in of the Bot API, and the updates that tests post to its webhook."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
from sqlalchemy import select

from bot.channels.telegram.channel import TelegramChannel
from bot.channels.telegram.updates import Means
from bot.conversation import ConversationService
from bot.public_answers import PublicAnswers
from bot.rate_limits import RateLimits, Rates
from services.assembly import Services
from store.models import TelegramUpdate
from store.telegram_inbox import TelegramInbox
from tests.telegram.bot_api import BotApi

ADDRESS = "https://sapa.example/telegram/masuk"
TOKEN = "1:secret"


def channel_of(
    service: ConversationService, services: Services, api: BotApi, rates: Rates | None = None, **more: Any
) -> TelegramChannel:
    limits = RateLimits("", "outside", services.encryption.fingerprint, rates)
    public = PublicAnswers(service._assistant, services.knowledge)
    inbox = TelegramInbox(services.database, services.encryption)
    means = Means(service, public, services.conversations, inbox, limits, frozenset({"simpel"}))
    return TelegramChannel(means, TOKEN, api.base_url, **more)


def update(number: int, chat: int, text: str | None = None, /, **message: Any) -> dict[str, Any]:
    """A message in a private chat; `message` adds or replaces fields of the Bot API's Message."""
    user = {"id": chat, "is_bot": False, "first_name": "Warga", "language_code": "id"}
    said = {"text": text} if text is not None else {}
    body = {"message_id": number, "date": 1_795_000_000, "chat": {"id": chat, "type": "private"}, "from": user}
    return {"update_id": number, "message": body | said | message}


def edited(number: int, of: dict[str, Any], text: str) -> dict[str, Any]:
    """The update that tells of a changed text."""
    return {"update_id": number, "edited_message": of["message"] | {"edit_date": 1_795_000_001, "text": text}}


def stored(services: Services) -> list[TelegramUpdate]:
    with services.database.session() as session:
        return list(session.scalars(select(TelegramUpdate).order_by(TelegramUpdate.update_id)))


async def finished(services: Services, count: int) -> None:
    """Until so many updates are stored and all are dealt with."""
    async with asyncio.timeout(20):
        while len(rows := stored(services)) < count or any(row.content for row in rows):
            await asyncio.sleep(0.05)


class HeldCall:
    """A gate of the stand-in that lets no call through until it is released."""

    def __init__(self, api: BotApi) -> None:
        self._begun, self._released = asyncio.Event(), asyncio.Event()
        api.gate = self._hold

    async def _hold(self, _method: str, _form: dict[str, Any]) -> None:
        self._begun.set()
        await self._released.wait()

    async def begun(self) -> None:
        """Until the first call waits."""
        await asyncio.wait_for(self._begun.wait(), 20)

    def release(self) -> None:
        self._released.set()


class Webhook:
    def __init__(self, client: httpx.AsyncClient, api: BotApi, services: Services) -> None:
        self.client, self.api, self.services, self.secret = client, api, services, api.secret

    async def post(self, content: Any, **headers: str) -> int:
        given = {"X-Telegram-Bot-Api-Secret-Token": self.secret, "Content-Type": "application/json", **headers}
        body = {"content": content} if isinstance(content, str | bytes) else {"json": content}
        response = await self.client.post("/telegram/masuk", headers=given, **body)
        return response.status_code
