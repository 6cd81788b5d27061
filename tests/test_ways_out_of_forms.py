"""A cancel leads out of every form: from every state that a journey can be in, and from every question of a real conversation."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import yaml

from services.aspirations import JOINED
from services.assembly import Services
from services.commands import COMMANDS_FILE, Command, find_command
from services.field_names import FIELD_WORDS
from services.fields import Field
from services.journeys import KEY, Journey, Outcome, Step
from services.registry import JOURNEYS
from services.tickets import Filing, Kind, Receipt, Resolution
from store.models import Draft
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
                step = journey.take(step.field, ANSWERS[name].get(step.field.name, ["ya"])[0], step.fields)
        assert step.outcome is Outcome.CONFIRMED, (asked.name, fields)
