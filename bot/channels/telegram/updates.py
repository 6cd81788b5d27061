"""What each kind of update is answered: texts, buttons, commands, edits, pictures and the like, groups, coming and going."""

from __future__ import annotations

import asyncio
import re
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

from telegram import CallbackQuery, Chat, ChatMemberUpdated, Message, Update
from telegram.constants import ChatMemberStatus, ChatType

from bot.assistant import Said
from bot.channels.telegram.kinds import CAPTION_ONLY, Kind, kind_of
from bot.channels.telegram.menu import meaning
from bot.channels.telegram.queue import ChatsInOrder
from bot.channels.telegram.sending import Sender, quietly
from bot.conversation import ConversationService, TooManyWaiting
from bot.messages import Inbound, Outbound
from bot.public_answers import PublicAnswers
from bot.rate_limits import RateLimits
from store.conversations import Conversations
from store.database import utc_now
from store.models import Conversation
from store.telegram_inbox import TelegramInbox

CHANNEL = "telegram"
EDITS_REMEMBERED = 1_000
_COMMAND = re.compile(r"/(\w+)(?:@\w+)?(?:\s+(.*))?", re.DOTALL)
GONE = (ChatMemberStatus.LEFT, ChatMemberStatus.BANNED)


@dataclass(frozen=True)
class Answer:
    messages: Sequence[Outbound] = ()
    replies_to: int | None = None
    """In a group: Telegram's number of the message that is answered."""


NOTHING = Answer()


@dataclass(frozen=True)
class Means:
    """What the channel answers with."""

    service: ConversationService
    public_answers: PublicAnswers
    conversations: Conversations
    inbox: TelegramInbox
    limits: RateLimits
    topics: frozenset[str]
    """What `?start=<topic>` may name."""


class Answers:
    def __init__(self, means: Means, chats: ChatsInOrder, sender: Sender) -> None:
        self._service = means.service
        self._public_answers = means.public_answers
        self._conversations = means.conversations
        self._inbox = means.inbox
        self._limits = means.limits
        self._topics = means.topics
        self._chats = chats
        self._sender = sender
        self._absorbed: OrderedDict[tuple[int, int], str] = OrderedDict()

    async def to(self, update: Update) -> Answer:
        """The answer to an update; the same again when it is asked for again."""
        chat = update.effective_chat
        if chat is None:
            return NOTHING
        if update.my_chat_member:
            return await self._to_coming_and_going(chat, update.my_chat_member)
        if chat.type in (ChatType.GROUP, ChatType.SUPERGROUP):
            return await self._to_group(update.message) if update.message else NOTHING
        if chat.type != ChatType.PRIVATE:
            return NOTHING
        if update.effective_user and update.effective_user.is_bot:
            return NOTHING  # two programs that answer each other never end
        if (update.callback_query or update.message or update.edited_message) and not await self._may_speak(chat.id):
            return await self._to_too_many(chat.id, update.callback_query)
        try:
            if update.callback_query:
                return Answer(await self._to_press(update, update.callback_query))
            if update.edited_message:
                return Answer(await self._to_edit(update, update.edited_message))
            if update.message:
                return Answer(await self._to_message(update, update.message))
        except TooManyWaiting as error:
            return Answer([_outbound(Said(error.sentence))])
        return NOTHING

    async def _to_too_many(self, chat_id: int, query: CallbackQuery | None) -> Answer:
        """A message once a minute. Each press is told so in passing: its button looks busy until it is answered."""
        if query:
            self._sender.aside(quietly(query.answer((await self.too_many(chat_id)).text)))
            return NOTHING
        is_told = not await self._limits.seconds_to_wait(("told_of_limit", f"{CHANNEL}:{chat_id}"))
        return Answer([await self.too_many(chat_id)]) if is_told else NOTHING

    async def too_many(self, chat_id: int) -> Outbound:
        """What a chat is told that sends more than it may."""
        return await self._sentence(chat_id, "utter_too_fast")

    async def sorry(self, chat_id: int) -> Outbound:
        """What a chat is told whose message could not be answered."""
        return await self._sentence(chat_id, "utter_problem_server")

    async def _sentence(self, chat_id: int, name: str) -> Outbound:
        conversation = await self._open(chat_id, "id")
        return _outbound(Said(await self._service.sentence(name, await self._service.transcript.language(conversation))))

    async def _may_speak(self, chat_id: int) -> bool:
        """Whether the sender is within the limits."""
        return not await self._limits.seconds_to_wait(("messages_of_session", f"{CHANNEL}:{chat_id}"), ("messages_of_all", ""))

    # In private

    async def _to_message(self, update: Update, message: Message) -> Sequence[Outbound]:
        message = self._as_edited(update, message)
        conversation = await self._open(message.chat.id, _language(message))
        kind, text = kind_of(update), message.text or message.caption
        if text is None:
            return await self._to_other(update, message, conversation, kind) if kind else ()
        external_id = f"telegram:{update.update_id}"
        before: Sequence[Outbound] = ()
        if kind:
            note = Inbound(conversation.id, f"{external_id}:media", kind.logged)
            before = await self._service.remark(note, CAPTION_ONLY, ask_again=False)
        async with self._sender.typing(message.chat.id):
            command = _COMMAND.fullmatch(text)
            if command and command[1].lower() == "start":
                return await self._to_start(conversation, external_id, (command[2] or "").strip())
            meant = meaning(command[1].lower(), await self._service.transcript.language(conversation)) if command else None
            inbound = Inbound(conversation.id, external_id, meant.text if meant else text, payload=meant.payload if meant else None)
            return [*before, *await self._service.handle(inbound)]

    async def _to_start(self, conversation: Conversation, external_id: str, topic: str) -> Sequence[Outbound]:
        greeting = await self._service.greet_again(Inbound(conversation.id, f"{external_id}:start", "/start"))
        if topic not in self._topics:
            return greeting
        inbound = Inbound(conversation.id, external_id, f"info {topic.replace('_', ' ')}")
        return [*greeting, *await self._service.handle(inbound)]

    async def _to_other(self, update: Update, message: Message, conversation: Conversation, kind: Kind) -> Sequence[Outbound]:
        """One sentence for what can't be read, and one for an album of it, whose pictures come one by one."""
        album = message.media_group_id
        if album and not await asyncio.to_thread(self._inbox.claim, update.update_id, "album", str(message.chat.id), album):
            return ()
        return await self._service.remark(Inbound(conversation.id, f"telegram:{update.update_id}", kind.logged), kind.sentence)

    async def _to_press(self, update: Update, query: CallbackQuery) -> Sequence[Outbound]:
        """A keyboard works once: it is taken away, and a second press before it is gone is told so in passing."""
        if query.message is None:
            self._sender.aside(quietly(query.answer()))
            return ()
        chat_id, message_id = query.message.chat.id, query.message.message_id
        conversation = await self._open(chat_id, "id")
        self._sender.aside(
            quietly(self._sender.bot.edit_message_reply_markup(chat_id=chat_id, message_id=message_id, reply_markup=None))
        )
        if not await asyncio.to_thread(self._inbox.claim, update.update_id, "press", str(chat_id), str(message_id)):
            used = await self._service.sentence("utter_button_used", await self._service.transcript.language(conversation))
            self._sender.aside(quietly(query.answer(used)))
            return ()
        self._sender.aside(quietly(query.answer()))
        async with self._sender.typing(chat_id):
            return await self._service.handle(Inbound(conversation.id, f"telegram:{update.update_id}", button=query.data or ""))

    # Edits

    def _as_edited(self, update: Update, message: Message) -> Message:
        """The message as the citizen wants to have said it: what was changed before its turn counts."""
        edit = self._chats.edit_of(update)
        if edit is None:
            return message
        self._absorbed[(message.chat.id, message.message_id)] = _said_in(edit)
        while len(self._absorbed) > EDITS_REMEMBERED:
            self._absorbed.popitem(last=False)
        return edit

    async def _to_edit(self, update: Update, message: Message) -> Sequence[Outbound]:
        """Nothing where it was taken in place of the first text, or is no text; an officer gets it as a new message."""
        text = _said_in(message)
        absorbed = self._absorbed.get((message.chat.id, message.message_id))
        if not text or absorbed is not None:
            if absorbed == text:
                self._absorbed.pop((message.chat.id, message.message_id))
            return ()
        conversation = await self._open(message.chat.id, _language(message))
        inbound = Inbound(conversation.id, f"telegram:{update.update_id}", text)
        if await self._service.is_with_officer(conversation.id):
            return await self._service.handle(inbound)
        return await self._service.remark(Inbound(conversation.id, inbound.external_id, "[pesan diubah]"), "utter_edited")

    # In groups

    async def _to_group(self, message: Message) -> Answer:
        """Who speaks to the bot gets reviewed knowledge; personal matters are shown the way to a private chat."""
        bot = self._sender.bot
        text = message.text or message.caption or ""
        mention = re.compile(rf"@{re.escape(bot.username)}\b", re.IGNORECASE)
        replied = message.reply_to_message and message.reply_to_message.from_user
        if not mention.search(text) and not (replied and replied.id == bot.id):
            return NOTHING
        if await self._service.is_off(CHANNEL):
            return NOTHING
        async with self._sender.typing(message.chat.id):
            said = await self._public_answers.to(mention.sub("", text).strip(), _language(message))
            if said is None:
                sentence = await self._service.sentence("utter_group", _language(message))
                said = Said(f"{sentence}\n[t.me/{bot.username}](https://t.me/{bot.username}?start=grup)")
        return Answer([_outbound(said)], message.message_id)

    async def _to_coming_and_going(self, chat: Chat, change: ChatMemberUpdated) -> Answer:
        """A citizen who blocks the bot is noted, one who comes back gets what was kept; a group is told how to ask."""
        is_here, was_here = change.new_chat_member.status not in GONE, change.old_chat_member.status not in GONE
        if chat.type == ChatType.PRIVATE:
            await asyncio.to_thread(self._conversations.note_reachable, CHANNEL, str(chat.id), is_here)
            return NOTHING
        if chat.type == ChatType.CHANNEL or was_here or not is_here:
            return NOTHING
        language = "en" if (change.from_user.language_code or "").startswith("en") else "id"
        sentence = await self._service.sentence("utter_group_hello", language)
        return Answer([_outbound(Said(sentence.replace("@bot", f"@{self._sender.bot.username}")))])

    async def _open(self, chat_id: int, language: str) -> Conversation:
        """The chat's conversation. Whoever writes can be written to again."""
        conversation = await asyncio.to_thread(self._conversations.open, CHANNEL, language, str(chat_id))
        if conversation.unreachable_since:
            await asyncio.to_thread(self._conversations.note_reachable, CHANNEL, str(chat_id), True)
        return conversation


def _language(message: Message) -> str:
    return "en" if message.from_user and (message.from_user.language_code or "").startswith("en") else "id"


def _said_in(message: Message) -> str:
    return message.text or message.caption or ""


def _outbound(said: Said) -> Outbound:
    """What is said to a chat and stored in no conversation."""
    return Outbound(0, "bot", said.text, utc_now(), [], said.sources)
