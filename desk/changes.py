"""Tells an open page that what it shows has changed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

from fastapi import Request
from sse_starlette import EventSourceResponse, ServerSentEvent

LOOK_SECONDS = 1.0


def changes(request: Request, **states: Callable[[], Any]) -> EventSourceResponse:
    """An event of the name of each of `states` whenever it gives something else, and at the start: the page may have missed it."""

    async def stream() -> AsyncIterator[ServerSentEvent]:
        known: dict[str, Any] = {}
        while not await request.is_disconnected():
            for name, state in states.items():
                found = await asyncio.to_thread(state)
                if name not in known or known[name] != found:
                    known[name] = found
                    yield ServerSentEvent("", event=name)
            await asyncio.sleep(LOOK_SECONDS)

    return EventSourceResponse(stream(), ping=20)
