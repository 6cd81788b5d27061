"""What is offered where a message was not understood."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import yaml
from rasa_sdk import Tracker

from actions.answer import say_not_understood
from services import clarification
from services.clarification import offers
from services.knowledge import Finding, Hit, Verdict
from services.settings import PROJECT

NOTHING = Finding(Verdict.NOTHING, [])


def near(*entries: tuple[str, float]) -> Finding:
    def entry(name: str) -> Any:
        return SimpleNamespace(id=name, facts=SimpleNamespace(title=SimpleNamespace(id=name.title(), en=name.upper())))

    return Finding(Verdict.OFFER, [Hit(entry(name), score) for name, score in entries])


def ranking(**confidences: float) -> list[dict[str, Any]]:
    return [{"name": name, "confidence": confidence} for name, confidence in confidences.items()]


def test_the_wishes_and_answers_that_came_near_are_offered_at_most_three() -> None:
    found = offers(ranking(submit_aspiration=0.28, help=0.2, cancel=0.15), near(("magang", 0.8), ("jdih", 0.6)), "id")
    assert [label for label, _ in found] == ["Sampaikan aspirasi", "Lihat bantuan", "Magang"]
    assert found[2][1] == '/ask_information{"entry": "magang"}'


def test_what_is_a_mere_guess_is_not_offered() -> None:
    assert offers(ranking(submit_objection=0.05), near(("magang", 0.31)), "id") == []
    assert offers(ranking(out_of_scope=0.29, crisis=0.2), NOTHING, "id") == []


def test_the_labels_follow_the_language() -> None:
    found = offers(ranking(check_simpel_status=0.2), near(("magang", 0.9)), "en")
    assert found == [("Check SIMPEL status", "/check_simpel_status"), ("MAGANG", '/ask_information{"entry": "magang"}')]


def test_a_single_guess_is_no_choice() -> None:
    assert offers([], near(("magang", 0.9)), "id") == []


class Said:
    """What an action uttered."""

    def __init__(self) -> None:
        self.responses: list[str] = []

    def utter_message(self, response: str, **values: Any) -> None:
        self.responses.append(response)


def test_the_second_miss_in_a_row_offers_an_officer_instead_of_buttons_again() -> None:
    def reply(misses: int) -> str:
        message = {"text": "itu lho", "intent_ranking": ranking(submit_aspiration=0.28, help=0.2)}
        tracker = Tracker("nobody", {"misses": misses}, message, [], False, None, {}, "")
        said = Said()
        [counted] = say_not_understood(said, tracker, NOTHING)
        assert counted["value"] == misses + 1
        return said.responses[-1]

    assert [reply(0), reply(1)] == ["utter_not_understood_near", "utter_not_understood_again"]


def test_every_wish_that_can_be_offered_is_an_intent_with_a_label_in_both_languages() -> None:
    intents = set(yaml.safe_load((PROJECT / "domain.yml").read_text(encoding="utf-8"))["intents"])
    assert set(clarification.wishes()) <= intents
    assert all(set(labels) == {"id", "en"} for labels in clarification.wishes().values())
