"""A knowledge entry as an editor fills it in: to and from the text of its file, and what is wrong with it in words of the desk."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from datetime import date
from enum import StrEnum
from typing import Any
from urllib.parse import urlsplit

import yaml

from services.knowledge_files import SECTIONS, TOPICS, Entry, KnowledgeError, Trust, bare_question, parse_entry
from services.privacy import mask
from services.readability import long_paragraphs, long_sentences

LEAST_QUESTIONS = {"id": 3, "en": 2}
SHORTEST = 3
LONGEST = {"title": 120, "question": 600, "answer": 4000}
MOST_QUESTIONS = 150
ENTRY_ID = re.compile(r"[a-z0-9_]{3,60}")
LINK = re.compile(r"\[[^\[\]]*\]\(([^)\s\[]*)(?:\s[^)\[]*)?\)|(?<![(\w])(https?://\S+)")
UNKNOWN_MARKUP = re.compile(r"^[^\S\n]*(?:[#>|]|\d+\.\s)|!\[|```", re.MULTILINE)


class Trouble(StrEnum):
    """What is wrong with a field. Until it is mended nothing is proposed."""

    ID_FORM = "id_form"
    ID_TAKEN = "id_taken"
    TOPIC = "topic"
    MISSING = "missing"
    TOO_LONG = "too_long"
    FEW_QUESTIONS = "few_questions"
    MANY_QUESTIONS = "many_questions"
    ASKED_TWICE = "asked_twice"
    ASKED_ELSEWHERE = "asked_elsewhere"
    NOT_HTTPS = "not_https"
    ONE_PLACE = "one_place"
    """Either an address or the name of a document says where it stands."""
    DATE = "date"
    FUTURE = "future"
    BEFORE_CHECK = "before_check"
    TRUST = "trust"
    MARKUP = "markup"
    CONFIRMED_NOTHING = "confirmed_nothing"
    FILE = "file"
    """What reading the file says, where nothing above has said it before."""


class Advice(StrEnum):
    """What should be looked at again; it may be so on purpose."""

    LONG_SENTENCE = "long_sentence"
    LONG_PARAGRAPH = "long_paragraph"
    PERSONAL = "personal"
    STALE = "stale"


@dataclass(frozen=True)
class Fault:
    field: str
    what: Trouble | Advice
    detail: str = ""


@dataclass(frozen=True)
class KnowledgeForm:
    """Every field as text; question variants one a line."""

    id: str = ""
    topic: str = ""
    title_id: str = ""
    title_en: str = ""
    questions_id: str = ""
    questions_en: str = ""
    answer_id: str = ""
    answer_en: str = ""
    later_id: str = ""
    later_en: str = ""
    source_title: str = ""
    source_url: str = ""
    source_document: str = ""
    checked_on: str = ""
    valid_until: str = ""
    confirmed_on: str = ""
    owner: str = ""
    trust: str = ""
    known: str = "true"

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> KnowledgeForm:
        """From the fields of a web form: line ends as in a file, no white space around; unknown names are left out."""
        values = {one.name: str(given.get(one.name) or "") for one in fields(cls)}
        return cls(**{name: "\n".join(line.rstrip() for line in value.split("\n")).strip() for name, value in values.items()})

    @classmethod
    def read(cls, text: str) -> KnowledgeForm:
        """From the text of a file that can be used."""
        _, front, body = re.split(r"^---\n", text, maxsplit=2, flags=re.MULTILINE)
        facts = yaml.safe_load(front)
        parts = dict(re.findall(r"^## (.+?)\s*\n(.*?)(?=^## |\Z)", body, re.DOTALL | re.MULTILINE))
        sections = {f"{'later' if later else 'answer'}_{language}": heading for heading, (language, later) in SECTIONS.items()}
        return cls(
            id=facts["id"],
            topic=facts["topic"],
            **{f"title_{language}": facts["title"][language] for language in ("id", "en")},
            **{f"questions_{language}": "\n".join(map(str, facts["questions"][language])) for language in ("id", "en")},
            **{f"source_{name}": facts["source"].get(name) or "" for name in ("title", "url", "document")},
            **{name: str(facts.get(name) or "") for name in ("checked_on", "valid_until", "confirmed_on")},
            **{name: parts.get(heading, "").strip() for name, heading in sections.items()},
            owner=facts["owner"],
            trust=facts["trust"],
            known="true" if facts["known"] else "",
        )

    def questions(self, language: str) -> list[str]:
        lines: str = getattr(self, f"questions_{language}")
        return [" ".join(line.split()) for line in lines.splitlines() if line.strip()]

    def values(self) -> dict[str, str]:
        return asdict(self)

    def text(self) -> str:
        """The text of the file `<id>.md`."""
        facts = {
            "id": self.id,
            "topic": self.topic,
            "title": {"id": self.title_id, "en": self.title_en},
            "questions": {language: self.questions(language) for language in ("id", "en")},
            "source": {name: value for name in ("title", "url", "document") if (value := getattr(self, f"source_{name}"))},
            **{name: _day(value) or value for name in ("checked_on", "valid_until", "confirmed_on") if (value := getattr(self, name))},
            "owner": self.owner,
            "trust": self.trust,
            "known": bool(self.known),
        }
        front = yaml.dump(facts, Dumper=_Indented, allow_unicode=True, sort_keys=False, width=10_000)
        parts = [
            (heading, getattr(self, f"{'later' if later else 'answer'}_{language}")) for heading, (language, later) in SECTIONS.items()
        ]
        return f"---\n{front}---\n" + "\n\n".join(f"## {heading}\n{words}" for heading, words in parts if words) + "\n"

    def entry(self) -> Entry:
        """Raises `KnowledgeError`."""
        return parse_entry(f"{self.id}.md", self.text())

    def faults(self, today: date, *, asked: Mapping[str, str], taken: bool) -> list[Fault]:
        """What has to be mended. `asked`: each question of the other entries, as `bare_question` gives it, and whose it is."""
        found = self._faults_of_facts(today, taken=taken)
        found += self._faults_of_questions(asked)
        for name in ("answer_id", "answer_en", "later_id", "later_en"):
            found += _faults_of_answer(name, getattr(self, name))
        if found:
            return found
        try:
            self.entry()
        except KnowledgeError as error:
            return [Fault("id", Trouble.FILE, str(error))]
        return []

    def advice(self, today: date) -> list[Fault]:
        found = []
        for name in ("answer_id", "answer_en", "later_id", "later_en"):
            words = getattr(self, name)
            found += [Fault(name, Advice.LONG_SENTENCE, sentence) for sentence in long_sentences(words)]
            found += [Fault(name, Advice.LONG_PARAGRAPH, part) for part in long_paragraphs(words)]
        for name in ("questions_id", "questions_en", "answer_id", "answer_en"):
            found += [Fault(name, Advice.PERSONAL, value) for _, value in mask(getattr(self, name)).found]
        until = _day(self.valid_until)
        return [*found, Fault("valid_until", Advice.STALE)] if until and until < today else found

    def _faults_of_facts(self, today: date, *, taken: bool) -> list[Fault]:
        names = ("title_id", "title_en", "source_title", "owner", "checked_on", "answer_id", "answer_en")
        found = [Fault(name, Trouble.MISSING) for name in names if len(getattr(self, name)) < SHORTEST]
        found += [Fault(name, Trouble.TOO_LONG) for name in ("title_id", "title_en") if len(getattr(self, name)) > LONGEST["title"]]
        if not ENTRY_ID.fullmatch(self.id):
            found.append(Fault("id", Trouble.ID_FORM))
        elif taken:
            found.append(Fault("id", Trouble.ID_TAKEN, self.id))
        found += [] if self.topic in TOPICS else [Fault("topic", Trouble.TOPIC)]
        found += [] if self.trust in set(Trust) else [Fault("trust", Trouble.TRUST)]
        if bool(self.source_url) == bool(self.source_document):
            found.append(Fault("source_url", Trouble.ONE_PLACE))
        elif self.source_url and not _is_https(self.source_url):
            found.append(Fault("source_url", Trouble.NOT_HTTPS, self.source_url))
        found += self._faults_of_days(today)
        if self.confirmed_on and not self.later_id and not self.later_en:
            found.append(Fault("confirmed_on", Trouble.CONFIRMED_NOTHING))
        return found

    def _faults_of_days(self, today: date) -> list[Fault]:
        days = {name: _day(getattr(self, name)) for name in ("checked_on", "valid_until", "confirmed_on")}
        found = [Fault(name, Trouble.DATE) for name, day in days.items() if getattr(self, name) and day is None]
        found += [Fault(name, Trouble.FUTURE) for name in ("checked_on", "confirmed_on") if (day := days[name]) and day > today]
        checked, until = days["checked_on"], days["valid_until"]
        return [*found, Fault("valid_until", Trouble.BEFORE_CHECK)] if checked and until and until < checked else found

    def _faults_of_questions(self, asked: Mapping[str, str]) -> list[Fault]:
        found = []
        own: set[str] = set()
        for language, least in LEAST_QUESTIONS.items():
            name, questions = f"questions_{language}", self.questions(language)
            if len(questions) < least:
                found.append(Fault(name, Trouble.FEW_QUESTIONS, str(least)))
            if len(questions) > MOST_QUESTIONS:
                found.append(Fault(name, Trouble.MANY_QUESTIONS, str(MOST_QUESTIONS)))
            for question in questions:
                bare = bare_question(question)
                if len(question) > LONGEST["question"]:
                    found.append(Fault(name, Trouble.TOO_LONG, question[:60]))
                if bare in own:
                    found.append(Fault(name, Trouble.ASKED_TWICE, question))
                elif bare in asked:
                    found.append(Fault(name, Trouble.ASKED_ELSEWHERE, f"{question} → {asked[bare]}"))
                own.add(bare)
        return found


class _Indented(yaml.SafeDumper):
    """Writes lists as the shipped files have them: indented under their name."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)


def _faults_of_answer(name: str, words: str) -> list[Fault]:
    found = [Fault(name, Trouble.TOO_LONG)] if len(words) > LONGEST["answer"] else []
    unknown = UNKNOWN_MARKUP.search(words)
    if unknown:
        found.append(Fault(name, Trouble.MARKUP, words[unknown.start() :].strip()[:40]))
    links = [given or bare for given, bare in LINK.findall(words)]
    return found + [Fault(name, Trouble.NOT_HTTPS, link) for link in links if not _is_https(link)]


def _is_https(link: str) -> bool:
    try:
        parts = urlsplit(link)
    except ValueError:
        return False
    return parts.scheme == "https" and bool(parts.hostname) and "." in str(parts.hostname) and not parts.username


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
