"""The Telegram channel: how it starts and ends, and how an update becomes an answer that Telegram has taken.

State lives in Rasa's tracker and our database, never in python-telegram-bot. What each kind of update is answered is in `updates.py`.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable, Coroutine
from contextlib import suppress
from functools import partial
from typing import Any

import structlog
from sqlalchemy.exc import SQLAlchemyError
from telegram import Update
from telegram.constants import ChatAction
from telegram.error import InvalidToken, TelegramError
from telegram.ext import Application, ContextTypes, TypeHandler

from bot.channels.telegram.menu import set_menu
from bot.channels.telegram.queue import CHATS_AT_ONCE, ChatsInOrder, InboxQueue, chat_of
from bot.channels.telegram.reading import read
from bot.channels.telegram.sending import Sender, Stopping, pieces_of, quietly
from bot.channels.telegram.updates import Answer, Answers, Means
from bot.conversation import Interrupted
from bot.looking import keep_looking
from bot.messages import Delivery, Outbound
from store.database import AWAY
from store.telegram_inbox import LEASE, Progress, Taken
from store.turn_queue import TurnLost

os.environ.setdefault("PTB_TIMEDELTA", "1")
log = structlog.get_logger(__name__)
UPDATES = ["message", "edited_message", "callback_query", "my_chat_member"]
STARTING_SECONDS = 10
"""So long the server waits for Telegram before it serves the web without it; the channel goes on trying."""
LONGEST_STARTING_PAUSE = 60.0
CALL_SECONDS = 20
"""Long, because a message whose answer we don't wait for is sent again."""
POLL_SECONDS = 10
STORING_PAUSE = 1.0
WORKING_TRIES = 3
WORKING_PAUSE, LONGEST_WORKING_PAUSE = 1.0, 15.0
PASSING = (*AWAY, Interrupted, TurnLost)
"""Errors of a turn of which nothing is stored, and which may succeed in a moment."""
LOOK_SECONDS = 2.0
"""How often a process looks for updates that another has left."""


class TelegramChannel:
    def __init__(self, means: Means, token: str, base_url: str, webhook: tuple[str, str] | None = None) -> None:
        """`webhook`: its public address and secret; without it the bot polls."""
        self._conversations = means.conversations
        self._inbox = means.inbox
        self._webhook = webhook
        self._chats = ChatsInOrder(self._is_behind_another)
        self._queue = InboxQueue(means.inbox, self._chats, self._too_many)
        builder = (
            Application.builder().token(token).base_url(base_url).concurrent_updates(self._chats).update_queue(self._queue)
        ).connection_pool_size(CHATS_AT_ONCE)
        for set_limit in (builder.read_timeout, builder.write_timeout, builder.connect_timeout, builder.pool_timeout):
            set_limit(CALL_SECONDS)
        self._application: Application[Any, Any, Any, Any, Any, Any] = builder.updater(None).build()
        self._application.add_handler(TypeHandler(Update, self._work))
        self._sender = Sender(self._application.bot, self._unreachable)
        self._answers = Answers(means, self._chats, self._sender)
        self._progress: dict[int, Progress] = {}
        self._asides: set[asyncio.Task[None]] = set()

    # Life

    async def start(self) -> None:
        """Take up what an earlier process left, and begin. Where Telegram can't be reached, that goes on in the background."""
        await self._take_up()
        self._aside(self._keep_leases())
        starting = self._aside(self._begin())
        await asyncio.wait({starting}, timeout=STARTING_SECONDS)

    async def stop(self) -> None:
        """What is not sent by now is sent after the next start."""
        self._sender.stop()
        self._chats.close()
        for task in list(self._asides):
            task.cancel()
        with suppress(TelegramError):
            if self._application.running:
                await self._application.stop()
            await self._application.shutdown()
            await self._application.bot.shutdown()  # the application leaves it open where Telegram never answered
        with suppress(*AWAY):  # the leases end by themselves
            await asyncio.to_thread(self._inbox.release)

    async def _keep_leases(self) -> None:
        """Renew the leases on updates of this process, and take over those of processes that no longer do."""
        renewed = time.monotonic()

        async def look() -> None:
            nonlocal renewed
            if time.monotonic() - renewed >= LEASE.total_seconds() / 3:
                await asyncio.to_thread(self._inbox.renew)
                renewed = time.monotonic()
            await self._take_up()

        await keep_looking(look, "telegram updates", LOOK_SECONDS)

    async def _is_behind_another(self, update: Update) -> bool:
        try:
            return await asyncio.to_thread(self._inbox.earlier_elsewhere, update.update_id, chat_of(update))
        except AWAY:
            return True  # it is asked again in a moment

    async def _take_up(self) -> None:
        for left in await asyncio.to_thread(self._inbox.take_up):
            update = self._read(left.content) if left.content else None
            if update is None:  # nobody ever could answer it, and the later ones of its chat would wait for it in other processes
                log.error("telegram update can't be read any more", update=left.update_id)
                self._aside(self._give_up(left.update_id))
                continue
            if self._chats.has(update):  # late to renew, and still the one who works on it
                continue
            if left.progress.in_doubt:
                log.warning("telegram message may come twice", update=update.update_id)
            self._progress[update.update_id] = left.progress
            self._queue.put_again(update)

    async def _give_up(self, number: int) -> None:
        with suppress(Stopping, Taken):
            await self._patiently(partial(asyncio.to_thread, self._inbox.finish, number))

    async def _begin(self) -> None:
        pause = 1.0
        while True:
            try:
                await self._connect()
                return
            except InvalidToken:  # whose message quotes the token
                log.error("telegram does not take the token; the channel is off")
                return
            except TelegramError as error:
                log.warning("telegram can't be reached yet", error=type(error).__name__)
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_STARTING_PAUSE)

    async def _connect(self) -> None:
        await self._application.initialize()
        if not self._application.running:
            await self._application.start()
        self._aside(set_menu(self._application.bot))
        if self._webhook:
            url, secret = self._webhook
            await self._application.bot.set_webhook(url, secret_token=secret, allowed_updates=UPDATES)
            log.info("telegram webhook set")
            return
        await self._application.bot.delete_webhook()
        self._aside(self._poll())
        log.info("telegram polling started")

    async def _poll(self) -> None:
        """python-telegram-bot's own polling would stop at an update that it can't read, and log it."""
        offset, pause = 0, 1.0
        wanted = {"timeout": POLL_SECONDS, "allowed_updates": UPDATES}
        while True:
            try:
                found = await self._application.bot._post("getUpdates", wanted | {"offset": offset}, read_timeout=POLL_SECONDS + 5)
            except TelegramError as error:
                log.warning("telegram polling failed", error=type(error).__name__)
                await asyncio.sleep(pause)
                pause = min(2 * pause, LONGEST_STARTING_PAUSE)
                continue
            pause = 1.0
            try:
                for content in found:
                    await self.accept(content)
                    offset = content["update_id"] + 1
            except SQLAlchemyError as error:  # not acknowledged until it is stored, whatever keeps the database away
                log.error("telegram update can't be stored yet", error=type(error).__name__)
                await asyncio.sleep(STORING_PAUSE)

    def _aside(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._asides.add(task)
        task.add_done_callback(self._asides.discard)
        return task

    # In

    @property
    def has_room(self) -> bool:
        """Whether `accept` returns as soon as the update is stored; else it waits until fewer updates are in memory."""
        return self._chats.has_room

    async def accept(self, content: dict[str, Any]) -> None:
        """An update from Telegram; it is on the disk when this returns. One that nobody could read is left: it would come again.

        Raises SQLAlchemy's errors where it can't be stored.
        """
        if update := self._read(content):
            await self._queue.put(update)

    def _read(self, content: dict[str, Any]) -> Update | None:
        try:
            return read(content, self._application.bot)
        except Exception as error:  # python-telegram-bot promises no kind of error for what it can't read
            log.warning("telegram update of an unknown shape", error=type(error).__name__)
            return None

    def _too_many(self, chat_id: int) -> None:
        if chat_id > 0:
            self._aside(self._say_too_many(chat_id))

    async def _say_too_many(self, chat_id: int) -> None:
        with suppress(Stopping):
            await self._sender.send(chat_id, await self._answers.too_many(chat_id))

    # Work

    async def _work(self, update: Update, _context: ContextTypes.DEFAULT_TYPE) -> None:
        """Answer an update and note that it is dealt with. It was acknowledged, so it waits for a database that is away."""
        try:
            await self._patiently(partial(self._answer, update))
            await self._patiently(partial(asyncio.to_thread, self._inbox.finish, update.update_id))
        except Stopping:
            return
        except Taken:
            log.warning("telegram update was taken over by another process", update=update.update_id)
        self._progress.pop(update.update_id, None)

    async def _patiently(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Do it as soon as the database lets it be done. Raises `Stopping`."""
        pause = WORKING_PAUSE
        while True:
            try:
                await work()
                return
            except PASSING as error:
                log.warning("telegram update waits for the database", error=type(error).__name__)
            await self._sender.pause(pause)
            pause = min(2 * pause, LONGEST_WORKING_PAUSE)

    async def _answer(self, update: Update) -> None:
        """Tried again where it fails, but not for ever: then the citizen is told so. Raises `PASSING`, `Stopping`, `Taken`."""
        for attempt in range(1, WORKING_TRIES + 1):
            try:
                await self._send(update, await self._answers.to(update))
                return
            except (Stopping, Taken, *PASSING):
                raise
            except Exception as error:  # one update must not stop the others
                log.error("telegram update failed", error=type(error).__name__, tries=attempt)
            await self._sender.pause(WORKING_PAUSE * (attempt - 1))
        if update.effective_chat and update.effective_chat.id > 0:
            await self._sender.send(update.effective_chat.id, await self._answers.sorry(update.effective_chat.id))

    async def _send(self, update: Update, answer: Answer) -> None:
        """Send what was not sent before a restart. Each message is noted right before and right after it goes to Telegram."""
        chat, number = update.effective_chat, update.update_id
        pieces = [piece for message in answer.messages for piece in pieces_of(message, answer.replies_to)]
        sent = self._progress.get(number, Progress()).sent
        for place, piece in enumerate(pieces[sent:], sent + 1):
            assert chat is not None
            delivery = await self._sender.post(chat.id, piece, begin=partial(asyncio.to_thread, self._inbox.begin, number, place))
            if delivery is Delivery.REFUSED:
                return
            self._progress[number] = Progress(place, place)
            if place < len(pieces):  # the last one is noted with the update itself
                await asyncio.to_thread(self._inbox.note_sent, number, place)

    # Out

    async def deliver(self, address: str, message: Outbound) -> Delivery:
        """Send a message that is no answer, such as a notice, to the conversation with this address."""
        try:
            return await self._sender.send(int(address), message)
        except Stopping:
            return Delivery.FAILED

    async def show_typing(self, address: str) -> None:
        """Show that an officer is writing to the conversation with this address; Telegram shows it for five seconds."""
        await quietly(self._application.bot.send_chat_action(int(address), ChatAction.TYPING))

    async def _unreachable(self, chat_id: int) -> None:
        await asyncio.to_thread(self._conversations.note_reachable, "telegram", str(chat_id), False)
