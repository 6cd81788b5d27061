"""A process that answers: it works on the turns that the process that listens hands to it, one at a time, and on nothing else.

It was forked with everything loaded and is replaced, not changed, when knowledge or model are (bot/turn_keeper.py).
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from collections.abc import Mapping
from typing import Any

import structlog
from structlog.contextvars import bound_contextvars
from uvicorn.loops.auto import auto_loop_factory

from bot.assistant import Assistant
from bot.conversation import ConversationService, Interrupted, UnknownConversation
from bot.logs import place_of
from bot.turn_wire import Answered, Ask, Counted, Failed, Failure, Forgotten, Woken, packed, unpacked
from services.assembly import Services
from store.database import AWAY
from store.tracker import KEPT_TRACKERS
from store.turn_queue import HELD, TurnLost

log = structlog.get_logger(__name__)
TURNS_AT_ONCE = 1
"""A second one would only share the processor with the first; while an action waits for others the next goes on all the same."""


def live(connection: socket.socket, services: Services, assistant: Assistant) -> None:
    """Answer until the other end of `connection` closes, then end. Never returns."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    code = 1
    try:
        auto_loop_factory()().run_until_complete(_TurnProcess(services, assistant).run(connection))
        code = 0
    except BaseException as error:
        log.error("a turn process failed", error=type(error).__name__, at=place_of(error))
    finally:
        os._exit(code)  # what the parent had registered for its own end is not this process's business


class _TurnProcess:
    """Tells the process that listens what it counts, whom it wakes and what is to be forgotten."""

    def __init__(self, services: Services, assistant: Assistant) -> None:
        self._services, self._assistant = services, assistant

    async def run(self, connection: socket.socket) -> None:
        self._loop = asyncio.get_running_loop()
        reader, self._writer = await asyncio.open_unix_connection(sock=connection)
        self._assistant.keep_trackers(KEPT_TRACKERS)
        self._services.wakeups.relay(lambda topic: self._tell_from_thread(Woken(topic)))
        self._service = ConversationService(
            self._assistant, self._services, measures=self, forget_elsewhere=self.forget, turns_at_once=TURNS_AT_ONCE
        )
        turns: set[asyncio.Task[None]] = set()
        while True:
            try:
                message = await unpacked(reader)
            except EOFError:
                return
            if isinstance(message, Forgotten):
                self._assistant.forget(message.conversation_id)
                continue
            turn = asyncio.create_task(self._turn(message))
            turns.add(turn)
            turn.add_done_callback(turns.discard)

    def count(self, facts: Mapping[str, Any]) -> None:
        self._tell(Counted(dict(facts)))

    def forget(self, conversation_id: str) -> None:
        self._tell(Forgotten(conversation_id))

    async def _turn(self, ask: Ask) -> None:
        HELD.set(ask.place)
        with bound_contextvars(**ask.context):
            try:
                replies = await self._service.answer(ask.inbound)
            except UnknownConversation:
                self._tell(Failed(ask.number, Failure.UNKNOWN))
            except (*AWAY, Interrupted, TurnLost) as error:
                log.warning("turn could not be done now", error=type(error).__name__)
                self._tell(Failed(ask.number, Failure.NOT_NOW))
            except Exception as error:
                log.error("turn broke", error=type(error).__name__, at=place_of(error))
                self._tell(Failed(ask.number, Failure.BROKEN))
            else:
                self._tell(Answered(ask.number, replies, bool(ask.place and ask.place.is_left)))

    def _tell(self, message: object) -> None:
        self._writer.write(packed(message))

    def _tell_from_thread(self, message: object) -> None:
        self._loop.call_soon_threadsafe(self._tell, message)
