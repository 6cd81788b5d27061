"""What a message means before the dialogue is asked: a button in other words, a way out of the queue, an action beside a form."""

from __future__ import annotations

import re
from typing import Any

from rapidfuzz import fuzz

from services.commands import POLITE, Command, find_command, find_ordinal, without_politeness
from services.fields import Field
from services.handoff import Place, State
from services.journeys import CONFIRMATION, Journey
from services.registry import JOURNEYS
from services.remarks import SURE, VERY_SURE, is_puzzled, is_question
from services.spelling import normalise
from services.status_checks import SIMPEL, is_status_alone
from store.models import Button

SAME_LABEL = 90
"""Per cent of equal characters from which typed words are a button's label."""
LONGEST_LABEL = 80
SHORTEST_BEGINNING = 4
"""So many characters of a label at least may stand for it."""
LONGEST_WISH = 10
"""In words: a longer message says more than the name of an errand."""
WISH_BEGINS_WITHIN = 6
"""Words of a longer one, which may begin with a wish and tell more of it: "catat kunjungan kami dari SMA 3 Bandung, 40 siswa …"."""
PAYLOAD = re.compile(r"/(\w+)(\{.*\})?", re.DOTALL)
BESIDE_A_FORM = {"talk_to_officer": "action_officer", "manage_my_data": "action_manage_data"}
"""What is answered by its own action while a form is open, which then goes on; elsewhere rules lead to the same actions."""
OFFICER_BUTTON = "/talk_to_officer{"
"""How the payloads of buttons about the queue begin: leave it, agree, decline."""
STARTS_FORM = "/start_"
"""How the payloads of buttons begin that offer a form, alone under their message."""
LEAVE = ("talk_to_officer", {"officer": "leave"})
SHORT_WORDS = {"talk_to_officer": 15, "manage_my_data": 5}
"""A longer message to a form's question tells something rather than calls for a person or for data."""

ERRANDS = {
    "submit_aspiration": r"aspirasi|aspiration",
    "submit_objection": r"keberatan|objection",
    "start_visit": r"kunjungan|visit",
    "start_internship": r"magang|internship",
    "submit_information_request": r"permohonan|permintaan|request",
}
"""What a citizen calls an errand that was left; the first that is named counts."""
_ON = r"lanjut\w*|melanjutkan|teruskan|continue|resume"
_GO_ON = re.compile(rf"(?:(?:saya|mau|ingin|bisa|tolong|please|can i|i want to|let's)\s+)*(?:{_ON})\b")
_GOING_ON = re.compile(rf"\b(?:{_ON}|go (?:back|on))\b")
_NOTHING_ELSE = re.compile(
    rf"(?:\s*\b(?:{_ON}|go|back|to|on|with|isi|isian\w*|mengisi|pengisian\w*|formulir\w*|form|tadi|yang|saya"
    r"|mau|ingin|bisa|tolong|saja|iya|oke|the|my|i|want|let's|please|dong|kak|pak|bu|sekarang|now)\b)+\W*"
)
_ASKS = re.compile(r"\b(?:tanya|bertanya|nanya|ask)\b")
_ASKS_HOW = re.compile(r"\b(?:bagaimana|cara\w*|syarat\w*|berapa|kapan|di mana|status|how|when|where)\b")
_WISHES = {
    "start_visit": re.compile(
        r"\b(?:ajukan|mengajukan|daftar\w*|catat\w*|rencanakan|request|arrange|record|register)\b.{0,30}\b(?:kunjungan|visit)\b"
    ),
    "start_internship": re.compile(r"\b(?:catat\w*|minat|dihubungi|hubungi|contact)\b.{0,30}\b(?:magang|internship)\b"),
}
"""Forms that no intent leads to, and the words of those who know that they exist."""


def errand_named(text: str) -> str | None:
    """The intent of a message outside a form that names its errand: a bare "status", "lanjutkan aspirasi saya", number and code."""
    if {"number", "code"} <= set(SIMPEL.prefill(text)):
        return SIMPEL.opened_by
    spelling = normalise(text)
    if len(spelling.split()) > LONGEST_WISH:
        beginning = " ".join(spelling.split()[:WISH_BEGINS_WITHIN])
        return None if is_question(text) or _ASKS_HOW.search(beginning) else _wish(beginning)
    if is_status_alone(text):
        return "check_simpel_status"  # whose action asks which status
    if _GO_ON.match(POLITE.sub("", spelling).strip()) and not _ASKS.search(spelling):
        return errand_of_kind(text)
    if _ASKS_HOW.search(spelling):
        return None
    return _wish(spelling)


def _wish(spelling: str) -> str | None:
    return next((intent for intent, words in _WISHES.items() if words.search(spelling)), None)


def errand_of_kind(text: str) -> str | None:
    """The intent of the errand whose kind the message names: "aspirasi", "permohonan"."""
    spelling = normalise(text)
    return next((intent for intent, words in ERRANDS.items() if re.search(rf"\b(?:{words})(?:nya)?\b", spelling)), None)


def goes_on(text: str) -> bool:
    """Whether the message, or its last clause, says to go on and not with what: "sudah aman, lanjut isi formulir"."""
    clause = normalise(re.split(r"[,;.!]\s+", text.strip())[-1])
    return bool(_GOING_ON.search(clause) and _NOTHING_ELSE.fullmatch(clause))


def tried_again(text: str, offered: list[Button]) -> tuple[str, str] | None:
    """Intent and field of the journey that a button offers to try again (`{"again": …}`), where `text` is a value of its alone."""
    for journey in JOURNEYS.values():
        if any(button.payload.startswith(f'/{journey.opened_by}{{"again"') for button in offered):
            return next(((str(journey.opened_by), f"{journey.name}_{field}") for field in journey.tried_again(text)), None)
    return None


def button_meant(text: str, offered: list[Button], awaited: str | None = None) -> Button | None:
    """The one of the buttons `offered` last that the typed words or number mean. Under a summary a number means its part."""
    if len(text) > LONGEST_LABEL:
        return None
    number = find_ordinal(text) if offered and awaited_field(awaited) is not CONFIRMATION else None
    if number and 1 <= number <= len(offered):
        return offered[number - 1]
    typed = normalise(text)
    named = next((b for b in offered if fuzz.ratio(typed, normalise(b.label)) >= SAME_LABEL), None)
    return named or _yes_or_no(text, offered) or (_begun_label(text, offered) if awaited is None else None)


def _begun_label(text: str, offered: list[Button]) -> Button | None:
    """The one button whose label begins with the typed words: "unduh" for "Unduh data saya"."""
    typed = without_politeness(text)
    if len(typed) < SHORTEST_BEGINNING or find_command(text) or is_puzzled(text):
        return None
    begun = [b for b in offered if f"{normalise(b.label)} ".startswith(f"{typed} ")]
    return begun[0] if len(begun) == 1 else None


def still_standing(offered: list[Button]) -> list[Button]:
    """Of buttons offered a while ago those that still may be pressed in words: no answers to a question of a form, and no old yes."""
    answers_yes = any(find_command(b.label.partition(",")[0]) is Command.YES for b in offered)
    return [] if answers_yes else [b for b in offered if PAYLOAD.fullmatch(b.payload)]


def is_offered(pressed: Button, offered: list[Button]) -> bool:
    """Whether the newest message offers the same, perhaps since the question was asked again."""
    return any((button.payload, button.label) == (pressed.payload, pressed.label) for button in offered)


def _yes_or_no(text: str, offered: list[Button]) -> Button | None:
    """What a typed "ya" or "tidak" gives: the only offer of a form, or the button whose label begins with it ("Ya, hapus")."""
    command = find_command(text)
    if command not in (Command.YES, Command.NO):
        return None
    if command is Command.YES and len(offered) == 1 and offered[0].payload.startswith(STARTS_FORM):
        return offered[0]
    meant = [b for b in offered if PAYLOAD.fullmatch(b.payload) and find_command(b.label.partition(",")[0]) is command]
    return meant[0] if len(meant) == 1 else None


def leaves_officer(text: str, place: Place | None, awaited: str | None, offered: list[Button]) -> bool:
    """Whether the words lead out of the queue or away from the officer; a bare "batal" does where nothing else can be meant."""
    command = find_command(text) if place else None
    if place is None or command is not Command.CANCEL:
        return command is Command.LEAVE_OFFICER
    elsewhere = offered and not any(button.payload.startswith(OFFICER_BUTTON) for button in offered)
    return place.state is State.WAITING and awaited is None and not elsewhere


def action_beside_form(parsed: dict[str, Any], text: str, awaited: str | None) -> str | None:
    """The action that answers in place of the open form. None without a form, and for what may be meant as a value."""
    field_asked, intent = awaited_field(awaited), parsed["intent"]
    action = BESIDE_A_FORM.get(intent["name"])
    if field_asked is None or action is None:
        return None
    if intent["name"] == "manage_my_data" and JOURNEYS[str(awaited).partition("_")[0]].may_empty(text):
        return None
    if intent["confidence"] == 1.0 and not parsed["intent_ranking"]:  # a button, or words that stand for one
        return action
    could_be_value = field_asked.takes_sentences or field_asked.accepts(text)
    sure = VERY_SURE if could_be_value else SURE
    return action if intent["confidence"] >= sure and len(text.split()) <= SHORT_WORDS[intent["name"]] else None


def parsed_as(intent: str, entities: dict[str, str]) -> dict[str, Any]:
    """The understanding that a server-issued payload such as `/ask_information{"entry": "simpel"}` stands for."""
    listed = [{"entity": name, "value": value} for name, value in entities.items()]
    return {"intent": {"name": intent, "confidence": 1.0}, "intent_ranking": [], "entities": listed}


def without_language(parsed: dict[str, Any]) -> dict[str, Any]:
    """The understanding of a value given to a form: an address in English is no wish to be answered in English."""
    return {**parsed, "entities": [entity for entity in parsed["entities"] if entity["entity"] != "language"]}


def awaited_field(awaited: str | None) -> Field | None:
    journey_name, _, field_name = (awaited or "").partition("_")
    journey: Journey | None = JOURNEYS.get(journey_name)
    return journey.field_named(field_name) if journey else None
