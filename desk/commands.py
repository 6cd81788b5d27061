"""`sapa desk`: accounts of the desk from the command line."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from services.permissions import Role
from services.staff import StaffRefused

desk_app = typer.Typer(no_args_is_help=True, help="Accounts of the staff's desk.")
CONSOLE = "konsol"
"""Who did it, in the audit log, when it was done in a terminal."""


@desk_app.command("add-user")
def add_user(
    login: Annotated[str, typer.Argument(help="What they sign in with: small letters, digits, dots, hyphens.")],
    role: Annotated[Role, typer.Option(help="What they may do.")] = Role.OFFICER,
    name: Annotated[str, typer.Option(help="Their name, as colleagues and citizens see it; the login unless given.")] = "",
    password_stdin: Annotated[bool, typer.Option("--password-stdin", help="Read the password from standard input.")] = False,
) -> None:
    """Make an account and print its first password, once."""
    from desk.pages import Pages
    from services.assembly import services

    given = sys.stdin.readline().rstrip("\n") if password_stdin else None
    try:
        password = services().staff.add(login, name or login, role, CONSOLE, given)
    except StaffRefused as refused:
        typer.echo(Pages().texts["en"]["problems"][refused.problem.value], err=True)
        raise typer.Exit(2) from refused
    typer.echo(f"{login.strip().lower()} ({role})")
    if not password_stdin:
        typer.echo(f"password: {password}")
