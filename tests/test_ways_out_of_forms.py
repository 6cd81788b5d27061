"""A cancel leads out of every form: from every state that a journey can be in, and from every question of a real conversation."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import yaml
from sqlalchemy import select

from services.aspirations import JOINED
from services.assembly import Services
from services.commands import COMMANDS_FILE, Command, find_command
from services.field_names import FIELD_WORDS
from services.fields import Field
from services.journeys import KEY, Journey, Outcome, Step
from services.registry import JOURNEYS
from services.tickets import Filing, Kind, Receipt, Resolution
from store.models import Conversation, Draft
from tests.citizen import Citizen

CANCELS: list[str] = yaml.safe_load(COMMANDS_FILE.read_text())["cancel"]
ANSWERS = {
    "aspiration": {
        "consent": ["ya"],
        "text": ["Tolong perbanyak beasiswa untuk anak nelayan di daerah terpencil"],
        "join": ["ya", "tidak"],
        "topic": ["pendidikan"],
        "policy": ["RUU Perikanan"],
        "place": ["Alor, NTT"],
        "name": ["Siti Aminah", "nama: Siti Aminah, kontak: siti@contoh.id"],
        "contact": ["siti@contoh.id"],
    },
    "information": {
        "applicant": ["WNI", "lainnya"],
        "details": ["Laporan kinerja Biro Humas tahun 2024 yang lengkap"],
        "purpose": ["penelitian skripsi"],
        "name": ["Siti Aminah", "Siti Aminah, Jl. Melati 5 Magelang, siti@contoh.id"],
        "address": ["Jl. Melati 5, Magelang, Jawa Tengah"],
        "contact": ["siti@contoh.id"],
        "obtain": ["salinan", "salinan lewat email"],
        "delivery": ["email"],
    },
    "objection": {
        "request_number": ["PIP-20260105-ABCD"],
        "grounds": ["3 dan 7"],
        "found_on": ["20 Januari 2026"],
        "statement": ["Permohonan saya tidak dijawab sampai lewat batas waktunya"],
        "wish": ["mohon dijawab"],
        "name": ["Siti Aminah"],
        "contact": ["siti@contoh.id"],
    },
    "visit": {
        "kind": ["kantor", "istana"],
        "institution": ["SMA Negeri 1 Magelang"],
        "mode": ["tatap muka"],
        "date": ["10 Maret 2099"],
        "other_date": ["11 Maret 2099"],
        "people": ["45 siswa dan 3 guru"],
        "theme": ["komunikasi kepresidenan"],
        "needs": ["jalur kursi roda"],
        "name": ["Siti Aminah"],
        "contact": ["siti@contoh.id"],
    },
    "internship": {
        "level": ["sekolah", "perguruan tinggi"],
        "parent": ["ya", "tidak"],
        "campus": ["Universitas Tidar"],
        "study": ["Ilmu Komunikasi"],
        "semester": ["6"],
        "unit": ["Humas"],
        "period": ["Februari sampai Mei"],
        "name": ["Siti Aminah"],
        "contact": ["siti@contoh.id"],
    },
    "simpel": {"number": ["DEMO-SMP-000101", "DEMO-SMP-000101 kode 7K4Q2A"], "code": ["7K4Q2A"]},
    "ticket": {"number": ["PIP-20261123-7K4Q", "PIP-20261123-7K4Q kode 7K4Q2A"], "code": ["7K4Q2A"]},
    "note": {"text": ["Tahun 2024 saja sudah cukup"]},
    "withdrawal": {"sure": ["ya", "tidak"]},
    "rating": {"score": ["sangat puas"], "reason": ["jawabannya jelas"]},
}
"""By journey and field: messages that answer the question; at the first of them the form goes on."""
STEERING = ("lewati", "kembali", "ulang dari awal", "ya", "tidak", "?", "saya tidak tahu harus menjawab apa")
State = tuple[Field, dict[str, Any]]


def corrections(journey: Journey) -> Iterator[str]:
    """Each field put right by its number in the summary and by its name."""
    for number, field in enumerate(journey.numbered, 1):
        yield f"ubah nomor {number}"
        yield from (f"{word}nya salah" for word in FIELD_WORDS.get(field.name, ())[:1])


def asked_in_order(journey: Journey) -> list[Field]:
    """The questions that are put to somebody who gives the first of the answers above to each."""
    step, asked = journey.begin("halo", {KEY: "k"}), []
    while step.field:
        asked.append(step.field)
        step = journey.take(step.field, answer_to(journey, step.field), step.fields)
    return asked


def answer_to(journey: Journey, field: Field) -> str:
    return ANSWERS[journey.name].get(field.name, ["ya"])[0]


def key_of(state: State) -> tuple[Any, ...]:
    """What the way on depends on: the question, which fields are known, and the values of those that decide about others."""
    asked, fields = state
    deciding = ("join", "level", JOINED)
    return (asked.name, frozenset((name, fields[name] if name in deciding else ...) for name in fields))


def first_states(journey: Journey) -> list[Step]:
    begun = [journey.begin("halo", {KEY: "k"})]
    for messages in ANSWERS[journey.name].values():
        begun += [journey.begin(message, {KEY: "k"}) for message in messages]
    if journey.name == "aspiration":
        begun.append(journey.begin("halo", {KEY: "k", JOINED: "ASP-20261123-7K4Q"}))
    return begun


def reachable(journey: Journey) -> list[State]:
    """Every state of the form that the messages above lead to. Answers are given to the question that they belong to."""
    seen: dict[tuple[Any, ...], State] = {}
    steering = (*STEERING, *corrections(journey))
    waiting = deque(first_states(journey))
    while waiting:
        step = waiting.popleft()
        if step.field is None or step.outcome is Outcome.STOPPED:
            continue
        state = (step.field, step.fields)
        if key_of(state) in seen:
            continue
        seen[key_of(state)] = state
        for message in (*ANSWERS[journey.name].get(step.field.name, ()), *steering):
            waiting.append(journey.take(step.field, message, step.fields))
    return list(seen.values())


@pytest.mark.parametrize("name", JOURNEYS)
def test_from_every_state_of_a_journey_every_cancel_leads_out_and_the_answers_lead_to_its_end(name: str) -> None:
    journey = JOURNEYS[name]
    states = reachable(journey)
    assert {asked.name for asked, _ in states} == {field.name for field in journey.all_fields}
    for asked, fields in states:
        for cancel in CANCELS:
            step = journey.take(asked, cancel, fields)
            assert (step.outcome, step.fields) == (Outcome.CANCELLED, {}), (asked.name, fields, cancel)
        step = Step(Outcome.ASK, fields, asked)
        for _ in journey.all_fields:
            if step.field:
                step = journey.take(step.field, answer_to(journey, step.field), step.fields)
        assert step.outcome is Outcome.CONFIRMED, (asked.name, fields)


DRESSES = ("{}", "{}!!", "  {}.", "tolong {} ya kak", "saya mau {} aja", "I want to {} this please", "{} formnya")
SOMETHING_ELSE = ("batalkan kenaikan PPN", "saya mau batalkan RUU itu", "stop impor beras", "keluar dari PBB", "saya mau")


@pytest.mark.parametrize("cancel", [cancel for cancel in CANCELS if not {"saya", "i", "i'm"} & set(cancel.split())])
@pytest.mark.parametrize(
    "dressed", ["{}", "{}!!", "  {}.", "tolong {} ya kak", "saya mau {} aja", "I want to {} this please", "{} formnya"]
)
def test_a_cancel_is_one_in_any_dress(cancel: str, dressed: str) -> None:
    for typed in (dressed.format(cancel), dressed.format(cancel).upper()):
        assert find_command(typed) is Command.CANCEL, typed


@pytest.mark.parametrize("message", SOMETHING_ELSE)
def test_who_wants_something_else_to_be_cancelled_cancels_no_form(message: str) -> None:
    assert find_command(message) is None


OPENINGS = {
    "aspiration": ("saya ingin menyampaikan aspirasi", None),
    "information": ("saya mau mengajukan permohonan informasi publik", None),
    "objection": ("saya mau mengajukan keberatan atas jawaban PPID", None),
    "visit": ("apa itu setneg mantul?", "Catat rencana kunjungan"),
    "internship": ("apa syarat magang di setneg?", "Catat minat magang"),
    "simpel": ("mau cek status simpel dong", None),
    "ticket": ("saya mau cek tiket saya", None),
    "note": ("tiket saya sudah sampai mana?", "Tambah catatan"),
    "withdrawal": ("tiket saya sudah sampai mana?", "Cabut tiket"),
    "rating": ("tiket saya sudah sampai mana?", "Nilai jawaban"),
}
"""By journey: what is said first, and the button that is then pressed."""
SPELLINGS = (
    "BATAL!!",
    "ga jadi deh",
    "saya mau batalkan saja",
    "Cancel please",
    "batalin aja formnya",
    "gajadi",
    "tolong dibatalkan ya kak",
    "I want to cancel this",
    "udah ah ga jadi",
    "batal, terima kasih",
    "stop",
)
SAID = {
    "utter_cancelled": ("Isian Anda sudah dihapus", "What you entered"),
    "utter_stopped_here": ("kita berhenti di sini", "we stop here"),
    "utter_withdrawal_not_done": ("tiket Anda tetap diproses", "your ticket stays"),
}
QUESTIONS = [(name, position) for name, journey in JOURNEYS.items() for position in range(len(asked_in_order(journey)))]


async def opened(client: httpx.AsyncClient, services: Services, name: str) -> Citizen:
    """A citizen to whom the form's first question was just put; a follow-up's ticket is filed, and answered for a rating."""
    citizen = await Citizen(client).arrives()
    first, button = OPENINGS[name]
    if first.startswith("tiket saya"):
        receipt = file_ticket_of(services)
        if name == "rating":
            services.ticket_changes.answer(receipt.number, "Laporan ada di lampiran", Resolution.GRANTED, "dewi")
    await citizen.says(first)
    if button:
        await citizen.presses(button)
    return citizen


def conversation_of(services: Services) -> Conversation:
    """The newest one."""
    with services.database.session() as session:
        found = session.scalars(select(Conversation).order_by(Conversation.created_at.desc())).first()
    assert found is not None
    return found


def file_ticket_of(services: Services) -> Receipt:
    fields = {"details": "Laporan kinerja 2024", "name": "Siti", "contact": "siti@contoh.id"}
    return services.tickets.file(Filing(Kind.INFORMATION_REQUEST, fields, "wni", conversation_of(services).id, "id"))


@pytest.mark.parametrize(("name", "position"), QUESTIONS)
async def test_a_cancel_ends_the_form_at_every_question_and_the_next_message_is_no_value(
    client: httpx.AsyncClient, services: Services, name: str, position: int
) -> None:
    citizen = await opened(client, services, name)
    *answered, asked = asked_in_order(JOURNEYS[name])[: position + 1]
    await citizen.goes_through(*(answer_to(JOURNEYS[name], field) for field in answered))
    assert conversation_of(services).awaited_field == f"{name}_{asked.name}"
    answer = await citizen.says(SPELLINGS[QUESTIONS.index((name, position)) % len(SPELLINGS)])
    assert any(part in answer for part in SAID[JOURNEYS[name].cancelled]), answer
    for message in ("1", "Siti Aminah"):
        await citizen.says(message)
        assert conversation_of(services).awaited_field is None
    with services.database.session() as session:
        assert not list(session.scalars(select(Draft)))


async def test_a_wish_to_stop_in_words_of_ones_own_ends_a_form_but_is_no_command_in_a_free_text(
    client: httpx.AsyncClient, services: Services
) -> None:
    citizen = await opened(client, services, "aspiration")
    await citizen.goes_through("ya", ANSWERS["aspiration"]["text"][0])
    assert "Isian Anda sudah dihapus" in await citizen.says("nggak jadi lapor deh")
    citizen = await opened(client, services, "objection")
    await citizen.goes_through(*(answers[0] for answers in list(ANSWERS["objection"].values())[:4]))
    assert conversation_of(services).awaited_field == "objection_wish"
    await citizen.says("batalkan keputusan penolakan itu")
    assert services.drafts.read(conversation_of(services).id, "objection")["wish"] == "batalkan keputusan penolakan itu"
