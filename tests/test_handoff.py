"""The queue and the officer's side of it, on real SQLite."""

import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import datetime
from threading import Barrier

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from services.assembly import Services
from services.handoff import Closed, Event, Handoffs, NotYours, State
from services.journeys import KEY
from services.untold import UntoldEvents
from store.conversations import Reply
from store.models import Handoff, HandoffEvent
from tests.clock import Clock
from tests.long_conversation import say_much


@pytest.fixture
def clock() -> Clock:
    return Clock("2026-11-23 10:00")


@pytest.fixture
def handoffs(services: Services, clock: Clock) -> Handoffs:
    return Handoffs(services.database, services.conversations, services.drafts, services.hours, clock)


def at_the_last_moment(services: Services, clock: Clock, looks: int, act: Callable[[], object]) -> Handoffs:
    """Hand-offs of another process, in which something happens when it looks at the clock so many times."""
    seen = 0

    def now() -> datetime:
        nonlocal seen
        seen += 1
        if seen == looks:
            act()
        return clock()

    return Handoffs(services.database, services.conversations, services.drafts, services.hours, now)


@pytest.fixture
def citizen(services: Services) -> Callable[[], str]:
    """Opens a conversation and returns its id."""
    return lambda: services.conversations.open("web", "id").id


def history(services: Services, handoff_id: int) -> list[tuple[str, str]]:
    with services.database.session() as session:
        query = select(HandoffEvent).where(HandoffEvent.handoff_id == handoff_id).order_by(HandoffEvent.id)
        return [(event.name, event.actor) for event in session.scalars(query)]


def test_the_queue_counts_from_one_and_moves_up(handoffs: Handoffs, citizen: Callable[[], str]) -> None:
    first, second = citizen(), citizen()
    assert handoffs.ask(first).position == 1
    assert handoffs.ask(second).position == 2
    handoffs.leave(first)
    place = handoffs.place(second)
    assert place is not None
    assert place.position == 1


def test_asking_twice_keeps_the_place(handoffs: Handoffs, citizen: Callable[[], str]) -> None:
    conversation = citizen()
    assert handoffs.ask(conversation) == handoffs.ask(conversation)
    assert len(handoffs.queue()) == 1


def test_asking_from_many_threads_at_once_makes_one_entry(handoffs: Handoffs, citizen: Callable[[], str]) -> None:
    conversation, start = citizen(), Barrier(6)

    def ask(_: int) -> int:
        start.wait()
        return handoffs.ask(conversation).handoff_id

    with ThreadPoolExecutor(6) as pool:
        assert len(set(pool.map(ask, range(6)))) == 1
    assert len(handoffs.queue()) == 1


def test_nobody_joins_outside_the_hours_but_a_place_held_stays(handoffs: Handoffs, clock: Clock, citizen: Callable[[], str]) -> None:
    early = citizen()
    handoffs.ask(early)
    clock.set("2026-11-23 12:10")
    assert handoffs.ask(early).position == 1
    with pytest.raises(Closed) as closed:
        handoffs.ask(citizen())
    assert closed.value.opens_at == Clock("2026-11-23 13:00").now
    clock.set("2028-01-04 10:00")
    with pytest.raises(Closed) as closed:
        handoffs.ask(citizen())
    assert (closed.value.opens_at, closed.value.unknown_year) == (None, 2028)


def test_a_conversation_that_is_not_there_cannot_queue(handoffs: Handoffs) -> None:
    with pytest.raises(LookupError):
        handoffs.ask("nobody")
    with pytest.raises(LookupError):
        handoffs.context("nobody")


def test_where_nobody_waits_there_is_nothing_to_leave_and_nothing_to_agree_to(handoffs: Handoffs, citizen: Callable[[], str]) -> None:
    conversation = citizen()
    assert not handoffs.leave(conversation)
    assert not handoffs.answer(conversation, agreed=True)


def test_whatever_happens_in_the_queue_makes_the_newest_event_a_newer_one(handoffs: Handoffs, citizen: Callable[[], str]) -> None:
    seen = [handoffs.newest_event()]
    assert seen == [0]
    conversation = citizen()
    handoff_id = handoffs.ask(conversation).handoff_id
    for step in (
        lambda: handoffs.answer(conversation, agreed=True),
        lambda: handoffs.take(handoff_id, "rina"),
        lambda: handoffs.leave(conversation),
    ):
        seen.append(handoffs.newest_event())
        step()
    assert sorted({*seen, handoffs.newest_event()}) == [*seen, handoffs.newest_event()]


def test_the_oldest_waits_first_with_its_seconds(handoffs: Handoffs, clock: Clock, citizen: Callable[[], str]) -> None:
    first, second = citizen(), citizen()
    handoffs.ask(first)
    clock.forward(seconds=90)
    handoffs.ask(second)
    clock.forward(seconds=30)
    assert [(one.conversation_id, one.waiting_seconds) for one in handoffs.queue()] == [(first, 120), (second, 30)]


def test_of_many_officers_at_once_one_gets_the_conversation(
    services: Services, handoffs: Handoffs, citizen: Callable[[], str]
) -> None:
    for _ in range(5):
        handoff_id, start = handoffs.ask(citizen()).handoff_id, Barrier(8)

        def take(number: int, handoff_id: int = handoff_id, start: Barrier = start) -> bool:
            start.wait()
            try:
                handoffs.take(handoff_id, f"petugas-{number}")
            except NotYours:
                return False
            return True

        with ThreadPoolExecutor(8) as pool:
            taken = list(pool.map(take, range(8)))
        assert sum(taken) == 1
        assert [event for event in history(services, handoff_id) if event[0] == "taken"] == [("taken", f"petugas-{taken.index(True)}")]


def test_only_the_officer_who_has_it_can_speak_pass_on_and_hand_back(
    services: Services, handoffs: Handoffs, citizen: Callable[[], str]
) -> None:
    handoff_id = handoffs.ask(citizen()).handoff_id
    for step in (
        lambda officer: handoffs.say(handoff_id, officer, "Halo"),
        lambda officer: handoffs.transfer(handoff_id, officer, "budi"),
        lambda officer: handoffs.hand_back(handoff_id, officer),
    ):
        with pytest.raises(NotYours):
            step("rina")
    handoffs.take(handoff_id, "rina")
    handoffs.say(handoff_id, "rina", "Halo")
    handoffs.transfer(handoff_id, "rina", "budi")
    with pytest.raises(NotYours):
        handoffs.say(handoff_id, "rina", "Masih saya")
    handoffs.say(handoff_id, "budi", "Saya lanjutkan")
    handoffs.hand_back(handoff_id, "budi")
    with pytest.raises(NotYours):
        handoffs.hand_back(handoff_id, "budi")
    assert history(services, handoff_id) == [
        ("asked", "warga"),
        ("taken", "rina"),
        ("said", "rina"),
        ("transferred", "rina"),
        ("said", "budi"),
        ("handed_back", "budi"),
    ]


@pytest.mark.parametrize("text", ["", "  \n", "x" * 4001])
def test_an_officers_message_has_a_length(handoffs: Handoffs, citizen: Callable[[], str], text: str) -> None:
    handoff_id = handoffs.ask(citizen()).handoff_id
    handoffs.take(handoff_id, "rina")
    with pytest.raises(ValueError, match="1 to 4000"):
        handoffs.say(handoff_id, "rina", text)


def test_officer_and_citizen_write_at_once_and_no_message_is_lost(
    services: Services, handoffs: Handoffs, citizen: Callable[[], str]
) -> None:
    conversation = citizen()
    handoff_id = handoffs.ask(conversation).handoff_id
    handoffs.take(handoff_id, "rina")

    def write(number: int) -> None:
        if number % 2:
            handoffs.say(handoff_id, "rina", f"petugas {number}")
        else:
            services.conversations.add_inbound(conversation, f"id-{number}", f"warga {number}")

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(write, range(30)))
    messages = services.conversations.after(conversation, 0)
    assert [message.seq for message in messages] == list(range(1, 31))
    assert sum(message.author == "officer" for message in messages) == 15


def test_who_lost_a_number_holds_the_conversation_for_the_next_try(services: Services, citizen: Callable[[], str]) -> None:
    free: list[bool] = []

    def write(session: Session, seq: int) -> None:
        with closing(sqlite3.connect(str(services.database.url.database), timeout=0)) as other:
            try:
                other.execute("BEGIN IMMEDIATE")
                free.append(True)
            except sqlite3.OperationalError:
                free.append(False)
        if len(free) == 1:
            raise IntegrityError("", {}, Exception())

    services.conversations.append(citizen(), write)
    assert free == [True, False]


@pytest.mark.parametrize(("agreed", "shown"), [(True, ["sebelum", "sesudah"]), (False, ["sesudah"]), (None, ["sesudah"])])
def test_what_was_said_before_is_shown_only_with_consent(
    services: Services, handoffs: Handoffs, citizen: Callable[[], str], agreed: bool | None, shown: list[str]
) -> None:
    conversation = citizen()
    services.conversations.add_inbound(conversation, "1", "sebelum")
    handoff_id = handoffs.ask(conversation).handoff_id
    if agreed is not None:
        assert handoffs.answer(conversation, agreed=agreed)
    assert bool(handoffs.transcript(handoff_id)) is bool(agreed)
    handoffs.take(handoff_id, "rina")
    services.conversations.add_inbound(conversation, "2", "sesudah")
    assert [message.text for message in handoffs.transcript(handoff_id)] == shown


def test_an_officer_sees_what_was_written_last_however_long_the_conversation_is(
    services: Services, handoffs: Handoffs, citizen: Callable[[], str]
) -> None:
    conversation = citizen()
    handoff_id = handoffs.ask(conversation).handoff_id
    handoffs.answer(conversation, agreed=True)
    newest = say_much(services, conversation)
    shown = handoffs.transcript(handoff_id)
    assert shown[-1].text == newest
    assert [message.seq for message in shown] == list(range(shown[0].seq, shown[-1].seq + 1))


def test_the_context_names_topic_status_form_and_filled_fields_without_values(
    services: Services, handoffs: Handoffs, citizen: Callable[[], str]
) -> None:
    conversation = citizen()
    asked = services.conversations.add_inbound(conversation, "1", "apa itu simpel").id
    facts = {"status": "answered", "topic": "simpel"}
    services.conversations.add_replies(conversation, [Reply("…")], reply_to=asked, turn=facts, awaited_field="information_contact")
    fields = {KEY: "k", "applicant": "wni", "name": "Siti Aminah", "purpose": None}
    services.drafts.write(conversation, "information", fields)
    handoffs.ask(conversation)
    (waiting,) = handoffs.queue()
    assert waiting.context.topic == "simpel"
    assert waiting.context.last_status == "answered"
    assert waiting.context.journey == "information"
    assert waiting.context.filled == ("applicant", "name")
    assert "Siti" not in repr(waiting)


def test_whom_nobody_took_by_closing_time_is_told_so_once(
    services: Services, handoffs: Handoffs, clock: Clock, citizen: Callable[[], str]
) -> None:
    waiting, taken = handoffs.ask(citizen()).handoff_id, handoffs.ask(citizen()).handoff_id
    handoffs.take(taken, "rina")
    for moment, closed in (("12:30", []), ("14:59", []), ("15:00", [waiting]), ("15:01", [])):
        clock.set(f"2026-11-23 {moment}")
        assert handoffs.close_unserved() == closed, moment
    assert history(services, waiting)[-1] == ("unserved", "sistem")
    with services.database.session() as session:
        assert session.get_one(Handoff, taken).state == State.ACTIVE


def test_whom_an_officer_takes_at_closing_time_is_not_told_that_nobody_did(
    services: Services, handoffs: Handoffs, clock: Clock, citizen: Callable[[], str]
) -> None:
    first, second = (handoffs.ask(citizen()).handoff_id for _ in range(2))
    clock.set("2026-11-23 15:00")
    closing = at_the_last_moment(services, clock, 1, lambda: handoffs.take(first, "rina"))
    assert closing.close_unserved() == [second]
    assert history(services, first)[-1] == ("taken", "rina")


def test_who_leaves_a_silent_officer_is_not_handed_back_as_well(
    services: Services, handoffs: Handoffs, clock: Clock, citizen: Callable[[], str]
) -> None:
    first, second = citizen(), citizen()
    for conversation in (first, second):
        handoffs.take(handoffs.ask(conversation).handoff_id, "rina")
    place, other = handoffs.place(first), handoffs.place(second)
    assert place and other
    clock.forward(hours=1)
    idle = at_the_last_moment(services, clock, 2, lambda: handoffs.leave(first))
    assert idle.hand_back_idle() == [other.handoff_id]
    assert history(services, place.handoff_id)[-1] == ("left", "warga")


def test_of_a_citizen_and_an_officer_who_end_it_at_once_one_does(
    services: Services, handoffs: Handoffs, citizen: Callable[[], str]
) -> None:
    for _ in range(10):
        conversation, start = citizen(), Barrier(2)
        handoff_id = handoffs.ask(conversation).handoff_id
        handoffs.take(handoff_id, "rina")

        def leave(conversation: str = conversation, start: Barrier = start) -> bool:
            start.wait()
            return handoffs.leave(conversation)

        def hand_back(handoff_id: int = handoff_id, start: Barrier = start) -> bool:
            start.wait()
            try:
                handoffs.hand_back(handoff_id, "rina")
            except NotYours:
                return False
            return True

        with ThreadPoolExecutor(2) as pool:
            ended = [one.result() for one in (pool.submit(leave), pool.submit(hand_back))]
        assert sum(ended) == 1
        assert history(services, handoff_id)[-1][0] == ("left" if ended[0] else "handed_back")


def test_a_restart_next_morning_still_closes_yesterdays_queue(handoffs: Handoffs, clock: Clock, citizen: Callable[[], str]) -> None:
    yesterday = handoffs.ask(citizen()).handoff_id
    clock.set("2026-11-24 09:30")
    assert handoffs.close_unserved() == [yesterday]


def test_each_event_is_told_by_one_process_and_again_when_that_one_died(
    services: Services, handoffs: Handoffs, clock: Clock, citizen: Callable[[], str]
) -> None:
    handoffs.take(handoffs.ask(citizen()).handoff_id, "rina")
    untold = UntoldEvents(services.database, clock)
    (event,) = untold.all()
    assert event.name is Event.TAKEN
    assert untold.claim(event.event_id)
    assert not untold.claim(event.event_id)
    clock.forward(minutes=6)
    assert untold.claim(event.event_id)
    untold.told(event.event_id)
    assert untold.all() == []
    assert not untold.claim(event.event_id)


def test_deleting_a_conversation_deletes_its_handoffs_and_their_events(
    services: Services, handoffs: Handoffs, citizen: Callable[[], str]
) -> None:
    conversation = citizen()
    handoffs.ask(conversation)
    services.own_data.delete(conversation)
    with services.database.session() as session:
        assert not list(session.scalars(select(Handoff)))
        assert not list(session.scalars(select(HandoffEvent)))
    assert handoffs.ask(conversation).position == 1


def test_what_happens_to_one_hand_off_is_no_news_of_another(handoffs: Handoffs, citizen: Callable[[], str]) -> None:
    first, second = (handoffs.ask(citizen()).handoff_id for _ in range(2))
    before, of_queue = handoffs.newest_event(first), handoffs.newest_event()
    handoffs.take(second, "sari")
    assert handoffs.newest_event(first) == before
    assert handoffs.newest_event(second) == handoffs.newest_event() > of_queue
