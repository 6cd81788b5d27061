"""The Telegram channel. State lives in Rasa's tracker and our database, never in python-telegram-bot."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Any

import structlog
import yaml
from telegram import BotCommand, Message, Update
from telegram.constants import ChatAction, ChatType
from telegram.error import TelegramError
from telegram.ext import Application, CallbackQueryHandler, ContextTypes, MessageHandler, TypeHandler, filters

from bot.channels.telegram.queue import ChatsInOrder, InboxQueue
from bot.channels.telegram.sending import Delivery, Sender, quietly
from bot.conversation import ConversationService, TooManyWaiting
from bot.messages import Inbound, Outbound
from bot.rate_limits import RateLimits
from store.conversations import Conversations
from store.telegram_inbox import TelegramInbox

os.environ.setdefault("PTB_TIMEDELTA", "1")
log = structlog.get_logger(__name__)
DELIVERY_SECONDS = 15
"""Time limit for a message that no citizen is waiting for; it is tried again later."""
UPDATES = ["message", "edited_message", "callback_query", "my_chat_member"]
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
MENU = Path(__file__).with_name("menu.yml")


class TelegramChannel:
    def __init__(
        self,
        service: ConversationService,
        conversations: Conversations,
        inbox: TelegramInbox,
        limits: RateLimits,
        topics: frozenset[str],
        token: str,
        base_url: str,
        webhook: tuple[str, str] | None = None,
    ) -> None:
        """`topics`: what `?start=<topic>` may name. `webhook`: its public address and secret; without it the bot polls."""
        self._service = service
        self._conversations = conversations
        self._inbox = inbox
        self._limits = limits
        self._topics = topics
        self._webhook = webhook
        self._chats = ChatsInOrder()
        self._queue = InboxQueue(inbox)
        builder = Application.builder().token(token).base_url(base_url).concurrent_updates(self._chats).update_queue(self._queue)
        self._application: Application[Any, Any, Any, Any, Any, Any] = (builder.updater(None) if webhook else builder).build()
        self._sender = Sender(self._application.bot)
        for handler in (
            CallbackQueryHandler(self._finishing(self._on_button)),
            MessageHandler(filters.UpdateType.EDITED_MESSAGE, self._finishing(self._on_edited)),
            MessageHandler(filters.ALL, self._finishing(self._on_message)),
            TypeHandler(Update, self._finishing(self._on_anything_else)),
        ):
            self._application.add_handler(handler)

    # Life

    async def start(self) -> None:
        await self._application.initialize()
        await self._application.start()
        for content in await asyncio.to_thread(self._inbox.unfinished):
            await self._queue.put_again(self._read(content))
        await self._set_menu()
        if self._webhook:
            url, secret = self._webhook
            await self._application.bot.set_webhook(url, secret_token=secret, allowed_updates=UPDATES)
            log.info("telegram webhook set")
            return
        assert self._application.updater is not None
        await self._application.updater.start_polling(allowed_updates=UPDATES)
        log.info("telegram polling started")

    async def stop(self) -> None:
        if self._application.updater and self._application.updater.running:
            await self._application.updater.stop()
        await self._application.stop()
        await self._application.shutdown()

    async def accept(self, content: dict[str, Any]) -> None:
        """An update from the webhook; it is on the disk when this returns. One that nobody could read is left: it would come again."""
        try:
            update = self._read(content)
        except Exception as error:  # python-telegram-bot promises no kind of error for what it can't read
            log.warning("telegram update of an unknown shape", error=type(error).__name__)
            return
        await self._queue.put(update)

    async def deliver(self, address: str, message: Outbound) -> Delivery:
        """Send a message that is no answer, such as a notice, to the conversation with this address."""
        try:
            async with asyncio.timeout(DELIVERY_SECONDS):
                return await self._sender.send(int(address), message)
        except (TimeoutError, TelegramError) as error:
            log.warning("telegram message waits", error=type(error).__name__)
            return Delivery.FAILED

    async def show_typing(self, address: str) -> None:
        """Show that an officer is writing to the conversation with this address; Telegram shows it for five seconds."""
        await quietly(self._application.bot.send_chat_action(int(address), ChatAction.TYPING))

    def _read(self, content: dict[str, Any]) -> Update:
        update: Update = Update.de_json(content, self._application.bot)
        return update

    async def _set_menu(self) -> None:
        bot = self._application.bot
        for language, texts in yaml.safe_load(MENU.read_text(encoding="utf-8")).items():
            commands = [BotCommand(name, text) for name, text in texts["commands"].items()]
            code = None if language == "id" else language
            await quietly(bot.set_my_commands(commands, language_code=code))
            await quietly(bot.set_my_description(texts["description"], language_code=code))
            await quietly(bot.set_my_short_description(texts["short_description"], language_code=code))

    # Updates

    def _finishing(self, work: Any) -> Any:
        """Work on an update and note that it is dealt with; one that fails is not tried for ever."""

        async def run(update: Update, context: ContextTypes.DEFAULT_TYPE) -> None:
            try:
                await work(update)
            except Exception as error:  # one update must not stop the others
                log.error("telegram update failed", error=type(error).__name__)
            await asyncio.to_thread(self._inbox.finish, update.update_id)

        return run

    async def _on_message(self, update: Update) -> None:
        message, chat = update.message, update.effective_chat
        if message is None or chat is None:
            return
        if chat.type != ChatType.PRIVATE:
            await self._in_group(message)
            return
        if self._chats.is_crowded(chat.id):
            await self._crowded(chat.id)
            return
        if message.from_user and message.from_user.is_bot:
            return  # two programs that answer each other never end
        if not await self._may_speak(chat.id):
            return
        locale = "en" if (message.from_user and (message.from_user.language_code or "id").startswith("en")) else "id"
        conversation = await asyncio.to_thread(self._conversations.open, "telegram", locale, str(chat.id))
        text = message.text or message.caption
        if text is None:
            await self._send(update, await self._service.say(conversation.id, "utter_text_only"))
            return
        command, _, rest = text.partition(" ") if text.startswith("/") else ("", "", "")
        command = command.split("@")[0].lower()
        greeting: list[Outbound] = []
        if command == "/start":
            greeting = await self._service.greet(conversation.id, locale)
            text = f"info {rest.strip().replace('_', ' ')}" if rest.strip() in self._topics else ""
            if not text:
                await self._send(update, greeting)
                return
        inbound = Inbound(conversation.id, f"telegram:{update.update_id}", COMMANDS.get(command, text))
        await self._answer(update, inbound, greeting)

    async def _on_button(self, update: Update) -> None:
        query, chat = update.callback_query, update.effective_chat
        if query is None or chat is None or chat.type != ChatType.PRIVATE:
            return
        if not await self._may_speak(chat.id):
            return
        await quietly(query.answer())
        await quietly(query.edit_message_reply_markup(None))
        conversation = await asyncio.to_thread(self._conversations.open, "telegram", "id", str(chat.id))
        await self._answer(update, Inbound(conversation.id, f"telegram:{update.update_id}", button=query.data or ""))

    async def _on_edited(self, update: Update) -> None:
        chat = update.effective_chat
        if chat is not None and chat.type == ChatType.PRIVATE:
            conversation = await asyncio.to_thread(self._conversations.open, "telegram", "id", str(chat.id))
            await self._send(update, await self._service.say(conversation.id, "utter_edited"))

    async def _on_anything_else(self, update: Update) -> None:
        """A chat member's change and the like: nobody waits for an answer."""

    async def _in_group(self, message: Message) -> None:
        """Personal matters don't belong into a group: who speaks to the bot there is shown the way to a private chat."""
        bot = self._application.bot
        replied = message.reply_to_message and message.reply_to_message.from_user
        spoken_to = f"@{bot.username}".lower() in (message.text or message.caption or "").lower()
        if spoken_to or (replied and replied.id == bot.id):
            language = (message.from_user.language_code or "id") if message.from_user else "id"
            sentence = await self._service.sentence("utter_group", "en" if language.startswith("en") else "id")
            await self._sender.say(message.chat.id, f"{sentence}\nhttps://t.me/{bot.username}?start=grup")

    async def _may_speak(self, chat_id: int) -> bool:
        """Whether the sender is within the limits. Who isn't is told so once a minute, and not answered otherwise."""
        if not await self._limits.seconds_to_wait(("messages_of_session", f"telegram:{chat_id}"), ("messages_of_all", "")):
            return True
        if not await self._limits.seconds_to_wait(("told_of_limit", f"telegram:{chat_id}")):
            await self._crowded(chat_id)
        return False

    async def _crowded(self, chat_id: int) -> None:
        await self._sender.say(chat_id, await self._service.sentence("utter_too_fast", "id"))

    async def _answer(self, update: Update, inbound: Inbound, before: list[Outbound] | None = None) -> None:
        chat = update.effective_chat
        assert chat is not None
        await quietly(self._application.bot.send_chat_action(chat.id, ChatAction.TYPING))
        try:
            replies = await self._service.handle(inbound)
        except TooManyWaiting as error:
            await self._sender.say(chat.id, error.sentence)
            return
        await self._send(update, [*(before or []), *replies])

    async def _send(self, update: Update, messages: list[Outbound]) -> None:
        """Send what was not sent before a restart."""
        chat = update.effective_chat
        assert chat is not None
        sent = await asyncio.to_thread(self._inbox.sent, update.update_id)
        for number, message in enumerate(messages[sent:], sent + 1):
            await self._sender.send(chat.id, message)
            await asyncio.to_thread(self._inbox.note_sent, update.update_id, number)
