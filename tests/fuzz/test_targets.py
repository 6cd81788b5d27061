"""Every target runs on texts of each kind without the fuzzer, so that none is broken when somebody needs it."""

from __future__ import annotations

import re

import pytest

from services.settings import PROJECT
from tests.fuzz.targets import TARGETS

TEXTS = [
    "",
    "**tebal** [tautan](https://setneg.go.id) <b>x</b> & - daftar\n- a\n" * 40,
    '{"client_message_id": "123e4567-e89b-12d3-a456-426614174000", "text": "halo"}',
    "NIK 3201234509870001, tanggal 23 November 2026, ASP-20261123-7K4Q, budi at gmail dot com",
    (PROJECT / "knowledge" / "simpel.md").read_text(encoding="utf-8"),
    "\x00\u202e👩\u200d👧\ud7ff\uffff",
]


@pytest.mark.parametrize("text", TEXTS, ids=range(len(TEXTS)))
@pytest.mark.parametrize("target", TARGETS.values(), ids=TARGETS)
def test_a_target_holds_for_texts_of_every_kind(target, text: str) -> None:
    target(text)


def test_the_fuzzer_runs_every_target() -> None:
    source = (PROJECT / "tests" / "fuzz" / "run.py").read_text(encoding="utf-8")
    (names,) = re.findall(r"^NAMES = \(([^)]*)\)", source, re.M)
    assert set(re.findall(r'"(\w+)"', names)) == set(TARGETS)
