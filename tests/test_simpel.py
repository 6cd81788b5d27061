import json
import threading
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta, tzinfo
from functools import partial
from http.server import BaseHTTPRequestHandler, HTTPServer

import httpx
import pybreaker
import pytest
from sqlalchemy import text
from structlog.testing import capture_logs

from services.attempts import ALLOWED_FAILURES, AttemptLimiter
from services.demo import DEMO_REQUESTS, load_demo_data
from services.simpel import (
    SAME_TIME_SECONDS,
    HttpSimpelDirectory,
    SimpelDirectory,
    SimpelService,
    SimpelStatus,
    SimpelUnavailable,
    SqlSimpelDirectory,
    Status,
    find_number,
    keyed_hash,
    normalise_number,
    without_number,
)
from store.database import Database
from store.encryption import Encryption
from store.models import SimpelRequest

TABLE = "simpel_requests"
NUMBER, OTHER = "DEMO-SMP-000104", "DEMO-SMP-000101"
CODE, STATUS, CHANGED_ON = DEMO_REQUESTS[NUMBER]


class Ministry(HTTPServer):
    """A real HTTP server that answers as docs/simpel-openapi.yaml says, or as `script` wants it to fail."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.script: list[tuple[int, str]] = []
        self.seen: list[dict[str, str]] = []

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class Handler(BaseHTTPRequestHandler):
    server: Ministry

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.seen.append({**body, "authorization": self.headers["Authorization"], "path": self.path})
        found = body == {"number": "X-1/2026", "access_code": "7K4Q2A"}
        answer = (200, json.dumps({"status": "DITELITI", "changed_on": "2026-11-18"})) if found else (404, "{}")
        status, text = self.server.script.pop(0) if self.server.script else answer
        self.send_response(status)
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def ministry() -> Iterator[Ministry]:
    server = Ministry()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


class Stopwatch:
    """Stands still but where a test moves it; keeps what was waited."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.waited: list[float] = []

    def clock(self) -> float:
        return self.now


class AskedDirectory:
    """Passes each look-up on, counts them, takes its time, and fails where a test says so."""

    def __init__(self, directory: SimpelDirectory, stopwatch: Stopwatch) -> None:
        self._directory = directory
        self._stopwatch = stopwatch
        self.asked = 0
        self.seconds = 0.0
        self.fails = False

    def lookup(self, number: str, access_code: str) -> SimpelStatus | None:
        self.asked += 1
        self._stopwatch.now += self.seconds
        if self.fails:
            raise SimpelUnavailable("for a test")
        return self._directory.lookup(number, access_code)


@pytest.fixture
def table(database: Database, encryption: Encryption) -> SqlSimpelDirectory:
    load_demo_data(database, encryption)
    return SqlSimpelDirectory(database, partial(encryption.fingerprint, "simpel"), TABLE)


@pytest.fixture
def stopwatch() -> Stopwatch:
    return Stopwatch()


@pytest.fixture
def directory(table: SqlSimpelDirectory, stopwatch: Stopwatch) -> AskedDirectory:
    return AskedDirectory(table, stopwatch)


@pytest.fixture
def simpel(database: Database, encryption: Encryption, directory: AskedDirectory, stopwatch: Stopwatch) -> SimpelService:
    return SimpelService(directory, AttemptLimiter(database), encryption, stopwatch.clock, stopwatch.waited.append)


def fail(simpel: SimpelService, times: int, number: str | None = None, conversation: str | None = None) -> None:
    """So many wrong codes: for one number from many conversations, or from one conversation for many numbers."""
    for n in range(times):
        assert simpel.check(number or f"NONE-{n}", f"00000{n}", conversation or f"attacker-{n}") is None


# Where requests are looked up


def test_the_table_answers_for_the_right_pair_only(table: SqlSimpelDirectory) -> None:
    assert table.lookup(NUMBER, CODE) == SimpelStatus(STATUS, CHANGED_ON)
    assert table.lookup(NUMBER, "000000") is None
    assert table.lookup("DEMO-SMP-999999", CODE) is None
    assert table.lookup("", "") is None


def test_a_view_of_the_ministry_supplies_a_hash_made_with_a_shared_key(database: Database) -> None:
    with database.session() as session:
        found = keyed_hash("shared", "B-1/2026", "7K4Q2A")
        session.add(SimpelRequest(number="B-1/2026", access_code_hash=found, status="DITELITI", changed_on=date(2026, 11, 1)))
    directory = SqlSimpelDirectory(database, partial(keyed_hash, "shared"), TABLE)
    assert directory.lookup("B-1/2026", "7K4Q2A") == SimpelStatus(Status.EXAMINED, date(2026, 11, 1))
    assert directory.lookup("B-1/2026", "7K4Q2B") is None
    assert directory.lookup("B-2/2026", "7K4Q2A") is None


def test_the_ministry_can_make_the_hash_by_the_rule_that_is_written_down() -> None:
    """SELECT encode(hmac('B-1/2026' || chr(31) || '7K4Q2A', 'shared', 'sha256'), 'hex') in PostgreSQL."""
    assert keyed_hash("shared", "B-1/2026", "7K4Q2A") == "88709fdea27cd41ac8d2b4ec9fe4c57e07124ee0b1da1cf1e86075e5c448dd5f"


@pytest.mark.parametrize("relation", ["x; DROP TABLE tickets", "a b", "", "x'--", "a.b.c", "1x", "x" * 64])
def test_a_relation_that_is_no_name_is_refused(database: Database, encryption: Encryption, relation: str) -> None:
    with pytest.raises(ValueError, match="SIMPEL_RELATION"):
        SqlSimpelDirectory(database, partial(encryption.fingerprint, "simpel"), relation)


@pytest.mark.parametrize("relation", ["main.simpel_requests", "Main.SIMPEL_Requests"])
def test_a_view_in_a_schema_is_read(database: Database, relation: str) -> None:
    with database.session() as session:
        session.add(SimpelRequest(number="B-1/2026", access_code_hash="hash", status="DIKIRIM", changed_on=date(2026, 11, 1)))
    directory = SqlSimpelDirectory(database, lambda _number, _code: "hash", relation)
    assert directory.lookup("B-1/2026", "7K4Q2A") == SimpelStatus(Status.SENT, date(2026, 11, 1))


def test_a_table_that_keeps_failing_is_left_alone_for_a_while(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    directory = SqlSimpelDirectory(database, "{} {}".format, "not_there")
    for _ in range(5):
        with pytest.raises(SimpelUnavailable):
            directory.lookup("X-1", "A")
    monkeypatch.setattr(database, "session", lambda: pytest.fail("the database was asked"))
    with pytest.raises(SimpelUnavailable, match=r"^the SIMPEL table failed repeatedly and is left alone for a while$"):
        directory.lookup("X-1", "A")


def view_of(database: Database, row: str) -> SqlSimpelDirectory:
    """A view with the one row of request X-1; a hash in it is number and code with a space between."""
    with database.session() as session:
        session.execute(text(f"CREATE VIEW one_row AS SELECT 'X-1' AS number, NULL AS changed_on, {row}"))
    return SqlSimpelDirectory(database, "{} {}".format, "one_row")


def test_a_status_that_nobody_agreed_on_is_never_guessed_at_nor_told_to_a_stranger(database: Database) -> None:
    directory = view_of(database, "'X-1 7K4Q2A' AS access_code_hash, 'BARU' AS status")
    with pytest.raises(SimpelUnavailable, match=r"^the SIMPEL table holds a status that nobody agreed on$"):
        directory.lookup("X-1", "7K4Q2A")
    assert directory.lookup("X-1", "7K4Q2B") is None


def test_a_row_without_a_hash_opens_to_nobody(database: Database) -> None:
    directory = view_of(database, "NULL AS access_code_hash, 'DRAF' AS status")
    assert [directory.lookup("X-1", code) for code in ("7K4Q2A", "", "None")] == [None, None, None]


def test_a_missing_view_is_an_unavailable_system(database: Database, encryption: Encryption) -> None:
    with pytest.raises(SimpelUnavailable, match=r"^the SIMPEL table can't be read$"):
        SqlSimpelDirectory(database, partial(encryption.fingerprint, "simpel"), "no_such_view").lookup("X", "Y")


def test_the_http_directory_asks_as_agreed(ministry: Ministry) -> None:
    directory = HttpSimpelDirectory(ministry.address, "secret")
    assert directory.lookup("X-1/2026", "7K4Q2A") == SimpelStatus(Status.EXAMINED, date(2026, 11, 18))
    assert directory.lookup("X-2/2026", "7K4Q2A") is None
    assert ministry.seen[0]["authorization"] == "Bearer secret"
    assert ministry.seen[0]["path"] == "/v1/status"


def test_a_passing_fault_is_tried_again(ministry: Ministry) -> None:
    ministry.script = [(500, ""), (503, "")]
    assert HttpSimpelDirectory(ministry.address, "t").lookup("X-1/2026", "7K4Q2A") is not None
    assert len(ministry.seen) == 3


@pytest.mark.parametrize("answer", [(200, "not json"), (200, "{}"), (200, '{"status": "BARU", "changed_on": "2026-01-01"}')])
def test_an_answer_of_another_form_is_never_guessed_at(ministry: Ministry, answer: tuple[int, str]) -> None:
    ministry.script = [answer]
    with pytest.raises(SimpelUnavailable, match=r"^SIMPEL's answer is not of the agreed form$"):
        HttpSimpelDirectory(ministry.address, "t").lookup("X-1/2026", "7K4Q2A")


def test_a_system_that_keeps_failing_is_left_alone(ministry: Ministry) -> None:
    ministry.script = [(500, "")] * 100
    directory = HttpSimpelDirectory(ministry.address, "t")
    for _ in range(6):
        with pytest.raises(SimpelUnavailable):
            directory.lookup("X-1/2026", "7K4Q2A")
    asked = len(ministry.seen)
    with pytest.raises(SimpelUnavailable, match=r"^SIMPEL failed repeatedly and is left alone for a while$"):
        directory.lookup("X-1/2026", "7K4Q2A")
    assert len(ministry.seen) == asked


def test_nobody_listening_is_an_unavailable_system() -> None:
    with pytest.raises(SimpelUnavailable, match=r"^SIMPEL did not answer: ConnectError$"):
        HttpSimpelDirectory("http://127.0.0.1:9", "t").lookup("X", "Y")


def test_a_refusal_is_not_asked_again(ministry: Ministry) -> None:
    ministry.script = [(401, "")]
    with pytest.raises(SimpelUnavailable):
        HttpSimpelDirectory(ministry.address, "t").lookup("X-1/2026", "7K4Q2A")
    assert len(ministry.seen) == 1


ANSWER = httpx.Response(200, json={"status": "DITELITI", "changed_on": "2026-11-18"})


def test_an_answer_is_waited_for_two_seconds_and_asked_for_as_json() -> None:
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return ANSWER

    directory = HttpSimpelDirectory("http://simpel.test/api", "t", httpx.MockTransport(answer))
    assert directory.lookup("X-1/2026", "7K4Q2A") is not None
    assert seen[0].url == "http://simpel.test/api/v1/status"
    assert seen[0].headers["Accept"] == "application/json"
    assert seen[0].extensions["timeout"] == dict.fromkeys(("connect", "read", "write", "pool"), 2.0)


def test_neither_token_nor_code_follow_a_redirection(ministry: Ministry) -> None:
    def elsewhere(request: httpx.Request) -> httpx.Response:
        return httpx.Response(307, headers={"Location": f"{ministry.address}/v1/status"})

    with pytest.raises(SimpelUnavailable):
        HttpSimpelDirectory("http://simpel.test", "t", httpx.MockTransport(elsewhere)).lookup("X-1/2026", "7K4Q2A")
    assert ministry.seen == []


def test_a_system_that_was_left_alone_is_asked_again_after_half_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    works = False
    started = datetime.now(UTC)

    def answer(_request: httpx.Request) -> httpx.Response:
        return ANSWER if works else httpx.Response(400)

    class Later(datetime):
        seconds = 0

        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:
            return started.astimezone(tz) + timedelta(seconds=cls.seconds)

    monkeypatch.setattr(pybreaker, "datetime", Later)
    directory = HttpSimpelDirectory("http://simpel.test", "t", httpx.MockTransport(answer))
    for _ in range(5):
        with pytest.raises(SimpelUnavailable):
            directory.lookup("X-1/2026", "7K4Q2A")
    works, Later.seconds = True, 29
    with pytest.raises(SimpelUnavailable, match=r"^SIMPEL failed repeatedly and is left alone for a while$"):
        directory.lookup("X-1/2026", "7K4Q2A")
    Later.seconds = 30
    assert directory.lookup("X-1/2026", "7K4Q2A") is not None


def test_a_number_that_is_not_found_is_no_failure_of_the_system(ministry: Ministry) -> None:
    directory = HttpSimpelDirectory(ministry.address, "t")
    for _ in range(10):
        assert directory.lookup("X-2/2026", "7K4Q2A") is None
    assert directory.lookup("X-1/2026", "7K4Q2A") is not None


# What is told to whom


@pytest.mark.parametrize("number", DEMO_REQUESTS)
def test_the_right_number_and_code_show_status_and_day_however_the_number_is_written(simpel: SimpelService, number: str) -> None:
    code, status, changed_on = DEMO_REQUESTS[number]
    for written in (number, number.lower().replace("-", " "), f" {number.replace('-', '–')}. ", number.replace("-000", "_")):
        assert simpel.check(written, code, "owner") == SimpelStatus(status, changed_on)


@pytest.mark.parametrize(
    ("written", "number"),
    [
        (" b - 32 / m / s / ln.00 / 12 / 2024 ", "B-32/M/S/LN.00/12/2024"),
        ("B–32/M/S/LN.00/12/2024,", "B-32/M/S/LN.00/12/2024"),
        ('"x-1/2026/x"', "X-1/2026/X"),
        ("demo smp 7!", "DEMO-SMP-000007"),
        ("demo_smp_7?", "DEMO-SMP-000007"),
        ("DEMO-SMP-0000007", "DEMO-SMP-0000007"),
    ],
)
def test_a_number_has_one_form_to_look_it_up_by(written: str, number: str) -> None:
    assert normalise_number(written) == number


@pytest.mark.parametrize(
    ("message", "number"),
    [
        ("status B-32/M/S/LN.00/12/2024 gimana", "B-32/M/S/LN.00/12/2024"),
        ("nomor KTLN/2026-17 ya", "KTLN/2026-17"),
        ("sesuai UU 14/2008, nomor ABC/123-9", "ABC/123-9"),
        ("tanggal 12/11/2026 saja, menurut UU 14/2008", None),
        ("berangkat H-3", None),
    ],
)
def test_a_number_of_any_form_is_found_beside_dates_and_laws(message: str, number: str | None) -> None:
    assert find_number(message) == number


def test_numbers_of_a_known_form_are_left_out_of_a_message() -> None:
    assert without_number("SP demo-smp-101 dan B - 32 / M / 12 / 2024 itu, KTLN/2026-17") == "SP   dan   itu, KTLN/2026-17"


def test_every_outcome_takes_the_same_least_time(simpel: SimpelService, directory: AskedDirectory, stopwatch: Stopwatch) -> None:
    directory.seconds = 0.05
    for number, code in [(OTHER, DEMO_REQUESTS[OTHER][0]), (OTHER, "7K4Q2B"), ("NONE-1", "7K4Q2B")]:
        simpel.check(number, code, "someone")
    fail(simpel, ALLOWED_FAILURES, NUMBER)
    simpel.check(NUMBER, CODE, "someone")
    directory.fails = True
    with pytest.raises(SimpelUnavailable):
        simpel.check(OTHER, DEMO_REQUESTS[OTHER][0], "someone")
    assert len(stopwatch.waited) == directory.asked == 10
    assert all(waited == pytest.approx(SAME_TIME_SECONDS - 0.05) for waited in stopwatch.waited)


def test_who_was_slow_already_waits_no_longer(simpel: SimpelService, directory: AskedDirectory, stopwatch: Stopwatch) -> None:
    directory.seconds = 2.0
    simpel.check(NUMBER, CODE, "owner")
    assert stopwatch.waited == [0.0]


def test_a_number_is_locked_for_everybody_after_five_failures(simpel: SimpelService) -> None:
    fail(simpel, ALLOWED_FAILURES, NUMBER)
    assert simpel.check(NUMBER, CODE, "owner") is None
    assert simpel.check("demo smp 104", CODE, "owner") is None
    assert simpel.check(OTHER, DEMO_REQUESTS[OTHER][0], "owner") is not None


def test_the_right_code_forgets_the_mistyped_ones_before_it(simpel: SimpelService) -> None:
    for _ in range(3):
        fail(simpel, ALLOWED_FAILURES - 1, NUMBER, "owner")
        assert simpel.check(NUMBER, CODE, "owner") is not None


def test_a_conversation_is_locked_for_all_numbers_after_five_failures(simpel: SimpelService) -> None:
    fail(simpel, ALLOWED_FAILURES, conversation="attacker")
    assert simpel.check(NUMBER, CODE, "attacker") is None
    assert simpel.check(NUMBER, CODE, "owner") is not None


def test_a_system_that_does_not_answer_is_no_failure_of_who_asks(simpel: SimpelService, directory: AskedDirectory) -> None:
    directory.fails = True
    for _ in range(ALLOWED_FAILURES):
        with pytest.raises(SimpelUnavailable):
            simpel.check(NUMBER, CODE, "owner")
    directory.fails = False
    assert simpel.check(NUMBER, CODE, "owner") == SimpelStatus(STATUS, CHANGED_ON)


def test_a_fault_of_the_ministrys_system_is_logged_without_number_and_code(simpel: SimpelService, directory: AskedDirectory) -> None:
    directory.fails = True
    with capture_logs() as logs, pytest.raises(SimpelUnavailable):
        simpel.check(NUMBER, CODE, "c")
    assert logs == [{"event": "SimpelUnavailable", "reason": "for a test", "log_level": "warning"}]
