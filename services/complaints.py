"""Finds the right channel for a complaint by what it is about. Nothing of a complaint is filed here."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml

from services.spelling import normalise

KINDS_FILE = Path(__file__).with_name("complaint_kinds.yml")
CORRUPTION = "corruption"


@dataclass(frozen=True)
class ComplaintKind:
    name: str
    entry: str
    """Id of the knowledge entry that names the channel."""
    words: tuple[str, ...]


@cache
def kinds() -> tuple[ComplaintKind, ...]:
    listed = yaml.safe_load(KINDS_FILE.read_text(encoding="utf-8"))
    return tuple(ComplaintKind(one["kind"], one["entry"], tuple(normalise(word) for word in one["words"])) for one in listed)


def kind_of(message: str) -> ComplaintKind | None:
    """None where the message does not say what the complaint is about."""
    spelling = f" {normalise(message)} "
    return next((kind for kind in kinds() if any(f" {word} " in spelling for word in kind.words)), None)
