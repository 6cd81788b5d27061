"""Answers a question that is asked before others, in a group: reviewed knowledge and nothing else, and nothing is stored."""

from __future__ import annotations

import asyncio

from bot.assistant import Assistant, Said
from bot.messages import Unreadable, clean
from bot.nlu.language import detect
from bot.understanding import calmed
from services.dangers import CRISIS, EVERY_NUMBER
from services.knowledge import Knowledge, Verdict
from services.privacy import mask
from services.status_checks import mask_factors


class PublicAnswers:
    def __init__(self, assistant: Assistant, knowledge: Knowledge) -> None:
        self._assistant = assistant
        self._knowledge = knowledge

    async def to(self, text: str, language: str) -> Said | None:
        """The answer, or help in danger; None for everything else, which belongs into a private conversation.

        In the language of the question, or in `language` where the question does not show one. A question that holds personal
        data gets no answer here; a cry for help does, whatever stands in it.
        """
        cleaned = clean(text)
        if isinstance(cleaned, Unreadable):
            return None
        language = detect(cleaned) or language
        parsed = calmed(await asyncio.to_thread(self._assistant.understand, cleaned), cleaned)
        intent = parsed["intent"]["name"]
        if intent == CRISIS:
            return await self._assistant.sentence(EVERY_NUMBER, language)
        if intent != "ask_information" or mask(mask_factors(cleaned)).found:
            return None
        finding = await asyncio.to_thread(self._knowledge.find, cleaned)
        if finding.best is None or finding.verdict is not Verdict.ANSWER:
            return None
        return Said(finding.best.answers[language], sources=[finding.best.source_named()])
