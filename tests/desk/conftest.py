"""Members of staff who are signed in, over the whole application."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack

import httpx
import pytest

from bot.assistant import Assistant
from bot.server import create_app
from services.assembly import Services
from services.permissions import Role
from tests.desk.officer import Officer

PASSWORD = "kopi tubruk pagi hari"


@pytest.fixture
async def sign_in(services: Services, assistant: Assistant) -> AsyncIterator[Callable[..., object]]:
    """`await sign_in(Role.PPID, "sari")`: a member of staff with that role, signed in at the desk."""
    app = create_app(services, assistant)
    async with AsyncExitStack() as stack:

        async def enter(role: Role, login: str = "") -> Officer:
            login = login or f"{role.value}-uji"
            services.staff.add(login, login.title(), role, "uji", PASSWORD)
            transport = httpx.ASGITransport(app, client=("127.0.0.1", 1234))
            client = await stack.enter_async_context(httpx.AsyncClient(transport=transport, base_url="http://sapa.test", timeout=30))
            officer = Officer(client, login)
            await officer.signs_in(PASSWORD)
            return officer

        yield enter
