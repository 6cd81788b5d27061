"""What the ministry still has to confirm."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from pydantic import ValidationError

from services.assembly import Services
from services.open_questions import unanswered


def test_all_twenty_five_questions_are_there_each_once_with_somebody_to_ask() -> None:
    questions = unanswered()
    assert [question.id for question in questions] == [f"C{number}" for number in range(1, 26)]
    assert all(question.owner and question.question.endswith("?") for question in questions)


def test_an_answered_question_is_not_open(tmp_path: Path) -> None:
    path = tmp_path / "questions.yml"
    path.write_text('- {id: C1, owner: a, question: "b?", answered_on: 2027-01-04}\n- {id: C2, owner: a, question: "c?"}\n')
    assert [question.id for question in unanswered(path)] == ["C2"]


def test_a_misspelt_key_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "questions.yml"
    path.write_text('- {id: C1, owner: a, question: "b?", answered: 2027-01-04}\n')
    with pytest.raises(ValidationError):
        unanswered(path)


def test_each_open_question_is_a_note_of_the_doctor_and_no_problem(services: Services) -> None:
    found = [one for one in services.health.findings(date(2026, 12, 1)) if one.name == "unconfirmed"]
    assert [one.data["id"] for one in found] == [question.id for question in unanswered()]
    assert not any(one.is_problem for one in found)
