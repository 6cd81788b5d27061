"""Ready replies and internal notes of officers."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest

from services.assembly import Services
from services.audit import AuditFilter
from services.calendar import JAKARTA
from services.canned_replies import CannedRefused, Problem
from services.conversation_notes import SENT_AGAIN_WITHIN
from store.database import utc_now

MORNING = datetime(2026, 11, 23, 9, 0, tzinfo=JAKARTA)


def test_a_reply_is_filled_in_the_language_of_the_conversation(services: Services) -> None:
    replies = services.canned_replies
    replies.save(" Sapa ", {"id": "{salam}, saya {petugas}.", "en": "{salam}, I am {petugas}."}, "sari")
    replies.save("hanya-id", {"id": "Nomor {nomor_tiket}"}, "sari")
    values = {"petugas": "Sari"}
    assert [one.text for one in replies.filled("id", values, MORNING)] == ["Nomor [nomor tiket]", "Selamat pagi, saya Sari."]
    assert [one.text for one in replies.filled("en", values, MORNING)] == ["Good morning, I am Sari."]
    assert {entry.action for entry in services.audit.search(AuditFilter(actor="sari"))} == {"canned.saved"}


@pytest.mark.parametrize(("hour", "greeting"), [(7, "pagi"), (11, "siang"), (15, "sore"), (18, "malam")])
def test_the_greeting_goes_with_the_hour(hour: int, greeting: str, services: Services) -> None:
    services.canned_replies.save("sapa", {"id": "{salam}"}, "sari")
    (filled,) = services.canned_replies.filled("id", {}, MORNING.replace(hour=hour))
    assert filled.text == f"Selamat {greeting}"


@pytest.mark.parametrize(
    ("name", "text", "problem"),
    [
        ("a b", "Halo", Problem.NAME),
        ("../x", "Halo", Problem.NAME),
        ("sapa", "  ", Problem.TEXT),
        ("sapa", "x" * 2001, Problem.TEXT),
        ("sapa", "Halo {nama}", Problem.VARIABLE),
        ("sapa", "Halo {petugas.__class__}", Problem.VARIABLE),
    ],
)
def test_what_cannot_be_used_is_refused_by_name(name: str, text: str, problem: Problem, services: Services) -> None:
    with pytest.raises(CannedRefused) as refused:
        services.canned_replies.save(name, {"id": text}, "sari")
    assert refused.value.problem is problem
    assert services.canned_replies.all() == []


def test_so_many_replies_and_no_more_are_kept_but_those_can_be_changed(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.canned_replies.MOST_REPLIES", 2)
    replies = services.canned_replies
    for name in ("sapa", "tutup"):
        replies.save(name, {"id": "Halo"}, "sari")
    with pytest.raises(CannedRefused) as refused:
        replies.save("ketiga", {"id": "Halo"}, "sari")
    assert refused.value.problem is Problem.NUMBER
    replies.save("sapa", {"id": "Selamat datang"}, "sari")
    assert [(one.name, one.texts["id"]) for one in replies.all()] == [("sapa", "Selamat datang"), ("tutup", "Halo")]


def test_a_reply_that_is_not_there_cannot_be_removed(services: Services) -> None:
    with pytest.raises(LookupError):
        services.canned_replies.remove("sapa", "sari")
    assert services.audit.search(AuditFilter(action="canned.removed")) == []


def test_the_examples_are_replies_that_could_be_saved_by_hand_and_come_only_once(services: Services) -> None:
    services.canned_replies.add_examples("sari")
    names = [one.name for one in services.canned_replies.all()]
    assert len(names) >= 5
    services.canned_replies.remove(names[0], "sari")
    services.canned_replies.add_examples("sari")
    assert [one.name for one in services.canned_replies.all()] == names[1:]


def test_notes_are_kept_sealed_and_go_with_the_conversation(services: Services) -> None:
    conversation = services.conversations.open("web", "id").id
    services.conversation_notes.add(conversation, "sari", "  pemohon akan menelepon lagi  ")
    (note,) = services.conversation_notes.of(conversation)
    assert (note.officer, note.text) == ("sari", "pemohon akan menelepon lagi")
    with services.database.session() as session:
        (raw,) = session.connection().exec_driver_sql("SELECT text FROM conversation_notes").scalars()
    assert b"menelepon" not in bytes(raw)
    services.conversations.forget_messages(conversation)
    assert services.conversation_notes.of(conversation) == []


def test_a_note_whose_form_is_sent_twice_is_stored_once(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    conversation, notes = services.conversations.open("web", "id").id, services.conversation_notes

    def add(officer: str = "sari", text: str = "sudah ditelepon") -> None:
        notes.add(conversation, officer, text)

    with ThreadPoolExecutor(4) as at_once:
        for done in [at_once.submit(add) for _ in range(4)]:
            done.result()
    assert len(notes.of(conversation)) == 1
    add(officer="budi")
    add(text="belum diangkat")
    add()
    assert [(note.officer, note.text) for note in notes.of(conversation)] == [
        ("sari", "sudah ditelepon"),
        ("budi", "sudah ditelepon"),
        ("sari", "belum diangkat"),
        ("sari", "sudah ditelepon"),
    ]
    later = utc_now() + SENT_AGAIN_WITHIN + timedelta(seconds=1)
    monkeypatch.setattr("services.conversation_notes.utc_now", lambda: later)
    add()
    assert len(notes.of(conversation)) == 5
    assert [entry.action for entry in services.audit.search(AuditFilter())].count("conversation.noted") == 5


def test_a_note_needs_words_and_a_conversation(services: Services) -> None:
    conversation = services.conversations.open("web", "id").id
    for text in (" ", "x" * 2001):
        with pytest.raises(ValueError, match="1 to 2000"):
            services.conversation_notes.add(conversation, "sari", text)
    with pytest.raises(LookupError):
        services.conversation_notes.add("hantu", "sari", "halo")
