"""Reads and checks the knowledge files: one Markdown file an entry, which an editor without programming writes."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, HttpUrl, ValidationError, model_validator

TOPICS = """
    kemensetneg_profil inovasi_transformasi biro_humas webinar_untidar setneg_mantul keterbukaan_informasi
    komunikasi_publik magang ai_big_data_perundangan simpel kanal_aspirasi kehumasan_digital_sdm pengaduan istura jdih
    lapor_mas_wapres upacara_17_agustus pelindungan_data tentang_asisten
""".split()
SECTIONS = {
    "Jawaban": ("id", False),
    "Answer": ("en", False),
    "Jawaban setelah konfirmasi": ("id", True),
    "Answer once confirmed": ("en", True),
}
Stamp = tuple[int, int]
"""Of a file: nanoseconds of the last change of its content or rights, and its size in bytes. GONE where it can't be looked at."""
GONE: Stamp = (0, 0)
Stamps = dict[str, Stamp]
"""Entry id to the stamp of its file."""
_YAML = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class Trust(StrEnum):
    """How far a source goes; who may say it, see docs/knowledge.md."""

    SEED = "SEED"
    OFFICIAL = "RESMI"
    MEDIA = "MEDIA"
    THIRD_PARTY = "PIHAK-3"
    LAW_CHECKED = "HUKUM-cek"
    LAW_GENERAL = "HUKUM-umum"
    NOT_FOUND = "TIDAK-DITEMUKAN"


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Bilingual(_Strict):
    id: Annotated[str, Field(min_length=3)]
    en: Annotated[str, Field(min_length=3)]


class Questions(_Strict):
    id: Annotated[list[str], Field(min_length=3)]
    en: Annotated[list[str], Field(min_length=2)]


class Source(_Strict):
    title: Annotated[str, Field(min_length=3)]
    url: HttpUrl | None = None
    document: str | None = None

    @model_validator(mode="after")
    def names_a_place(self) -> Source:
        if (self.url is None) == (self.document is None):
            raise ValueError("give either url or document")
        return self


class FrontMatter(_Strict):
    id: Annotated[str, Field(pattern=r"^[a-z0-9_]{3,60}$")]
    topic: Literal[tuple(TOPICS)]  # type: ignore[valid-type]  # the tuple is the list of topics, one place
    title: Bilingual
    questions: Questions
    source: Source
    checked_on: date
    valid_until: date | None = None
    confirmed_on: date | None = None
    owner: Annotated[str, Field(min_length=3)]
    trust: Trust
    known: bool


@dataclass(frozen=True)
class Entry:
    """One answer. `answers` maps a language to the text that may be said today."""

    facts: FrontMatter
    answers: dict[str, str]

    # Kept, since each change of one entry asks all others for them.
    @cached_property
    def id(self) -> str:
        return self.facts.id

    @cached_property
    def topic(self) -> str:
        return str(self.facts.topic)

    @cached_property
    def examples(self) -> tuple[str, ...]:
        """What people say when they want this entry: titles and question variants of both languages."""
        facts = self.facts
        return (facts.title.id, facts.title.en, *facts.questions.id, *facts.questions.en)

    @cached_property
    def bare_examples(self) -> tuple[str, ...]:
        """They as they are compared with those of other entries."""
        return tuple(bare_question(question) for question in self.examples)

    def source_named(self) -> dict[str, str | None]:
        """The source as a message shows it: title, url or None, and the day (RFC 3339) of the last check."""
        source = self.facts.source
        return {
            "title": source.title if source.url else f"{source.title}: {source.document}",
            "url": str(source.url) if source.url else None,
            "checked_on": self.facts.checked_on.isoformat(),
        }

    def is_stale(self, today: date) -> bool:
        """Whether the entry is past the day until which its source may be trusted."""
        return self.facts.valid_until is not None and today > self.facts.valid_until


def bare_question(text: str) -> str:
    """A question as it is compared with others."""
    return text.casefold().strip(" ?.")


class KnowledgeError(ValueError):
    """A knowledge file that can't be used; the message names the file, the place and what to do."""


def read_entry(path: Path) -> Entry:
    """Raises `KnowledgeError`."""
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise KnowledgeError(f"{path.name}: byte {error.start + 1} is not UTF-8; save it as UTF-8") from error
    except OSError as error:
        raise KnowledgeError(f"{path.name}: can't be read ({error.strerror}); let the server read it, or remove it") from error
    return parse_entry(path.name, text)


def parse_entry(name: str, text: str) -> Entry:
    """The entry that a file `name` with this text holds. Raises `KnowledgeError`."""
    match = re.fullmatch(r"---\n(.*?\n)---\n(.*)", text, re.DOTALL)
    if match is None:
        raise KnowledgeError(f"{name}: begin with a line '---', the front matter, and a second line '---'")
    try:
        facts = FrontMatter.model_validate(yaml.load(match[1], _YAML))  # noqa: S506 both loaders are safe ones
    except yaml.YAMLError as error:
        raise KnowledgeError(f"{name}: the front matter is not YAML: {error}") from error
    except ValidationError as error:
        problems = "; ".join(f"{'.'.join(map(str, e['loc'])) or 'front matter'}: {e['msg']}" for e in error.errors())
        raise KnowledgeError(f"{name}: {problems}") from error
    if f"{facts.id}.md" != name:
        raise KnowledgeError(f"{name}: id is {facts.id!r}; name the file {facts.id}.md or change the id")
    return Entry(facts, _answers(name, match[2], confirmed=facts.confirmed_on is not None))


def _answers(name: str, body: str, *, confirmed: bool) -> dict[str, str]:
    now: dict[str, str] = {}
    later: dict[str, str] = {}
    for heading, text in re.findall(r"^## (.+?)\n(.*?)(?=^## |\Z)", body, re.DOTALL | re.MULTILINE):
        if heading.strip() not in SECTIONS:
            raise KnowledgeError(f"{name}: unknown heading {heading!r}; use one of: {', '.join(SECTIONS)}")
        language, needs_confirmation = SECTIONS[heading.strip()]
        (later if needs_confirmation else now)[language] = text.strip()
    for heading, (language, needs_confirmation) in SECTIONS.items():
        if not needs_confirmation and not now.get(language):
            raise KnowledgeError(f"{name}: the section '## {heading}' is missing or empty")
    return {**now, **later} if confirmed else now


def knowledge_paths(folder: Path) -> dict[str, Path]:
    """Entry id to its file."""
    return {entry_id: Path(file.path) for entry_id, file in sorted(_files(folder).items())}


def _files(folder: Path) -> dict[str, os.DirEntry[str]]:
    with os.scandir(folder) as found:
        return {file.name.removesuffix(".md"): file for file in found if file.name.endswith(".md") and file.name != "README.md"}


def _stamp(file: os.DirEntry[str]) -> Stamp:
    try:
        stat = file.stat()
    except OSError:  # a link to nowhere, or deleted in this moment
        return GONE
    return stat.st_ctime_ns, stat.st_size


class KnowledgeFolder:
    """Reads the files of a folder, and later again only those that have changed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._parsed: dict[str, tuple[str | Stamp, Entry | KnowledgeError]] = {}

    def stamps(self) -> Stamps:
        """Of each entry's file, what a change of it changes."""
        return {entry_id: _stamp(file) for entry_id, file in _files(self._folder).items()}

    def read(
        self, published: Mapping[str, str | None] | None = None, stamps: Stamps | None = None
    ) -> tuple[dict[str, Entry], list[KnowledgeError]]:
        """All entries by id, and what is wrong with the files that can't be used.

        `published`, entry id to the text that stands in place of its file; None withdraws the entry. A text that can't be used leaves
        the file in force. What has not changed since the last time is the same object. `stamps`, where the caller has them at hand.
        """
        files = self.stamps() if stamps is None else stamps
        entries: dict[str, Entry] = {}
        errors: list[KnowledgeError] = []
        for entry_id in sorted({*files, *(published or {})}):
            entry = self._in_force(entry_id, files.get(entry_id), published or {}, errors)
            if entry is not None:
                entries[entry_id] = entry
        return entries, [*errors, *_asked_twice(entries.values())]

    def _in_force(
        self, entry_id: str, stamp: Stamp | None, published: Mapping[str, str | None], errors: list[KnowledgeError]
    ) -> Entry | None:
        text = published.get(entry_id)
        if text is None and entry_id in published:
            return None
        read = [self._published(entry_id, text)] if text is not None else []
        if stamp and not (read and isinstance(read[0], Entry)):
            read.append(self._kept(f"{entry_id}.md", stamp, lambda: read_entry(self._folder / f"{entry_id}.md")))
        errors += [one for one in read if isinstance(one, KnowledgeError)]
        return next((one for one in read if isinstance(one, Entry)), None)

    def _published(self, entry_id: str, text: str) -> Entry | KnowledgeError:
        return self._kept(f"published {entry_id}", text, lambda: parse_entry(f"{entry_id}.md", text))

    def _kept(self, name: str, state: str | Stamp, parse: Callable[[], Entry]) -> Entry | KnowledgeError:
        known = self._parsed.get(name)
        if known and known[0] == state:
            return known[1]
        parsed: Entry | KnowledgeError
        try:
            parsed = parse()
        except KnowledgeError as error:
            parsed = error
        self._parsed[name] = state, parsed
        return parsed


def _asked_twice(entries: Collection[Entry]) -> list[KnowledgeError]:
    """Questions of one entry that stand in an earlier one, too."""
    asked = set(chain.from_iterable(entry.bare_examples for entry in entries))
    if len(asked) == sum(len(entry.bare_examples) for entry in entries):
        return []  # at a fraction of the time
    errors, first = [], dict[str, str]()
    for entry in entries:
        for bare, question in zip(entry.bare_examples, entry.examples, strict=True):
            earlier = first.setdefault(bare, entry.id)
            if earlier != entry.id:
                errors.append(KnowledgeError(f"{entry.id}.md: the question {question!r} stands in {earlier}.md too"))
    return errors


def read_all(folder: Path) -> tuple[dict[str, Entry], list[KnowledgeError]]:
    """All entries of the folder's files by id, and what is wrong with those that can't be used."""
    return KnowledgeFolder(folder).read()
