"""How long data is kept: what is set is deleted daily, in bounded runs, with a report; the rest stays."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event, func, select, update

from bot.cli import purge
from services.assembly import Services
from services.audit import AuditFilter
from services.desk_settings import ReasonMissing
from services.permissions import Role
from services.retention import BadDays, Kind, Retention
from services.ticket_events import Happening
from services.tickets import Filing, Resolution
from services.tickets import Kind as TicketKind
from store.database import utc_now
from store.models import Conversation, ConversationNote, Draft, Message
from store.staff_models import DeskSession
from store.ticket_models import TicketEvent
from tests.citizen import Citizen

REASON = "keputusan PPID nomor 12 tahun 2026"


def said_days_ago(services: Services, days: int) -> str:
    conversation = services.conversations.open("web", "id").id
    services.conversations.add_inbound(conversation, f"m{days}", "apa itu simpel?")
    services.conversation_notes.add(conversation, "sari", "sudah ditelepon")
    with services.database.session() as session:
        moment = utc_now() - timedelta(days=days)
        session.execute(update(Conversation).where(Conversation.id == conversation).values(last_at=moment))
    return conversation


def count(services: Services, table: Any) -> int:
    with services.database.session() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


def keep(services: Services, **days: int) -> None:
    services.retention.set_days({Kind(kind): number for kind, number in days.items()}, "sri", REASON)


def test_until_the_ministry_decides_nothing_that_citizens_said_is_deleted(services: Services) -> None:
    said_days_ago(services, 3000)
    assert services.retention.purge().deleted == {"sessions": 0}
    assert count(services, Conversation) == 1


def test_what_is_older_goes_with_all_that_hangs_on_it_and_the_report_says_how_much(services: Services) -> None:
    young = said_days_ago(services, 29)
    for days in (31, 400):
        said_days_ago(services, days)
    keep(services, conversations=30)
    assert services.retention.purge().deleted["conversations"] == 2
    with services.database.session() as session:
        assert list(session.scalars(select(Conversation.id))) == [young]
    assert (count(services, Message), count(services, ConversationNote)) == (1, 1)
    (report,) = services.retention.reports()
    assert report.data["deleted"] == {"conversations": 2, "sessions": 0}


def test_drafts_and_sign_ins_have_times_of_their_own(services: Services) -> None:
    conversation = services.conversations.open("web", "id").id
    services.drafts.write(conversation, "aspiration", {"text": "x"})
    services.drafts.write(conversation, "visit", {"theme": "x"})
    services.staff.add("sari", "Sari", Role.OFFICER, "uji", "kopi tubruk pagi hari")
    services.sign_in.by_password("sari", "kopi tubruk pagi hari", "", "127.0.0.1", "uji")
    long_ago = utc_now() - timedelta(days=100)
    with services.database.session() as session:
        session.execute(update(Draft).where(Draft.journey == "visit").values(updated_at=long_ago))
        session.execute(update(DeskSession).values(seen_at=long_ago))
    keep(services, drafts=30)
    assert services.retention.purge().deleted == {"drafts": 1, "sessions": 1}
    assert services.drafts.read(conversation, "aspiration") == {"text": "x"}


def test_a_draft_that_is_gone_on_with_while_old_ones_are_deleted_stays(services: Services) -> None:
    conversation = services.conversations.open("web", "id").id
    services.drafts.write(conversation, "visit", {"theme": "x"})
    with services.database.session() as session:
        session.execute(update(Draft).values(updated_at=utc_now() - timedelta(days=100)))
    keep(services, drafts=30)
    going_on = [lambda: services.drafts.write(conversation, "visit", {"theme": "y"})]

    @event.listens_for(services.database._engine, "before_cursor_execute")
    def go_on(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if statement.startswith("DELETE FROM drafts") and going_on:
            going_on.pop()()

    services.retention.purge()
    assert not going_on
    assert services.drafts.read(conversation, "visit") == {"theme": "y"}


def test_closed_tickets_lose_the_person_and_stay_in_the_register(services: Services) -> None:
    fields = {"details": "laporan kinerja", "purpose": "penelitian", "name": "Siti", "contact": "siti@contoh.id"}
    numbers = [services.tickets.file(Filing(TicketKind.INFORMATION_REQUEST, fields, "wni", f"c{n}", "id")).number for n in range(3)]
    for number in numbers[:2]:
        services.ticket_changes.answer(number, "Terlampir.", Resolution.GRANTED, "sari")
    with services.database.session() as session:
        old = select(TicketEvent.id).where(TicketEvent.ticket_id == 1)
        session.execute(update(TicketEvent).where(TicketEvent.id.in_(old)).values(at=utc_now() - timedelta(days=200)))
    keep(services, tickets=180)
    assert services.retention.purge().deleted["tickets"] == 1
    assert services.tickets.fields_of(numbers[0]) == {"details": "laporan kinerja", "purpose": "penelitian"}
    assert services.tickets.fields_of(numbers[1])["name"] == "Siti"
    assert services.ticket_changes.history(numbers[0])[-1].name is Happening.DATA_REMOVED
    assert services.retention.purge().deleted["tickets"] == 0, "what was done is not done again"


def test_the_daily_deletion_goes_on_until_all_is_done_and_then_waits_for_the_next_day(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.retention.AT_ONCE", 2)
    for days in range(40, 45):
        said_days_ago(services, days)
    keep(services, conversations=30)
    now = utc_now()
    retention = Retention(
        services.database, services.desk_settings, services.conversations, services.ticket_changes, services.audit, lambda: now
    )
    services.audit._clock = lambda: now
    runs = [retention.purge_if_due(seconds=0) for _ in range(4)]
    assert [run.deleted["conversations"] if run else None for run in runs] == [2, 2, 1, None]
    now += timedelta(days=1)
    assert retention.purge_if_due() is not None


def test_a_run_deletes_one_portion_after_the_other_as_long_as_it_has_time(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.retention.AT_ONCE", 2)
    for days in range(40, 45):
        said_days_ago(services, days)
    keep(services, conversations=30)
    purged = services.retention.purge_if_due()
    assert purged is not None
    assert (purged.deleted["conversations"], purged.complete) == (5, True)


@pytest.mark.parametrize(("kind", "days"), [("conversations", 6), ("tickets", 30), ("drafts", 3651), ("sessions", -1)])
def test_a_time_too_short_for_the_law_or_too_long_is_refused(kind: str, days: int, services: Services) -> None:
    with pytest.raises(BadDays):
        keep(services, **{kind: days})
    with pytest.raises(ReasonMissing):
        services.retention.set_days({Kind.CONVERSATIONS: 30}, "sri", "")
    assert services.audit.search(AuditFilter(action="setting.changed")) == []


async def test_the_assistant_says_how_long_a_conversation_is_kept(client: Any, services: Services) -> None:
    citizen = await Citizen(client).arrives()
    assert "belum ditetapkan" in await citizen.says("lihat data saya")
    keep(services, conversations=365)
    assert "setelah 365 hari" in await citizen.says("lihat data saya")


async def test_the_first_words_say_until_when_the_conversation_is_kept(client: Any, services: Services) -> None:
    async def first_words(locale: str) -> str:
        session = (await client.post("/api/chat/sessions", json={"locale": locale})).json()
        return str(session["messages"][0]["text"])

    assert "Catatan disimpan sampai Anda menghapusnya" in await first_words("id")
    assert "kept until you delete it" in await first_words("en")
    services.retention.set_days({Kind.CONVERSATIONS: 30}, "admin", "Keputusan pejabat pelindungan data")
    assert "Catatan dihapus 30 hari setelah pesan terakhir" in await first_words("id")
    assert "deleted 30 days after the last message" in await first_words("en")


def test_the_command_deletes_by_the_same_settings_or_by_its_own_number_of_days(
    services: Services, capsys: pytest.CaptureFixture[str]
) -> None:
    said_days_ago(services, 20)
    said_days_ago(services, 40)
    keep(services, conversations=30)
    for days in (None, 10):
        purge(days)
        assert "1 conversations deleted" in capsys.readouterr().out
    assert {report.actor for report in services.retention.reports()} == {"konsol"}
