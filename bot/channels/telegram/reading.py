"""Reads what Telegram sends, also where the Bot API has moved on and python-telegram-bot can't read a part of it."""

from __future__ import annotations

from typing import Any

from telegram import Bot, Update

from bot.channels.telegram.kinds import KIND_KEY, KINDS

_MESSAGES = ("message", "edited_message")
_CORE = ("message_id", "date", "edit_date", "chat", "from", "text", "caption", "media_group_id")
_WORDS = frozenset(("text", "caption", "data", "language_code", "media_group_id"))
"""What is read as text further on; python-telegram-bot hands on whatever stands there."""


def read(content: dict[str, Any], bot: Bot) -> Update:
    """Raises whatever python-telegram-bot does where not even sender and chat can be read: it promises no kind of error."""
    content = _with_words_only(content)
    try:
        return Update.de_json(content, bot)
    except Exception:
        reduced = {name: _reduced(content[name]) for name in _MESSAGES if isinstance(content.get(name), dict)}
        if not reduced:
            raise
        return Update.de_json({"update_id": content["update_id"], **reduced}, bot)


def _with_words_only(value: Any) -> Any:
    """The same without words that are no text."""
    if isinstance(value, list):
        return [_with_words_only(one) for one in value]
    if not isinstance(value, dict):
        return value
    return {name: _with_words_only(one) for name, one in value.items() if name not in _WORDS or isinstance(one, str)}


def _reduced(message: dict[str, Any]) -> dict[str, Any]:
    """The message without what came with its text, of which only the kind stays."""
    kind = next((name for name in KINDS if name in message), None)
    return {name: message[name] for name in _CORE if name in message} | ({KIND_KEY: kind} if kind else {})
