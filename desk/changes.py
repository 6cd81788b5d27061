"""Tells an open page that what it shows has changed, and when nobody is signed in any more."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

from fastapi import Request
from sse_starlette import EventSourceResponse, ServerSentEvent

LOOK_SECONDS, SESSION_SECONDS = 1.0, 15.0


def changes(request: Request, is_signed_in: Callable[[], bool], **states: Callable[[], Any]) -> EventSourceResponse:
    """An event of the name of each of `states` whenever it gives something else, and at the start: the page may have missed it.

    Ends with `signed_out` soon after the session has ended.
    """

    async def stream() -> AsyncIterator[ServerSentEvent]:
        known: dict[str, Any] = {}
        asked = time.monotonic()
        while not await request.is_disconnected():
            if time.monotonic() - asked >= SESSION_SECONDS:
                asked = time.monotonic()
                if not await asyncio.to_thread(is_signed_in):
                    yield ServerSentEvent("", event="signed_out")
                    return
            for name, state in states.items():
                found = await asyncio.to_thread(state)
                if name not in known or known[name] != found:
                    known[name] = found
                    yield ServerSentEvent("", event=name)
            await asyncio.sleep(LOOK_SECONDS)

    return EventSourceResponse(stream(), ping=20)
