"""Sends messages at the pace that Telegram allows: one a second a chat, thirty over all, twenty a minute in a group."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

import structlog
from telegram import Bot, InlineKeyboardButton, InlineKeyboardMarkup, LinkPreviewOptions, ReplyParameters
from telegram.constants import ChatAction
from telegram.error import BadRequest, ChatMigrated, Forbidden, RetryAfter, TelegramError

from bot.channels.telegram.text import pieces, seen
from bot.messages import Delivery, Outbound

log = structlog.get_logger(__name__)
SECONDS_A_CHAT, SECONDS_A_GROUP, SECONDS_OVER_ALL = 1.0, 3.0, 1 / 30
SENDING_TRIES = 5
"""For what can be tried again later. An answer that a citizen waits for is tried until Telegram takes it."""
LONGEST_PAUSE = 60.0
LONGEST_WAIT_OF_A_TRY = 10.0
"""Where Telegram wants a longer pause in a chat, what can be tried again later is, and Telegram is not asked meanwhile."""
CHATS_REMEMBERED = 10_000
TYPING_SECONDS = 4.0
"""Telegram shows the sign for five."""
TYPING_PATIENCE = 0.3


class Stopping(Exception):
    """The server ends while a message waits for its turn; what is not sent is sent after the next start."""


@dataclass(frozen=True)
class Piece:
    """One message to Telegram: its HTML and what goes with it."""

    html: str
    keyboard: InlineKeyboardMarkup | None = None
    answers: int | None = None
    """Telegram's number of the message that this one replies to, in a group."""


def pieces_of(message: Outbound, answers: int | None = None) -> list[Piece]:
    """Every piece of the message, its buttons under the last one."""
    keys = InlineKeyboardMarkup([[InlineKeyboardButton(b.label, callback_data=b.id)] for b in message.buttons])
    *before, last = pieces(message) or [""]
    return [*(Piece(text, answers=answers) for text in before), Piece(last, keys if message.buttons else None, answers)]


class Sender:
    def __init__(self, bot: Bot, refused: Callable[[int], Awaitable[None]]) -> None:
        """`refused` is told of a chat that can't be written to any more."""
        self.bot = bot
        self._refused = refused
        self._free_at: dict[int, float] = {}
        self._all_free_at = 0.0
        self._ending = asyncio.Event()
        self._asides: set[asyncio.Task[None]] = set()

    def stop(self) -> None:
        """Whoever waits to send gets `Stopping`."""
        self._ending.set()
        for task in list(self._asides):
            task.cancel()

    async def send(self, chat_id: int, message: Outbound) -> Delivery:
        """A message that no citizen is waiting for, in a few tries."""
        for piece in pieces_of(message):
            delivery = await self.post(chat_id, piece, tries=SENDING_TRIES)
            if delivery is not Delivery.SENT:
                return delivery
        return Delivery.SENT

    async def post(
        self, chat_id: int, piece: Piece, *, tries: int | None = None, begin: Callable[[], Coroutine[Any, Any, None]] | None = None
    ) -> Delivery:
        """Send, waiting as Telegram asks, for this chat only. Without `tries` until Telegram has taken or refused it.

        `begin` runs right before the first call that may reach Telegram.
        """
        attempt = 0
        as_html = True
        while tries is None or attempt < tries:
            if tries is not None and self._free_at.get(chat_id, 0.0) - time.monotonic() > LONGEST_WAIT_OF_A_TRY:
                break
            await self._turn_of(chat_id)
            if begin and not attempt:
                await begin()
            attempt += 1
            try:
                await self._call(chat_id, piece, as_html)
                return Delivery.SENT
            except RetryAfter as error:
                seconds = error.retry_after.total_seconds()  # type: ignore[union-attr]  # PTB_TIMEDELTA makes it one
                if tries is not None and seconds > LONGEST_WAIT_OF_A_TRY:
                    self._free_at[chat_id] = time.monotonic() + seconds
                    break
                await self.pause(seconds)
            except ChatMigrated as error:
                chat_id = error.new_chat_id
            except Forbidden:
                log.info("telegram chat can't be written to")
                await self._refused(chat_id)
                return Delivery.REFUSED
            except BadRequest as error:  # before TelegramError, of which it is a kind
                if not as_html or "parse" not in error.message.lower():
                    log.warning("telegram refused a message")
                    return Delivery.REFUSED
                as_html = False
            except TelegramError as error:
                log.info("telegram could not be reached", error=type(error).__name__, tries=attempt)
                await self.pause(min(0.5 * 2**attempt, LONGEST_PAUSE))
        log.error("telegram message not delivered", tries=attempt)
        return Delivery.FAILED

    def aside(self, call: Coroutine[Any, Any, None]) -> None:
        """Run a call that no answer has to wait for."""
        task = asyncio.create_task(call)
        self._asides.add(task)
        task.add_done_callback(self._asides.discard)

    @asynccontextmanager
    async def typing(self, chat_id: int) -> AsyncIterator[None]:
        """Telegram shows that the bot is typing while the block runs; nobody waits for that sign."""

        shown, done = asyncio.Event(), asyncio.Event()

        async def keep_typing() -> None:
            while not done.is_set():
                await quietly(self.bot.send_chat_action(chat_id, ChatAction.TYPING))
                shown.set()
                await _either(done, TYPING_SECONDS)

        self.aside(keep_typing())
        try:
            yield
        finally:
            done.set()
            await _either(shown, TYPING_PATIENCE)  # a sign that comes after the answer would promise another one

    async def _call(self, chat_id: int, piece: Piece, as_html: bool) -> None:
        reply = ReplyParameters(piece.answers, allow_sending_without_reply=True) if piece.answers else None
        await self.bot.send_message(
            chat_id,
            piece.html if as_html else seen(piece.html),
            parse_mode="HTML" if as_html else None,
            reply_markup=piece.keyboard,
            link_preview_options=LinkPreviewOptions(is_disabled=True),
            reply_parameters=reply,
        )

    async def _turn_of(self, chat_id: int) -> None:
        """Wait until this chat, then the bot as a whole, may send again; each place is taken at once and given once."""
        now = time.monotonic()
        start = max(now, self._free_at.pop(chat_id, 0.0))
        self._free_at[chat_id] = start + (SECONDS_A_CHAT if chat_id > 0 else SECONDS_A_GROUP)
        while len(self._free_at) > CHATS_REMEMBERED:
            self._free_at.pop(next(iter(self._free_at)))
        await self.pause(start - now)
        now = time.monotonic()
        start = max(now, self._all_free_at)
        self._all_free_at = start + SECONDS_OVER_ALL
        await self.pause(start - now)

    async def pause(self, seconds: float) -> None:
        """Raises `Stopping` where the server ends meanwhile."""
        if seconds > 0:
            await _either(self._ending, seconds)
        if self._ending.is_set():
            raise Stopping


async def _either(event: asyncio.Event, seconds: float) -> None:
    """Return when the event has come or the time is over."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):  # wait_for would lose a cancellation that comes with the event
            await event.wait()


async def quietly(call: Awaitable[Any]) -> None:
    """For what may fail without the citizen missing anything: typing, closing a keyboard, setting a menu."""
    try:
        await call
    except TelegramError as error:
        log.info("telegram call failed", error=type(error).__name__)
