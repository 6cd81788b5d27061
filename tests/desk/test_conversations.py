from __future__ import annotations

import csv
import io
import zipfile
from datetime import timedelta

import httpx
import pytest
from sqlalchemy import update

from services.assembly import Services
from services.audit import AuditFilter
from services.conversation_log import LogFilter
from services.permissions import Role
from services.tickets import Filing, Kind, Resolution
from store.conversations import Reply
from store.database import utc_now
from store.models import Conversation
from tests.citizen import Citizen
from tests.clock import Clock
from tests.long_conversation import MANY, say_much


@pytest.fixture
async def citizen(client: httpx.AsyncClient) -> Citizen:
    return await Citizen(client).arrives()


def the_conversation(services: Services) -> str:
    (only,) = services.conversation_log.search(LogFilter(), 0)
    return only.id


async def test_a_citizens_question_stands_in_the_list_until_it_was_read(citizen: Citizen, services: Services, sign_in) -> None:
    await citizen.says("apa itu simpel?")
    reader = await sign_in(Role.READER)
    assert 'class="unread"' in await reader.reads("/desk/conversations")
    page = await reader.reads(f"/desk/conversations/{the_conversation(services)}")
    assert "apa itu simpel?" in page
    assert "Terjawab" in page
    assert 'class="unread"' not in await reader.reads("/desk/conversations")
    assert next(entry.action for entry in services.audit.search(AuditFilter(actor=reader.login))) == "conversation.read"


async def test_filters_find_what_they_name_and_nothing_else(citizen: Citizen, services: Services) -> None:
    await citizen.says("apa itu simpel?")
    await citizen.says("berapa gaji anak magang di setneg")
    log = services.conversation_log
    for fitting in (
        LogFilter(words="simp"),
        LogFilter(words="gaji magang"),
        LogFilter(topic="simpel"),
        LogFilter(intent="ask_information", status="answered"),
        LogFilter(unanswered=True),
        LogFilter(channel="web", language="id"),
    ):
        assert len(log.search(fitting, 0)) == 1, fitting
    for other in (
        LogFilter(words="istura"),
        LogFilter(words="simpel gaji"),
        LogFilter(topic="magang", status="failed"),
        LogFilter(channel="telegram"),
        LogFilter(escalated=True),
        LogFilter(has_ticket=True),
    ):
        assert log.search(other, 0) == [], other


def test_the_list_is_narrowed_to_conversations_that_were_last_spoken_in_within_a_span(services: Services) -> None:
    began = utc_now() - timedelta(days=10)
    made = [services.conversations.open("web", "id").id for _ in range(3)]
    with services.database.session() as session:
        for day, conversation in enumerate(made):
            moment = began + timedelta(days=day)
            session.execute(update(Conversation).where(Conversation.id == conversation).values(last_at=moment))
    second, third = began + timedelta(days=1), began + timedelta(days=2)
    for wanted, found in (
        (LogFilter(since=second), made[:0:-1]),
        (LogFilter(until=second), made[:1]),
        (LogFilter(since=second, until=third), made[1:2]),
    ):
        assert [one.id for one in services.conversation_log.search(wanted, 0)] == found, wanted


def test_what_the_assistant_was_unsure_of_can_be_looked_for(services: Services) -> None:
    made = []
    for confidence in (0.9, 0.3, None):
        made.append(services.conversations.open("web", "id").id)
        asked = services.conversations.add_inbound(made[-1], "m1", "apa itu simpel?")
        turn = {"status": "answered", "confidence": confidence}
        services.conversations.add_replies(made[-1], [Reply("Simpel adalah ...")], reply_to=asked.id, turn=turn)
    assert [one.id for one in services.conversation_log.search(LogFilter(low_confidence=True), 0)] == [made[1]]


def test_words_are_looked_for_in_what_people_said_and_not_in_the_bots_sentences(services: Services) -> None:
    conversations, log = services.conversations, services.conversation_log
    conversation = conversations.open("web", "id").id
    asked = conversations.add_inbound(conversation, "m1", "syarat magang apa")
    conversations.add_replies(conversation, [Reply("Surat pengantar dari kampus")], reply_to=asked.id)
    with services.database.session() as session:
        conversations.add(session, conversation, asked.seq + 2, "officer", Reply("Kirim surat itu ke Biro SDM"))
    for words, found in (("magang", 1), ("biro", 1), ("surat", 1), ("pengantar", 0)):
        assert len(log.search(LogFilter(words=words), 0)) == found, words
    conversations.forget(conversation)
    assert log.search(LogFilter(words="magang"), 0) == []


async def test_deleted_conversations_are_found_no_more(citizen: Citizen, services: Services) -> None:
    await citizen.says("apa itu simpel?")
    services.conversations.forget(the_conversation(services))
    assert services.conversation_log.search(LogFilter(words="simpel"), 0) == []


async def test_pages_of_the_list_follow_each_other_without_gap_or_repetition(services: Services) -> None:
    made = {services.conversations.open("web", "id").id for _ in range(7)}
    seen: list[str] = []
    before = None
    while page := services.conversation_log.search(LogFilter(), 0, before=before, limit=3):
        seen += [one.id for one in page]
        before = (page[-1].last_at, page[-1].id)
    assert len(seen) == 7
    assert set(seen) == made


async def test_unmasking_needs_a_reason_and_is_recorded(citizen: Citizen, services: Services, sign_in) -> None:
    await citizen.goes_through("cek status SIMPEL", "DEMO-SMP-000104", "H6N2VC")
    conversation = the_conversation(services)
    ppid = await sign_in(Role.PPID)
    assert "DEMO-SMP-000104" not in await ppid.reads(f"/desk/conversations/{conversation}")
    for reason in ("ingin", "x" * 501):
        without = await ppid.sends(f"/desk/conversations/{conversation}/unmask", reason=reason)
        assert without.status_code == 422
        assert "10 sampai 500 karakter" in without.text
        assert f'name="reason" value="{reason}" minlength="10" maxlength="500"' in without.text
    done = await ppid.sends(f"/desk/conversations/{conversation}/unmask", reason="pengaduan pemohon lewat telepon")
    assert done.status_code == 200
    (entry,) = services.audit.search(AuditFilter(action="conversation.unmasked"))
    assert (entry.actor, entry.subject, entry.reason) == (ppid.login, conversation, "pengaduan pemohon lewat telepon")


async def test_before_a_citizen_agrees_the_earlier_words_stay_closed(citizen: Citizen, services: Services, sign_in) -> None:
    await citizen.says("apa itu simpel?")
    conversation = the_conversation(services)
    reader = await sign_in(Role.READER)
    services.handoffs._clock = Clock("2026-11-23 10:00")
    services.handoffs.ask(conversation)
    for page in (await reader.reads("/desk/conversations"), await reader.reads(f"/desk/conversations/{conversation}")):
        assert "apa itu simpel?" not in page
    services.handoffs.answer(conversation, agreed=True)
    assert "apa itu simpel?" in await reader.reads(f"/desk/conversations/{conversation}")


def test_of_a_conversation_without_consent_staff_read_what_came_after_an_officer_took_it(services: Services) -> None:
    services.handoffs._clock = Clock("2026-11-23 10:00")
    conversation = services.conversations.open("web", "id").id
    services.conversations.add_inbound(conversation, "m1", "apa itu simpel?")
    waiting = services.handoffs.ask(conversation).handoff_id
    assert services.conversation_log.transcript(conversation) == []
    services.handoffs.take(waiting, "sari")
    services.conversations.add_inbound(conversation, "m2", "nomor surat saya belum ada")
    assert [message.text for message in services.conversation_log.transcript(conversation)] == ["nomor surat saya belum ada"]


async def test_of_a_long_conversation_the_page_shows_what_was_said_last_and_the_export_all(services: Services, sign_in) -> None:
    conversation = services.conversations.open("web", "id").id
    newest = say_much(services, conversation)
    ppid = await sign_in(Role.PPID)
    page = await ppid.reads(f"/desk/conversations/{conversation}")
    assert newest in page
    assert "Ini bagian terbaru dari percakapan yang panjang." in page
    assert 'class="unread"' not in await ppid.reads("/desk/conversations")
    table = (await ppid.reads("/desk/conversations/export.csv?rows=messages")).removeprefix("\ufeff")
    assert [row["number"] for row in csv.DictReader(io.StringIO(table))] == [str(n + 1) for n in range(MANY)]


async def test_the_export_is_a_table_of_what_the_filters_find(citizen: Citizen, services: Services, sign_in) -> None:
    await citizen.says("apa itu simpel?")
    ppid = await sign_in(Role.PPID)
    rows = list(csv.DictReader(io.StringIO((await ppid.reads("/desk/conversations/export.csv?words=simpel")).removeprefix("\ufeff"))))
    assert [(row["channel"], row["language"], row["ticket"]) for row in rows] == [("web", "id", "False")]


async def test_messages_are_exported_masked_and_as_far_as_the_citizen_allows(citizen: Citizen, services: Services, sign_in) -> None:
    await citizen.says("apa itu simpel? surel saya siti@contoh.id")
    await citizen.says('=HYPERLINK("https://jahat.example")')
    ppid = await sign_in(Role.PPID)
    address = "/desk/conversations/export.{}?rows=messages"
    rows = list(csv.DictReader(io.StringIO((await ppid.reads(address.format("csv"))).removeprefix("\ufeff"))))
    assert "siti@contoh.id" not in str(rows)
    assert "ask_information" in {row["intent"] for row in rows}
    assert [row["text"][:2] for row in rows if "HYPERLINK" in row["text"]] == ["'="]
    services.handoffs._clock = Clock("2026-11-23 10:00")
    services.handoffs.ask(the_conversation(services))
    assert "apa itu simpel" not in await ppid.reads(address.format("csv"))
    entry = services.audit.search(AuditFilter(action="conversations.exported"))[0]
    assert (entry.data["rows"], entry.data["form"]) == ("messages", "csv")


async def test_a_workbook_holds_texts_and_no_formulas(citizen: Citizen, sign_in) -> None:
    await citizen.says("=1+1 apa itu simpel?")
    ppid = await sign_in(Role.PPID)
    response = await ppid.opens("/desk/conversations/export.xlsx?rows=messages")
    assert response.headers["content-disposition"] == 'attachment; filename="pesan.xlsx"'
    with zipfile.ZipFile(io.BytesIO(response.content)) as book:
        sheet = "".join(book.read(name).decode() for name in book.namelist() if name.endswith(".xml"))
    assert "=1+1 apa itu simpel?" in sheet
    assert "<f>" not in sheet
    assert (await ppid.opens("/desk/conversations/export.ods")).status_code == 404


def test_low_is_what_a_ticket_was_rated_last(services: Services) -> None:
    conversations = [services.conversations.open("web", "id").id for _ in range(3)]
    for conversation, scores in zip(conversations, [(1,), (2, 4), (4, 2)], strict=True):
        number = services.tickets.file(Filing(Kind.ASPIRATION, {"text": "x"}, "layanan", conversation, "id")).number
        services.ticket_changes.answer(number, "Terima kasih.", Resolution.ANSWERED, "sari")
        for score in scores:
            services.ticket_changes.rate(number, score)
    found = services.conversation_log.search(LogFilter(rated_low=True), 0)
    assert {one.id for one in found} == {conversations[0], conversations[2]}


@pytest.mark.parametrize("address", ["?before=x", "?since=2026-13-45&until=9999-12-31", "?flag=x&flag=unanswered", "?words=%22%27*)("])
async def test_an_odd_address_is_no_error(address: str, sign_in) -> None:
    reader = await sign_in(Role.READER)
    await reader.reads(f"/desk/conversations{address}")
