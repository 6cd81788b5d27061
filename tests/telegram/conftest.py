"""The bot on the stand-in: polling it, or with its webhook in the whole application."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from bot.assistant import Assistant
from bot.channels.telegram import sending
from bot.conversation import ConversationService
from bot.server import create_app
from services.assembly import Services
from services.settings import Settings
from tests.telegram.bot_api import BotApi
from tests.telegram.running import ADDRESS, TOKEN, Webhook, channel_of


@pytest.fixture
async def bot_api(services: Services, assistant: Assistant) -> AsyncIterator[BotApi]:
    """The real python-telegram-bot, polling the stand-in."""
    async with BotApi() as api:
        channel = channel_of(ConversationService(assistant, services), services, api)
        await channel.start()
        yield api
        await channel.stop()


@pytest.fixture
async def webhook(services: Services, assistant: Assistant) -> AsyncIterator[Webhook]:
    """The whole application with its webhook, and the stand-in that it sends to."""
    async with BotApi() as api:
        data = services.settings.data_dir
        values: dict[str, Any] = {"TELEGRAM_BOT_TOKEN": TOKEN, "TELEGRAM_BASE_URL": api.base_url, "TELEGRAM_WEBHOOK_URL": ADDRESS}
        object.__setattr__(services, "settings", Settings(_env_file=None, SAPA_DATA_DIR=data, **values))
        app = create_app(services, assistant)
        async with (
            app.router.lifespan_context(app),
            httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://sapa.test", timeout=30) as client,
        ):
            yield Webhook(client, api, services)


@pytest.fixture
def unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Telegram's limits are out of the way."""
    for name in ("SECONDS_A_CHAT", "SECONDS_A_GROUP", "SECONDS_OVER_ALL"):
        monkeypatch.setattr(sending, name, 0.0)
