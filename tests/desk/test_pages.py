"""No page of the desk is forgotten: each is in the list that axe reads and the pictures are taken of."""

from __future__ import annotations

from bot.assistant import Assistant
from services.assembly import Services
from services.settings import PROJECT
from tests.browser.desk_pages import NO_PAGES, PAGES, WIDTHS
from tests.desk.test_access import desk_routes

PICTURES = PROJECT / "docs" / "screenshots"


def test_every_route_that_shows_a_page_is_listed(services: Services, assistant: Assistant) -> None:
    routes = {route.path for route in desk_routes(services, assistant) if "GET" in route.methods}
    assert routes == {*PAGES.values(), *NO_PAGES}
    assert not NO_PAGES & set(PAGES.values())


def test_every_page_has_its_pictures_and_no_picture_is_of_a_page_that_is_gone() -> None:
    expected = {f"desk-{name}-{width}.png" for name in PAGES for width in WIDTHS}
    assert {path.name for path in PICTURES.glob("desk-*.png")} == expected
