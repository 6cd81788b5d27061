"""Takes over the chosen model while the process serves: loaded beside the old one in a thread, then used from the next turn on."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path

import structlog

from bot.assistant import Assistant
from bot.looking import keep_looking
from bot.memory import settle
from bot.model_files import model_file
from services.model_choice import ModelChoices
from store.database import utc_now
from store.leases import Leases

log = structlog.get_logger(__name__)
LOOK_SECONDS = 2.0
LEASE = "model"
LEASE_LENGTH = timedelta(seconds=60)
"""One process after the other takes it over: on one host, two models in memory at once are enough."""


class ModelWatch:
    def __init__(
        self,
        assistant: Assistant,
        models: Path,
        choices: ModelChoices,
        leases: Leases,
        taken_over: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        """`taken_over` is called when another model is in use."""
        self._assistant, self._models = assistant, models
        self._choices, self._leases, self._taken_over = choices, leases, taken_over
        self._holder = secrets.token_hex(8)
        newest = model_file(models, None)
        self._unchosen = newest.version if newest else assistant.version
        """What is served where nobody has chosen: also after a choice was taken back."""
        self._refused: str | None = None

    async def run(self) -> None:
        """Until it is cancelled."""
        await keep_looking(self.look, "the chosen model", LOOK_SECONDS)

    async def look(self) -> bool:
        """Whether another model is served now than before. One that is missing or can't be loaded changes nothing."""
        wanted = await asyncio.to_thread(self._choices.current) or self._unchosen
        if wanted in (self._assistant.version, self._refused):
            return False
        file = model_file(self._models, wanted)
        if file is None:
            self._refused = wanted
            log.error("the chosen model is not in the folder of models; the old one goes on", version=wanted)
            return False
        if not await asyncio.to_thread(self._leases.take, LEASE, self._holder, utc_now(), LEASE_LENGTH):
            return False
        try:
            await asyncio.to_thread(self._assistant.take_over, file.path)
        except Exception as error:  # whatever is wrong with the file
            self._refused = wanted
            log.error("the chosen model can't be used; the old one goes on", version=wanted, error=type(error).__name__)
            return False
        finally:
            await asyncio.to_thread(self._leases.release, LEASE, self._holder)
        self._refused = None
        await asyncio.to_thread(settle)  # the old model is unused once its last turn is over
        log.info("model taken over", version=wanted)
        if self._taken_over:
            await self._taken_over()
        return True
