"""PostgreSQL is stopped under a running application, and comes back."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from bot.assistant import Assistant
from services.assembly import assemble
from services.knowledge import Knowledge
from services.settings import Settings
from store.models import Message
from tests.citizen import Citizen
from tests.scale.machines import Postgres
from tests.telegram.bot_api import BotApi
from tests.telegram.running import ADDRESS, TOKEN, update
from tests.test_durability import application, refused, send


@pytest.fixture
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    """A cluster of the test's own, for it is stopped."""
    folder = Path(tempfile.mkdtemp(prefix="sapa-durable-"))  # not below pytest's own folders, which no other user may enter
    folder.chmod(0o755)
    cluster = Postgres(folder / "postgres")
    cluster.start()
    yield cluster
    cluster.stop()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.mark.scale
async def test_while_postgresql_is_gone_the_web_says_so_and_telegram_waits_and_then_all_is_answered_once(
    postgres: Postgres, tmp_path: Path, knowledge: Knowledge, trained: Assistant
) -> None:
    async with BotApi() as api:
        values = {"TELEGRAM_BOT_TOKEN": TOKEN, "TELEGRAM_BASE_URL": api.base_url, "TELEGRAM_WEBHOOK_URL": ADDRESS}
        settings = Settings(_env_file=None, SAPA_DATA_DIR=tmp_path, DATABASE_URL=postgres.url, **values)
        async with application(assemble(settings, knowledge), trained) as (client, services):
            citizen = await Citizen(client).arrives()
            await citizen.says("apa itu simpel?")
            headers = {"X-Telegram-Bot-Api-Secret-Token": api.secret}
            assert (await client.post("/telegram/masuk", json=update(1, 7, "apa itu simpel?"), headers=headers)).status_code == 200
            await api.until_sent(7, 1)
            await asyncio.to_thread(postgres.stop)
            message_id = str(uuid.uuid4())
            assert refused(await send(client, citizen, "jam buka istura", message_id))
            assert (await client.get("/readyz")).status_code == 503
            assert (await client.get("/healthz")).status_code == 200
            waiting = update(2, 7, "jam buka istura")
            assert (await client.post("/telegram/masuk", json=waiting, headers=headers)).status_code == 503, "Telegram keeps it"
            await asyncio.to_thread(postgres.start)
            assert (await client.post("/telegram/masuk", json=waiting, headers=headers)).status_code == 200
            assert (await send(client, citizen, "jam buka istura", message_id)).status_code == 200
            await api.until_sent(7, 2)
            assert (await client.get("/readyz")).status_code == 200
            with services.database.session() as session:
                asked = session.scalars(select(Message.text).where(Message.author == "user")).all()
            assert sorted(asked) == ["apa itu simpel?"] * 2 + ["jam buka istura"] * 2
