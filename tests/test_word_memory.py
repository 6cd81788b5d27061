"""What is remembered of single words: nothing of one person's, and nothing large."""

from __future__ import annotations

from collections import Counter

import pytest

from services.e5 import WORD_START, PackedFile, Tokeniser, packed_file
from services.spelling_correction import SpellingCorrection
from services.word_memory import LONGEST, remembering

OF_ONE_PERSON = ["081234567890", "budi@example.id"]
LONG = "x" * 4000


def test_only_words_that_may_be_anybodys_and_are_not_long_are_remembered() -> None:
    made: Counter[str] = Counter()

    def count(word: str) -> int:
        made[word] += 1
        return len(word)

    remembered = remembering(count)
    longest = "a" * LONGEST
    for word in ["magang", longest, f"{longest}a", *OF_ONE_PERSON] * 2:
        assert remembered(word) == len(word)
    assert made == {"magang": 1, longest: 1, f"{longest}a": 2, **dict.fromkeys(OF_ONE_PERSON, 2)}


def test_the_tokeniser_splits_a_long_word_or_one_of_one_person_anew_for_each_text(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: Counter[str] = Counter()
    split = Tokeniser._split_word

    def count(self: Tokeniser, word: str) -> tuple[int, ...]:
        asked[word.removeprefix(WORD_START)] += 1
        return split(self, word)

    monkeypatch.setattr(Tokeniser, "_split_word", count)
    tokeniser = Tokeniser(PackedFile(packed_file()))
    text = " ".join(["halo", *OF_ONE_PERSON, LONG])
    first = tokeniser.tokens(text, 50, 50)
    assert asked == dict.fromkeys(["halo", *OF_ONE_PERSON, LONG], 1), "though the long one is read from both ends"
    assert tokeniser.tokens(text, 50, 50) == first
    assert asked == {"halo": 1, **dict.fromkeys([*OF_ONE_PERSON, LONG], 2)}


def test_mending_of_spelling_remembers_no_long_word_and_none_of_one_person(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: Counter[str] = Counter()
    mend = SpellingCorrection._mend

    def count(self: SpellingCorrection, word: str) -> str:
        asked[word] += 1
        return mend(self, word)

    monkeypatch.setattr(SpellingCorrection, "_mend", count)
    correction = SpellingCorrection(["aspirasi masyarakat"] * 3)
    for _ in range(2):
        assert correction.correct(f"asipirasi 081234567890 {LONG}") == f"aspirasi 081234567890 {LONG}"
    assert asked == {"asipirasi": 1, "081234567890": 2, LONG: 2}
