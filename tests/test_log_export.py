from datetime import timedelta

import httpx

from services import log_export
from services.assembly import Services
from store.database import utc_now
from store.models import Conversation
from tests.citizen import Citizen


async def test_the_export_holds_the_log_as_it_is_stored_and_no_personal_value(client: httpx.AsyncClient, services: Services) -> None:
    citizen = await Citizen(client).arrives()
    await citizen.says("apa itu simpel? hubungi saya di 081234567890")
    rows = list(log_export.messages(services.database))
    (question,) = [row for row in rows if row["author"] == "user"]
    assert question["channel"] == "web"
    assert question["intent"]
    assert "081234567890" not in question["text"]
    assert [row["seq"] for row in rows] == list(range(1, len(rows) + 1))
    assert not list(log_export.messages(services.database, utc_now() + timedelta(days=1)))


async def test_a_purge_deletes_idle_conversations_and_no_others(client: httpx.AsyncClient, services: Services) -> None:
    old, new = await Citizen(client).arrives(), await Citizen(client).arrives()
    with services.database.session() as session:
        oldest = session.query(Conversation).order_by(Conversation.created_at).first()
        assert oldest is not None
        oldest.last_at = utc_now() - timedelta(days=400)
    assert services.conversations.forget_idle(utc_now() - timedelta(days=365)) == 1
    gone = await client.get("/api/chat/messages", headers=old.headers)
    assert gone.status_code == 401
    assert await new.says("halo")
