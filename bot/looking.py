"""What a process looks for again and again, as long as it serves."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import structlog

log = structlog.get_logger(__name__)


async def keep_looking(
    look: Callable[[], Awaitable[object]], what: str, seconds: float, pause: Callable[[float], Awaitable[object]] = asyncio.sleep
) -> None:
    """Look every so many seconds until cancelled. A look that fails, as when the database is away for a moment, ends nothing.

    `pause` waits for so many seconds at most, such as the `wait` of a listener to wake-ups.
    """
    while True:
        await pause(seconds)
        try:
            await look()
        except Exception as error:
            log.error("looking failed", what=what, error=type(error).__name__)
