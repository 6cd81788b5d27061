from __future__ import annotations

import re

import pytest
from fastapi.dependencies.models import Dependant
from fastapi.routing import RouteContext, iter_route_contexts

from bot.assistant import Assistant
from bot.server import create_app
from services.assembly import Services
from services.permissions import PERMISSIONS, Permission, Role
from tests.desk.conftest import PASSWORD

OPEN_TO_ALL = {"/desk/sign-in", "/desk/oidc/start", "/desk/oidc/callback", "/desk/static/{name}", "/desk/calendar/{token}.ics"}


def permissions_of(dependant: Dependant) -> set[Permission]:
    own = {getattr(dependant.call, "permission", None)} - {None}
    return own.union(*(permissions_of(inner) for inner in dependant.dependencies))


def desk_routes(services: Services, assistant: Assistant) -> list[RouteContext]:
    contexts = iter_route_contexts(create_app(services, assistant).routes)
    found = [route for route in contexts if route.path and route.path.startswith("/desk")]
    assert len(found) > 10
    return found


def address(route: RouteContext) -> str:
    return re.sub(r"\{\w+(:\w+)?\}", "1", route.path)


def test_every_route_asks_for_a_permission(services: Services, assistant: Assistant) -> None:
    unguarded = {r.path for r in desk_routes(services, assistant) if not permissions_of(r.dependant)}
    assert unguarded == OPEN_TO_ALL


async def test_no_route_lets_a_stranger_in(services: Services, assistant: Assistant, client) -> None:
    for route in desk_routes(services, assistant):
        if route.path in OPEN_TO_ALL:
            continue
        for method in route.methods:
            response = await client.request(method, address(route))
            assert response.status_code == 303, (method, route.path)
            assert response.headers["location"].startswith("/desk/sign-in"), route.path


@pytest.mark.parametrize("role", list(Role))
async def test_a_role_opens_what_it_may_and_nothing_else(role: Role, services: Services, assistant: Assistant, sign_in) -> None:
    officer = await sign_in(role)
    for route in desk_routes(services, assistant):
        needed = permissions_of(route.dependant)
        allowed = needed <= PERMISSIONS[role]
        for method in route.methods:
            if allowed and route.path.endswith("/events"):
                continue  # an answer without an end
            if method == "GET":
                refused = (await officer.opens(address(route))).status_code == 403
            elif not allowed:
                refused = (await officer.sends(address(route))).status_code == 403
            else:
                continue  # what it does has tests of its own
            assert refused is not allowed, (role, method, route.path)


async def test_no_change_without_the_sessions_own_form_token(services: Services, assistant: Assistant, sign_in) -> None:
    admin = await sign_in(Role.ADMIN)
    other = await sign_in(Role.ADMIN, "lain")
    for route in desk_routes(services, assistant):
        if "POST" in route.methods and route.path not in OPEN_TO_ALL:
            for token in ("", "0" * 64, other.form_token):
                response = await admin.client.post(address(route), data={"form_token": token})
                assert response.status_code == 403, route.path


async def test_another_site_cannot_send_a_form(sign_in) -> None:
    admin = await sign_in(Role.ADMIN)
    data = {"form_token": admin.form_token, "locale": "en"}
    response = await admin.client.post("/desk/account/language", data=data, headers={"Sec-Fetch-Site": "cross-site"})
    assert response.status_code == 403
    response = await admin.client.post(
        "/desk/sign-in", data={"login": "x", "password": PASSWORD}, headers={"Sec-Fetch-Site": "cross-site"}
    )
    assert response.status_code == 403
