"""Runs the custom actions inside this process, each with a time limit.

Rasa thinks that it calls an action server; what answers is the SDK's own executor. Blocking work of an action runs in a thread
with the turn's context. An action that fails or is late raises `ActionFailed`, which the conversation turns into an apology.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from contextvars import copy_context
from functools import lru_cache
from typing import Any

import structlog
from rasa.core.actions.action import RemoteAction
from rasa.shared.core.events import Event
from rasa.shared.utils.common import all_subclasses
from rasa.utils.endpoints import EndpointConfig
from rasa_sdk.executor import ActionExecutor

from bot.logs import place_of
from bot.turns_at_once import others_first
from services.turn import CURRENT
from store.database import AWAY
from store.turn_queue import TurnLost

log = structlog.get_logger(__name__)
ACTION_THREADS = 32


class ActionFailed(Exception):
    """An action raised or took too long. `action` is its name."""

    def __init__(self, action: str) -> None:
        super().__init__(action)
        self.action = action


class InProcessActions(EndpointConfig):
    def __init__(self, executor: ActionExecutor, seconds: float) -> None:
        super().__init__(url="in-process", selective_domain=True)
        self._executor = executor
        self._seconds = seconds

    async def request(self, *args: Any, json: dict[str, Any], **kwargs: Any) -> Any:
        """What the action server would answer. Raises `ActionFailed`."""
        name = json.get("next_action", "")
        try:
            # wait_for would lose a cancellation that comes as the action ends
            async with others_first(), asyncio.timeout(self._seconds):
                result = await self._executor.run(json)
            return result if isinstance(result, dict) else result.model_dump()
        except Exception as error:  # whatever an action does wrong must not end the conversation
            log.error("action failed", action=name, error=type(error).__name__, at=place_of(error))
            turn = CURRENT.get()
            if turn:
                turn.failed = True
                turn.interrupted = isinstance(error, (*AWAY, TurnLost))
            raise ActionFailed(name) from None  # the cause may quote what the citizen wrote


def in_thread(run: Callable[..., Any], threads: Executor) -> Callable[..., Any]:
    """An awaitable version of an action's blocking `run`."""

    async def run_in_thread(*args: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(threads, copy_context().run, run, *args)

    return run_in_thread


def load_actions(package: str, seconds: float) -> InProcessActions:
    """Registers every action of `package`; those with a plain `run` are moved to a thread."""
    executor = ActionExecutor()
    executor.register_package(package)
    # Of their own: actions that all wait for a service that hangs must not keep other turns from the database.
    threads = ThreadPoolExecutor(ACTION_THREADS, "action")
    for name, run in list(executor.actions.items()):
        if not inspect.iscoroutinefunction(run):
            executor.actions[name] = in_thread(run, threads)
    validate_quickly()
    return InProcessActions(executor, seconds)


def validate_quickly() -> None:
    """Replace Rasa's validation of an action's answer by what can go wrong here.

    Rasa checks each answer against a JSON schema of all events (4 ms for the twenty events of a form). An answer made by the
    SDK in this process has the right shape; what an action may still return is something that is no event.
    """

    def validate(self: RemoteAction, result: dict[str, Any]) -> bool:
        for event in result.get("events") or []:
            if not isinstance(event, dict) or event.get("event") not in _event_names():
                raise ValueError(f"{self.name()} returned something that is no event")
        return True

    RemoteAction._validate_action_result = validate


@lru_cache
def _event_names() -> frozenset[str]:
    return frozenset(kind.type_name for kind in all_subclasses(Event) if getattr(kind, "type_name", None))
