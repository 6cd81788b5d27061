"""How long the sentences are that citizens read: plain language wants at most twenty words, and three sentences a paragraph."""

from __future__ import annotations

import re

LONGEST_SENTENCE_WORDS, MOST_SENTENCES = 20, 3


def sentences(words: str) -> list[str]:
    """The sentences of a text in our markup; each point of a list is one or more of its own."""
    lines = [line.lstrip("- ") for line in words.splitlines() if line.strip()]
    return [one.strip() for line in lines for one in re.split(r"(?<=[.!?])\s+(?=[A-Z*\[])", line) if one.strip()]


def long_sentences(words: str) -> list[str]:
    return [sentence for sentence in sentences(words) if len(sentence.split()) > LONGEST_SENTENCE_WORDS]


def long_paragraphs(words: str) -> list[str]:
    """Paragraphs of more than three sentences; the points of a list don't count."""
    return [part for part in words.split("\n\n") if len(sentences(_prose(part))) > MOST_SENTENCES]


def _prose(words: str) -> str:
    return "\n".join(line for line in words.splitlines() if not line.startswith("- "))
