"""What `make chaos` counts by can fail: made-up records with a loss, a double or a wrong order are found, each by its name."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import delete, update

from services.assembly import Services
from services.tickets import Filing, Kind
from store.conversations import Reply
from store.models import Message
from tests.chaos.test_kills import Chatter, Found, System, count_telegram, count_tickets, count_web
from tests.scale.test_many_processes import check_history
from tests.scale.visitor import Visitor

CHAT = 1001
SAID = ("apa itu simpel?", "jam buka istura", "terima kasih")


@dataclass
class Taken:
    """What Telegram has taken, in order."""

    texts: list[str] = field(default_factory=list)

    def sent_to(self, chat: int) -> list[dict[str, Any]]:
        return [{"text": text} for text in self.texts]


@dataclass
class Record:
    """What one visitor on the web and one on Telegram said and got, and what is stored of it. As it is made, nothing is wrong."""

    services: Services
    visitor: Visitor = field(default_factory=lambda: Visitor("http://sapa.test", 0))
    api: Taken = field(default_factory=Taken)
    doubtful: Counter[int] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.chatter = Chatter(self.api, CHAT, count(1))  # type: ignore[arg-type]  # of Telegram only what was sent is looked at
        self.web = self.services.conversations.open("web", "id").id
        telegram = self.services.conversations.open("telegram", "id", str(CHAT)).id
        for number, text in enumerate(SAID, 1):
            self.visitor.sent.append((f"web-{number}", text))
            self.turn(self.web, f"web-{number}", text)
            self.chatter.sent.append(number)
            self.turn(telegram, f"update:{number}", text)
            self.api.texts.append(f"Jawaban atas {text}")
        told = self.services.tickets.file(Filing(Kind.ASPIRATION, {"text": "usul"}, "umum", self.web, "id", "kunci-1"))
        self.visitor.tickets.append(told.number)

    def turn(self, conversation: str, external_id: str, text: str) -> None:
        stored = self.services.conversations.add_inbound(conversation, external_id, text)
        self.services.conversations.add_replies(conversation, [Reply(f"Jawaban atas {text}")], reply_to=stored.id)

    def change(self, statement: Any) -> None:
        with self.services.database.session() as session:
            session.execute(statement)

    def counted(self) -> tuple[int, int, int]:
        """Lost, doubled, out of order."""
        found = self.found()
        return found.lost, found.doubled, found.out_of_order

    def found(self) -> Found:
        database, conversations = self.services.database, self.services.conversations
        running = System("sqlite", SimpleNamespace(), self.api, database, conversations, self.doubtful)  # type: ignore[arg-type]  # no server
        found = Found()
        count_web(running, [self.visitor], found)
        count_telegram(running, [self.chatter], found)
        count_tickets(running, [self.visitor], [self.chatter], found)
        return found


@pytest.fixture
def record(services: Services) -> Record:
    return Record(services)


def test_of_a_record_without_a_fault_everything_is_counted_and_nothing_is_wrong(record: Record) -> None:
    found = record.found()
    assert (found.web_messages, found.telegram_messages, found.tickets) == (3, 3, 1)
    assert (record.counted(), found.came_twice_as_marked, found.faults) == ((0, 0, 0), 0, [])


def of(external_id: str) -> Any:
    return Message.external_id == external_id


def answered_before_it_is_on_the_disk(record: Record) -> None:
    record.change(delete(Message).where(of("web-2")))


def answered_twice(record: Record) -> None:
    stored = record.services.conversations.after(record.web, 0)[0]
    record.services.conversations.add_replies(record.web, [Reply("Jawaban lain")], reply_to=stored.id)
    late = update(Message).where(Message.text == "Jawaban lain").values(at=stored.at + timedelta(seconds=9))
    record.change(late)


def kept_twice(record: Record) -> None:
    record.turn(record.web, "web-2 again", SAID[1])


def dropped_from_the_inbox(record: Record) -> None:
    record.change(delete(Message).where(of("update:2")))


def worked_on_in_another_order(record: Record) -> None:
    for before, after in (("update:2", "update:x"), ("update:3", "update:2"), ("update:x", "update:3")):
        record.change(update(Message).where(of(before)).values(external_id=after))


def taken_in_another_order(record: Record) -> None:
    record.api.texts.reverse()


def never_sent(record: Record) -> None:
    record.api.texts.pop()


def sent_twice(record: Record) -> None:
    record.api.texts.append(record.api.texts[-1])


def told_a_number_of_no_ticket(record: Record) -> None:
    record.visitor.tickets.append("ASP-20261123-0000")


def filed_one_that_nobody_was_told(record: Record) -> None:
    record.services.tickets.file(Filing(Kind.ASPIRATION, {"text": "usul"}, "umum", record.web, "id", "kunci-2"))


FAULTS: list[tuple[Callable[[Record], None], tuple[int, int, int]]] = [
    (answered_before_it_is_on_the_disk, (1, 0, 0)),
    (answered_twice, (0, 1, 0)),
    (kept_twice, (0, 1, 0)),
    (dropped_from_the_inbox, (1, 0, 0)),
    (worked_on_in_another_order, (0, 0, 1)),
    (taken_in_another_order, (0, 0, 1)),
    (never_sent, (1, 0, 0)),
    (sent_twice, (0, 1, 0)),
    (told_a_number_of_no_ticket, (1, 0, 0)),
    (filed_one_that_nobody_was_told, (0, 1, 0)),
]


@pytest.mark.parametrize(("fault", "expected"), FAULTS, ids=lambda value: getattr(value, "__name__", None))
def test_each_fault_is_counted(record: Record, fault: Callable[[Record], None], expected: tuple[int, int, int]) -> None:
    fault(record)
    assert record.counted() == expected


def test_one_fault_does_not_make_up_for_another(record: Record) -> None:
    answered_before_it_is_on_the_disk(record)
    kept_twice(record)
    never_sent(record)
    assert record.counted() == (2, 1, 0)


def test_a_message_that_came_twice_is_forgiven_only_where_it_was_marked(record: Record) -> None:
    sent_twice(record)
    record.doubtful[3] = 1
    assert record.counted() == (0, 0, 0)
    assert record.found().came_twice_as_marked == 1
    sent_twice(record)
    assert record.counted() == (0, 1, 0)


# What a reload shows


def told(visitor: Visitor) -> list[dict[str, Any]]:
    """A history without a fault, and the answers that the client got."""
    history: list[dict[str, Any]] = []
    for number, text in enumerate(SAID):
        cid = f"web-{number}"
        visitor.sent.append((cid, text))
        history.append({"seq": len(history) + 1, "from": "user", "text": text, "client_message_id": cid})
        answer = {"seq": len(history) + 1, "from": "bot", "text": f"Jawaban atas {text}"}
        history.append(answer)
        visitor.answers[cid] = [answer]
    return history


def swapped(history: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{**message, "seq": seq} for seq, message in enumerate([*history[2:4], *history[:2], *history[4:]], 1)]


@pytest.mark.parametrize(
    "fault",
    [
        lambda history: history[:-1],
        lambda history: [message for message in history if message["seq"] != 3],
        lambda history: [*history, {**history[-2], "seq": 7}],
        lambda history: [*history, {**history[-1], "seq": 7}],
        swapped,
        lambda history: [*history[:-1], {**history[-1], "text": "Jawaban lain"}],
    ],
    ids=["no answer", "a message lost", "a message twice", "an answer twice", "another order", "another answer"],
)
def test_a_history_with_a_fault_is_refused(fault: Callable[[list[dict[str, Any]]], list[dict[str, Any]]]) -> None:
    visitor = Visitor("http://sapa.test", 0)
    history = told(visitor)
    check_history(visitor, history)
    with pytest.raises(AssertionError):
        check_history(visitor, fault(history))
