"""What a process looks for again and again goes on when one look fails."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from structlog.testing import capture_logs

from bot.looking import keep_looking


async def test_a_look_that_fails_is_logged_by_its_kind_alone_and_the_next_one_comes() -> None:
    looks, enough = 0, asyncio.Event()

    async def look() -> None:
        nonlocal looks
        looks += 1
        if looks == 1:
            raise FileNotFoundError("/data/knowledge of Siti")
        enough.set()

    with capture_logs() as logs:
        looking = asyncio.create_task(keep_looking(look, "changed knowledge", 0.001))
        await asyncio.wait_for(enough.wait(), 10)
        looking.cancel()
        with suppress(asyncio.CancelledError):
            await looking
    assert [(entry["event"], entry["what"], entry["error"]) for entry in logs] == [
        ("looking failed", "changed knowledge", "FileNotFoundError")
    ]
    assert "Siti" not in str(logs)
