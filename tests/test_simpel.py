import json
import threading
from collections.abc import Iterator
from datetime import date
from functools import partial
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from services.assembly import Services
from services.demo import DEMO_REQUESTS
from services.simpel import HttpSimpelDirectory, SimpelService, SimpelStatus, SimpelUnavailable, SqlSimpelDirectory, Status, keyed_hash
from store.models import SimpelRequest


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


def test_the_sql_directory_answers_for_the_right_pair_only(services: Services) -> None:
    directory = SqlSimpelDirectory(services.database, partial(services.encryption.fingerprint, "simpel"))
    number, (code, status, changed_on) = next(iter(DEMO_REQUESTS.items()))
    assert directory.lookup(number, code) == SimpelStatus(status, changed_on)
    assert directory.lookup(number, "000000") is None
    assert directory.lookup("DEMO-SMP-999999", code) is None


def test_a_view_of_the_ministry_supplies_a_hash_made_with_a_shared_key(services: Services) -> None:
    with services.database.session() as session:
        found = keyed_hash("shared", "B-1/2026", "7K4Q2A")
        session.add(SimpelRequest(number="B-1/2026", access_code_hash=found, status="DITELITI", changed_on=date(2026, 11, 1)))
    directory = SqlSimpelDirectory(services.database, partial(keyed_hash, "shared"))
    assert directory.lookup("B-1/2026", "7K4Q2A") == SimpelStatus(Status.EXAMINED, date(2026, 11, 1))
    assert directory.lookup("B-1/2026", "7K4Q2B") is None


@pytest.mark.parametrize("relation", ["x; DROP TABLE tickets", "a b", "", "x'--"])
def test_a_relation_that_is_no_name_is_refused(services: Services, relation: str) -> None:
    with pytest.raises(ValueError, match="SIMPEL_RELATION"):
        SqlSimpelDirectory(services.database, partial(services.encryption.fingerprint, "simpel"), relation)


def test_a_missing_view_is_an_unavailable_system(services: Services) -> None:
    with pytest.raises(SimpelUnavailable):
        SqlSimpelDirectory(services.database, partial(services.encryption.fingerprint, "simpel"), "no_such_view").lookup("X", "Y")


def test_the_http_directory_asks_as_agreed(ministry: Ministry) -> None:
    directory = HttpSimpelDirectory(ministry.address, "secret")
    assert directory.lookup("X-1/2026", "7K4Q2A") == SimpelStatus(Status.EXAMINED, date(2026, 11, 18))
    assert directory.lookup("X-2/2026", "7K4Q2A") is None
    assert ministry.seen[0]["authorization"] == "Bearer secret"
    assert ministry.seen[0]["path"] == "/v1/status"


def test_a_passing_fault_is_tried_again(ministry: Ministry) -> None:
    ministry.script = [(503, ""), (502, "")]
    assert HttpSimpelDirectory(ministry.address, "t").lookup("X-1/2026", "7K4Q2A") is not None
    assert len(ministry.seen) == 3


@pytest.mark.parametrize("answer", [(200, "not json"), (200, "{}"), (200, '{"status": "BARU", "changed_on": "2026-01-01"}')])
def test_an_answer_of_another_form_is_never_guessed_at(ministry: Ministry, answer: tuple[int, str]) -> None:
    ministry.script = [answer]
    with pytest.raises(SimpelUnavailable, match="agreed form"):
        HttpSimpelDirectory(ministry.address, "t").lookup("X-1/2026", "7K4Q2A")


def test_a_system_that_keeps_failing_is_left_alone(ministry: Ministry) -> None:
    ministry.script = [(500, "")] * 100
    directory = HttpSimpelDirectory(ministry.address, "t")
    for _ in range(6):
        with pytest.raises(SimpelUnavailable):
            directory.lookup("X-1/2026", "7K4Q2A")
    asked = len(ministry.seen)
    with pytest.raises(SimpelUnavailable, match="left alone"):
        directory.lookup("X-1/2026", "7K4Q2A")
    assert len(ministry.seen) == asked


def test_nobody_listening_is_an_unavailable_system() -> None:
    with pytest.raises(SimpelUnavailable, match="did not answer"):
        HttpSimpelDirectory("http://127.0.0.1:9", "t").lookup("X", "Y")


def test_every_outcome_takes_the_same_least_time(services: Services) -> None:
    slept: list[float] = []
    directory = SqlSimpelDirectory(services.database, partial(services.encryption.fingerprint, "simpel"))
    from services.attempts import AttemptLimiter

    service = SimpelService(directory, AttemptLimiter(services.database), services.encryption, lambda: 0.0, slept.append)
    for number, code in [("DEMO-SMP-000101", "7K4Q2A"), ("DEMO-SMP-000101", "7K4Q2B"), ("NONE-1", "7K4Q2B")]:
        service.check(number, code, "someone")
    assert len(set(slept)) == 1
    assert slept[0] > 0


def test_a_number_is_locked_for_everybody_after_five_failures(services: Services) -> None:
    for n in range(5):
        assert services.simpel.check("DEMO-SMP-000104", f"00000{n}", f"attacker-{n}") is None
    assert services.simpel.check("DEMO-SMP-000104", DEMO_REQUESTS["DEMO-SMP-000104"][0], "owner") is None


def test_a_refusal_is_not_asked_again(ministry: Ministry) -> None:
    ministry.script = [(401, "")]
    with pytest.raises(SimpelUnavailable):
        HttpSimpelDirectory(ministry.address, "t").lookup("X-1/2026", "7K4Q2A")
    assert len(ministry.seen) == 1
