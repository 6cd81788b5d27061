"""Finds what a message denies: "bukan korupsi, maksud saya jalan rusak". Neither a complaint nor a search is about that."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path

import yaml

from services.knowledge_files import Entry
from services.passages import stems
from services.spelling import normalise

WORDS_FILE = Path(__file__).with_name("denial_words.yml")
MOST_ENDS = 3
"""So many words at the beginning of what stands after a rejection can be an address or lead in."""
_CLAUSE_END = re.compile(r"(?<=\?)\s+|,\s*|[.;:!…](?:\s+|$)|\n+|\s[-–—]\s")
Words = Sequence[str]


@cache
def _read() -> dict[str, list[str]]:
    return dict(yaml.load(WORDS_FILE.read_text(encoding="utf-8"), Loader=yaml.BaseLoader))  # noqa: S506 makes strings only


@cache
def _words(name: str) -> frozenset[str]:
    return frozenset(_read()[name])


@cache
def _listed(name: str) -> tuple[tuple[str, ...], ...]:
    return _phrases(_read()[name])


def without_denied(spelling: str, subjects: Iterable[str], deeds: Iterable[str]) -> str:
    """The message in normalised spelling without the `subjects` that it denies, and the `deeds` of which it says there were none."""
    words, kept, place = spelling.split(), [], 0
    denied, absent = _phrases(subjects), _phrases(deeds)
    while place < len(words):
        end = _after_named(words, _after_denial(words, place), denied)
        end = end or _after_named(words, _after_any(words, place, _listed("absent")), absent)
        if end and not _after_any(words, end, _listed("asked_behind")):
            place = end
        else:
            kept.append(words[place])
            place += 1
    return " ".join(kept)


def rest_of_rejection(message: str, said: Entry) -> str | None:
    """What else a message says that rejects the answer `said`, "" for nothing; None where it doesn't reject it."""
    clauses = [normalise(clause).split() for clause in _CLAUSE_END.split(message)]
    for number, words in enumerate(clauses):
        end = _end_of_rejection(words, said, explained=_is_meant(words) or any(map(_is_meant, clauses[number + 1 : number + 2])))
        if end:
            rest = [*clauses[:number], _without_lead(words[end:]), *map(_without_lead, clauses[number + 1 :])]
            told = " ".join(word for clause in rest for word in clause)
            return told if stems(told) else ""
    return None


def _end_of_rejection(words: Words, said: Entry, *, explained: bool) -> int:
    """The place behind the rejection that a clause begins with, or 0. `explained`: the message goes on with what is meant instead."""
    start = _skip(words, 0, "opens")
    spoken = _after_spoken(words, _skip(words, start, "speakers"))
    behind = spoken or _after_denial(words, start)
    if not behind or words[-1] == "?":
        return 0
    begin = behind
    while begin < len(words) and _is_one(words[begin], "fills") and not _is_one(words[begin], "that"):
        begin += 1
    if begin < len(words) and _is_one(words[begin], "that"):
        if spoken and _is_one(words[start], "who"):
            return 0  # asks who
        return _skip(words, begin + 1, "that_goes_on")
    named = _named(words[begin:], said)
    plainly = bool(spoken) or explained
    if not plainly and any(_is_one(word, "asks_at_once") for word in words[begin:]):
        return 0
    return begin + len(named) if _is_about(named, said, loosely=plainly) else 0


def _named(words: Words, said: Entry) -> Words:
    """What a rejection names, up to an address or the turn to something else. "Mas" in "Lapor Mas Wapres" is no address."""
    title = normalise(f"{said.facts.title.id} {said.facts.title.en}").split()
    ends = (
        place
        for place, word in enumerate(words)
        if _is_one(word, "ends") and not (place + 1 < len(words) and word in title and words[place + 1] in title)
    )
    return words[: next(ends, len(words))]


def _is_about(named: Words, said: Entry, *, loosely: bool) -> bool:
    """Whether the words name the subject of an entry: all in its title, or in a row in its answer; `loosely`: one of them in it."""
    facts, spelling = said.facts, " ".join(named)
    titles = stems(f"{facts.title.id} {facts.title.en} {said.topic.replace('_', ' ')}")
    texts = [normalise(text) for text in said.answers.values()]
    wanted = stems(spelling)
    if loosely:
        return bool(wanted & stems(" ".join([*said.examples, *texts])))
    return bool(wanted) and (wanted <= titles or (len(named) > 1 and any(_in_a_row(spelling, text) for text in texts)))


def _in_a_row(spelling: str, text: str) -> bool:
    return f" {spelling} " in f" {re.sub(r'jl', 'jalan', text)} "


def _is_meant(words: Words) -> bool:
    return any(_is_one(word, "meant") for word in words)


def _without_lead(words: Words) -> list[str]:
    start = min(_skip(words, 0, "ends"), MOST_ENDS)
    return list(words[start:])


def _after_denial(words: Words, place: int) -> int:
    """The place behind a denial that begins at `place`, or 0."""
    is_denial = _is_one(words[place], "denies") if place < len(words) else False
    if place < len(words) and _is_one(words[place], "denies_in_sundanese"):
        is_denial = any(_is_one(word, "sundanese") for word in words)
    if is_denial and not any(_ends_with(words[:place], phrase) for phrase in _listed("asked_before")):
        return place + 1
    return _after_spoken(words, place)


def _after_spoken(words: Words, place: int) -> int:
    """The same of "tidak tanya" and "siapa yang bilang"."""
    for opens, verbs in (("negates", "speaks"), ("denies", "speaks"), ("who", "speaks_of")):
        if place < len(words) and _is_one(words[place], opens):
            verb = _skip(words, place + 1, "helps")
            if verb < len(words) and _is_one(words[verb], verbs):
                return verb + 1
    return 0


def _after_named(words: Words, place: int, phrases: Sequence[tuple[str, ...]]) -> int:
    """The place behind those of `phrases` that are joined from `place` on, or 0."""
    end = _after_any(words, _skip(words, place, "fills"), phrases) if place else 0
    if place and not end:
        end = _after_any(words, place, phrases)  # begins with a word such as "lapor"
    while end and end < len(words) and _is_one(words[end], "joins"):
        further = _after_any(words, _skip(words, end + 1, "fills"), phrases)
        if not further:
            break
        end = further
    return end


def _after_any(words: Words, place: int, phrases: Sequence[tuple[str, ...]]) -> int:
    return next((place + len(phrase) for phrase in phrases if tuple(words[place : place + len(phrase)]) == phrase), 0)


def _skip(words: Words, place: int, name: str) -> int:
    while place < len(words) and _is_one(words[place], name):
        place += 1
    return place


def _is_one(word: str, name: str) -> bool:
    return word in _words(name)


def _ends_with(words: Words, phrase: tuple[str, ...]) -> bool:
    return tuple(words[-len(phrase) :]) == phrase


@cache
def _phrases_of(texts: frozenset[str]) -> tuple[tuple[str, ...], ...]:
    return tuple(sorted((tuple(text.split()) for text in texts), key=len, reverse=True))


def _phrases(texts: Iterable[str]) -> tuple[tuple[str, ...], ...]:
    return _phrases_of(frozenset(texts))
