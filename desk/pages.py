"""Renders the desk's pages: template, texts in the reader's language, the frame around them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from functools import cache, partial
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import yaml
from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from desk.access import form_token
from services.calendar import JAKARTA
from services.dates import clock_time, day_and_month
from services.desk_sessions import Session
from services.permissions import Permission
from services.ticket_words import word
from services.value_words import shown

HERE = Path(__file__).parent
LANGUAGES = ("id", "en")
INDONESIAN_MARKS = str.maketrans(",.", ".,")
"""4,000.5 in English is 4.000,5 in Indonesian."""


@dataclass(frozen=True)
class Place:
    """An entry of the main navigation; its name stands in the texts under `places`."""

    name: str
    path: str
    permission: Permission
    covers: tuple[str, ...] = ()
    """Paths beside its own that belong to it."""

    def holds(self, path: str) -> bool:
        return path.startswith((self.path, *self.covers))


PLACES = (
    Place("overview", "/desk/overview", Permission.READ_OVERVIEW),
    Place("queue", "/desk/queue", Permission.TAKE_OVER, ("/desk/canned-replies",)),
    Place("conversations", "/desk/conversations", Permission.READ_CONVERSATIONS),
    Place("tickets", "/desk/tickets", Permission.READ_TICKETS),
    Place("teach", "/desk/teach", Permission.TEACH),
    Place("knowledge", "/desk/knowledge", Permission.EDIT_KNOWLEDGE),
    Place("settings", "/desk/staff", Permission.ADMINISTER, ("/desk/settings", "/desk/audit")),
)


ROOMS_OF_SETTINGS = (
    ("staff", "/desk/staff"),
    ("channels", "/desk/settings/channels"),
    ("hours", "/desk/settings/hours"),
    ("days_off", "/desk/settings/days-off"),
    ("retention", "/desk/settings/retention"),
    ("health", "/desk/settings/health"),
    ("audit", "/desk/audit"),
)
"""The pages under "settings", in the order of their own navigation."""


def address(path: str, /, **parameters: Any) -> str:
    """A link to `path` with the parameters that say something."""
    given = {name: value for name, value in parameters.items() if value not in (None, "")}
    return f"{path}?{urlencode(given)}" if given else path


def first_place(session: Session) -> str:
    """Where a member of staff begins."""
    return next((place.path for place in PLACES if session.may(place.permission)), "/desk/account")


class Pages:
    def __init__(self) -> None:
        loader = FileSystemLoader(HERE / "templates")
        self._environment = Environment(
            loader=loader, autoescape=select_autoescape(["html"]), undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
        )
        self.texts = {language: _texts(HERE / "texts" / language) for language in LANGUAGES}

    def show(self, request: Request, session: Session | None, template: str, status: int = 200, **values: Any) -> HTMLResponse:
        """The page as an HTTP response.

        In the template: `t` the texts, `session`, `form_token`, `moment`, `number`, `day`, `day_of`, `address`, `word`, `value`, and
        `values`.
        """
        return HTMLResponse(self.render(request, session, template, **values), status)

    def render(self, request: Request, session: Session | None, template: str, **values: Any) -> str:
        locale = self.language(request, session)

        def day(value: date) -> str:
            return day_and_month(value, locale)

        def day_of(value: datetime) -> str:
            return day(value.astimezone(JAKARTA).date())

        def moment(value: datetime) -> str:
            return f"{day_of(value)}, {clock_time(value)}"

        def number(given: float, places: int = 0) -> str:
            english = f"{given:,.{places}f}"
            return english if locale == "en" else english.translate(INDONESIAN_MARKS)

        return self._environment.get_template(template).render(
            t=self.texts[locale],
            locale=locale,
            session=session,
            form_token=form_token(session) if session else "",
            places=[place for place in PLACES if session and session.may(place.permission)],
            rooms=ROOMS_OF_SETTINGS,
            path=request.url.path,
            day=day,
            day_of=day_of,
            moment=moment,
            number=number,
            word=partial(word, locale),
            value=lambda given: shown(given, locale),
            address=address,
            **values,
        )

    @staticmethod
    def language(request: Request, session: Session | None) -> str:
        chosen = session.locale if session else request.query_params.get("lang", "id")
        return chosen if chosen in LANGUAGES else "id"


@cache
def _texts(folder: Path) -> dict[str, Any]:
    """The texts of all files in a folder. A heading may stand in several files, each with texts of its own."""
    together: dict[str, Any] = {}
    for path in sorted(folder.glob("*.yml")):
        _add(together, yaml.safe_load(path.read_text(encoding="utf-8")))
    return together


def _add(together: dict[str, Any], texts: dict[str, Any]) -> None:
    for name, value in texts.items():
        if isinstance(value, dict):
            _add(together.setdefault(name, {}), value)
        else:
            together[name] = value
