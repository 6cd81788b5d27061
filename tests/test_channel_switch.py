"""A channel that is switched off: a ready sentence, and nothing lost or begun."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from sqlalchemy.exc import IntegrityError

from services.assembly import Services, assemble
from services.audit import AuditFilter
from services.conversation_log import LogFilter
from services.desk_settings import Name, ReasonMissing
from tests.citizen import Citizen
from tests.clock import Clock

REASON = "serangan pesan palsu, menunggu tim keamanan"
OFF, ENGLISH_OFF = "sedang dihentikan sementara", "switched off for now"


def test_who_is_second_to_set_something_for_the_first_time_sets_it_too(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    changed, tries = services.desk_settings._changed, []

    def another_was_first(*given: Any) -> Any:
        tries.append(given)
        if len(tries) == 1:
            raise IntegrityError("INSERT", {}, Exception("UNIQUE"))
        return changed(*given)

    monkeypatch.setattr(services.desk_settings, "_changed", another_was_first)
    switch(services, off=True)
    assert len(tries) == 2
    assert services.channels.is_off("web")


def switch(services: Services, *, off: bool) -> None:
    services.channels.switch("web", off=off, actor="sri", reason=REASON)


@pytest.fixture
async def citizen(client: Any) -> Citizen:
    return await Citizen(client).arrives()


async def test_while_a_channel_is_off_citizens_get_the_sentence_and_afterwards_go_on(citizen: Citizen, services: Services) -> None:
    await citizen.goes_through("saya mau menyampaikan aspirasi")
    question = await citizen.says("apa itu simpel?")
    switch(services, off=True)
    answer = await citizen.says("jadwal kunjungan istana diumumkan lebih awal")
    assert OFF in answer
    assert "apa itu" not in answer
    switch(services, off=False)
    assert OFF not in await citizen.says("apa itu simpel?")
    assert question
    (entry, _) = services.audit.search(AuditFilter(action="setting.changed"))
    assert (entry.actor, entry.reason, entry.data["after"]) == ("sri", REASON, {"off": []})


async def test_a_newcomer_is_told_at_once_in_their_language(client: Any, services: Services) -> None:
    switch(services, off=True)
    newcomer = await Citizen(client).arrives("en")
    (only,) = newcomer.greeting
    assert ENGLISH_OFF in only["text"]
    assert ENGLISH_OFF in await newcomer.says("what is simpel?")


async def test_a_life_in_danger_gets_help_all_the_same(citizen: Citizen, services: Services) -> None:
    switch(services, off=True)
    answer = await citizen.says("saya mau bunuh diri")
    assert "119" in answer
    assert OFF in answer


async def test_other_channels_and_the_health_of_the_server_are_not_touched(citizen: Citizen, client: Any, services: Services) -> None:
    services.channels.switch("telegram", off=True, actor="sri", reason=REASON)
    assert OFF not in await citizen.says("apa itu simpel?")
    switch(services, off=True)
    assert (await client.get("/healthz")).status_code == 200
    assert (await client.get("/readyz")).status_code == 200


async def test_who_has_an_officer_keeps_the_officer(citizen: Citizen, services: Services) -> None:
    services.handoffs._clock = Clock("2026-11-23 10:00")
    (conversation,) = services.conversation_log.search(LogFilter(), 0)
    handoff_id = services.handoffs.ask(conversation.id).handoff_id
    services.handoffs.take(handoff_id, "sari")
    switch(services, off=True)
    assert await citizen.says("permohonan saya dikembalikan") == ""
    assert "permohonan saya dikembalikan" in [message.text for message in services.handoffs.transcript(handoff_id)]


async def test_personal_answers_to_an_open_form_stay_masked(citizen: Citizen, services: Services) -> None:
    await citizen.goes_through("saya mau mengajukan permohonan informasi", "perorangan")
    (conversation,) = services.conversation_log.search(LogFilter(), 0)
    switch(services, off=True)
    await citizen.says("NIK saya 3171234567890001, Siti Aminah")
    assert "3171234567890001" not in str([message.text for message in services.conversation_log.transcript(conversation.id)])


def test_the_switch_holds_in_every_process(services: Services) -> None:
    other = assemble(services.settings, services.knowledge)
    assert not other.channels.is_off("web")
    switch(services, off=True)
    other.desk_settings._read_at = None  # two seconds later
    assert other.channels.is_off("web")
    other.database.close()


def test_switches_in_two_processes_undo_neither(services: Services) -> None:
    other = assemble(services.settings, services.knowledge)
    assert not other.channels.off()
    switch(services, off=True)
    other.channels.switch("telegram", off=True, actor="budi", reason=REASON)
    services.desk_settings.refresh()
    assert services.channels.off() == {"web", "telegram"}
    (entry, _) = services.audit.search(AuditFilter(action="setting.changed"))
    assert (entry.actor, entry.data["before"]) == ("budi", {"off": ["web"]})
    other.database.close()


def test_of_many_who_change_a_setting_at_once_none_is_undone(services: Services) -> None:
    def add(number: int) -> None:
        begun.wait()
        services.desk_settings.change(Name.CHANNELS, lambda before: {"off": [*(before or {"off": []})["off"], number]}, "sri")

    begun = Barrier(8)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(add, range(8)))
    assert sorted((services.desk_settings.get(Name.CHANNELS) or {})["off"]) == list(range(8))


@pytest.mark.parametrize("reason", ["", "  iseng   ", "x" * 501])
def test_without_a_written_reason_nothing_is_switched(reason: str, services: Services) -> None:
    with pytest.raises(ReasonMissing):
        services.channels.switch("web", off=True, actor="sri", reason=reason)
    assert not services.channels.is_off("web")
