"""Accounts of the staff, for those who administer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Form, HTTPException, Request
from fastapi.responses import RedirectResponse, Response

from services.desk_sessions import Session
from services.permissions import Permission, Role
from services.staff import StaffRefused

if TYPE_CHECKING:
    from desk.room import Room


def staff(room: Room) -> APIRouter:
    router = APIRouter(prefix="/staff")
    administrator = room.access.may(Permission.ADMINISTER)
    accounts = room.services.staff

    def page(request: Request, session: Session, status: int = 200, **values: Any) -> Response:
        shown = {"problem": "", "login": "", "name": "", "role": Role.OFFICER, "made": None, **values}
        return room.pages.show(request, session, "staff.html", status, everyone=accounts.everyone(), roles=list(Role), **shown)

    def change(request: Request, session: Session, login: str, act: Any) -> Response:
        try:
            made = act(login)
        except LookupError as unknown:
            raise HTTPException(404) from unknown
        except StaffRefused as refused:
            return page(request, session, 422, problem=refused.problem.value)
        return page(request, session, made=(login, made)) if made else RedirectResponse("/desk/staff", 303)

    @router.get("")
    def show(request: Request, session: Session = administrator) -> Response:
        return page(request, session)

    @router.post("")
    def add(
        request: Request,
        login: Annotated[str, Form(max_length=200)] = "",
        name: Annotated[str, Form(max_length=200)] = "",
        role: Annotated[Role, Form()] = Role.OFFICER,
        session: Session = administrator,
    ) -> Response:
        try:
            password = accounts.add(login, name, role, session.login)
        except StaffRefused as refused:
            return page(request, session, 422, problem=refused.problem.value, login=login, name=name, role=role)
        return page(request, session, made=(login.strip().lower(), password))

    @router.post("/{login}/role")
    def set_role(request: Request, login: str, role: Annotated[Role, Form()], session: Session = administrator) -> Response:
        return change(request, session, login, lambda one: accounts.set_role(one, role, session.login))

    @router.post("/{login}/email")
    def set_email(
        request: Request, login: str, email: Annotated[str, Form(max_length=200)] = "", session: Session = administrator
    ) -> Response:
        return change(request, session, login, lambda one: accounts.set_email(one, email, session.login))

    @router.post("/{login}/password")
    def reset_password(request: Request, login: str, session: Session = administrator) -> Response:
        return change(request, session, login, lambda one: accounts.reset_password(one, session.login))

    @router.post("/{login}/disable")
    def disable(request: Request, login: str, session: Session = administrator) -> Response:
        return change(request, session, login, lambda one: accounts.disable(one, session.login))

    @router.post("/{login}/enable")
    def enable(request: Request, login: str, session: Session = administrator) -> Response:
        return change(request, session, login, lambda one: accounts.enable(one, session.login))

    return router
