"""Checks that no sentence of the assistant is longer than plain language allows: those of domain.yml and of knowledge/.

Run by `make lint`. Ends with status 1 and one line a finding.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from services.knowledge_files import read_all
from services.readability import LONGEST_SENTENCE_WORDS, long_sentences

PROJECT = Path(__file__).resolve().parent.parent
_LINK = re.compile(r"\[([^\]]*)\]\([^)\s]*\)")


def of_domain(domain: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Name and text of each sentence, in each language; a link counts as the words that are shown."""
    for name, variants in domain["responses"].items():
        for variant in variants:
            yield name, _LINK.sub(r"\1", variant.get("text", ""))


def of_knowledge(folder: Path) -> Iterator[tuple[str, str]]:
    for entry in read_all(folder)[0].values():
        for answer in entry.answers.values():
            yield entry.id, _LINK.sub(r"\1", answer)


def main() -> int:
    texts = [*of_domain(yaml.safe_load((PROJECT / "domain.yml").read_text(encoding="utf-8"))), *of_knowledge(PROJECT / "knowledge")]
    findings = [f"{name}: {len(one.split())} words: {one}" for name, text in texts for one in long_sentences(text)]
    print("\n".join([*findings, f"{len(texts)} texts, {len(findings)} sentences of more than {LONGEST_SENTENCE_WORDS} words"]))
    return bool(findings)


if __name__ == "__main__":
    sys.exit(main())
