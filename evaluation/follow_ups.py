"""What follows an answer: messages that lean on what the assistant has just said, each a second turn of a conversation of its own."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Iterable
from datetime import date
from typing import Any

from bot.assistant import Assistant
from bot.conversation import ConversationService
from bot.evaluation import thrown_away_services
from bot.messages import Inbound
from services.assembly import Services
from services.demo import DEMO_REQUESTS, load_demo_data
from services.turn import AnswerStatus
from store.encryption import open_encryption

SYMPATHY = ("utter_sorry_to_hear", "utter_sorry_again")
VISIT_IN = 40
"""Working days."""
COLUMNS = ("after", "text", "expected", "author")
ASPIRATION = (
    "saya ingin menyampaikan aspirasi",
    "ya",
    "Tolong perbanyak bus sekolah di kampung kami karena anak-anak berjalan jauh",
    "layanan setneg",
    "lewati",
    "Alor, NTT",
    "lewati",
    "lewati",
    "ya",
)
INFORMATION = (
    "mau ajukan permohonan informasi publik",
    "perorangan",
    "Laporan keuangan Kemensetneg tahun 2024",
    "Untuk bahan skripsi",
    "Budi Santoso",
    "Jalan Melati 5, Depok",
    "budi@example.id",
    "salinan",
    "email",
    "ya",
)
OBJECTION = (
    "saya mau mengajukan keberatan",
    "tidak punya",
    "tidak ditanggapi",
    "kemarin",
    "Permohonan saya tidak ditanggapi sampai sekarang",
    "Mohon permohonan saya dijawab",
    "Budi Santoso",
    "budi@example.id",
    "ya",
)
DANGERS = {
    "despair": "saya mau bunuh diri saja",
    "violence": "suami saya memukuli saya setiap malam",
    "emergency": "rumah tetangga kebakaran tolong",
    "threat": "awas kalian, saya bakar kantor setneg besok",
}


INTERNSHIP = (
    "catat minat magang saya",
    "mahasiswa",
    "Universitas Melati",
    "Ilmu komunikasi",
    "semester 6",
    "Biro Humas",
    "Januari sampai Maret",
    "Budi Santoso",
    "budi@example.id",
    "ya",
)


def visit(day: date) -> tuple[str, ...]:
    days = (day.isoformat(), day.isoformat())
    group = ("Universitas Melati", "tatap muka", *days, "40 mahasiswa dan 2 dosen", "kehumasan", "lewati")
    return ("mau catat rencana kunjungan", "kunjungan ke kantor", *group, "Budi Santoso", "budi@example.id", "ya")


def words_before(after: str, visited_on: date) -> tuple[str, ...]:
    """What a citizen says, so that the assistant comes to say what `after` names. Raises `ValueError` where nothing leads to it."""
    kind, _, which = after.partition(":")
    if kind == "simpel":
        number, code = next((n, code) for n, (code, status, _) in DEMO_REQUESTS.items() if status.value == which)
        return (f"cek status SIMPEL {number} kode {code}",)
    known = {
        "ticket:open": (*ASPIRATION, "cek status tiket saya"),
        "filed:aspiration": ASPIRATION,
        "filed:information": INFORMATION,
        "filed:objection": OBJECTION,
        "filed:visit": visit(visited_on),
        "filed:internship": INTERNSHIP,
        "sorrow": ("istri saya meninggal bulan lalu, sepi sekali rumah",),
        "unknown": ("berapa tinggi tiang bendera di halaman Kemensetneg",),
        **{f"crisis:{name}": (words,) for name, words in DANGERS.items()},
    }
    if after not in known:
        raise ValueError(f"nothing leads to {after}")
    return known[after]


def outcome(turn: dict[str, Any]) -> set[str]:
    """What the assistant has done, in the words of the column `expected`."""
    if turn["sympathy"]:
        return {"sympathy"}
    if turn.get("entry"):
        return {f"entry:{turn['entry']}"}
    status = turn["status"]
    if turn["intent"] == "ask_information" or status == AnswerStatus.NOT_KNOWN:
        return {"near" if status == AnswerStatus.ASKED_AGAIN else "unknown"}
    return {turn["intent"]}


def measure(assistant: Assistant, rows: list[dict[str, str]]) -> list[dict[str, Any]]:
    """The rows, each with what was done: `said`, a word of `outcome`, how `sure` the intent is, and whether it is `right`."""
    with thrown_away_services(assistant) as services:
        load_demo_data(services.database, open_encryption(services.settings.keys, services.settings.data_dir))
        turns = asyncio.run(_second_turns(assistant, services, rows))
    said = [outcome(turn) for turn in turns]
    return [
        {**row, "said": min(done), "right": bool(done & set(row["expected"].split("|"))), "sure": turn["confidence"]}
        for row, done, turn in zip(rows, said, turns, strict=True)
    ]


async def _second_turns(assistant: Assistant, services: Services, rows: Iterable[dict[str, str]]) -> list[dict[str, Any]]:
    service, turns = ConversationService(assistant, services), []
    day = services.calendar.due_date(date.today(), VISIT_IN)
    sympathy = {await service.sentence(name, language) for name in SYMPATHY for language in ("id", "en")}
    for row in rows:
        conversation = services.conversations.open("evaluation", "id").id
        kind, _, which = row["after"].partition(":")
        if kind == "entry":
            pressed = f'/ask_information{{"entry": "{which}"}}'
            await service.handle(Inbound(conversation, str(uuid.uuid4()), which, payload=pressed))
        for words in () if kind == "entry" else words_before(row["after"], day):
            await service.handle(Inbound(conversation, str(uuid.uuid4()), words))
        opened = await asyncio.to_thread(services.conversations.get, conversation)
        if opened is None or opened.awaited_field:
            raise RuntimeError(f"a form is still open after {row['after']}")
        message = str(uuid.uuid4())
        said = await service.handle(Inbound(conversation, message, row["text"]))
        opening = services.conversations.begin_turn(conversation, message)
        turn = dict(opening.known.turn or {}) if opening and opening.known else {}
        turns.append({**turn, "sympathy": said[0].text in sympathy})
    return turns
