"""Unanswered questions, gathered by meaning."""

from __future__ import annotations

from threading import Event

from services.assembly import Services, shared_encoder
from services.encoder import CachingEncoder
from services.turn import UNANSWERED, AnswerStatus
from services.unanswered import UnansweredQuestions
from tests.browser.teaching_day import PARKING, PRAYER, leave_questions
from tests.clock import Clock


def test_questions_of_one_meaning_are_one_group_and_the_most_asked_stands_first(services: Services) -> None:
    for _ in range(2):
        leave_questions(services)
    gathered = services.unanswered.gather()
    first = gathered.groups[0]
    texts = {one.text for one in first.questions}
    assert len(texts & set(PARKING)) >= 5
    assert not texts & set(PRAYER)
    assert first.times == 2 * len(first.questions)
    assert first.questions[0].text in PARKING


def test_a_question_that_has_an_answer_by_now_is_not_shown(services: Services) -> None:
    leave_questions(services)
    conversation = services.conversations.open("web", "id").id
    for number, text in enumerate(("apa itu simpel?", "apa itu simpel sih?", "hmm")):
        received = services.conversations.add_inbound(conversation, f"m{number}", text)
        services.conversations.add_replies(conversation, [], reply_to=received.id, turn={"status": "not_known"})
    shown = {one.text for group in services.unanswered.gather().groups for one in group.questions}
    assert not any("simpel?" in text or text == "hmm" for text in shown)


def test_a_turn_that_failed_is_no_gap_of_the_knowledge(services: Services) -> None:
    conversation = services.conversations.open("web", "id").id
    for number, status in enumerate(AnswerStatus):
        received = services.conversations.add_inbound(conversation, f"m{number}", f"pertanyaan tentang {status}")
        services.conversations.add_replies(conversation, [], reply_to=received.id, turn={"status": status})
    asked = {one.text.rpartition(" ")[2] for one in services.unanswered._asked()}
    assert asked == UNANSWERED - {AnswerStatus.FAILED}


def test_a_result_is_kept_for_a_while_and_made_anew_after_a_publication(services: Services) -> None:
    clock = Clock("2026-11-26 10:00")
    questions = UnansweredQuestions(services.database, services.knowledge, shared_encoder, clock)
    first = questions.current(wait_seconds=60)
    assert first is not None
    assert first.groups == []
    leave_questions(services)
    assert questions.current(wait_seconds=60) is first
    questions.forget()
    again = questions.current(wait_seconds=120)
    assert again is not None
    assert again.groups


def test_nobody_waits_longer_than_they_want_for_a_result_in_the_making(services: Services) -> None:
    leave_questions(services)
    is_loaded = Event()

    def slow_to_load() -> CachingEncoder:
        is_loaded.wait(120)
        return shared_encoder()

    questions = UnansweredQuestions(services.database, services.knowledge, slow_to_load)
    assert questions.current() is None
    assert questions.current(wait_seconds=0.01) is None
    is_loaded.set()
    made = questions.current(wait_seconds=120)
    assert made is not None
    assert made.groups


def test_nothing_asked_is_no_group(services: Services) -> None:
    assert services.unanswered.gather().groups == []
