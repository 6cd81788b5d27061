"""What the loop of announcements does, once and to its end."""

from __future__ import annotations

import asyncio

from bot.announcements import Announcements


async def tell_all(announcements: Announcements) -> None:
    """Tell everything that is untold and due, each conversation in its own order."""
    await announcements._look()
    await asyncio.gather(*announcements._telling.values())
