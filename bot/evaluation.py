"""Measures understanding on labelled files, through the same code that serves citizens."""

from __future__ import annotations

import asyncio
import csv
import tempfile
import uuid
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bot.assistant import Assistant
from bot.conversation import ConversationService
from bot.messages import Inbound
from services.assembly import Services, assemble, services, use
from services.knowledge import Knowledge
from services.turn import AnswerStatus
from store.conversations import Conversations

NOT_ANSWERED = {AnswerStatus.DECLINED, AnswerStatus.ABSTAINED, AnswerStatus.ASKED_AGAIN, AnswerStatus.NOT_KNOWN}


class BadFile(ValueError):
    """A file without the columns that the measure needs; the message names them."""


def read_rows(path: Path, columns: Iterable[str]) -> list[dict[str, str]]:
    """Rows of a CSV file with a header. Raises `BadFile`."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    missing = [column for column in columns if not rows or column not in rows[0]]
    if missing:
        raise BadFile(f"{path}: needs a header with {', '.join(columns)} and at least one row; missing: {', '.join(missing)}")
    return rows


def measure_intents(assistant: Assistant, path: Path) -> dict[str, Any]:
    """Columns text, intent, register."""
    rows = read_rows(path, ("text", "intent", "register"))
    results = []
    for row in rows:
        intent = assistant.understand(row["text"])["intent"]
        results.append((row, intent["name"], intent["confidence"]))
    errors = [
        {"text": row["text"], "expected": row["intent"], "predicted": predicted, "confidence": round(confidence, 3)}
        for row, predicted, confidence in results
        if predicted != row["intent"]
    ]
    return {
        "n": len(rows),
        "accuracy": _share(row["intent"] == predicted for row, predicted, _ in results),
        "by_intent": _by("intent", results),
        "by_register": _by("register", results),
        "errors": errors,
    }


def measure_topics(knowledge: Knowledge, path: Path) -> dict[str, Any]:
    """Columns text, topic. The topic of the best entry counts, answered or offered; nothing found is an error."""
    rows = read_rows(path, ("text", "topic"))
    results = []
    for row in rows:
        best = knowledge.find(row["text"]).best
        results.append((row, best.topic if best else None, best.id if best else None))
    hits: dict[str, list[bool]] = defaultdict(list)
    for row, topic, _ in results:
        hits[row["topic"]].append(row["topic"] == topic)
    return {
        "n": len(rows),
        "accuracy": _share(row["topic"] == topic for row, topic, _ in results),
        "by_topic": {topic: _share(found) for topic, found in sorted(hits.items())},
        "errors": [
            {"text": row["text"], "expected": row["topic"], "predicted": topic, "entry": entry}
            for row, topic, entry in results
            if row["topic"] != topic
        ],
    }


@contextmanager
def thrown_away_services(assistant: Assistant) -> Iterator[Services]:
    """Services on a new database, and the assistant on it, that are gone afterwards."""
    before = services()
    with tempfile.TemporaryDirectory() as folder:
        settings = before.settings.model_copy(update={"data_dir": Path(folder), "database_url": ""})
        thrown_away = assemble(settings, before.knowledge)
        use(thrown_away)
        store = assistant.use_database(thrown_away.database)
        try:
            yield thrown_away
        finally:
            assistant.use_store(store)
            thrown_away.database.close()
            use(before)


def measure_out_of_scope(assistant: Assistant, path: Path) -> dict[str, Any]:
    """Column text. Each text is a whole turn of a new conversation in a throw-away database."""
    rows = read_rows(path, ("text",))
    turns = whole_turns(assistant, rows)
    errors = [{"text": row["text"], **turn} for row, turn in zip(rows, turns, strict=True) if is_answered(turn)]
    return {"n": len(rows), "recall": 1 - len(errors) / len(rows), "errors": errors}


def is_answered(turn: dict[str, Any]) -> bool:
    return turn["status"] not in NOT_ANSWERED or bool(turn.get("entry"))


def whole_turns(assistant: Assistant, rows: list[dict[str, str]]) -> list[dict[str, Any]]:
    """What is noted of each text as a whole turn of a new conversation in a throw-away database."""
    with thrown_away_services(assistant) as thrown_away:
        return asyncio.run(_run_turns(ConversationService(assistant, thrown_away), thrown_away.conversations, rows))


async def _run_turns(service: ConversationService, conversations: Conversations, rows: list[dict[str, str]]) -> list[dict[str, Any]]:
    turns = []
    for row in rows:
        conversation = conversations.open("evaluation", "id")
        message_id = str(uuid.uuid4())
        await service.handle(Inbound(conversation.id, message_id, row["text"]))
        after = conversations.begin_turn(conversation.id, message_id)
        turns.append(dict(after.known.turn or {}) if after and after.known else {})
    return turns


def _share(outcomes: Iterable[bool]) -> float:
    listed = list(outcomes)
    return round(sum(listed) / len(listed), 4)


def _by(column: str, results: list[tuple[dict[str, str], str, float]]) -> dict[str, float]:
    groups: dict[str, list[bool]] = defaultdict(list)
    for row, predicted, _ in results:
        groups[row[column]].append(predicted == row["intent"])
    return {name: _share(outcomes) for name, outcomes in sorted(groups.items())}
