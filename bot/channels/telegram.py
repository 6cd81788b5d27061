"""The Telegram channel by long polling. State lives in Rasa's tracker and our database, never in python-telegram-bot."""

from __future__ import annotations

import asyncio
import html
import os
import time
from enum import StrEnum
from typing import Any

import structlog
from telegram import Bot, InlineKeyboardButton, InlineKeyboardMarkup, LinkPreviewOptions, Update
from telegram.constants import ChatAction, ChatType
from telegram.error import BadRequest, Forbidden, RetryAfter, TelegramError, TimedOut
from telegram.ext import Application, BaseUpdateProcessor, CallbackQueryHandler, ContextTypes, MessageHandler, filters

from bot.conversation import ConversationService, TooManyWaiting
from bot.markup import to_telegram_html
from bot.messages import Inbound, Outbound
from store.conversations import Conversations

os.environ.setdefault("PTB_TIMEDELTA", "1")
log = structlog.get_logger(__name__)
CHATS_AT_ONCE = 64
SECONDS_BETWEEN_MESSAGES = 1.0
SENDING_TRIES = 4
DELIVERY_SECONDS = 15
"""Time limit for a message that no citizen is waiting for; it is tried again later."""
COMMANDS = {
    "/bantuan": "bantuan",
    "/help": "help",
    "/status": "cek status tiket saya",
    "/aspirasi": "saya mau menyampaikan aspirasi",
    "/informasi": "saya mau mengajukan permohonan informasi",
    "/simpel": "cek status SIMPEL saya",
    "/petugas": "saya mau bicara dengan petugas",
    "/bahasa": "English please",
    "/privasi": "data saya yang disimpan apa saja",
    "/batal": "batal",
}
"""Commands stand for the words that a citizen would type; nothing more can be reached by them."""


class Delivery(StrEnum):
    SENT = "sent"
    REFUSED = "refused"
    """By Telegram, for good: the bot is blocked, the account deleted."""
    FAILED = "failed"
    """Telegram could not be reached, or wants a long pause."""


class _ManyChats(BaseUpdateProcessor):
    """Works on updates at once; the conversation itself keeps each chat in order."""

    async def do_process_update(self, update: object, coroutine: Any) -> None:
        await coroutine

    async def initialize(self) -> None:
        pass

    async def shutdown(self) -> None:
        pass


class TelegramChannel:
    def __init__(self, service: ConversationService, conversations: Conversations, token: str, base_url: str) -> None:
        self._service = service
        self._conversations = conversations
        self._sent_at: dict[int, float] = {}
        builder = Application.builder().token(token).base_url(base_url).concurrent_updates(_ManyChats(CHATS_AT_ONCE))
        self._application: Application[Any, Any, Any, Any, Any, Any] = builder.build()
        self._application.add_handler(CallbackQueryHandler(self._on_button))
        self._application.add_handler(MessageHandler(filters.ALL, self._on_message))
        self._application.add_error_handler(self._on_error)

    async def start(self) -> None:
        await self._application.initialize()
        await self._application.start()
        assert self._application.updater is not None
        await self._application.updater.start_polling(allowed_updates=["message", "callback_query"])
        log.info("telegram polling started")

    async def stop(self) -> None:
        if self._application.updater and self._application.updater.running:
            await self._application.updater.stop()
        await self._application.stop()
        await self._application.shutdown()

    async def _on_message(self, update: Update, context: ContextTypes.DEFAULT_TYPE) -> None:
        message, chat = update.effective_message, update.effective_chat
        if message is None or chat is None or chat.type != ChatType.PRIVATE:
            return
        locale = "en" if (message.from_user and (message.from_user.language_code or "id").startswith("en")) else "id"
        conversation = await asyncio.to_thread(self._conversations.open, "telegram", locale, str(chat.id))
        text = message.text or message.caption
        if text is None:
            await self._send(chat.id, await self._service.say(conversation.id, "utter_text_only"))
            return
        command = text.split()[0].split("@")[0].lower() if text.startswith("/") else ""
        if command == "/start":
            await self._send(chat.id, await self._service.greet(conversation.id, locale))
            return
        await self._answer(chat.id, Inbound(conversation.id, f"telegram:{update.update_id}", COMMANDS.get(command, text)))

    async def _on_button(self, update: Update, context: ContextTypes.DEFAULT_TYPE) -> None:
        query, chat = update.callback_query, update.effective_chat
        if query is None or chat is None or chat.type != ChatType.PRIVATE:
            return
        await self._quietly(query.answer())
        await self._quietly(query.edit_message_reply_markup(None))
        conversation = await asyncio.to_thread(self._conversations.open, "telegram", "id", str(chat.id))
        await self._answer(chat.id, Inbound(conversation.id, f"telegram:{update.update_id}", button=query.data or ""))

    async def _answer(self, chat_id: int, inbound: Inbound) -> None:
        await self._quietly(self._bot.send_chat_action(chat_id, ChatAction.TYPING))
        try:
            replies = await self._service.handle(inbound)
        except TooManyWaiting as error:
            await self._quietly(self._bot.send_message(chat_id, error.sentence))
            return
        await self._send(chat_id, replies)

    @property
    def _bot(self) -> Bot:
        bot: Bot = self._application.bot
        return bot

    async def deliver(self, address: str, message: Outbound) -> Delivery:
        """Send a message that is no answer, such as a notice, to the conversation with this address."""
        try:
            async with asyncio.timeout(DELIVERY_SECONDS):
                return await self._send_message(int(address), message)
        except (TimeoutError, TelegramError) as error:
            log.warning("telegram message waits", error=type(error).__name__)
            return Delivery.FAILED

    async def _send(self, chat_id: int, messages: list[Outbound]) -> None:
        for message in messages:
            await self._send_message(chat_id, message)

    async def _send_message(self, chat_id: int, message: Outbound) -> Delivery:
        keyboard = InlineKeyboardMarkup([[InlineKeyboardButton(b.label, callback_data=b.id)] for b in message.buttons])
        return await self._send_one(chat_id, with_sources(message), keyboard if message.buttons else None)

    async def _send_one(self, chat_id: int, text: str, keyboard: InlineKeyboardMarkup | None) -> Delivery:
        """One message a second a chat; waits as Telegram asks; a blocked bot or deleted account is noted and left."""
        for _ in range(SENDING_TRIES):
            wait = self._sent_at.get(chat_id, 0) + SECONDS_BETWEEN_MESSAGES - time.monotonic()
            if wait > 0:
                await asyncio.sleep(wait)
            self._sent_at[chat_id] = time.monotonic()
            try:
                await self._bot.send_message(
                    chat_id,
                    text,
                    parse_mode="HTML",
                    reply_markup=keyboard,
                    link_preview_options=LinkPreviewOptions(is_disabled=True),
                )
                return Delivery.SENT
            except RetryAfter as error:
                seconds = error.retry_after.total_seconds()  # type: ignore[union-attr]  # PTB_TIMEDELTA makes it one
                await asyncio.sleep(seconds)
            except TimedOut:
                continue
            except (Forbidden, BadRequest) as error:
                log.warning("telegram refused a message", error=type(error).__name__)
                return Delivery.REFUSED
        log.error("telegram message not delivered", tries=SENDING_TRIES)
        return Delivery.FAILED

    @staticmethod
    async def _quietly(call: Any) -> None:
        """For what may fail without the citizen missing anything: typing, closing a keyboard."""
        try:
            await call
        except TelegramError as error:
            log.info("telegram call failed", error=type(error).__name__)

    @staticmethod
    async def _on_error(update: object, context: ContextTypes.DEFAULT_TYPE) -> None:
        log.error("telegram update failed", error=type(context.error).__name__)


def with_sources(message: Outbound) -> str:
    """The message as Telegram HTML, with its sources below. Labels are those of the ministry's language."""
    lines = [to_telegram_html(message.text)]
    for source in message.sources:
        title = html.escape(source["title"], quote=False)
        named = f'<a href="{html.escape(source["url"])}">{title}</a>' if source["url"] else title
        lines.append(f"\n<i>{named} · {source['checked_on']}</i>")
    return "\n".join(lines)
