"""What citizens asked in the last month, as the assistant leaves it behind, so that the overview has something to show."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from itertools import count

from sqlalchemy.orm import Session

from services.assembly import Services
from services.calendar import JAKARTA
from services.handoff import State
from services.turn import AnswerStatus
from store.database import utc_now
from store.models import Conversation, Handoff, Message

DAYS = 29
NO_INFORMATION = "Maaf, belum ada informasi tentang hal itu."
TALK = (
    ("syarat magang mahasiswa apa saja", AnswerStatus.ANSWERED, "magang", "Magang diajukan dengan surat dari kampus."),
    ("cara minta informasi publik gimana", AnswerStatus.ANSWERED, "keterbukaan_informasi", "Permohonan diajukan melalui PPID."),
    ("simpel itu apa sih", AnswerStatus.ANSWERED, "simpel", "SIMPEL adalah aplikasi pengajuan perjalanan dinas luar negeri."),
    ("apakah kemensetneg punya perpustakaan umum", AnswerStatus.NOT_KNOWN, None, NO_INFORMATION),
    ("bicara dengan petugas saja", AnswerStatus.HANDED_OVER, None, "Baik, Anda masuk antrean."),
    ("kalau tidak dijawab lapor ke mana", AnswerStatus.ANSWERED, "keterbukaan_informasi", "Anda dapat mengajukan keberatan."),
    ("boleh pinjam buku di perpustakaan setneg", AnswerStatus.NOT_KNOWN, None, NO_INFORMATION),
    ("yang kemarin itu lho", AnswerStatus.ASKED_AGAIN, None, "Maaf, saya belum memahami maksud Anda."),
)
"""What was asked, answer status, topic, answer."""


def leave_earlier_talk(services: Services) -> None:
    """Six to eleven conversations a day of the last month, each of two questions; who was handed over waited for an officer."""
    today = utc_now().astimezone(JAKARTA).date()
    numbers = count()
    with services.database.session() as session:
        for days_ago in range(DAYS, 0, -1):
            for place in range(6 + days_ago * 5 % 6):
                number = next(numbers)
                begun = datetime.combine(today - timedelta(days=days_ago), time(8 + place % 9, number * 7 % 60), JAKARTA)
                session.add(_conversation(number, begun))
                session.flush()
                for turn in range(2):
                    _add_turn(session, number, turn, begun + timedelta(minutes=turn, seconds=number % 40))


def _conversation(number: int, begun: datetime) -> Conversation:
    channel = ("web", "web", "telegram")[number % 3]
    return Conversation(id=_id(number), channel=channel, locale="id", created_at=begun, last_at=begun + timedelta(minutes=2))


def _id(number: int) -> str:
    return f"lalu{number:04}"


def _add_turn(session: Session, number: int, turn: int, asked: datetime) -> None:
    text, status, topic, answer = TALK[(number + 3 * turn) % len(TALK)]
    facts = {"status": status, "intent": "ask_information", "topic": topic, "confidence": 0.94}
    shared = {"conversation_id": _id(number), "buttons": [], "sources": []}
    question = Message(**shared, seq=2 * turn + 1, author="user", text=text, at=asked, turn=facts, **facts)
    session.add(question)
    session.flush()
    answered = asked + timedelta(seconds=0.4 + number % 5 * 0.3)
    session.add(Message(**shared, seq=2 * turn + 2, author="bot", text=answer, at=answered, reply_to=question.id))
    if status is AnswerStatus.HANDED_OVER:
        taken = answered + timedelta(minutes=1 + number % 9)
        kept = {"state": State.ENDED, "urgent": False, "asked_at": answered, "taken_at": taken, "agreed": True}
        session.add(Handoff(conversation_id=_id(number), **kept))
