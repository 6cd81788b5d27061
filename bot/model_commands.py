"""`sapa model`: which trained models there are, and which is served."""

from __future__ import annotations

from typing import Annotated

import typer

model_app = typer.Typer(no_args_is_help=True, help="Trained models: list them, choose one for all processes, go back.")
QUESTION = "apa itu simpel?"
UNCHOSEN = "none is chosen: each process serves the newest model that the folder held at its start"


@model_app.command("list")
def list_models() -> None:
    """The models of the folder, newest first; the chosen one has a star."""
    from bot.model_files import model_files
    from services.assembly import services

    chosen = services().model_choices.current()
    files = model_files(services().settings.models_dir)
    for number, file in enumerate(files):
        star = "*" if file.version == chosen or (chosen is None and number == 0) else " "
        typer.echo(f"{star} {file.version}  {file.trained_at:%Y-%m-%d %H:%M} UTC  {file.megabytes} MB")
    if not files:
        typer.echo("no model; run `sapa train`", err=True)
    if chosen is None:
        typer.echo(UNCHOSEN)


@model_app.command()
def use(version: Annotated[str, typer.Argument(help="A version of `sapa model list`, or `newest` to end the choice.")]) -> None:
    """Serve this model in all processes, without a restart: each takes it over within seconds. It is tried here first."""
    from bot.assistant import Assistant, ModelMissing
    from services.assembly import services

    if version == "newest":
        services().model_choices.choose(None)
        typer.echo(UNCHOSEN)
        return
    settings = services().settings
    try:
        tried = Assistant(settings.models_dir, services().database, settings.action_seconds, version)
        tried.understand(QUESTION)
    except ModelMissing as missing:
        typer.echo(str(missing), err=True)
        raise typer.Exit(1) from missing
    except Exception as error:
        typer.echo(f"model {version} does not fit this program ({type(error).__name__}); nothing was changed", err=True)
        raise typer.Exit(1) from error
    services().model_choices.choose(version)
    typer.echo(f"model {version} is chosen; `sapa model rollback` goes back")


@model_app.command()
def rollback() -> None:
    """Serve again what was served before the last choice."""
    from services.assembly import services

    try:
        version = services().model_choices.roll_back()
    except LookupError as unchosen:
        typer.echo("no model was chosen yet; there is nothing to go back to", err=True)
        raise typer.Exit(1) from unchosen
    typer.echo(f"model {version} is chosen" if version else UNCHOSEN)
