"""Conversations as citizens live them, one file each in scripts/, over the web channel with the trained model.

A script is a title, steps, and `not_stored`: what must be in no log and no tracker at the end. A step says or presses something, or
answers the questions of a form `until` one is asked (the summary, unless told), in whatever order they come. Then it holds the reply
to patterns that it must have (`expect`) or not (`never`), to the question it ends in (`asks`) and to the number of tickets.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from sqlalchemy import func, select

from services.assembly import Services, assemble, use
from services.handoff import Handoffs
from services.knowledge import Knowledge
from services.settings import Settings
from store.models import Message, TrackerEvent
from store.ticket_models import Ticket
from tests.citizen import Citizen
from tests.clock import Clock

FOLDER = Path(__file__).with_name("scripts")
QUESTIONS: dict[str, dict[str, str]] = yaml.safe_load((FOLDER / "questions.yml").read_text(encoding="utf-8"))
SCRIPTS = sorted(path for path in FOLDER.glob("*.yml") if path.stem != "questions")
STEP_KEYS = frozenset("say say_long press answers until expect never asks tickets remember later another_device".split())
DEFAULT_MOMENT = "2026-11-23 10:00"
MOST_QUESTIONS = 14
SHOWN = re.compile(r"\{(\w+)\}")
KNOWN = {"simpel_number": "DEMO-SMP-000105", "simpel_number_sloppy": "demo smp 105", "simpel_code": "4ZD8KF"}


@pytest.fixture
def clock() -> Clock:
    return Clock(DEFAULT_MOMENT)


@pytest.fixture
def services(settings: Settings, knowledge: Knowledge, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Iterator[Services]:
    """The services on the clock of the script."""
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] in ("services", "store", "actions", "bot") and hasattr(module, "utc_now"):
            monkeypatch.setattr(module, "utc_now", clock)
    made = assemble(settings, knowledge)
    made = replace(made, handoffs=Handoffs(made.database, made.conversations, made.drafts, made.hours, clock))
    use(made)
    yield made
    made.database.close()


class Walk:
    """One script on its way: what was said so far, and what is known of it."""

    def __init__(self, client: httpx.AsyncClient, services: Services, clock: Clock, language: str) -> None:
        self._client, self._services, self._clock, self._language = client, services, clock, language
        self._citizen = Citizen(client)
        self._known = dict(KNOWN)
        self._asked: str | None = None
        self._lines: list[str] = []

    @property
    def dialogue(self) -> str:
        return "\n".join(self._lines)

    async def arrives(self) -> None:
        self._citizen = await Citizen(self._client).arrives(self._language)

    async def misses(self, step: dict[str, Any]) -> str | None:
        """Take the step; what it expected in vain."""
        try:
            await self._takes(step)
        except AssertionError as problem:
            return str(problem).partition("\n")[0]
        return None

    async def _takes(self, step: dict[str, Any]) -> None:
        unknown = set(step) - STEP_KEYS
        assert not unknown, f"no such keys of a step: {unknown}"
        if "later" in step:
            self._clock.set(str(step["later"]))
        if step.get("another_device"):
            await self.arrives()
        before = self._asked
        if "say" in step:
            await self._says(self._filled(str(step["say"])))
        if "say_long" in step:
            await self._says(step["say_long"]["text"] * step["say_long"]["times"])
        if "press" in step:
            await self._presses(step["press"])
        if "answers" in step or "until" in step:
            await self._fills_in(step.get("answers") or {}, step.get("until", "summary"))
        self._holds(step, before)

    async def _says(self, text: str) -> None:
        self._lines.append(f"> {text[:300]}")
        await self._citizen.says(text)
        self._read()

    async def _presses(self, label: str) -> None:
        labels = [button["label"] for message in self._citizen.last for button in message["buttons"]]
        meant = next((one for one in labels if re.search(label, one, re.IGNORECASE)), None)
        assert meant, f"no button {label!r} among {labels}"
        self._lines.append(f"> [{meant}]")
        await self._citizen.presses(meant)
        self._read()

    async def _fills_in(self, answers: dict[str, Any], until: str) -> None:
        for _ in range(MOST_QUESTIONS):
            if self._asked == until:
                return
            assert self._asked, f"no question of a form to answer before {until!r}"
            asked = self._asked
            answer = answers.get(asked, QUESTIONS[asked].get("answer"))
            assert answer is not None, f"the bot asks for {asked!r}, to which the script has no answer"
            await self._says(self._filled(str(answer)))
            assert self._asked != asked, f"the answer {answer!r} to {asked!r} was not taken"
        raise AssertionError(f"{until!r} is not asked after {MOST_QUESTIONS} answers")

    def _read(self) -> None:
        bubbles = self._bubbles
        self._lines += [f"< {bubble}" for bubble in bubbles]
        self._lines += [f"  [{button['label']}]" for message in self._citizen.last for button in message["buttons"]]
        self._asked = next((key for key, q in QUESTIONS.items() if bubbles and re.search(q["asked"], bubbles[-1])), None)

    @property
    def _bubbles(self) -> list[str]:
        return [message["text"] for message in self._citizen.last]

    def _filled(self, text: str) -> str:
        return SHOWN.sub(lambda match: self._known.get(match[1], match[0]), text)

    def _pattern(self, text: str) -> str:
        return SHOWN.sub(lambda match: re.escape(self._known[match[1]]) if match[1] in self._known else match[0], text)

    def _holds(self, step: dict[str, Any], before: str | None) -> None:
        labels = [button["label"] for message in self._citizen.last for button in message["buttons"]]
        reply = "\n".join([*self._bubbles, *labels])
        for pattern in step.get("expect", []):
            assert re.search(self._pattern(pattern), reply, re.IGNORECASE | re.DOTALL), f"expected: {pattern}"
        for pattern in step.get("never", []):
            assert not re.search(self._pattern(pattern), reply, re.DOTALL), f"never: {pattern}"
        if "asks" in step:
            self._asks(step["asks"], before)
        if "tickets" in step:
            with self._services.database.session() as session:
                assert session.scalar(select(func.count()).select_from(Ticket)) == step["tickets"], "number of tickets"
        for name, pattern in step.get("remember", {}).items():
            found = re.search(pattern, reply)
            assert found, f"nothing to remember as {name}"
            self._known[name] = found[1]

    def _asks(self, wanted: str, before: str | None) -> None:
        if wanted == "next":
            assert self._asked not in (None, before), f"asks {self._asked}, not something new"
            return
        expected = {"same": before, "nothing": None}.get(wanted, wanted)
        assert self._asked == expected, f"asks {self._asked}, not {expected}"
        if expected:
            repeated = sum(bool(re.search(QUESTIONS[expected]["asked"], bubble)) for bubble in self._bubbles)
            assert repeated == 1, f"asks {expected} {repeated} times"


@pytest.fixture
def script(request: pytest.FixtureRequest) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(request.param.read_text(encoding="utf-8"))
    return loaded


@pytest.mark.parametrize("script", SCRIPTS, indirect=True, ids=lambda path: path.stem)
async def test_a_conversation_goes_as_its_script_says(
    script: dict[str, Any], client: httpx.AsyncClient, services: Services, clock: Clock
) -> None:
    clock.set(str(script.get("at", DEFAULT_MOMENT)))
    walk = Walk(client, services, clock, script.get("language", "id"))
    await walk.arrives()
    for number, step in enumerate(script["steps"], start=1):
        missed = await walk.misses(step)
        if missed:
            pytest.fail(f"{script['title']}\nstep {number}: {missed}\n\n{walk.dialogue}", pytrace=False)
    with services.database.session() as session:
        kept = " ".join([*session.scalars(select(TrackerEvent.data)), *session.scalars(select(Message.text))]).lower()
    for value in script.get("not_stored", []):
        if KNOWN.get(value.strip("{}"), value).lower() in kept:
            pytest.fail(f"{value} was stored\n\n{walk.dialogue}", pytrace=False)
