"""Shared fixtures: real services on a real SQLite file of each test, and the trained model, loaded once."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

os.environ["RASA_TELEMETRY_ENABLED"] = "false"

import httpx
import pytest

from services.assembly import Services, assemble, use
from services.settings import Settings


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(_env_file=None, SAPA_DATA_DIR=tmp_path)  # type: ignore[call-arg]  # named by their environment variables


@pytest.fixture
def services(settings: Settings) -> Iterator[Services]:
    assembled = assemble(settings)
    use(assembled)
    yield assembled
    assembled.database.close()


@pytest.fixture(scope="session")
def model_dir() -> Path:
    folder = Path("models")
    if not list(folder.glob("sapa-*.tar.gz")):
        pytest.fail("no trained model: run the tests by `make test`, which trains it first")
    return folder


@pytest.fixture
async def client(services: Services, model_dir: Path) -> AsyncIterator[httpx.AsyncClient]:
    """The whole application without a socket in between."""
    from bot.server import create_app

    transport = httpx.ASGITransport(create_app(services), client=("127.0.0.1", 1234))
    async with httpx.AsyncClient(transport=transport, base_url="http://sapa.test", timeout=30) as opened:
        yield opened
