"""A turn whose answer was lost, because the database or the process went away, is done again when the client sends it again."""

from __future__ import annotations

import re
import uuid
from typing import Any

import httpx
import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import OperationalError

from services.assembly import Services
from services.drafts import Drafts
from services.ticket_events import Happening
from services.tickets import Filing, Kind, Resolution
from store.ticket_models import Ticket
from tests.citizen import Citizen


async def sent(client: httpx.AsyncClient, citizen: Citizen, text: str, cid: str) -> httpx.Response:
    body = {"client_message_id": cid, "text": text}
    return await client.post("/api/chat/messages", json=body, headers=citizen.headers)


def failing_once(work: Any) -> Any:
    """`work`, to which the database is away the first time."""
    failed = False

    def run(*args: Any, **kwargs: Any) -> Any:
        nonlocal failed
        if not failed:
            failed = True
            raise OperationalError("SELECT 1", {}, Exception("the database is away"))
        return work(*args, **kwargs)

    return run


async def test_an_answer_that_could_not_be_stored_comes_on_the_next_try_and_the_ticket_is_filed_once(
    services: Services, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    citizen = await Citizen(client).arrives()
    text = "Tolong perbanyak beasiswa untuk anak nelayan di daerah terpencil"
    await citizen.goes_through("saya ingin menyampaikan aspirasi", "ya", text, "pendidikan", *["lewati"] * 4)
    monkeypatch.setattr(services.conversations, "add_replies", failing_once(services.conversations.add_replies))
    cid = str(uuid.uuid4())
    away = await sent(client, citizen, "ya", cid)
    assert (away.status_code, away.headers["retry-after"]) == (503, "1")
    again = await sent(client, citizen, "ya", cid)
    assert again.status_code == 200
    number = re.search(r"ASP-\d{8}-[0-9A-Z]{4}", again.text)
    assert number, again.text
    with services.database.session() as session:
        assert session.scalars(select(Ticket.number)).all() == [number[0]]
    history = await citizen.history()
    assert sum(message["text"] == "ya" for message in history) == 2  # consent, confirmation
    assert services.drafts.kept(conversation_of(services), "aspiration") is None


async def test_a_status_whose_answer_could_not_be_stored_is_shown_on_the_next_try(
    services: Services, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner = services.conversations.open("web", "id").id
    receipt = services.tickets.file(Filing(Kind.ASPIRATION, {"text": "Perbanyak taman kota"}, "lingkungan", owner, "id"))
    citizen = await Citizen(client).arrives()
    await citizen.goes_through("cek status tiket", receipt.number)
    monkeypatch.setattr(services.conversations, "add_replies", failing_once(services.conversations.add_replies))
    cid = str(uuid.uuid4())
    assert (await sent(client, citizen, receipt.access_code, cid)).status_code == 503
    again = await sent(client, citizen, receipt.access_code, cid)
    assert receipt.number in again.text and "diterima" in again.text.lower(), again.text


@pytest.mark.parametrize(
    ("button", "typed", "confirmation", "done", "name"),
    [
        ("Tambah catatan", [], "mohon dipercepat", "sudah ditambahkan", Happening.NOTED),
        ("Cabut tiket", [], "ya", "sudah dicabut", Happening.WITHDRAWN),
        ("Nilai jawaban", ["3"], "lewati", "Terima kasih atas penilaian", Happening.RATED),
    ],
)
async def test_what_a_citizen_does_with_a_ticket_is_done_once_and_confirmed_though_the_first_answer_was_lost(
    services: Services,
    client: httpx.AsyncClient,
    monkeypatch: pytest.MonkeyPatch,
    button: str,
    typed: list[str],
    confirmation: str,
    done: str,
    name: Happening,
) -> None:
    citizen = await Citizen(client).arrives()
    await citizen.goes_through(
        "saya ingin menyampaikan aspirasi", "ya", "Tambah beasiswa anak nelayan", "pendidikan", *["lewati"] * 4, "ya"
    )
    number = only_ticket(services)
    if name is Happening.RATED:
        services.ticket_changes.answer(number, "Sudah kami teruskan", Resolution.ANSWERED, "dewi")
    await citizen.says("tiket saya sudah sampai mana?")
    await citizen.presses(button)
    await citizen.goes_through(*typed)
    monkeypatch.setattr(services.conversations, "add_replies", failing_once(services.conversations.add_replies))
    cid = str(uuid.uuid4())
    assert (await sent(client, citizen, confirmation, cid)).status_code == 503
    assert done in (await sent(client, citizen, confirmation, cid)).text
    assert [entry.name for entry in services.ticket_changes.history(number)].count(name) == 1


def only_ticket(services: Services) -> str:
    with services.database.session() as session:
        return session.scalars(select(Ticket.number)).one()


def conversation_of(services: Services) -> str:
    with services.database.session() as session:
        found = session.scalar(select(func.max(Ticket.conversation_id)))
    assert found
    return found


async def test_an_action_to_which_the_database_was_away_is_no_failed_turn(
    services: Services, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    citizen = await Citizen(client).arrives()
    await citizen.says("saya ingin menyampaikan aspirasi")
    monkeypatch.setattr(Drafts, "write", failing_once(Drafts.write))
    cid = str(uuid.uuid4())
    assert (await sent(client, citizen, "ya", cid)).status_code == 503
    again = await sent(client, citizen, "ya", cid)
    assert "tuliskan aspirasi" in again.text
    assert "tuliskan aspirasi" in (await sent(client, citizen, "ya", cid)).text
