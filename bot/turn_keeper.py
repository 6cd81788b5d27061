"""The keeper: a process with everything loaded and nothing to do but fork processes that answer turns.

A process that listens has threads, and a fork of one with threads may find their locks taken for ever. So the keeper is forked off
before the first thread starts, and stays alone in itself. What it has loaded all its children share: each needs memory only for what
it changes. New knowledge or another model is loaded once, here, and the children are replaced.
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from collections.abc import Callable
from contextlib import suppress
from itertools import count
from pathlib import Path

import structlog

from bot.assistant import Assistant
from bot.logs import place_of
from bot.memory import settle
from services.assembly import Services

log = structlog.get_logger(__name__)
FORK, REFRESH = b"fork", b"refresh:"
DONE, REFUSED = b"done", b"refused"
ANSWER_SECONDS = 120
LONGEST = 4096

Live = Callable[[socket.socket, Services, Assistant], None]
"""What a child does with its socket until it ends; never returns."""


class KeeperGone(Exception):
    """The keeper has ended, does not answer, or may not fork: no further process can be had of it now."""


class Keeper:
    """The listening process's end. Nothing is forked before `start`."""

    _control: socket.socket
    _pid: int

    def __init__(self, processes: int) -> None:
        """`processes`: how many are to answer."""
        self.processes = processes
        self._one, self._numbers = asyncio.Lock(), count()

    def start(self, services: Services, assistant: Assistant, live: Live) -> None:
        """Fork it off. To be called before this process has a second thread or an event loop, and after all else that loads much."""
        services.database.close()  # a connection belongs to one process
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        pid = os.fork()
        if not pid:
            ours.close()
            _keep(theirs, services, assistant, live)
        theirs.close()
        ours.settimeout(ANSWER_SECONDS)
        self.attach(ours, pid)

    def attach(self, control: socket.socket, pid: int) -> None:
        """Talk to the keeper at the other end of this socket."""
        self._control, self._pid = control, pid

    async def fork(self) -> tuple[socket.socket, int]:
        """A new process that answers: the socket to it, and its id. Raises `KeeperGone`."""
        try:
            ours, theirs = socket.socketpair()
        except OSError as error:  # this process has as many files open as it may
            raise KeeperGone from error
        try:
            answer = await self._ask(FORK, theirs)
            if answer == REFUSED:
                raise KeeperGone
            return ours, int(answer)
        except BaseException:
            ours.close()
            raise
        finally:
            theirs.close()

    async def refresh(self, model: Path) -> bool:
        """Load what has changed of the knowledge, and this model where it is another; whether that could be done."""
        return await self._ask(REFRESH + os.fsencode(model)) == DONE

    async def _ask(self, message: bytes, given: socket.socket | None = None) -> bytes:
        async with self._one:
            try:
                return await asyncio.to_thread(self._exchange, message, given)
            except (OSError, EOFError) as error:
                raise KeeperGone from error

    def _exchange(self, message: bytes, given: socket.socket | None) -> bytes:
        number = b"%d:" % next(self._numbers)
        socket.send_fds(self._control, [number + message], [given.fileno()] if given else [])
        while answer := self._control.recv(LONGEST):
            if answer.startswith(number):  # and not the one to a question that was given up, come late
                return answer.removeprefix(number)
        raise EOFError

    def close(self) -> None:
        """The keeper ends by itself, and so does each of its children whose socket is closed."""
        self._control.close()
        os.waitpid(self._pid, 0)


def _keep(control: socket.socket, services: Services, assistant: Assistant, live: Live) -> None:
    """Fork, or load, whenever asked; end when the process that listens has. Never returns."""
    for sign in (signal.SIGINT, signal.SIGTERM):  # they go to the whole group; turns that have begun are finished
        signal.signal(sign, signal.SIG_IGN)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for the children
    while True:
        try:
            message, given, _, _ = socket.recv_fds(control, LONGEST, 1)
            if not message:
                break
            number, _, order = message.partition(b":")
            if order == FORK:
                with socket.socket(fileno=given[0]) as connection:
                    pid = _forked()
                    if pid == 0:
                        control.close()
                        live(connection, services, assistant)
                answer = REFUSED if pid is None else str(pid).encode()
            else:
                answer = DONE if _refreshed(Path(os.fsdecode(order.removeprefix(REFRESH))), services, assistant) else REFUSED
            control.send(number + b":" + answer)
        except OSError:
            break
    with suppress(ChildProcessError):
        os.wait()  # for all: each ends when the process that listens has closed its socket
    os._exit(0)


def _forked() -> int | None:
    """As `os.fork`; None where the system allows no further process."""
    try:
        return os.fork()
    except OSError as error:
        log.error("no process could be forked", error=type(error).__name__)
        return None


def _refreshed(model: Path, services: Services, assistant: Assistant) -> bool:
    try:
        if model != assistant.path:
            assistant.take_over(model)
        services.knowledge.reload()
    except Exception as error:  # whatever is wrong with the files, or the database is away
        log.error("what is new could not be loaded", error=type(error).__name__, at=place_of(error))
        return False
    finally:
        services.database.close()
        settle()
    return True
