"""The desk's list of conversations over one million generated messages: how long a page takes to find, by what is asked.

Measured is all that the page asks the database for (services/conversation_log.py): the conversations, what is shown of each, and the
choices of the filters. Rendering adds some ten milliseconds.
"""

from __future__ import annotations

import argparse
import random
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import insert, text

from bench.load import percentiles
from bench.messages import sentences
from bench.report import machine
from services.assembly import Services, assemble
from services.conversation_log import LogFilter
from services.settings import Settings
from services.turn import AnswerStatus
from store.database import utc_now
from store.models import Conversation, Message

A_CONVERSATION = 8
"""Messages, every second one a citizen's."""
AT_ONCE = 2_500
"""Conversations of one transaction."""
ROUNDS = 30
SEED = 7
RARE = "kepaniteraan"
"""A word that stands in about one message in a hundred thousand."""
INTENTS = ("ask_information", "greet", "submit_aspiration", "check_ticket_status", "out_of_scope", "talk_to_officer")
TOPICS = ("simpel", "magang", "istura", "jdih", "pengaduan", "keterbukaan_informasi", "biro_humas")
SPAN_DAYS = 730


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=1_000_000)
    parser.add_argument("--report", type=Path, default=Path(__file__).with_name("search.md"))
    options = parser.parse_args()
    found = {name: measure(url, options.messages) for name, url in databases()}
    options.report.write_text(to_markdown(found, options.messages), encoding="utf-8")
    print(to_markdown(found, options.messages))


def databases() -> Iterator[tuple[str, Callable[[], Any]]]:
    """SQLite always; PostgreSQL where `SAPA_TEST_POSTGRES` names a server."""
    import os

    yield "SQLite", sqlite_database
    if os.environ.get("SAPA_TEST_POSTGRES"):
        from tests.postgresql import own_database

        yield "PostgreSQL", own_database


@contextmanager
def sqlite_database() -> Iterator[str]:
    yield ""


def measure(open_database: Callable[[], Any], messages: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder, open_database() as url:
        configured = Settings(_env_file=None, SAPA_DATA_DIR=Path(folder), DATABASE_URL=url)
        services = assemble(configured, knowledge=object())  # type: ignore[arg-type]  # nothing here asks it anything
        started = time.perf_counter()
        fill(services, messages)
        filled = time.perf_counter() - started
        figures = {name: timed(services, wanted) for name, wanted in questions().items()}
        services.database.close()
    return {"filled_seconds": round(filled), "figures": figures}


def questions() -> dict[str, Callable[[random.Random], LogFilter]]:
    common = sorted({word.strip("?.,").lower() for one in sentences() for word in one.split() if len(word) > 4})
    now = utc_now()
    return {
        "the list without filters": lambda _: LogFilter(),
        "one word": lambda chance: LogFilter(words=chance.choice(common)),
        "two words": lambda chance: LogFilter(words=" ".join(chance.sample(common, 2))),
        "the beginning of a word": lambda chance: LogFilter(words=chance.choice(common)[:4]),
        "a rare word": lambda _: LogFilter(words=RARE),
        "a word nobody said": lambda _: LogFilter(words="xenon"),
        "a word and a week": lambda chance: LogFilter(words=chance.choice(common), **week(chance, now)),
        "topic and status": lambda chance: LogFilter(topic=chance.choice(TOPICS), status="abstained"),
        "intent": lambda chance: LogFilter(intent=chance.choice(INTENTS)),
        "low confidence": lambda _: LogFilter(low_confidence=True),
        "unanswered in a week": lambda chance: LogFilter(unanswered=True, **week(chance, now)),
        "escalated": lambda _: LogFilter(escalated=True),
        "rated low": lambda _: LogFilter(rated_low=True),
    }


def week(chance: random.Random, now: Any) -> dict[str, Any]:
    since = now - timedelta(days=chance.randrange(7, SPAN_DAYS))
    return {"since": since, "until": since + timedelta(days=7)}


def timed(services: Services, wanted: Callable[[random.Random], LogFilter]) -> dict[str, float]:
    chance, log = random.Random(SEED), services.conversation_log
    log.search(wanted(chance), 1, limit=51)
    milliseconds = []
    for _ in range(ROUNDS):
        asked = wanted(chance)
        started = time.perf_counter()
        log.search(asked, 1, limit=51)
        log.choices()
        milliseconds.append((time.perf_counter() - started) * 1000)
    return percentiles(milliseconds)


def fill(services: Services, messages: int) -> None:
    """Conversations over two years, of varied sentences, with what the assistant makes of a message."""
    chance, words = random.Random(SEED), sentences()
    now, conversations = utc_now(), messages // A_CONVERSATION
    for first in range(0, conversations, AT_ONCE):
        rows, said = [], []
        for number in range(first, min(first + AT_ONCE, conversations)):
            at = now - timedelta(days=SPAN_DAYS) * ((conversations - number) / conversations)
            row = {"id": f"{number:032x}", "channel": chance.choice(("web", "web", "telegram")), "locale": "id", "forgotten_seq": 0}
            rows.append({**row, "created_at": at, "last_at": at + timedelta(minutes=A_CONVERSATION)})
            said += [message(chance, words, row["id"], seq, at) for seq in range(1, A_CONVERSATION + 1)]
        with services.database.session() as session:
            session.execute(insert(Conversation), rows)
            session.execute(insert(Message), said)
    with services.database.session() as session:
        session.execute(text("ANALYZE"))


def message(chance: random.Random, words: list[str], conversation: str, seq: int, at: Any) -> dict[str, Any]:
    rare = f" {RARE}" if chance.random() < 0.00001 else ""
    base = {"conversation_id": conversation, "seq": seq, "buttons": [], "sources": [], "at": at + timedelta(minutes=seq)}
    if seq % 2 == 0:
        answer = " ".join(chance.sample(words, 3))
        return {**base, "author": "bot", "text": answer, "status": None, "intent": None, "topic": None, "confidence": None}
    status = chance.choices(list(AnswerStatus), [60, 4, 6, 6, 4, 10, 1, 2, 1, 6])[0]
    return {
        **base,
        "author": "user",
        "text": f"{chance.choice(words)} {chance.choice(words)}{rare}",
        "status": status,
        "intent": chance.choice(INTENTS),
        "topic": chance.choice(TOPICS) if chance.random() < 0.6 else None,
        "confidence": round(min(1.0, chance.betavariate(6, 1.2)), 3),
    }


def to_markdown(found: dict[str, dict[str, Any]], messages: int) -> str:
    on = machine()
    lines = [
        f"# The desk's list over {messages:,} messages, measured",
        "",
        f"Written by `make bench` (`python -m bench.search`) at {on['at']}: {on['processor']}, {on['cores']} cores, "
        f"{on['memory_gb']} GB, load average {on['load_average']}. {ROUNDS} pages of 50 each; milliseconds. The aim is 300 ms.",
        "",
        "| what is asked | " + " | ".join(f"{name} p50 | {name} p95" for name in found) + " |",
        "|---|" + "--:|--:|" * len(found),
    ]
    for name in next(iter(found.values()))["figures"]:
        cells = (f"{database['figures'][name][p]:.0f}" for database in found.values() for p in ("p50", "p95"))
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    took = ", ".join(f"{name} {figures['filled_seconds']} s" for name, figures in found.items())
    return "\n".join([*lines, "", f"Filling it took {took}.", ""])


if __name__ == "__main__":
    main()
