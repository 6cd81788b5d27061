"""The bot's commands and descriptions in both languages, from menu.yml."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from telegram import Bot, BotCommand

from bot.channels.telegram.sending import quietly

FILE = Path(__file__).with_name("menu.yml")


@dataclass(frozen=True)
class Meaning:
    """What a command stands for: a button with this label and payload, or words that a citizen could type."""

    text: str
    payload: str | None


@cache
def _menu() -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    return content


def meaning(command: str, language: str) -> Meaning | None:
    """Of a command without its slash, in the language of the conversation; None for one that we don't have."""
    menus = [_menu()[one]["commands"] for one in ("id", "en")]
    place = next((list(menu).index(command) for menu in menus if command in menu), None)
    if place is None:
        return None
    found = list(menus[language == "en"].values())[place]
    return Meaning(found.get("says") or found["label"], found.get("payload"))


async def set_menu(bot: Bot) -> None:
    """Tell Telegram; Indonesian is what everybody gets whose language has none of its own."""
    for language, texts in _menu().items():
        code = None if language == "id" else language
        commands = [BotCommand(name, command["label"]) for name, command in texts["commands"].items()]
        await quietly(bot.set_my_commands(commands, language_code=code))
        await quietly(bot.set_my_description(texts["description"], language_code=code))
        await quietly(bot.set_my_short_description(texts["short_description"], language_code=code))
