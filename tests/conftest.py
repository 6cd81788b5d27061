"""Shared fixtures: real services on a real SQLite file of each test, and the trained model, loaded once."""

from __future__ import annotations

import logging
import os
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

os.environ["RASA_TELEMETRY_ENABLED"] = "false"

import httpx
import hypothesis
import pytest
import structlog

from bot.assistant import Assistant
from bot.server import create_app
from services import answerability
from services.assembly import Services, assemble, follow_up_search, shared_encoder, use
from services.knowledge import Knowledge
from services.settings import PROJECT, Settings
from store.database import Database
from store.encryption import Encryption, open_encryption

LOGS: dict[str, Any] = {"wrapper_class": structlog.make_filtering_bound_logger(logging.INFO)}
"""Without what Rasa writes of each tracker at DEBUG, which takes time."""
structlog.configure(**LOGS)
hypothesis.settings.register_profile("untimed", hypothesis.settings(), deadline=None)
hypothesis.settings.load_profile("untimed")


@pytest.fixture(autouse=True)
def logs_of_the_test(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A command configures the logs of its process; the next test begins with logs as they were, and no stream of this one."""
    configure, handlers, level = structlog.configure, logging.root.handlers[:], logging.root.level
    monkeypatch.setattr(structlog, "configure", lambda **options: configure(**options | {"cache_logger_on_first_use": False}))
    yield
    structlog.reset_defaults()
    configure(**LOGS)
    logging.captureWarnings(False)
    logging.root.handlers, logging.root.level = handlers, level


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With today's schema. A test begins with a copy of it: to migrate each anew takes ten times as long."""
    file = tmp_path_factory.mktemp("empty") / "sapa.db"
    made = Database(f"sqlite:///{file}")
    made.migrate()
    made.close()
    return file


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(_env_file=None, SAPA_DATA_DIR=tmp_path)


@pytest.fixture
def database(settings: Settings, empty_database: Path) -> Iterator[Database]:
    opened = Database(settings.database)
    shutil.copy(empty_database, str(opened.url.database))
    yield opened
    opened.close()


@pytest.fixture
def encryption(settings: Settings) -> Encryption:
    return open_encryption(settings.keys, settings.data_dir)


@pytest.fixture(scope="session")
def knowledge() -> Knowledge:
    return Knowledge(PROJECT / "knowledge", shared_encoder(), follow_ups=follow_up_search(), unanswerable=answerability.read())


@pytest.fixture
def services(settings: Settings, knowledge: Knowledge, database: Database) -> Iterator[Services]:
    """All of them, which needs the knowledge; a service by itself needs only `database` and `encryption`."""
    assembled = assemble(settings, knowledge)
    use(assembled)
    yield assembled
    assembled.database.close()


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Assistant:
    """The assistant with the trained model; `assistant` puts it on the database of a test."""
    models = Path("models")
    if not list(models.glob("sapa-*.tar.gz")):
        pytest.fail("no trained model: run the tests by `make test`, which trains it first")
    database = Database(f"sqlite:///{tmp_path_factory.mktemp('trained')}/unused.db")
    return Assistant(models, database, action_seconds=8)


@pytest.fixture
def assistant(trained: Assistant, services: Services) -> Assistant:
    trained.use_database(services.database)
    return trained


@pytest.fixture
async def client(services: Services, assistant: Assistant) -> AsyncIterator[httpx.AsyncClient]:
    """The whole application without a socket in between."""
    transport = httpx.ASGITransport(create_app(services, assistant), client=("127.0.0.1", 1234))
    async with httpx.AsyncClient(transport=transport, base_url="http://sapa.test", timeout=30) as opened:
        yield opened
