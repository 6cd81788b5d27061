"""What the process that listens and the processes that answer say to each other, and how it goes over a socket between them.

Pickles with their length before them. Both ends are this program and a child of its own, over a pair of sockets without a name.
"""

from __future__ import annotations

import asyncio
import pickle
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from bot.messages import Inbound, Outbound
from store.turn_queue import Place

_LENGTH = struct.Struct("!I")


class Failure(StrEnum):
    """Why a turn has no replies."""

    UNKNOWN = "there is no such conversation"
    NOT_NOW = "the same message may succeed in a moment"
    BROKEN = "a fault of the program"


class TurnFailed(Exception):
    def __init__(self, failure: Failure) -> None:
        super().__init__(failure)
        self.failure = failure


@dataclass(frozen=True)
class Ask:
    """A turn to be worked on."""

    number: int
    inbound: Inbound
    place: Place | None
    """The turn's place in the queue of the database, where there is one."""
    context: Mapping[str, Any]
    """What each line of the log says of the request."""


@dataclass(frozen=True)
class Answered:
    number: int
    replies: list[Outbound]
    is_left: bool
    """The place was given up with the turn's last write."""


@dataclass(frozen=True)
class Failed:
    number: int
    failure: Failure


@dataclass(frozen=True)
class Counted:
    """Facts of a turn for the measures of the process that listens."""

    facts: dict[str, Any]


@dataclass(frozen=True)
class Woken:
    """Something is new under this topic."""

    topic: str


@dataclass(frozen=True)
class Forgotten:
    """A conversation that was deleted: nothing of it may stay in memory."""

    conversation_id: str


def packed(message: object) -> bytes:
    body = pickle.dumps(message, pickle.HIGHEST_PROTOCOL)
    return _LENGTH.pack(len(body)) + body


async def unpacked(reader: asyncio.StreamReader) -> Any:
    """The next message. Raises `EOFError` where the other end is gone."""
    try:
        (length,) = _LENGTH.unpack(await reader.readexactly(_LENGTH.size))
        body = await reader.readexactly(length)
    except (asyncio.IncompleteReadError, ConnectionError) as error:
        raise EOFError from error
    return pickle.loads(body)  # noqa: S301  from a process of our own
