"""Sends messages at the pace that Telegram allows: one a second a chat, thirty over all, twenty a minute in a group."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable
from enum import StrEnum
from typing import Any

import structlog
from telegram import Bot, InlineKeyboardButton, InlineKeyboardMarkup, LinkPreviewOptions
from telegram.error import BadRequest, Forbidden, NetworkError, RetryAfter, TelegramError

from bot.channels.telegram.text import pieces
from bot.messages import Outbound

log = structlog.get_logger(__name__)
SECONDS_A_CHAT, SECONDS_A_GROUP, SECONDS_OVER_ALL = 1.0, 3.0, 1 / 30
SENDING_TRIES = 5
LONGEST_RETRY = 8.0
CHATS_REMEMBERED = 10_000


class Delivery(StrEnum):
    SENT = "sent"
    REFUSED = "refused"
    """By Telegram, for good: the bot is blocked, the account deleted."""
    FAILED = "failed"
    """Telegram could not be reached, or wants a long pause."""


class Sender:
    def __init__(self, bot: Bot) -> None:
        self._bot = bot
        self._free_at: dict[int, float] = {}
        self._all_free_at = 0.0

    async def send(self, chat_id: int, message: Outbound) -> Delivery:
        """Every piece of the message, its buttons under the last one."""
        keys = InlineKeyboardMarkup([[InlineKeyboardButton(b.label, callback_data=b.id)] for b in message.buttons])
        texts = pieces(message)
        delivery = Delivery.SENT
        for number, text in enumerate(texts, 1):
            delivery = await self._send_piece(chat_id, text, keys if message.buttons and number == len(texts) else None)
            if delivery is not Delivery.SENT:
                break
        return delivery

    async def say(self, chat_id: int, text: str) -> Delivery:
        """A plain sentence that belongs to no conversation."""
        return await self._send_piece(chat_id, text, None, parse_mode=None)

    async def _send_piece(
        self, chat_id: int, text: str, keyboard: InlineKeyboardMarkup | None, parse_mode: str | None = "HTML"
    ) -> Delivery:
        """Waits as Telegram asks, for this chat only; a blocked bot or deleted account is noted and left."""
        for attempt in range(SENDING_TRIES):
            await self._turn_of(chat_id)
            try:
                await self._bot.send_message(
                    chat_id,
                    text,
                    parse_mode=parse_mode,
                    reply_markup=keyboard,
                    link_preview_options=LinkPreviewOptions(is_disabled=True),
                )
                return Delivery.SENT
            except RetryAfter as error:
                seconds = error.retry_after.total_seconds()  # type: ignore[union-attr]  # PTB_TIMEDELTA makes it one
                await asyncio.sleep(seconds)
            except (Forbidden, BadRequest) as error:  # before NetworkError, of which BadRequest is a kind
                log.warning("telegram refused a message", error=type(error).__name__)
                return Delivery.REFUSED
            except NetworkError:
                await asyncio.sleep(min(0.5 * 2**attempt, LONGEST_RETRY))
        log.error("telegram message not delivered", tries=SENDING_TRIES)
        return Delivery.FAILED

    async def _turn_of(self, chat_id: int) -> None:
        """Wait until this chat, then the bot as a whole, may send again; each place is taken at once and given once."""
        now = time.monotonic()
        start = max(now, self._free_at.pop(chat_id, 0.0))
        self._free_at[chat_id] = start + (SECONDS_A_CHAT if chat_id > 0 else SECONDS_A_GROUP)
        while len(self._free_at) > CHATS_REMEMBERED:
            self._free_at.pop(next(iter(self._free_at)))
        await asyncio.sleep(start - now)
        now = time.monotonic()
        start = max(now, self._all_free_at)
        self._all_free_at = start + SECONDS_OVER_ALL
        await asyncio.sleep(start - now)


async def quietly(call: Awaitable[Any]) -> None:
    """For what may fail without the citizen missing anything: typing, closing a keyboard, setting a menu."""
    try:
        await call
    except TelegramError as error:
        log.info("telegram call failed", error=type(error).__name__)
