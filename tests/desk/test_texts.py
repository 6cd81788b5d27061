from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from desk.pages import HERE, Pages
from services.permissions import Role
from services.registry import JOURNEY_OF, JOURNEYS
from services.settings import PROJECT
from services.staff import Problem
from services.turn import AnswerStatus


def paths(texts: Any, prefix: str = "") -> Iterator[tuple[str, str]]:
    for key, value in texts.items():
        if isinstance(value, dict):
            yield from paths(value, f"{prefix}{key}/")
        else:
            yield f"{prefix}{key}", value


def test_both_languages_say_the_same_things() -> None:
    indonesian, english = (dict(paths(Pages().texts[language])) for language in ("id", "en"))
    assert indonesian.keys() == english.keys()
    for key, text in indonesian.items():
        assert isinstance(text, str) and isinstance(english[key], str), key
        assert sorted(re.findall(r"\{\w*\}", text)) == sorted(re.findall(r"\{\w*\}", english[key])), key


TEMPLATES = sorted([*(HERE / "templates").glob("*.html"), *(PROJECT / "bot" / "templates").glob("*.html")])


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.name)
def test_templates_hold_no_sentence_style_or_script_of_their_own(template: Any) -> None:
    source = template.read_text(encoding="utf-8")
    assert not re.search(r"<style|<script(?! src=)|\sstyle=|\son\w+=|\|\s*safe", source)
    words = re.sub(r"\{[{%#].*?[}%#]\}|<[^>]*>", " ", source, flags=re.S)
    assert set(re.findall(r"[A-Za-z]{3,}", words)) <= {"English", "Bahasa", "Indonesia"}


def test_every_status_journey_and_role_has_a_name() -> None:
    for texts in Pages().texts.values():
        assert set(AnswerStatus) == set(texts["statuses"])
        assert set(JOURNEYS) <= set(texts["journeys"])
        assert set(Role) == set(texts["roles"]) == set(texts["role_rights"])
        assert set(Problem) <= set(texts["problems"])


@pytest.mark.parametrize("language", ["id", "en"])
def test_every_field_of_a_ticket_has_a_name(language: str) -> None:
    shown = {field.name for journey in JOURNEY_OF.values() for field in journey.fields if field.in_summary}
    assert shown <= Pages().texts[language]["ticket_fields"].keys()


def test_no_text_is_named_like_a_method_that_a_template_would_find_instead() -> None:
    for texts in Pages().texts.values():
        assert not [path for path, _ in paths(texts) if set(path.split("/")) & set(dir(dict))]
