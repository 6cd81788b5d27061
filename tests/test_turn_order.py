"""Turns of one conversation over several processes: in order, one at a time, and none lost with a process that dies."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from functools import partial

import pytest
from sqlalchemy import func, select, update

from bot.turn_order import WAITING_LIMIT, Crowded, TurnOrder
from services.attempts import AttemptLimiter
from services.calendar import WorkingCalendar
from services.drafts import Drafts
from services.ticket_changes import TicketChanges
from services.ticket_events import Happening
from services.tickets import Filing, Kind, Tickets
from services.wakeups import Wakeups
from store.conversations import Conversations, Reply
from store.database import Database
from store.encryption import Encryption
from store.models import QueuedTurn
from store.turn_queue import HELD, TurnLost, TurnQueue
from tests.postgresql import own_database

pytestmark = pytest.mark.scale


@pytest.fixture(scope="module")
def database() -> Iterator[Database]:
    with own_database() as url:
        database = Database(url)
        database.migrate()
        yield database
        database.close()


@pytest.fixture
def conversations(database: Database) -> Conversations:
    return Conversations(database, Encryption(["l2kX0Xk0Q4l8q0T0Zb8b2m0k5r1m8g4m6u4w0l3H5bE="]))


@pytest.fixture
def conversation(conversations: Conversations) -> str:
    return conversations.open("web", "id").id


def process(database: Database) -> TurnOrder:
    """What each process has of its own."""
    return TurnOrder(TurnQueue(database), Wakeups())


def silent_for(database: Database, conversation: str, silence: timedelta) -> None:
    """The holder has not renewed its place for so long."""
    with database.session() as session:
        here = QueuedTurn.conversation_id == conversation
        session.execute(update(QueuedTurn).where(here).values(until=func.now() - silence))


def places(database: Database, conversation: str) -> int:
    with database.session() as session:
        return session.scalar(select(func.count()).where(QueuedTurn.conversation_id == conversation)) or 0


async def test_messages_through_three_processes_are_worked_on_one_at_a_time_in_the_order_of_their_arrival(
    database: Database, conversation: str
) -> None:
    processes = [process(database) for _ in range(3)]
    began: list[int] = []
    working = ended = 0

    async def turn(number: int) -> None:
        nonlocal working, ended
        async with processes[number % 3].turn(conversation):
            working += 1
            began.append(number)
            await asyncio.sleep(0.03)
            assert working == 1
            working -= 1
        ended += 1

    async with asyncio.TaskGroup() as group:
        for number in range(WAITING_LIMIT):
            group.create_task(turn(number))
            while places(database, conversation) + ended < number + 1:  # the next comes once this one has arrived
                await asyncio.sleep(0.005)
    assert began == list(range(WAITING_LIMIT))
    assert places(database, conversation) == 0


async def test_two_conversations_do_not_wait_for_each_other(database: Database, conversations: Conversations) -> None:
    order = process(database)
    async with asyncio.timeout(20), order.turn(conversations.open("web", "id").id), order.turn(conversations.open("web", "id").id):
        pass


async def test_the_place_of_a_process_that_died_goes_to_the_next(database: Database, conversation: str) -> None:
    dead = TurnQueue(database).join(conversation)
    assert dead is not None
    silent_for(database, conversation, timedelta(seconds=1))
    async with asyncio.timeout(20), process(database).turn(conversation):
        assert places(database, conversation) == 1


async def test_a_process_that_was_silent_for_too_long_writes_nothing(
    database: Database, conversations: Conversations, conversation: str
) -> None:
    async with process(database).turn(conversation):
        silent_for(database, conversation, timedelta(seconds=1))
        conversations.add_inbound(conversation, "slow-1", "masih di sini")  # nobody has taken over yet
        silent_for(database, conversation, timedelta(seconds=1))
        async with asyncio.timeout(20), process(database).turn(conversation):
            mine = HELD.get()
            assert mine is not None
            conversations.add_inbound(conversation, "other-1", "halo")
        for last in (False, True):
            with pytest.raises(TurnLost):
                await asyncio.to_thread(_reply_late, conversations, conversation, last)
    assert [message.text for message in conversations.after(conversation, 0)] == ["masih di sini", "halo"]


async def test_a_form_keeps_what_the_turn_that_took_over_has_written(
    database: Database, conversations: Conversations, conversation: str
) -> None:
    drafts = Drafts(database, conversations._encryption)
    async with process(database).turn(conversation):
        drafts.write(conversation, "aspiration", {"text": "beasiswa"})
        silent_for(database, conversation, timedelta(seconds=1))
        async with asyncio.timeout(20), process(database).turn(conversation):
            drafts.write(conversation, "aspiration", {"text": "beasiswa", "topic": "pendidikan"})
        for change in (partial(drafts.write, fields={"text": "beasiswa"}), drafts.drop):
            with pytest.raises(TurnLost):
                await asyncio.to_thread(change, conversation, "aspiration")
    assert drafts.read(conversation, "aspiration") == {"text": "beasiswa", "topic": "pendidikan"}


async def test_a_ticket_is_not_changed_by_a_turn_that_another_process_has_taken_over(
    database: Database, conversations: Conversations, conversation: str
) -> None:
    encryption, calendar = conversations._encryption, WorkingCalendar()
    tickets = Tickets(database, encryption, calendar, AttemptLimiter(database))
    number = tickets.file(Filing(Kind.ASPIRATION, {"text": "x"}, "x", conversation, "id")).number
    changes = TicketChanges(database, encryption, calendar)
    async with process(database).turn(conversation):
        silent_for(database, conversation, timedelta(seconds=1))
        async with asyncio.timeout(20), process(database).turn(conversation):
            changes.note(number, "catatan", submission_key="k")
        for change in (partial(changes.note, text="catatan", submission_key="k"), changes.withdraw):
            with pytest.raises(TurnLost):
                await asyncio.to_thread(change, number)
    assert [entry.name for entry in changes.history(number)] == [Happening.RECEIVED, Happening.NOTED]


def _reply_late(conversations: Conversations, conversation: str, last: bool) -> None:
    conversations.add_replies(conversation, [Reply("terlambat")], last=last)


async def test_the_last_write_of_a_turn_gives_its_place_to_the_next(
    database: Database, conversations: Conversations, conversation: str
) -> None:
    async with process(database).turn(conversation):
        conversations.add_replies(conversation, [Reply("selesai")], last=True)
        assert places(database, conversation) == 0
    assert HELD.get() is None


async def test_a_turn_that_fails_leaves_the_queue(database: Database, conversation: str) -> None:
    with pytest.raises(RuntimeError):
        async with process(database).turn(conversation):
            raise RuntimeError
    assert places(database, conversation) == 0


async def test_more_messages_than_anybody_types_are_refused_over_all_processes(database: Database, conversation: str) -> None:
    queue = TurnQueue(database)
    for _ in range(WAITING_LIMIT + 1):
        queue.join(conversation)
    with pytest.raises(Crowded):
        async with process(database).turn(conversation):
            pass
    assert places(database, conversation) == WAITING_LIMIT + 1


async def test_a_conversation_that_is_not_there_has_no_queue(database: Database) -> None:
    assert TurnQueue(database).join("nobody") is None


async def test_places_that_nobody_came_back_to_are_forgotten(database: Database, conversation: str) -> None:
    queue = TurnQueue(database)
    queue.join(conversation)
    assert queue.forget_old() == 0
    silent_for(database, conversation, timedelta(hours=2))
    assert queue.forget_old() == 1


async def test_whoever_renews_its_places_keeps_them_and_gets_no_lost_one_back(database: Database, conversation: str) -> None:
    queue = TurnQueue(database)
    working, lost, waiting = (queue.join(conversation) for _ in range(3))
    assert working and lost and waiting
    queue.leave(lost)
    silent_for(database, conversation, timedelta(seconds=1))
    queue.renew_all([working, lost])
    queue.advance(waiting)
    assert waiting.before == 1
    queue.leave(working)
    queue.advance(waiting)
    assert (waiting.before, places(database, conversation)) == (0, 1)
