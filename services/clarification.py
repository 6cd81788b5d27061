"""What a message may have meant that was not understood: two or three wishes and answers that came near, as buttons."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from services.knowledge import Finding
from services.knowledge_files import Entry

WISHES_FILE = Path(__file__).with_name("clarification.yml")
OFFICER = "talk_to_officer"
LEAST, MOST = 2, 3
LEAST_PROBABLE = 0.12
"""A wish under this probability is a guess."""
NEAR_FROM = 0.5
"""The score of a knowledge entry from which it may be what was meant."""


@cache
def wishes() -> dict[str, dict[str, str]]:
    """Intent to the button's label by language."""
    listed: dict[str, dict[str, str]] = yaml.safe_load(WISHES_FILE.read_text(encoding="utf-8"))
    return listed


def offers(ranking: Iterable[Mapping[str, Any]], finding: Finding, language: str) -> list[tuple[str, str]]:
    """Labels and payloads, the likeliest first; empty where fewer than two came near.

    `ranking`: the intents of the message with their `confidence`, best first.
    """
    near = [one["name"] for one in ranking if one["confidence"] >= LEAST_PROBABLE and one["name"] in wishes()]
    answers = [answer_offer(hit.entry, language) for hit in finding.hits if hit.score >= NEAR_FROM]
    found = [*[wish_offer(name, language) for name in near[: MOST - 1]], *answers][:MOST]
    return found if len(found) >= LEAST else []


def wish_offer(intent: str, language: str) -> tuple[str, str]:
    return wishes()[intent][language], f"/{intent}"


def answer_offer(entry: Entry, language: str) -> tuple[str, str]:
    return getattr(entry.facts.title, language), f"/ask_information{json.dumps({'entry': entry.id})}"
