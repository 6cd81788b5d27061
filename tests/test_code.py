"""Holds the code to two promises: no sentence that people read stands in it, and whatever silences a check says why."""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from services.settings import PROJECT

REASONED = re.compile(r"#\s*type: ignore\[[a-z, -]+\]  # \S|#\s*noqa: [A-Z]+\d+(?:, [A-Z]+\d+)* +\S")
SILENCED = re.compile(r"#\s*(?:type: ignore|noqa|pragma: no cover)")
FOLDERS = ("actions", "bot", "desk", "services", "store")
LONGEST_FUNCTION, LONGEST_FILE = 50, 410
PUTS_TOGETHER = {"services/assembly.py assemble", "bot/server.py create_app"}
"""The two places in which everything is made once: line after line, without a branch to be split at."""
INDONESIAN = frozenset(
    """
    ada adalah akan anda apa apakah atau bagaimana bagi belum bila bisa boleh bukan dalam dan dapat dari dengan di harus ini itu jangan
    jawaban jika kami kapan karena ke kepada kita lagi maaf mohon oleh pada saja saya silakan sudah telah terima tetapi tidak tiket
    tolong untuk yang
    """.split()
)
"""Words that hardly an Indonesian sentence does without."""
FOR_OPERATORS = frozenset("Argument BadParameter Field Option Typer confirm echo error info print prompt secho warning".split())
"""What writes to a terminal, a log or the description of the interface."""
FOR_PEOPLE = frozenset("Button Outbound Reply Said render show utter_message".split())
"""What goes to a citizen or into a page; not what `hide` puts into the log in its place."""
NOT_SAID = {
    "apa itu simpel?": "a new model is tried with it",
    "Saya ingin mengetahui status permohonan informasi": "the encoder is tried with it",
    "I would like to file a complaint about the service, thanks!": "the encoder is tried with it",
    "Jawaban setelah konfirmasi": "a heading of knowledge files",
}
"""How a text begins that reads like a sentence, and what it is."""


def python_files(*folders: str) -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "*.py"], cwd=PROJECT, capture_output=True, text=True, check=True).stdout
    return [PROJECT / name for name in listed.splitlines() if not folders or name.split("/")[0] in folders]


def literals(node: ast.AST, called: frozenset[str] = frozenset()) -> Iterator[tuple[str, frozenset[str]]]:
    """Each text in the code, with the names of the calls around it and "raise"; 0 stands for a value in it. No docstrings."""
    if isinstance(node, ast.JoinedStr):
        yield "".join(str(part.value) if isinstance(part, ast.Constant) else "0" for part in node.values), called
    elif isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value, called
    elif not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)):
        if isinstance(node, ast.Raise):
            called |= {"raise"}
        if isinstance(node, ast.Call):
            called |= {node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")}
        for child in ast.iter_child_nodes(node):
            yield from literals(child, called)


def is_sentence(text: str, called: frozenset[str]) -> bool:
    """Whether it reads as a sentence, or is on its way to somebody and holds two words. Patterns and lists of words are neither."""
    words = re.findall(r"[^\W\d_]{2,}", text)
    if re.search(r"[\\|\n]", text.strip()) or len(words) < 2 or " " not in text.strip():
        return False
    if called & FOR_PEOPLE and "hide" not in called:
        return True
    begun, ended = text[0].isupper() and not words[0].isupper(), text.rstrip()[-1] in ".?!…"
    if INDONESIAN.isdisjoint(word.lower() for word in words):
        return begun and ended and len(words) > 2 and not called & (FOR_OPERATORS | {"raise"})
    return (begun or ended) and len(words) > 2


def test_no_sentence_that_people_read_stands_in_the_code() -> None:
    """They stand in domain.yml, knowledge/, templates and texts, where they are read, translated and measured."""
    found = [
        f"{path.relative_to(PROJECT)}: {text}"
        for path in python_files(*FOLDERS)
        for text, called in literals(ast.parse(path.read_text(encoding="utf-8")))
        if is_sentence(text, called)
    ]
    excepted = {begin: place for begin in NOT_SAID for place in found if f": {begin}" in place}
    assert set(found) == set(excepted.values())
    assert set(excepted) == set(NOT_SAID), "an exception that is none any more"


@pytest.mark.parametrize(
    ("code", "sentences"),
    [
        ('dispatcher.utter_message(text="Nomor salah")', ["Nomor salah"]),
        ('room.pages.show(request, problem=f"Sudah {number} kali")', ["Sudah 0 kali"]),
        ('said = "Maaf, nomor itu tidak ada."', ["Maaf, nomor itu tidak ada."]),
        ('said = "There is no such number."', ["There is no such number."]),
        ('raise BackupRefused("Maaf, berkas itu sudah ada")', ["Maaf, berkas itu sudah ada"]),
        ('raise BackupRefused("The backup is damaged.")', []),
        ('typer.echo("Restart the server.")', []),
        ('words = re.compile(r"\\b(?:saya|mau) ini\\b")', []),
        ('"""Apa yang dilakukan modul ini."""', []),
        ('dispatcher.utter_message(response="utter_no_information")', []),
    ],
)
def test_what_counts_as_a_sentence(code: str, sentences: list[str]) -> None:
    assert [text for text, called in literals(ast.parse(code)) if is_sentence(text, called)] == sentences


def test_whatever_silences_a_check_says_why() -> None:
    without_reason = [
        f"{path.relative_to(PROJECT)}:{number}"
        for path in python_files()
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if SILENCED.search(line) and not REASONED.search(line) and "re.compile" not in line
    ]
    assert without_reason == []


def functions() -> Iterator[tuple[str, int]]:
    """Each function by file and name with its own lines: without those of the functions that stand in it."""
    for path in files():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                inner = [one for one in node.body if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef)]
                yield f"{path.relative_to(PROJECT)} {node.name}", _lines(node) - sum(map(_lines, inner))


def files() -> list[Path]:
    """All but migrations, which are kept as they ran."""
    found = (path for folder in FOLDERS for path in (PROJECT / folder).rglob("*.py"))
    return sorted(path for path in found if "migrations" not in path.parts)


def _lines(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    return (node.end_lineno or 0) - node.lineno + 1


def test_no_file_and_no_function_is_too_long_to_be_read_at_once() -> None:
    """A page's router is one function around its routes, which share the room; what counts are the lines outside of those."""
    long = {name: lines for name, lines in functions() if lines > LONGEST_FUNCTION}
    assert long.keys() == PUTS_TOGETHER
    assert [path for path in files() if len(path.read_text(encoding="utf-8").splitlines()) > LONGEST_FILE] == []
