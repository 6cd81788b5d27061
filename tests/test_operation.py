"""Readiness that tells the truth, figures, numbers of requests in log and answer, alerts with a runbook each."""

from __future__ import annotations

import io
import json
import logging
import os
import re
import subprocess
import sys
from datetime import UTC, date, datetime
from pathlib import Path

import httpx
import pytest
import structlog
import yaml
from cryptography.fernet import Fernet
from sqlalchemy import text

from bot import operation as operation_module
from bot.conversation import ConversationService
from services.assembly import Services
from services.settings import PROJECT
from services.tickets import Filing, Kind
from store.encryption import Encryption
from tests.citizen import Citizen

NOW = datetime(2026, 11, 23, 3, tzinfo=UTC)


async def checks(client: httpx.AsyncClient) -> tuple[int, dict[str, bool]]:
    answer = await client.get("/readyz")
    return answer.status_code, answer.json()["checks"]


async def test_ready_is_said_when_everything_holds(client: httpx.AsyncClient) -> None:
    status, found = await checks(client)
    assert (status, set(found.values())) == (200, {True})
    assert set(found) == {"model", "knowledge", "database", "migrations", "keys", "disk"}


async def test_a_database_of_an_earlier_release_is_not_ready(client: httpx.AsyncClient, services: Services) -> None:
    with services.database.session() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '0001'"))
    status, found = await checks(client)
    assert (status, found["migrations"]) == (503, False)


async def test_the_wrong_keys_are_not_ready(client: httpx.AsyncClient, services: Services) -> None:
    conversation = services.conversations.open("telegram", "id", "4711")
    assert (await checks(client))[0] == 200
    services.encryption._use([Fernet.generate_key().decode()])
    status, found = await checks(client)
    assert (status, found["keys"]) == (503, False), conversation.id


def test_a_server_does_not_start_with_the_keys_of_another_database(services: Services) -> None:
    services.conversations.open("telegram", "id", "4711")
    environment = {**os.environ, "SAPA_DATA_DIR": str(services.settings.data_dir), "SAPA_KEYS": Fernet.generate_key().decode()}
    command = [Path(sys.executable).with_name("sapa"), "serve"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 2
    assert "key-lost.md" in done.stderr


async def test_a_full_disk_is_not_ready(client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.operation.LEAST_FREE_BYTES", 2**62)
    status, found = await checks(client)
    assert (status, found["disk"]) == (503, False)


async def test_an_unreachable_database_is_not_ready(client: httpx.AsyncClient, services: Services, monkeypatch) -> None:
    monkeypatch.setattr(type(services.database), "is_reachable", lambda _self: False)
    status, found = await checks(client)
    assert status == 503
    assert not (found["database"] or found["migrations"] or found["keys"])


async def test_figures_count_turns_tickets_and_queues(client: httpx.AsyncClient, services: Services) -> None:
    citizen = await Citizen(client).arrives()
    await citizen.says("apa itu simpel?")
    services.tickets.file(Filing(Kind.INFORMATION_REQUEST, {"details": "x"}, "wni", "", "id"), NOW)
    services.job_runs.record("backup", NOW, 20, None)
    shown = (await client.get("/metrics")).text
    assert re.search(r'sapa_turns_total\{status="answered"\} [1-9]', shown)
    assert re.search(r"sapa_turn_seconds_count [1-9]", shown)
    for name in (
        "sapa_handoffs_waiting 0",
        'sapa_queue_length{queue="telegram"} 0',
        "sapa_jobs_failing 0",
        'sapa_ready{check="keys"} 1',
    ):
        assert name in shown, name
    assert "sapa_disk_free_bytes" in shown
    backup = re.search(r'sapa_job_run_timestamp_seconds\{name="backup"\} (\S+)', shown)
    assert backup and float(backup[1]) == NOW.timestamp()


def test_tickets_are_counted_by_what_is_left_of_their_time_limit(services: Services) -> None:
    filed = services.tickets.file(Filing(Kind.INFORMATION_REQUEST, {"details": "x"}, "wni", "", "id"), NOW)
    assert filed.due_on == date(2026, 12, 7)
    for day, light in ((1, "green"), (3, "amber"), (7, "red"), (8, "overdue")):
        lights = services.operation.figures(datetime(2026, 12, day, 3, tzinfo=UTC)).tickets
        assert [name for name, number in lights.items() if number] == [light], day


async def test_methods_that_nobody_knows_make_no_new_series(client: httpx.AsyncClient) -> None:
    for n in range(3):
        await client.request(f"BREW{n}", "/")
    assert "BREW" not in (await client.get("/metrics")).text


async def test_a_failed_turn_has_one_number_in_answer_header_and_log(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    citizen = await Citizen(client).arrives()

    def fails(*_given: object) -> None:
        raise RuntimeError("NIK 3201234509870001")

    monkeypatch.setattr("services.knowledge.Knowledge.find", fails)
    body = {"client_message_id": "123e4567-e89b-12d3-a456-426614174000", "text": "apa itu setneg mantul?"}
    answer = await client.post("/api/chat/messages", json=body, headers=citizen.headers)
    number = answer.headers["x-request-id"]
    assert number in answer.json()["messages"][-1]["text"]
    logged = capsys.readouterr()
    assert number in logged.out + logged.err
    assert "3201234509870001" not in logged.out + logged.err


async def test_an_unexpected_fault_has_its_number_too(services: Services, assistant, monkeypatch: pytest.MonkeyPatch) -> None:
    from bot.server import create_app

    async def fails(*_given: object) -> None:
        raise ValueError("rahasia")

    monkeypatch.setattr(ConversationService, "messages_after", fails)
    transport = httpx.ASGITransport(create_app(services, assistant), client=("127.0.0.1", 1))  # which would raise what gets through
    async with httpx.AsyncClient(transport=transport, base_url="http://sapa.test") as client:
        citizen = await Citizen(client).arrives()
        answer = await client.get("/api/chat/messages", headers=citizen.headers)
    assert answer.status_code == 500
    assert answer.json()["reference"] == answer.headers["x-request-id"]
    assert "rahasia" not in answer.text


def test_whatever_is_logged_is_one_json_object_on_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    from bot.logs import configure_logs

    written = io.StringIO()
    monkeypatch.setattr("sys.stderr", written)
    before = structlog.get_config()
    try:
        configure_logs()
        structlog.get_logger("uji").error("turn failed", intent='a\n{"event": "palsu"}', route="\x1b[31m\r\u2028b", text="\x00")
    finally:
        structlog.configure(**before)
    (line,) = written.getvalue().splitlines()
    assert json.loads(line)["intent"] == 'a\n{"event": "palsu"}'
    assert "\x1b" not in line
    assert "\u2028" not in line


def test_of_a_library_only_its_name_and_the_name_and_place_of_an_error_are_logged(monkeypatch: pytest.MonkeyPatch) -> None:
    from bot.logs import configure_logs

    written = io.StringIO()
    monkeypatch.setattr("sys.stderr", written)
    for name in ("propagate", "disabled"):  # a server of another test may have set up logs of its own
        monkeypatch.setattr(logging.getLogger("uvicorn"), name, name == "propagate")
    before, handlers = structlog.get_config(), logging.getLogger().handlers[:]
    try:
        configure_logs()
        try:
            raise ValueError("NIK 3201234509870001")
        except ValueError:
            logging.getLogger("asyncio").exception("Task failed: %s", "3201234509870001")
        logging.getLogger("uvicorn.error").error("address already in use")
    finally:
        structlog.configure(**before)
        logging.getLogger().handlers = handlers
    lines = [json.loads(line) for line in written.getvalue().splitlines()]
    assert "3201234509870001" not in written.getvalue()
    assert {"library": "asyncio", "error": "ValueError"}.items() <= lines[0].items()
    assert lines[0]["at"].startswith("test_operation.py:")
    assert lines[1]["event"] == "address already in use"


# Alerts

ALERTS = [rule for group in yaml.safe_load((PROJECT / "deploy/alerts.yml").read_text())["groups"] for rule in group["rules"]]
DASHBOARD = json.loads((PROJECT / "deploy/grafana-dashboard.json").read_text())
METRIC = re.compile(r"sapa_[a-z_]+")


@pytest.mark.parametrize("rule", ALERTS, ids=lambda rule: rule["alert"])
def test_every_alert_has_a_runbook_that_names_it(rule: dict) -> None:
    runbook = PROJECT / rule["annotations"]["runbook"]
    assert f"`{rule['alert']}`" in runbook.read_text(encoding="utf-8")
    assert rule["labels"]["severity"] in ("critical", "warning")


async def test_every_figure_that_alerts_and_dashboard_ask_for_is_there(
    client: httpx.AsyncClient, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(operation_module, "FIGURES_SECONDS", -1)
    services.job_runs.record("backup", NOW, 20, None)
    citizen = await Citizen(client).arrives()
    await citizen.says("halo")
    await client.get("/readyz")
    shown = (await client.get("/metrics")).text
    asked = [rule["expr"] for rule in ALERTS] + [t["expr"] for panel in DASHBOARD["panels"] for t in panel["targets"]]
    for name in {name for expression in asked for name in METRIC.findall(expression)}:
        assert re.search(rf"^{name}[ {{]", shown, re.M), name


def test_encryption_of_two_keys_opens_what_the_older_has_sealed() -> None:
    first, second = (Fernet.generate_key().decode() for _ in range(2))
    assert Encryption([second, first]).unseal(Encryption([first]).seal("x")) == "x"
