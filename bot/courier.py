"""Brings stored messages that nobody is waiting for, such as an officer's words, to the citizen's channel.

Whoever has such a message keeps it until the channel has taken or refused it, and comes again as long as the delivery failed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from bot.messages import Delivery, Outbound
from store.conversations import Conversations

Deliver = Callable[[str, Outbound], Awaitable[Delivery]]


class Courier:
    def __init__(self, conversations: Conversations, deliver: Mapping[str, Deliver]) -> None:
        """`deliver` names, by channel, what reaches a channel's own address."""
        self._conversations = conversations
        self._deliver = deliver

    @property
    def is_idle(self) -> bool:
        """Whether every channel that has to be written to is off."""
        return not self._deliver

    async def bring(self, conversation_id: str, message: Outbound) -> Delivery:
        """Over the web a stored message counts as sent: the event stream brings it. A channel that is off may be on again later."""
        conversation = await asyncio.to_thread(self._conversations.get, conversation_id)
        if conversation is None:
            return Delivery.REFUSED
        address = await asyncio.to_thread(self._conversations.address, conversation_id)
        if address is None:
            return Delivery.SENT
        deliver = self._deliver.get(conversation.channel)
        return await deliver(address, message) if deliver else Delivery.FAILED
