"""What the ministry has to confirm before launch, with whom to ask it: services/open_questions.yml."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import yaml
from pydantic import BaseModel, TypeAdapter

FILE = Path(__file__).with_suffix(".yml")


class OpenQuestion(BaseModel, extra="forbid", frozen=True):
    id: str
    """C1 to C25, as in the list of facts that the answers were written from."""
    owner: str
    question: str
    answered_on: date | None = None


def unanswered(path: Path = FILE) -> list[OpenQuestion]:
    """Those without `answered_on`, in the order of the file. Raises pydantic's ValidationError for a malformed entry."""
    listed = TypeAdapter(list[OpenQuestion]).validate_python(yaml.safe_load(path.read_text(encoding="utf-8")))
    return [question for question in listed if question.answered_on is None]
