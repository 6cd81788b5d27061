"""`sapa keys`: change the keys under which personal data lies."""

from __future__ import annotations

import typer

from desk.commands import CONSOLE
from services.key_rotation import KeyRotation, KeysStillNeeded

keys_app = typer.Typer(no_args_is_help=True, help="The keys under which personal data lies.")


def _rotation() -> KeyRotation:
    from services.assembly import services

    assembled = services()
    return KeyRotation(assembled.database, assembled.audit, assembled.settings.data_dir, assembled.settings.keys)


@keys_app.command()
def rotate() -> None:
    """Put all personal data under a new key, while the server runs. May be stopped and begun again."""
    rotation = _rotation()
    done = rotation.rotate(CONSOLE)
    typer.echo(f"{done.checked} values checked, {done.changed} put under the newest key, {done.unreadable} that no key opens")
    if rotation.is_configured:
        typer.echo("The newest key is the first of SAPA_KEYS; to change it put a new one in front, restart, and run this again.")
    if done.unreadable:
        raise typer.Exit(1)
    typer.echo("Restart the server; after SAPA_SESSION_HOURS, when no session is signed with an old key, run `sapa keys drop`.")


@keys_app.command()
def give_up() -> None:
    """Where keys are lost for good: take out what no key opens, so that the rest works on. Stop the server before it."""
    rotation = _rotation()
    found = rotation.count()
    typer.echo(f"{found.unreadable} of {found.checked} values are opened by none of the keys at hand")
    if found.unreadable:
        typer.confirm("They are deleted, and a key that is found later brings none of them back. Go on?", abort=True)
        typer.echo(f"{rotation.give_up(CONSOLE)} values taken out")


@keys_app.command()
def drop() -> None:
    """Take away the keys that nothing needs any more. Backups from before need them: keep them where the backups are."""
    rotation = _rotation()
    try:
        remaining = rotation.drop(CONSOLE)
    except KeysStillNeeded as needed:
        typer.echo(f"{needed.values} values are not under the newest key; run `sapa keys rotate` first.", err=True)
        raise typer.Exit(1) from needed
    typer.echo(f"{len(remaining)} keys remain" + (", the oldest for fingerprints only" if len(remaining) > 1 else ""))
    if rotation.is_configured:
        typer.echo("Keys stand in SAPA_KEYS: keep the first, and the last with `fingerprints:` before it; the others may go.")
