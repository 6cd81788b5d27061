"""Every regular expression of the program takes time in proportion to the text, on texts made of its own pieces to be expensive.

Patterns are read from the source, not from a list: one that is built from local names has to be given those names here.
"""

from __future__ import annotations

import ast
import importlib
import re
import re._parser as parser  # type: ignore[import-not-found]  # the standard library's own reading of a pattern
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from services import dangers, privacy, ticket_wishes
from services.complaints import kinds
from services.open_dangers import words
from services.settings import PROJECT
from tests.cost import cpu_seconds

PACKAGES = ("actions", "bot", "desk", "services", "store")
FUNCTIONS = frozenset("compile match fullmatch search sub subn split findall finditer".split())
WHOLE = frozenset(("match", "fullmatch"))
SHORT, LONG = 1_000, 4_000
"""Characters; the second is what a message may have."""
LENGTHS = (16, 20, 24, 28, 32, 40, 60, 100, 300, LONG)
UNSUSPICIOUS = 0.002
"""Seconds for a long text, up to which nothing more is asked."""
MOST_GROWTH = 10
"""Four times the text may take so many times as long, for machines have other work; by the square it would be 16."""
LOCALS: dict[str, dict[str, Any]] = {
    "bot/channels/telegram/updates.py": {"bot": SimpleNamespace(username="sapa_bot")},
    "bot/shortcuts.py": {"words": "ya|tidak|lanjut saja"},
    "services/corrections.py": {
        **{group: rf"\b(?P<{group}>nama|alamat)(?:nya|ku)?\b(?:\s+(?:saya|aku)\b)?" for group in ("first", "second", "third")},
        "into": r"(?:\s*[:=,]+\s*|\s+)(?:(?:jadi|ganti)[\s:=,]+)*(?P<value>.+)",
        "words": "nama|alamat",
    },
    "services/complaints.py": {"one": {"unless": r"\bbatas\w*"}},
    "services/greetings.py": {"words": "selamat pagi"},
    "services/left_out.py": {"word": "alamat", "names": "tanggal cadangan|cadangan", "name": "contact"},
    "services/own_data.py": {"words": ["hapus", "delete everything"]},
    "services/several_answers.py": {"names": "nama|alamat lengkap"},
    "services/spelling.py": {"spellings": r"ngomong[\s-]+ngomong|omongomong"},
    "services/teaching_patch.py": {"intent": "ask_information"},
}
IN_A_LIST: dict[str, list[re.Pattern[str]]] = {
    "services/patterns.py": [
        *(pattern for kind in kinds() for pattern in (kind.pattern, *(one.pattern for one in kind.told))),
        *(signs.pattern for signs in dangers._signs()),
        dangers._calm(),
        *(need.pattern for need in words().needs),
        *(words().denials, words().no_denials, words().no_rest),
    ],
    "services/privacy.py": [rule[1] for rule in privacy._RULES],
    "services/ticket_wishes.py": [
        ticket_wishes._tail("ASP-20261128-7K4Q"),
        *(ticket_wishes._pattern(ticket_wishes._NOT + shape) for shapes in ticket_wishes._SHAPES.values() for shape in shapes),
    ],
}
COMMON = (
    "a",
    "1",
    " ",
    "\n",
    "0 ",
    "a ",
    "a1",
    "a.",
    "@",
    "a@a.",
    "/",
    "-",
    "(",
    "[",
    "*",
    "**",
    "é",
    "\u0301",
    "👩\u200d",
    "\x00",
    "Aa",
    "- a\n",
)


@dataclass(frozen=True)
class Used:
    """A pattern, where it stands, and whether it is only ever held against a whole text or its beginning."""

    place: str
    pattern: re.Pattern[str]
    anchored: bool

    def runs_over(self, text: str) -> None:
        if self.anchored:
            self.pattern.match(text)
            self.pattern.fullmatch(text)
        else:
            for _ in self.pattern.finditer(text):
                pass


@cache
def used_patterns() -> list[Used]:
    found: dict[tuple[str, int, bool], Used] = {}
    for package in PACKAGES:
        for path in sorted((PROJECT / package).rglob("*.py")):
            for one in _patterns_of(path):
                found.setdefault((one.pattern.pattern, one.pattern.flags, one.anchored), one)
    return list(found.values())


def _patterns_of(path: Path) -> Iterator[Used]:
    name = path.relative_to(PROJECT).as_posix()
    source = path.read_text(encoding="utf-8")
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            continue
        if not (isinstance(node.func.value, ast.Name) and node.func.value.id == "re" and node.func.attr in FUNCTIONS):
            continue
        place = f"{name}:{node.lineno}"
        values = {**vars(importlib.import_module(name.removesuffix(".py").replace("/", "."))), **LOCALS.get(name, {})}
        try:
            given = [eval(compile(ast.Expression(one), f"<{place}>", "eval"), values) for one in [node.args[0], *_flags(node)]]
        except NameError as unknown:
            assert name in IN_A_LIST, f"{place}: give this test the local names of its pattern ({unknown})"
            yield from (Used(name, pattern, anchored=False) for pattern in IN_A_LIST[name])
            continue
        yield Used(place, re.compile(*given), _is_anchored(source, node))


def _flags(node: ast.Call) -> list[ast.expr]:
    named = [keyword.value for keyword in node.keywords if keyword.arg == "flags"]
    assert isinstance(node.func, ast.Attribute)
    place = {"compile": 1, "sub": 4, "subn": 4, "split": 3}.get(node.func.attr, 2)
    return named or node.args[place : place + 1]


def _is_anchored(source: str, node: ast.Call) -> bool:
    """Whether all calls on it in its module are of whole texts; a name that is used nowhere there may be searched with elsewhere."""
    assert isinstance(node.func, ast.Attribute)
    if node.func.attr != "compile":
        return node.func.attr in WHOLE
    assigned = re.search(
        rf"^\s*(\w+)(?:: [^=\n]+)? = re\.compile\(\s*{re.escape(ast.get_source_segment(source, node.args[0]) or '')}", source, re.M
    )
    calls = set(re.findall(rf"\b{assigned[1]}\.(\w+)\(", source)) if assigned else set()
    return bool(calls) and calls <= WHOLE


# Texts to be expensive


def pieces_of(pattern: re.Pattern[str]) -> set[str]:
    """What its repeated parts match, alone and in pairs, and the beginning of the whole."""
    tree = parser.parse(pattern.pattern, pattern.flags)
    repeated = [piece for piece in _repeated(tree) if piece]
    pairs = {one + other for one in repeated[:6] for other in repeated[:6]}
    return {*COMMON, *repeated, *pairs, _sample(tree), _sample(tree)[:-1]} - {""}


def _repeated(tree: Any) -> Iterator[str]:
    for name, value in tree:
        if name in (parser.MAX_REPEAT, parser.MIN_REPEAT, parser.POSSESSIVE_REPEAT):
            yield _sample(value[2])
            yield from _repeated(value[2])
        elif name is parser.SUBPATTERN:
            yield from _repeated(value[3])
        elif name is parser.BRANCH:
            for branch in value[1]:
                yield _sample(branch)
                yield from _repeated(branch)
        elif name in (parser.ASSERT, parser.ASSERT_NOT):
            yield from _repeated(value[1])


def _sample(tree: Any) -> str:
    """A short text that it matches, without regard to what stands around."""
    said = ""
    for name, value in tree:
        if name is parser.LITERAL:
            said += chr(value)
        elif name in (parser.NOT_LITERAL, parser.ANY):
            said += "x"
        elif name is parser.IN:
            said += _of_class(value)
        elif name in (parser.MAX_REPEAT, parser.MIN_REPEAT, parser.POSSESSIVE_REPEAT):
            said += _sample(value[2]) * max(1, min(value[0], 30))
        elif name is parser.SUBPATTERN:
            said += _sample(value[3])
        elif name is parser.BRANCH:
            said += _sample(value[1][0])
    return said


CATEGORIES = {parser.CATEGORY_DIGIT: "7", parser.CATEGORY_SPACE: " ", parser.CATEGORY_WORD: "w", parser.CATEGORY_NOT_SPACE: "x"}


def _of_class(members: Any) -> str:
    """A character of the class; of a negated one any that is not named."""
    if members[0][0] is parser.NEGATE:
        named = {chr(value) for name, value in members if name is parser.LITERAL}
        return next(one for one in "xy7 -" if one not in named)
    name, value = members[0]
    if name is parser.LITERAL:
        return chr(value)
    return chr(value[0]) if name is parser.RANGE else CATEGORIES.get(value, "-")


def fault_of(used: Used) -> str:
    """The piece of which long texts cost out of proportion; empty where there is none."""
    for piece in sorted(pieces_of(used.pattern)):
        for before in {"", _sample(parser.parse(used.pattern.pattern, used.pattern.flags))[:40]} if used.anchored else {""}:
            seconds = 0.0
            for length in LENGTHS:
                seconds = _seconds(used, before, piece, length)
                if seconds > 0.5:  # it would not end
                    return piece
            if seconds > UNSUSPICIOUS and _grows(used, before, piece):
                return piece
    return ""


def _seconds(used: Used, before: str, piece: str, length: int) -> float:
    text = f"{before}{piece * (length // len(piece))}\x01"
    return cpu_seconds(lambda: used.runs_over(text))


def _grows(used: Used, before: str, piece: str) -> bool:
    short, long = (min(_seconds(used, before, piece, length) for _ in range(3)) for length in (SHORT, LONG))
    return long > UNSUSPICIOUS and long > MOST_GROWTH * short


def test_the_patterns_are_found() -> None:
    assert len(used_patterns()) > 130
    assert {"bot/markup.py", "services/privacy.py", "services/simpel.py"} <= {one.place.split(":")[0] for one in used_patterns()}


@pytest.mark.parametrize("pattern", [r"(a+)+b", r"\s+x", r"(\w+\s?)*!", r"(?:x?y?)*z", r"\d+\.\d+,"])
def test_a_pattern_that_takes_more_than_its_share_is_noticed(pattern: str) -> None:
    assert fault_of(Used("here", re.compile(pattern), anchored=False))


def test_every_pattern_takes_time_in_proportion_to_the_text() -> None:
    assert {one.place: (one.pattern.pattern[:80], fault) for one in used_patterns() if (fault := fault_of(one))} == {}
