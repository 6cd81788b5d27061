"""A new model is taken over by a process that serves, between two turns, and taken back."""

from __future__ import annotations

import asyncio
import os
import shutil
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner

from bot import cli
from bot.assistant import Assistant
from bot.conversation import ConversationService
from bot.messages import Inbound
from bot.model_commands import model_app
from bot.model_files import model_file, model_files
from bot.model_watch import ModelWatch
from bot.training import KEPT_MODELS, fingerprint
from services import assembly
from services.assembly import Services
from services.settings import PROJECT
from store.database import utc_now
from store.leases import Leases
from tests.citizen import Citizen

OTHER = "0123456789ab"
MINUTE = timedelta(minutes=1)


@pytest.fixture
def models(tmp_path: Path, assistant: Assistant, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the trained model and, as an older one under another version, a second."""
    folder = tmp_path / "models"
    folder.mkdir()
    trained = model_files(PROJECT / "models")[0]
    (folder / trained.path.name).symlink_to(trained.path.absolute())
    shutil.copyfile(trained.path, folder / f"sapa-{OTHER}.tar.gz")
    os.utime(folder / f"sapa-{OTHER}.tar.gz", (0, 0))
    for name in ("_agent", "version"):  # all tests share the assistant
        monkeypatch.setattr(assistant, name, getattr(assistant, name))
    return folder


@pytest.fixture
def watch(assistant: Assistant, models: Path, services: Services) -> ModelWatch:
    return ModelWatch(assistant, models, services.model_choices, Leases(services.database))


async def test_a_chosen_model_is_served_from_the_next_turn_on_and_an_open_form_goes_on(
    services: Services, assistant: Assistant, watch: ModelWatch, client: httpx.AsyncClient
) -> None:
    before = assistant.version
    citizen = await Citizen(client).arrives()
    await citizen.goes_through("saya ingin menyampaikan aspirasi", "ya")
    assert not await watch.look(), "nobody has chosen"
    services.model_choices.choose(OTHER)
    assert await watch.look()
    assert assistant.version == OTHER
    assert (await client.get("/readyz")).json()["model"] == OTHER
    assert "tentang apa" in (await citizen.says("Perbanyak beasiswa untuk anak nelayan di daerah terpencil")).lower()
    assert not await watch.look()
    services.model_choices.choose(before)
    assert services.model_choices.roll_back() == OTHER
    assert not await watch.look()


async def test_the_first_choice_can_be_taken_back_while_serving(services: Services, assistant: Assistant, watch: ModelWatch) -> None:
    before = assistant.version
    services.model_choices.choose(OTHER)
    assert await watch.look()
    assert services.model_choices.roll_back() is None
    assert await watch.look()
    assert assistant.version == before


async def test_a_turn_that_has_begun_ends_with_the_model_it_began_with(
    services: Services, assistant: Assistant, models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = ConversationService(assistant, services)
    conversation = services.conversations.open("web", "id")
    respond, other = assistant.respond, model_file(models, OTHER)
    assert other is not None
    swapped = asyncio.Event()

    async def take_over_meanwhile(*args: Any, **kwargs: Any) -> object:
        if not swapped.is_set():
            swapping = asyncio.create_task(asyncio.to_thread(assistant.take_over, other.path))
            answer = await respond(*args, **kwargs)
            await swapping
            swapped.set()
            return answer
        return await respond(*args, **kwargs)

    monkeypatch.setattr(assistant, "respond", take_over_meanwhile)
    assert await service.handle(Inbound(conversation.id, "1", "saya ingin menyampaikan aspirasi"))
    assert assistant.version == OTHER
    (answer, *_) = await service.handle(Inbound(conversation.id, "2", "ya"))
    assert "tuliskan aspirasi" in answer.text.lower()


async def test_a_model_that_is_missing_or_broken_changes_nothing(
    services: Services, assistant: Assistant, watch: ModelWatch, models: Path
) -> None:
    before = assistant.version
    services.model_choices.choose("ffffffffffff")
    assert not await watch.look()
    (models / f"sapa-{OTHER}.tar.gz").write_bytes(b"no archive")
    services.model_choices.choose(OTHER)
    assert not await watch.look()
    assert not await watch.look(), "a broken file is not tried again and again"
    assert assistant.version == before
    assert Leases(services.database).take("model", "another process", utc_now(), MINUTE)


async def test_one_process_after_the_other_takes_a_model_over(services: Services, assistant: Assistant, watch: ModelWatch) -> None:
    assert Leases(services.database).take("model", "another process", utc_now(), MINUTE)
    services.model_choices.choose(OTHER)
    assert not await watch.look()
    Leases(services.database).release("model", "another process")
    assert await watch.look()
    assert assistant.version == OTHER


def test_the_command_lists_chooses_and_goes_back(services: Services, models: Path) -> None:
    run = CliRunner().invoke
    services.settings.models_dir = models
    assert OTHER in run(model_app, ["list"]).output
    assert run(model_app, ["rollback"]).exit_code == 1
    refused = run(model_app, ["use", "ffffffffffff"])
    assert refused.exit_code == 1
    assert services.model_choices.current() is None
    services.model_choices.choose(OTHER)
    assert f"* {OTHER}" in run(model_app, ["list"]).output
    assert run(model_app, ["use", "newest"]).exit_code == 0
    assert OTHER in run(model_app, ["rollback"]).output
    assert services.model_choices.current() == OTHER


def test_training_deletes_old_models_but_not_the_chosen_one_nor_the_one_to_go_back_to(
    services: Services, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    services.settings.models_dir = tmp_path
    monkeypatch.setattr(assembly, "settings", lambda: services.settings)
    versions = [fingerprint(), *(f"{number:012x}" for number in range(KEPT_MODELS + 3))]
    for age, version in enumerate(versions):
        path = tmp_path / f"sapa-{version}.tar.gz"
        path.touch()
        os.utime(path, (1000 - age, 1000 - age))
    before, chosen = versions[-1], versions[-3]
    services.model_choices.choose(before)
    services.model_choices.choose(chosen)
    cli.train()
    assert {file.version for file in model_files(tmp_path)} == {*versions[:KEPT_MODELS], chosen, before}
    assert services.model_choices.roll_back() == before
