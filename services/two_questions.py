"""Finds the answers to a message that asks two things: "jam buka kantor dan alamatnya di mana?"."""

from __future__ import annotations

import re

from services.knowledge import Finding, Knowledge, Verdict
from services.knowledge_files import Entry
from services.remarks import ASKING
from services.spelling import normalise

LONGEST = 20
"""In words: a longer message tells a story, whose parts are no questions of their own."""
SHORTEST = 2
"""The same of a half that says enough; "alamatnya" says it in one."""
SHORT = 4
"""Up to so many the first half needs no question word."""
SURE_FROM = 1.0
"""Score that the answers to both halves need: half a message looks like many things."""
_JOINT = re.compile(r"\?\s(?:(?:dan|terus|and)\s)?|,?\s(?:dan|serta|sama|and)\s", re.IGNORECASE)
_ASKS = re.compile(rf"\b(?:{ASKING}|(?:syarat|cara|biaya|alamat|jam|jadwal|kontak)\w*|requirements?|fees?|address|hours|contact)\b")


def answers(knowledge: Knowledge, question: str, first: Entry) -> list[Entry]:
    """`first`, the answer to the whole of `question`, and the answer to the other half where it asks two things, in their order."""
    if len(question.split()) > LONGEST:
        return [first]
    for joint in _JOINT.finditer(question):
        halves = question[: joint.start()], question[joint.end() :]
        if _are_two_questions(*halves):
            found = _both(knowledge, *halves)
            if found and first in found and found[0] is not found[1]:
                return found
    return [first]


def _are_two_questions(left: str, right: str) -> bool:
    asks = [bool(_ASKS.search(normalise(half))) for half in (left, right)]
    told = len(right.split()) >= SHORTEST or normalise(right).strip(" ?").endswith("nya")
    return told and len(left.split()) >= SHORTEST and asks[1] and (asks[0] or len(left.split()) <= SHORT)


def _both(knowledge: Knowledge, left: str, right: str) -> list[Entry]:
    """The sure answers to both halves, or none; what one half is about may stand in the other one."""
    by_left = knowledge.find(left)
    by_right = knowledge.find(right, by_left.best.topic if by_left.best else None)
    if not _is_sure(by_left) and by_right.best:
        by_left = knowledge.find(left, by_right.best.topic)
    both = [finding.best for finding in (by_left, by_right) if finding.best and _is_sure(finding)]
    return both if len(both) == 2 else []


def _is_sure(finding: Finding) -> bool:
    return finding.verdict is Verdict.ANSWER and finding.hits[0].score >= SURE_FROM
