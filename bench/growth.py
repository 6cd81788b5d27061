"""The desk's pages and a citizen's turn over years of data: fills a database and measures both against an empty one.

    python -m bench.growth                                                  2 million messages, SQLite
    python -m bench.growth --database postgresql:///sapa_growth             10 million messages; the database is to be new and empty

What is measured is all that a page or a turn asks the database for; rendering and understanding don't know how much there is.
Rows are made by the database itself, so that 10 million messages take minutes.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import statistics
import tempfile
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import text
from sqlalchemy.engine import Connection

from bench.load import percentiles
from bench.messages import sentences
from services.assembly import Services, assemble
from services.conversation_log import LogFilter
from services.settings import Settings
from services.spans import Span
from services.ticket_list import TicketFilter
from store.conversations import Reply
from store.database import utc_now

MESSAGES_OF_CONVERSATION = 10
CONVERSATIONS_OF_TICKET = 5
SPAN_DAYS = 730
ROUNDS = 40
LOADED = ("conversations", "messages", "tickets", "ticket_events", "tracker_events", "handoffs")


@dataclass(frozen=True)
class Dialect:
    """How the two databases write what differs."""

    id: str
    at: str
    day: str
    json: str


DIALECTS = {
    "postgresql": Dialect(
        "lpad(to_hex(({0})::bigint), 32, '0')",
        "(timestamptz '{start}' + ({0}) * interval '1 second')",
        "((timestamptz '{start}' + ({0}) * interval '1 second')::date + 14)",
        "('{0}')::json",
    ),
    "sqlite": Dialect(
        "printf('%032x', {0})",
        "strftime('%Y-%m-%d %H:%M:%S.000000', '{start}', '+' || ({0}) || ' seconds')",
        "date('{start}', '+' || ({0} + 14 * 86400) || ' seconds')",
        "'{0}'",
    ),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--database", default="", help="URL of a new, empty PostgreSQL database; else SQLite in a temporary folder")
    parser.add_argument("--messages", type=int, default=0, help="10 million for PostgreSQL, 2 million for SQLite")
    parser.add_argument("--json", type=Path, help="where the figures go")
    options = parser.parse_args()
    messages = options.messages or (10_000_000 if options.database else 2_000_000)
    with tempfile.TemporaryDirectory() as folder:
        configured = Settings(_env_file=None, SAPA_DATA_DIR=Path(folder), DATABASE_URL=options.database)
        services = assemble(configured, knowledge=object())  # type: ignore[arg-type]  # nothing asks it here
        result: dict[str, Any] = {"messages": messages, "empty": measure(services, 0)}
        started = time.perf_counter()
        with services.database._engine.connect() as connection:
            fill(connection, messages)
        result["fill_seconds"] = round(time.perf_counter() - started)
        started = time.perf_counter()
        while services.daily_figures.keep_past_days():
            pass
        result["figures_seconds"] = round(time.perf_counter() - started)
        result["full"] = measure(services, messages // MESSAGES_OF_CONVERSATION)
        result["size_mb"] = size(services)
        services.database.close()
    print(to_markdown(result))
    if options.json:
        options.json.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


def fill(connection: Connection, messages: int) -> None:
    """Two years of conversations of ten messages, every fifth with a ticket, nine tenths of which are closed."""
    sqlite = connection.dialect.name == "sqlite"
    dialect = DIALECTS[connection.dialect.name]
    conversations = messages // MESSAGES_OF_CONVERSATION
    start = f"{utc_now() - timedelta(days=SPAN_DAYS):%Y-%m-%d %H:%M:%S}" + ("" if sqlite else "+00")
    step = SPAN_DAYS * 86400 / conversations

    def at(seconds: str) -> str:
        return dialect.at.format(seconds, start=start)

    said = sentences()
    connection.execute(text("CREATE TEMPORARY TABLE words (i integer PRIMARY KEY, said text)"))
    connection.execute(text("INSERT INTO words VALUES (:i, :said)"), [{"i": i, "said": one} for i, one in enumerate(said)])
    rebuilt = [] if sqlite else without_indexes(connection)
    begun, turn = f"c.i * {step:.4f}", "(c.i * 5 + m.k / 2)"
    of_user = "CASE WHEN m.k % 2 = 1 THEN {0} END"
    status = f"(CASE {turn} % 10 WHEN 0 THEN 'not_known' WHEN 1 THEN 'abstained' WHEN 2 THEN 'in_form' ELSE 'answered' END)"
    intent = f"(CASE {turn} % 7 WHEN 0 THEN 'greet' WHEN 1 THEN 'submit_aspiration' ELSE 'ask_information' END)"
    topic = f"(CASE {turn} % 6 WHEN 0 THEN 'simpel' WHEN 1 THEN 'magang' WHEN 2 THEN 'istura' ELSE 'jdih' END)"
    known = '\'{"status": "\' || ' + status + ' || \'", "topic": "\' || ' + topic + " || '\"}'"
    known = known if sqlite else f"({known})::json"
    newest = connection.scalar(text("SELECT max(id) FROM messages"))
    m_id = f"({newest} + c.i * {MESSAGES_OF_CONVERSATION} + m.k)"
    c, c_id = series("c", 0, conversations - 1), dialect.id.format("c.i")
    empty = dialect.json.format("[]")
    connection.execute(
        text(f"""{c} INSERT INTO conversations (id, channel, locale, created_at, last_at, forgotten_seq)
        SELECT {c_id}, CASE WHEN c.i % 3 = 0 THEN 'telegram' ELSE 'web' END, CASE WHEN c.i % 9 = 0 THEN 'en' ELSE 'id' END,
        {at(begun)}, {at(f"{begun} + 600")}, 0 FROM c""")
    )
    connection.execute(
        text(f"""{c}, {series("m", 1, MESSAGES_OF_CONVERSATION, "k").removeprefix("WITH RECURSIVE ")}
        INSERT INTO messages (id, reply_to, conversation_id, seq, author, text, buttons, sources, at, external_id, turn,
        status, intent, topic, confidence)
        SELECT {m_id}, CASE WHEN m.k % 2 = 0 THEN {m_id} - 1 END, {c_id}, m.k, CASE WHEN m.k % 2 = 1 THEN 'user' ELSE 'bot' END,
        a.said || ' ' || b.said, {empty}, {empty}, {at(f"{begun} + m.k * 60 - CASE WHEN m.k % 2 = 0 THEN 59 ELSE 0 END")},
        {of_user.format(dialect.id.format("c.i * 100 + m.k"))}, {of_user.format(known)},
        {of_user.format(status)}, {of_user.format(intent)}, {of_user.format(topic)},
        CASE WHEN m.k % 2 = 1 THEN 0.3 + (c.i % 70) / 100.0 END
        FROM c CROSS JOIN m JOIN words a ON a.i = (c.i * 31 + m.k * 7) % {len(said)}
        JOIN words b ON b.i = (c.i * 17 + m.k) % {len(said)}
        {"ORDER BY c.i, m.k" if sqlite else ""}""")
    )
    t = f"{c}, t AS (SELECT i / {CONVERSATIONS_OF_TICKET} AS n, i * {step:.4f} AS s, i FROM c WHERE i % {CONVERSATIONS_OF_TICKET} = 0)"
    number = f"'ASP-' || {'strftime' if sqlite else 'to_char'}" + (
        f"('%Y%m%d', {at('t.s')})" if sqlite else f"({at('t.s')}, 'YYYYMMDD')"
    )
    tail = "printf('%04X', t.n % 65536)" if sqlite else "lpad(upper(to_hex((t.n % 65536)::integer)), 4, '0')"
    due = dialect.day.format("t.s", start=start)
    sealed = "zeroblob(300)" if sqlite else "decode(repeat('ab', 300), 'hex')"
    connection.execute(
        text(f"""{t} INSERT INTO tickets (number, kind, access_code_hash, conversation_id, state, subject, fields, locale, received_at,
        due_on, submission_hash, pseudonymise_when_closed, version, assignee)
        SELECT {number} || '-' || {tail}, CASE WHEN t.n % 3 = 0 THEN 'ASP' WHEN t.n % 3 = 1 THEN 'PIP' ELSE 'KEB' END, 'x',
        {dialect.id.format("t.i")}, CASE WHEN t.n % 10 = 0 THEN 'diterima' ELSE 'selesai' END, 'hukum', {sealed}, 'id', {at("t.s")},
        CASE WHEN t.n % 3 > 0 THEN {due} END, {dialect.id.format("t.n")}, {"0" if sqlite else "false"}, 1,
        CASE WHEN t.n % 4 = 0 THEN 'sari' END FROM t""")
    )
    for name, later, share in (("received", 0, 1), ("answered", 500_000, 2), ("rated", 600_000, 3)):
        moved = f"datetime(received_at, '+{later} seconds') || '.000000'" if sqlite else f"received_at + interval '{later} seconds'"
        data = dialect.json.format('{"score"' + chr(92) + ": 3}")
        connection.execute(
            text(f"""INSERT INTO ticket_events (ticket_id, at, name, actor, data)
            SELECT id, {moved}, '{name}', 'warga', {data} FROM tickets WHERE id % {share} = 0""")
        )
    connection.execute(text(f"""{c} INSERT INTO tracker_events (conversation_id, session, data) SELECT {c_id}, 0, '[]' FROM c"""))
    connection.execute(
        text(f"""{c} INSERT INTO handoffs (conversation_id, state, outcome, officer, urgent, asked_at, taken_at, ended_at)
        SELECT {c_id}, 'ended', 'handed_back', 'sari', {"0" if sqlite else "false"}, {at(begun)}, {at(f"{begun} + 120")},
        {at(f"{begun} + 900")} FROM c WHERE c.i % 50 = 0""")
    )
    for definition in rebuilt:
        connection.execute(text(definition))
    if not sqlite:
        connection.execute(text(f"SELECT setval(pg_get_serial_sequence('messages', 'id'), {newest + messages})"))
    connection.commit()
    if sqlite:
        connection.execute(text("ANALYZE"))
        connection.commit()
    else:
        connection.execution_options(isolation_level="AUTOCOMMIT").execute(text("VACUUM ANALYZE"))


def series(name: str, first: int, last: int, column: str = "i") -> str:
    """A table of whole numbers, both ends included."""
    return f"WITH RECURSIVE {name}({column}) AS (SELECT {first} UNION ALL SELECT {column} + 1 FROM {name} WHERE {column} < {last})"


def without_indexes(connection: Connection) -> list[str]:
    """Take away what slows down loading; gives the statements that make it again."""
    again = ["SET LOCAL maintenance_work_mem = '1GB'", "SET LOCAL synchronous_commit = off"]
    made = "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint"
    chosen = {"tables": list(LOADED)}
    constraints = connection.execute(text(f"{made} WHERE conrelid::regclass::text = ANY (:tables) AND contype IN ('u', 'f')"), chosen)
    for table, name, definition in constraints.all():
        connection.execute(text(f"ALTER TABLE {table} DROP CONSTRAINT {name}"))
        again.append(f"ALTER TABLE {table} ADD CONSTRAINT {name} {definition}")
    primary = "SELECT conname FROM pg_constraint WHERE contype = 'p'"
    query = f"SELECT indexname, indexdef FROM pg_indexes WHERE tablename = ANY (:tables) AND indexname NOT IN ({primary})"
    indexes = connection.execute(text(query), chosen).all()
    for name, definition in indexes:
        connection.execute(text(f"DROP INDEX {name}"))
        again.append(definition)
    return again


def measure(services: Services, conversations: int) -> dict[str, Any]:
    chance = random.Random(7)
    now = utc_now()
    week = now - timedelta(days=7)
    log, tickets = services.conversation_log, services.ticket_list
    today = date.today()
    said = sorted({word for sentence in sentences() for word in re.findall(r"\w{4,}", sentence.lower())})
    month = Span(today - timedelta(days=30), today)
    pages: dict[str, Callable[[], Any]] = {
        "conversations, first page": lambda: log.search(LogFilter(), 1, limit=51),
        "conversations of a week with an intent": lambda: log.search(LogFilter(since=week, intent="greet"), 1, limit=51),
        "conversations not answered": lambda: log.search(LogFilter(unanswered=True), 1, limit=51),
        "conversations by topic and language": lambda: log.search(LogFilter(topic="simpel", language="en"), 1, limit=51),
        "search for a word": lambda: log.search(LogFilter(words=chance.choice(("magang", "istura", "tiket", "paspor"))), 1, limit=51),
        "search for two words": lambda: log.search(LogFilter(words="magang syarat"), 1, limit=51),
        "search for any word that was said": lambda: log.search(LogFilter(words=chance.choice(said)), 1, limit=51),
        "search for any two of them": lambda: log.search(LogFilter(words=" ".join(chance.sample(said, 2))), 1, limit=51),
        "search for a word that nobody said": lambda: log.search(LogFilter(words="xenon"), 1, limit=51),
        "choices of the filters": log.choices,
        "open tickets, first page": lambda: tickets.page(TicketFilter()),
        "all tickets, first page": lambda: tickets.page(TicketFilter(state="all")),
        "tickets by a part of the number": lambda: tickets.page(TicketFilter(state="all", text=f"-{chance.randrange(4096):03X}")),
        "tickets of one officer": lambda: tickets.page(TicketFilter(assignee="sari")),
        "board of tickets": lambda: tickets.board(TicketFilter()),
        "lights of tickets": tickets.lights,
        "overview of a month": lambda: services.overview.figures(month, today),
    }
    found = {name: timed(work) for name, work in pages.items()}
    found["a turn's reads and writes"] = timed(lambda: turn(services, chance, conversations), 200)
    deleted = "500 old conversations deleted"
    found[deleted] = timed(lambda: services.conversations.forget_idle(now - timedelta(days=365), 500), 10)
    with deleting_old_conversations(services):
        found["a turn while old conversations are deleted"] = timed(lambda: turn(services, chance, conversations), 200)
    return found


@contextmanager
def deleting_old_conversations(services: Services) -> Iterator[None]:
    ended = threading.Event()

    def delete() -> None:
        while not ended.is_set():
            if not services.conversations.forget_idle(utc_now() - timedelta(days=365), 500):
                ended.wait(0.1)

    with ThreadPoolExecutor(1) as one:
        deleting = one.submit(delete)
        yield
        ended.set()
        deleting.result()


def turn(services: Services, chance: random.Random, conversations: int) -> None:
    """What a turn asks of the database, in an old conversation taken at random."""
    store = services.conversations
    # Of the second half: what is older than a year is deleted meanwhile.
    name = f"{chance.randrange(conversations // 2 + 1, conversations):032x}" if conversations else store.open("web", "id").id
    opening = store.begin_turn(name, external := str(uuid.uuid4()))
    assert opening is not None
    received = store.add_inbound(name, external, "apa itu simpel?", opening.next_seq)
    row = {"conversation_id": name, "session": 0, "data": "[]"}
    facts = {"status": "answered", "intent": "ask_information", "topic": "simpel", "confidence": 0.9}
    replies = [Reply("SIMPEL adalah layanan perjalanan dinas luar negeri.", [("Ya", "ya")])]
    store.add_replies(name, replies, reply_to=received.id, turn=facts, tracker_row=row, likely_seq=received.seq + 1)


def timed(work: Callable[[], Any], rounds: int = ROUNDS) -> dict[str, float]:
    work()
    milliseconds = []
    for _ in range(rounds):
        started = time.perf_counter()
        work()
        milliseconds.append((time.perf_counter() - started) * 1000)
        if sum(milliseconds) > 30_000 and len(milliseconds) > 4:
            break
    return {**percentiles(milliseconds), "mean": round(statistics.mean(milliseconds), 1), "rounds": len(milliseconds)}


def size(services: Services) -> float:
    with services.database.session() as session:
        if services.database.is_sqlite:
            pages = session.scalar(text("SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()"))
        else:
            pages = session.scalar(text("SELECT pg_database_size(current_database())"))
        return round((pages or 0) / 1e6)


def to_markdown(result: dict[str, Any]) -> str:
    lines = [
        f"{result['messages']:,} messages, {result['size_mb']:,} MB, filled in {result['fill_seconds']} s, "
        f"past days counted in {result['figures_seconds']} s; milliseconds.",
        "",
        "| what | empty p50 | p95 | full p50 | p95 |",
        "|---|--:|--:|--:|--:|",
    ]
    for name, full in result["full"].items():
        empty = result["empty"][name]
        lines.append(f"| {name} | {empty['p50']} | {empty['p95']} | {full['p50']} | {full['p95']} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
