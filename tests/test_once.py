"""No answer is said twice in a row: of the second one what comes near to the question, and what is not known."""

from __future__ import annotations

from typing import Any

import pytest
from rasa_sdk import Tracker
from rasa_sdk.executor import CollectingDispatcher

from actions.answer import ActionAnswer
from actions.complaint import ActionComplaint
from services.assembly import Services
from services.follow_ups import After, LastSaid
from services.knowledge import Knowledge
from services.passages import line_of_status, parts_of
from services.simpel import Status
from services.turn import CURRENT, Turn

ANSWER, COMPLAINT = (ActionAnswer, "ask_information"), (ActionComplaint, "report_complaint")


class Talk:
    """Turns of one conversation, without the understanding before them."""

    def __init__(self, said: LastSaid | None = None, language: str = "id") -> None:
        self.events: list[dict[str, Any]] = []
        self.slots: dict[str, Any] = {"language": language, "last_said": said.as_slot() if said else None}

    def says(self, text: str, answered_by: tuple[Any, str] = ANSWER) -> list[str]:
        """What is answered: names of responses, or the text."""
        action, intent = answered_by
        last = LastSaid.read(self.slots["last_said"])
        message = {"text": text, "intent": {"name": intent}, "intent_ranking": [{"name": intent, "confidence": 0.9}], "entities": []}
        self.turn = Turn("nobody", text, follows=last if intent == "ask_information" else None)
        opened = CURRENT.set(self.turn)
        dispatcher = CollectingDispatcher()
        try:
            events = action().run(dispatcher, Tracker("nobody", dict(self.slots), message, self.events, False, None, {}, ""), {})
        finally:
            CURRENT.reset(opened)
        self.slots.update({event["name"]: event["value"] for event in events})
        self.messages = dispatcher.messages
        return [str(one.get("response") or one["text"]) for one in dispatcher.messages]


def said(entry: str, language: str = "id") -> LastSaid:
    return LastSaid(After.ENTRY, entry, language)


def test_the_second_time_only_what_comes_near_is_said_with_its_source(services: Services) -> None:
    talk = Talk(said("keterbukaan_informasi_jam"))
    assert talk.says("jumat buka jam berapa") == ["utter_answer_says"]
    [message] = talk.messages
    assert message["said"].startswith("Jumat: ")
    assert message["custom"]["sources"]
    assert talk.turn.entry == "keterbukaan_informasi_jam"


def test_the_same_question_word_for_word_gets_the_whole_answer_again(services: Services) -> None:
    talk = Talk(said("keterbukaan_informasi_jam"))
    talk.events = [{"event": "user", "text": text} for text in ("Jam layanan PPID?", "jam layanan ppid")]
    assert talk.says("jam layanan ppid") == [services.knowledge.entry("keterbukaan_informasi_jam").answers["id"]]  # type: ignore[union-attr]  # it is there


def test_what_comes_near_to_nothing_is_not_known_and_never_in_the_same_words_twice(services: Services) -> None:
    talk = Talk(said("simpel_waktu_pengajuan"))
    answers = [talk.says("kalau mepet gimana") for _ in range(3)]
    assert answers == [["utter_part_not_known"], ["utter_part_not_known_again"], ["utter_part_not_known"]]
    assert talk.turn.entry == "simpel_waktu_pengajuan"


def test_a_part_is_not_said_twice(services: Services) -> None:
    talk = Talk(said("keterbukaan_informasi_jam"))
    talk.says("jumat buka jam berapa")
    first = talk.messages[0]["said"]
    talk.says("jumat buka jam berapa")
    assert talk.messages[0].get("said") != first


def test_the_whole_is_said_in_another_language_and_to_who_asks_for_it_again(services: Services, knowledge: Knowledge) -> None:
    answers = knowledge.entry("keterbukaan_informasi_jam").answers  # type: ignore[union-attr]  # shipped
    assert Talk(said("keterbukaan_informasi_jam"), "en").says("what are the hours on friday") == [answers["en"]]
    assert Talk(said("keterbukaan_informasi_jam")).says("ulangi dong") == [answers["id"]]


@pytest.mark.parametrize("status", [one.value.lower() for one in Status])
def test_every_status_has_its_line_in_the_legend(knowledge: Knowledge, status: str) -> None:
    entry = knowledge.entry("simpel_arti_status")
    assert entry is not None
    assert all(line_of_status(answer, status) for answer in entry.answers.values())


def test_after_a_status_only_its_meaning_is_said(services: Services) -> None:
    talk = Talk(LastSaid(After.STATUS, "dikembalikan"))
    [line] = talk.says("artinya apa")
    assert line.startswith("**Dikembalikan**")
    assert len(line.splitlines()) == 1
    assert len(Talk(LastSaid(After.STATUS)).says("artinya apa")[0].splitlines()) > 5


def test_a_rejected_answer_gives_way_to_what_is_meant(services: Services) -> None:
    for answered_by in (ANSWER, COMPLAINT):
        talk = Talk(said("pengaduan_korupsi"))
        assert talk.says("siapa yg ngomongin korupsi bang, jalanan rusak kali", answered_by) == ["utter_complaint_region"]
    assert Talk(said("magang_syarat")).says("bukan itu") == ["utter_not_what_was_meant"]
    talk = Talk(said("magang_syarat"))
    talk.says("bukan syaratnya, jadwalnya kapan")
    assert talk.turn.entry == "magang_kuota_jadwal"


def test_who_has_paid_hears_each_advice_once(services: Services) -> None:
    talk = Talk(said("pengaduan_penipuan"))
    assert talk.says("udah transfer terus gimana") == ["utter_fraud_paid"]
    assert talk.says("uang saya bisa balik ga? lapor polisinya nomor berapa") == ["utter_fraud_money_back", "utter_fraud_police"]
    assert talk.says("saya bukan mau bayar, udah kejadian") == ["utter_part_not_known"]
    assert talk.says("foto ktp juga udah kekirim", COMPLAINT) == ["utter_fraud_identity"]


def test_a_complaint_that_goes_on_hears_that_its_channel_is_the_same(services: Services) -> None:
    talk = Talk()
    assert talk.says("petugas loket galak sekali", COMPLAINT)[-1].startswith("Buka [lapor.go.id]")
    assert talk.says("petugasnya malah main hp", COMPLAINT) == ["utter_complaint_same_channel"]
    assert talk.says("petugas loketnya ketus", COMPLAINT)[0] not in ("utter_complaint_same_channel", "utter_which_complaint")


def test_an_answer_falls_into_list_items_and_sentences() -> None:
    answer = "Surat ke Jl. Veteran No. 17-18, Jakarta. Gratis.\n\nHari:\n- **Senin**: 09.00\n- Jumat"
    assert parts_of(answer) == ["Surat ke Jl. Veteran No. 17-18, Jakarta.", "Gratis.", "**Senin**: 09.00", "Jumat"]


@pytest.mark.parametrize(
    ("answer", "nearest_to_it"),
    [
        ("Kantor ada di Jakarta. Magang dibuka dua kali setahun. Masa itu dua bulan lamanya.", "Magang dibuka"),
        ("Lamanya dua bulan. Kantor ada di Jakarta. Lamanya tiga bulan.", "Lamanya tiga"),
    ],
)
def test_a_sentence_that_leans_on_another_comes_with_it_and_so_does_one_hardly_behind(
    services: Services, answer: str, nearest_to_it: str
) -> None:
    found = services.knowledge.passages("itu lamanya berapa bulan", answer, frozenset())
    assert len(found) == 2
    assert any(one.text.startswith(nearest_to_it) for one in found)


def test_an_answer_of_one_sentence_is_nearest_alone(services: Services) -> None:
    assert [one.place for one in services.knowledge.passages("lamanya berapa bulan", "Lamanya dua bulan.", frozenset())] == [0]
