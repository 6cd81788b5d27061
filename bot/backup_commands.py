"""`sapa backup` and `sapa restore`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from services import backup as backups


def backup(
    path: Annotated[Path, typer.Argument(help="The new file, for example /backup/sapa-2026-11-25.tar.")],
    with_keys: Annotated[bool, typer.Option("--with-keys", help="Put the keys in: whoever has the file then reads it all.")] = False,
) -> None:
    """Back up database and files of answers into one file with checksums, while the server runs."""
    from services.assembly import settings

    try:
        made = backups.back_up(settings(), path.absolute(), with_keys=with_keys)
    except backups.BackupRefused as refused:
        typer.echo(f"no backup was made: {refused}", err=True)
        raise typer.Exit(1) from refused
    counted = ", ".join(f"{number} {name.replace('_', ' ')}" for name, number in made.counts.items())
    typer.echo(f"{path}: {made.backend}, {counted}, {path.stat().st_size / 1e6:.1f} MB")
    for name in made.missing_files:
        typer.echo(f"file {name} of an answer is named in the database and not there", err=True)
    if made.with_keys:
        typer.echo("WARNING: the keys are in it. Whoever has this file reads all personal data; keep it as you keep keys.", err=True)
    else:
        typer.echo("The keys are not in it. Keep keys.txt, or SAPA_KEYS, in another safe place: without them no ticket can be read.")


def restore(
    path: Annotated[Path, typer.Argument(help="A file that `sapa backup` made.", exists=True, dir_okay=False)],
    force: Annotated[bool, typer.Option("--force", help="Replace a database that is there; it is kept under another name.")] = False,
) -> None:
    """Put a backup in place, checked, and bring it up to this version. The server must be stopped."""
    from services.assembly import settings
    from store.database_copy import InUse

    try:
        done = backups.restore(settings(), path.absolute(), force=force)
    except backups.BackupRefused as refused:
        typer.echo(f"nothing was restored: {refused}", err=True)
        raise typer.Exit(1) from refused
    except InUse as used:
        typer.echo("nothing was restored: another process has the database open; stop every `sapa serve` first", err=True)
        raise typer.Exit(1) from used
    counted = ", ".join(f"{number} {name.replace('_', ' ')}" for name, number in done.manifest.counts.items())
    typer.echo(f"restored as of {done.manifest.made_at}: {counted}")
    for name in done.manifest.missing_files:
        typer.echo(f"file {name} of an answer was not in the backup", err=True)
    for name in done.set_aside:
        typer.echo(f"what was there before is kept as {name}; delete it once all is well")
    typer.echo("Now run `sapa doctor`, then start the server.")
