"""Tells citizens in their conversation what has happened to their tickets: each notice once, whatever restarts in between.

First the message is stored in the conversation, in one transaction with the notice's state: the web widget gets it from there.
Then, for Telegram, it is sent, and sent again later where Telegram could not be reached. A citizen gets a message twice where
Telegram took it and we could not note that: after a crash in between, where Telegram's answer did not come, and where the scheduler's
time limit (`JOB_SECONDS`) ended the run in the middle of the call.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

import structlog

from bot.assistant import Assistant
from bot.conversation import ConversationService, TooManyWaiting
from bot.courier import Courier
from bot.messages import Delivery
from services.dates import long_date
from services.ticket_events import Happening
from services.ticket_files import TicketFiles
from services.turn import plain
from store.conversations import Conversations
from store.notices import Notices, NoticeState, OpenNotice

log = structlog.get_logger(__name__)


REASON = "[alasan]"
"""Stands for the officer's words in the stored message, which keeps them encrypted."""
FILES = "[tautan berkas]"
"""Stands likewise for the link to the files of an answer."""


class Notifier:
    """Notices for a channel that is off wait until it is on."""

    def __init__(
        self,
        assistant: Assistant,
        service: ConversationService,
        conversations: Conversations,
        notices: Notices,
        files: TicketFiles,
        courier: Courier,
    ) -> None:
        self._assistant = assistant
        self._service = service
        self._conversations = conversations
        self._notices = notices
        self._files = files
        self._courier = courier

    async def deliver(self) -> None:
        """Bring every open notice as far as it can be brought now; what can't is tried again the next time."""
        for notice in await asyncio.to_thread(self._notices.open):
            if notice.state is NoticeState.PENDING:
                await self._store(notice)
        if self._courier.is_idle:
            return
        stored: dict[str, list[OpenNotice]] = {}
        for notice in await asyncio.to_thread(self._notices.open):
            if notice.state is NoticeState.STORED:
                stored.setdefault(notice.conversation_id, []).append(notice)
        await asyncio.gather(*(self._send_in_order(notices) for notices in stored.values()))

    async def _send_in_order(self, notices: list[OpenNotice]) -> None:
        for notice in sorted(notices, key=lambda notice: notice.id):
            if await self._send(notice) is Delivery.FAILED:
                return

    async def _store(self, notice: OpenNotice) -> None:
        if await asyncio.to_thread(self._conversations.get, notice.conversation_id) is None:
            await asyncio.to_thread(self._notices.mark, notice.id, NoticeState.REFUSED)
            return
        due = long_date(notice.due_on, notice.locale) if notice.due_on else ""
        values: dict[str, Any] = {"number": notice.number, "due": due, "reason": REASON, "into": notice.data.get("into", "")}
        sentence = f"utter_notice_{notice.event}"
        files = await asyncio.to_thread(self._files.of, notice.number)
        if notice.event == Happening.ANSWERED and files:
            sentence += "_berkas"
            values |= {"link": FILES, "hours": self._files.hours}
        said = await self._assistant.sentence(sentence, notice.locale, **values)
        hidden = {REASON: plain(notice.text)} if notice.text and REASON in said.text else {}
        if FILES in said.text:
            hidden[FILES] = self._files.link(notice.number)
        with suppress(TooManyWaiting):
            await self._service.tell(notice.conversation_id, notice.id, said, hidden)

    async def _send(self, notice: OpenNotice) -> Delivery:
        message = await asyncio.to_thread(self._conversations.noticed, notice.id)
        delivery = Delivery.REFUSED
        if message is not None:
            delivery = await self._courier.bring(notice.conversation_id, self._service.transcript.render(message))
        after = {Delivery.SENT: NoticeState.SENT, Delivery.REFUSED: NoticeState.REFUSED, Delivery.FAILED: NoticeState.STORED}
        log.info("notice", ticket=notice.number, happening=notice.event, delivery=delivery)
        await asyncio.to_thread(self._notices.mark, notice.id, after[delivery])
        return delivery
