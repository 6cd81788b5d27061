"""A server whose turns other processes answer, under load, while those die or are replaced: nobody who talks to it notices."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest

from bot.model_files import model_files
from services.model_choice import ModelChoices
from services.settings import PROJECT
from store.database import Database
from tests.chaos.server import RealServer
from tests.scale.machines import OTHER_MODEL, wait_for
from tests.scale.test_many_processes import clients, seconds_disturbed, until_said
from tests.scale.visitor import Visitor

pytestmark = [pytest.mark.scale, pytest.mark.timeout(600)]
PROCESSES = 2
VISITORS = (1, 2, 3, 4, 5, 6)
ONLY_ASK = (1, 2, 4, 5)
"""Numbers of visitors who file nothing; see `Visitor.talk`."""
QUESTION = "jam buka istura"


class Installation:
    """A server with knowledge and models of its own, which a test may change."""

    def __init__(self, folder: Path) -> None:
        self.knowledge, self.models = folder / "knowledge", folder / "models"
        shutil.copytree(PROJECT / "knowledge", self.knowledge)
        self.models.mkdir()
        trained = model_files(PROJECT / "models")[0].path
        for name in (f"sapa-{OTHER_MODEL}.tar.gz", trained.name):
            shutil.copyfile(trained, self.models / name)
        os.utime(self.models / f"sapa-{OTHER_MODEL}.tar.gz", (0, 0))
        vectors = PROJECT / "var" / "cache" / "vectors.db"
        (folder / "data" / "cache").mkdir(parents=True)
        if vectors.exists():
            shutil.copy(vectors, folder / "data" / "cache")
        self.server = RealServer(
            folder,
            SAPA_TURN_PROCESSES=str(PROCESSES),
            SAPA_KNOWLEDGE_DIR=str(self.knowledge),
            SAPA_MODELS_DIR=str(self.models),
            SAPA_LIMITS="off",
        )
        self.folder = folder

    def answering(self) -> list[int]:
        """The ids of the processes that answer: the children of the keeper."""
        return [pid for pid in self.server.family()[2:] if not _is_over(pid)]

    @property
    def log(self) -> str:
        return "".join(file.read_text(errors="replace") for file in sorted(self.folder.glob("serve-*.log")))


def _is_over(pid: int) -> bool:
    with suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    return True


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    made = Installation(tmp_path_factory.mktemp("turn-processes"))
    made.server.start()
    yield made
    made.server.kill()


def kill_one(installation: Installation) -> None:
    before = installation.answering()
    assert len(before) == PROCESSES
    os.kill(before[0], signal.SIGKILL)
    wait_for("another to take its place", lambda: len(set(installation.answering()) - {before[0]}) == PROCESSES)


def kill_all(installation: Installation) -> None:
    before = set(installation.answering())
    for pid in before:
        os.kill(pid, signal.SIGKILL)
    wait_for("others to take their place", lambda: len(set(installation.answering()) - before) == PROCESSES)


def stop_one_for_good(installation: Installation) -> None:
    """It neither answers nor ends: its turns wait, are sent again by those who asked, and others are answered all the same."""
    stopped = installation.answering()[0]
    os.kill(stopped, signal.SIGSTOP)
    wait_for("it to be ended", lambda: stopped not in installation.answering(), 90)
    wait_for("another to take its place", lambda: len(installation.answering()) == PROCESSES)


def change_the_knowledge(installation: Installation) -> None:
    before = set(installation.answering())
    file = installation.knowledge / "istura_jadwal_aturan.md"
    file.write_text(file.read_text() + "\n")
    wait_for("all to be replaced", lambda: len(now := set(installation.answering())) == PROCESSES and not now & before)


@pytest.mark.parametrize(
    ("disturb", "numbers"),
    [(kill_one, VISITORS), (kill_all, VISITORS), (change_the_knowledge, VISITORS), (stop_one_for_good, ONLY_ASK)],
)
async def test_nothing_is_lost_doubled_or_reordered_when(
    installation: Installation, disturb: Callable[[Installation], None], numbers: tuple[int, ...]
) -> None:
    visitors = [Visitor(installation.server.url, number) for number in numbers]
    await seconds_disturbed(visitors, partial(disturb, installation))


async def ask(url: str, text: str) -> str:
    visitor = Visitor(url, 1)
    async with clients() as client:
        opened = await client.post(f"{url}/api/chat/sessions", json={"locale": "id"})
        visitor.token = opened.json()["token"]
        body = {"client_message_id": "7c0b8f5e-6a55-4c7e-9d1c-0d6c3c0f0a11", "text": text}
        response = await client.post(f"{url}/api/chat/messages", json=body, headers=visitor.headers, timeout=30)
        return "\n".join(message["text"] for message in response.json()["messages"])


async def test_all_processes_know_at_once_what_an_editor_has_changed(installation: Installation) -> None:
    async def all_say(words: str) -> bool:
        """Asked so often at the same time that each process is among those who answer."""
        answers = await asyncio.gather(*(ask(installation.server.url, QUESTION) for _ in range(4 * PROCESSES)))
        return all(words in answer for answer in answers)

    file = installation.knowledge / "istura_jadwal_aturan.md"
    before = file.read_text()
    assert not await all_say("kalimat baru")
    file.write_text(before.replace("## Jawaban\n", "## Jawaban\nIni kalimat baru. "))
    deadline = time.monotonic() + 30
    while not await all_say("kalimat baru"):
        assert time.monotonic() < deadline, "the old answer is still given"
        await asyncio.sleep(0.2)
    file.write_text(before)


async def test_another_model_is_served_by_all_and_taken_back(installation: Installation) -> None:
    async def served() -> str:
        async with clients() as client:
            return str((await client.get(f"{installation.server.url}/readyz")).json()["model"])

    before, processes = await served(), set(installation.answering())
    database = Database(f"sqlite:///{installation.server.database}")
    try:
        for version in (OTHER_MODEL, before):
            await asyncio.to_thread(ModelChoices(database).choose, version)
            deadline = time.monotonic() + 60
            while await served() != version or len(installation.answering()) != PROCESSES or processes & set(installation.answering()):
                assert time.monotonic() < deadline, f"{version} is not served"
                await asyncio.sleep(0.2)
            assert "ISTURA" in (await ask(installation.server.url, QUESTION)).upper()
            processes = set(installation.answering())
    finally:
        database.close()


async def test_a_turn_wakes_the_event_stream_of_another_tab(installation: Installation) -> None:
    url = installation.server.url
    async with clients() as client:
        session = (await client.post(f"{url}/api/chat/sessions", json={"locale": "id"})).json()
        headers = {"Authorization": f"Bearer {session['token']}"}
        async with client.stream("GET", f"{url}/api/chat/events", headers=headers, timeout=30) as stream:
            lines = stream.aiter_lines()
            await until_said(lines, session["messages"][-1]["text"])
            body = {"client_message_id": "0b9b0f6e-3d0f-4f7e-8a52-7a8f0ef0a3c1", "text": "halo"}
            sent = time.monotonic()
            reply = (await client.post(f"{url}/api/chat/messages", json=body, headers=headers)).json()["messages"][-1]
            await until_said(lines, reply["text"])
            assert time.monotonic() - sent < 3, "it was found by looking, every five seconds"


async def test_a_deleted_conversation_is_deleted_by_whichever_process_answers(installation: Installation) -> None:
    url = installation.server.url
    async with clients() as client:
        session = (await client.post(f"{url}/api/chat/sessions", json={"locale": "id"})).json()
        headers = {"Authorization": f"Bearer {session['token']}"}

        async def say(**body: str) -> dict[str, Any]:
            identified = {"client_message_id": os.urandom(16).hex(), **body}
            response = await client.post(f"{url}/api/chat/messages", json=identified, headers=headers, timeout=30)
            said: dict[str, Any] = response.json()["messages"][-1]
            return said

        asked = await say(text="hapus data saya")
        (yes,) = (button["id"] for button in asked["buttons"] if button["label"].startswith("Ya"))
        await say(button=yes)
        assert (await client.get(f"{url}/api/chat/messages", headers=headers)).json() == {"messages": []}


def test_turns_are_counted_and_so_are_the_processes(installation: Installation) -> None:
    text = httpx.get(f"{installation.server.url}/metrics", trust_env=False).text
    assert f"sapa_turn_processes {PROCESSES}.0" in text
    counted = [float(line.split()[1]) for line in text.splitlines() if line.startswith("sapa_turns_total")]
    assert sum(counted) > 20


def test_the_log_says_what_happened_and_holds_no_fault(installation: Installation) -> None:
    events = [json.loads(line)["event"] for line in installation.log.splitlines() if line.startswith("{")]
    assert {"a turn process ended", "a turn process is stuck"} <= set(events)
    assert not {"turn broke", "turn failed", "request failed", "a turn process failed"} & set(events)
    assert "Traceback" not in installation.log


@pytest.mark.parametrize("end", ["kill", "end"])
def test_no_process_outlives_a_server(installation: Installation, end: str) -> None:
    server = installation.server
    family = server.family()
    assert len(family) == 2 + PROCESSES
    if end == "kill":
        os.kill(family[0], signal.SIGKILL)  # of the one that listens alone
    else:
        server.end()
    wait_for("all to be over", lambda: all(map(_is_over, family)), 20)
    server.kill()
    server.start()
