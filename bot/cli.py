"""The command `sapa`."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import uuid
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bot import backup_commands
from bot.channels.telegram.command import telegram_app
from bot.key_commands import keys_app
from bot.logs import configure_logs
from bot.model_commands import QUESTION, model_app
from desk.commands import CONSOLE, desk_app
from desk.teach_commands import teach_app

if TYPE_CHECKING:
    from bot.assistant import Assistant

STOP_SECONDS = 20
"""How long a stopping server finishes what it has begun; open event streams end at once, and their clients connect again."""

app = typer.Typer(no_args_is_help=True, add_completion=False, help="Sapa Setneg: serve, train, talk to and check the assistant.")
app.add_typer(desk_app, name="desk")
app.add_typer(telegram_app, name="telegram")
app.add_typer(keys_app, name="keys")
app.add_typer(model_app, name="model")
app.add_typer(teach_app, name="teach")
app.command()(backup_commands.backup)
app.command()(backup_commands.restore)


@app.callback()
def main() -> None:
    configure_logs()


def load_assistant() -> Assistant:
    """The assistant on the configured database. Ends the program with a sentence where there is no model that can be used."""
    from bot.assistant import Assistant, ModelMissing
    from bot.model_files import model_files
    from services.assembly import services

    settings, chosen = services().settings, services().model_choices.current()
    versions = [file.version for file in model_files(settings.models_dir)]
    if chosen and chosen not in versions:
        typer.echo(f"model {chosen} is chosen and not in {settings.models_dir}; the newest one is served", err=True)
    for version in sorted(versions, key=lambda version: version != chosen):  # the chosen one first, then the newest
        try:
            assistant = Assistant(settings.models_dir, services().database, settings.action_seconds, version)
            assistant.understand(QUESTION)  # a model of another version may load and fail at the first message
            return assistant
        except ModelMissing:  # deleted in this moment
            continue
        except Exception as error:  # Rasa promises no kind of error for a file that is damaged or doesn't fit
            typer.echo(f"model {version} can't be used ({type(error).__name__}); another one is tried", err=True)
    found = "no model that can be used" if versions else "no model"
    typer.echo(f"{found} in {settings.models_dir}; run `sapa train{' --force' if versions else ''}`", err=True)
    raise typer.Exit(2)


@app.command()
def serve() -> None:
    """Serve the web channel, the demo page and, with TELEGRAM_BOT_TOKEN, Telegram."""
    import uvicorn
    from threadpoolctl import threadpool_limits

    from bot.memory import settle, share_arenas
    from bot.patient_http import CONNECTIONS_AT_ONCE, PatientHttp
    from bot.server import create_app
    from bot.turn_keeper import Keeper
    from bot.turn_process import live
    from services.assembly import services
    from services.calendar import LAST_DECREED_YEAR, decreed_days_off
    from services.demo import DEMO_REQUESTS

    share_arenas()
    threadpool_limits(1, "blas")  # threads of NumPy's spin as they wait; a turn's products are too small to share
    configured = services().settings
    _refuse_foreign_keys()
    assistant, processes = load_assistant(), configured.turn_processes_in_force
    decreed_days_off(LAST_DECREED_YEAR)  # loads the holidays of 200 countries, and each process would
    keeper = Keeper(processes) if processes else None
    application = create_app(services(), assistant, keeper=keeper)
    settle()
    if keeper:  # it shares with its children what there is by now, and making the application writes to much of it
        keeper.start(services(), assistant, live)
    address = f"http://{configured.host}:{configured.port}"
    typer.echo(f"\nSapa Setneg: demo page {address}/   plain chat {address}/chat   webmasters {address}/static/webmaster.html")
    if configured.environment != "production" and configured.simpel_is_built_in:
        typer.echo("Demo SIMPEL numbers and access codes:")
        for number, (code, status, _) in DEMO_REQUESTS.items():
            typer.echo(f"  {number}  {code}  {status}")
    _introduce_desk(address)
    sys.stdout.flush()
    uvicorn.run(
        application,
        host=configured.host,
        port=configured.port,
        access_log=False,  # it would hold addresses of citizens
        log_level="warning",
        log_config=None,  # bot/logs.py has set them
        http=PatientHttp,
        ws="none",
        server_header=False,
        limit_concurrency=CONNECTIONS_AT_ONCE,
        timeout_graceful_shutdown=STOP_SECONDS,
    )


def _refuse_foreign_keys() -> None:
    """End the program where the keys are not those of the database: it would give up what waits and seal new data under other keys."""
    from services.assembly import services

    if not services().operation.opens_what_is_there():
        typer.echo("SAPA_KEYS, or keys.txt in the data folder, don't open this database; see docs/runbooks/key-lost.md", err=True)
        raise typer.Exit(2)


def _introduce_desk(address: str) -> None:
    """Say where staff sign in; make the first account where there is none. Its password is shown this once."""
    from services.assembly import services
    from services.permissions import Role

    typer.echo(f"Desk: {address}/desk")
    with services().database.starting():
        if services().staff.any():
            return
        if services().settings.environment == "production":
            typer.echo("The desk has no account yet; make one: sapa desk add-user NAME --role admin")
            return
        password = services().staff.add("admin", "Admin", Role.ADMIN, CONSOLE)
    typer.echo(f"First account, shown once: user name admin, password {password}")


@app.command()
def train(force: Annotated[bool, typer.Option(help="Train even when the model at hand is up to date.")] = False) -> None:
    """Train the model from data/, unless the one at hand was made from the same files."""
    from services.assembly import services, settings

    # Nobody is waiting for an answer while it trains, so all cores encode.
    settings().encoder_threads = os.cpu_count() or 1
    from bot.training import TrainingFailed, delete_old
    from bot.training import train as train_model

    try:
        path = train_model(settings().models_dir, force=force)
    except TrainingFailed as failed:
        typer.echo(str(failed), err=True)
        raise typer.Exit(1) from failed
    _ = services().knowledge  # reads all knowledge files, so that their vectors are kept for the start
    delete_old(settings().models_dir, services().model_choices.in_reach())
    typer.echo(f"model: {path}")


@app.command()
def vectors() -> None:
    """Write the sentence vectors of the knowledge anew, for data/vectors.npz."""
    from services import answerability, shipped_vectors
    from services.assembly import services, settings, shared_encoder
    from services.follow_up_search import read
    from services.knowledge_index import Index

    settings().encoder_threads = os.cpu_count() or 1
    others = {*answerability.read(), *(one.text for one in read() if one.is_searched)}
    entries, encoder = {entry.id: entry for entry in services().knowledge.entries}, shared_encoder()
    texts = sorted({text for entry in entries.values() for text in entry.examples} | others)
    found = encoder.encode_and_keep(texts)
    shipped_vectors.write(encoder.name, texts, found, {})
    # The regressions read the vectors as they are shipped, and begin at nothing.
    shipped_vectors.write(encoder.name, texts, found, Index(entries, encoder, answerability.read()).solutions())
    typer.echo(f"{len(texts)} vectors in {shipped_vectors.FILE}")


@app.command()
def chat(language: Annotated[str, typer.Option(help="id or en")] = "id") -> None:
    """Talk to the assistant in the terminal. An empty line or Ctrl-D ends."""
    from bot.conversation import ConversationService
    from bot.markup import to_plain
    from bot.messages import Inbound, Outbound
    from services.assembly import services

    def show(messages: list[Outbound]) -> None:
        for message in messages:
            typer.echo(f"\n{to_plain(message.text)}")
            for source in message.sources:
                typer.echo(f"  [{source['title']} {source['url'] or ''} · {source['checked_on']}]")
            for number, button in enumerate(message.buttons, 1):
                typer.echo(f"  {number}. {button.label}")

    async def talk() -> None:
        service = ConversationService(load_assistant(), services())
        conversation = services().conversations.open("terminal", language)
        show(await service.greet(conversation.id, language))
        while line := (await asyncio.to_thread(_read_line)).strip():
            services().knowledge.reload_if_changed()
            show(await service.handle(Inbound(conversation.id, str(uuid.uuid4()), line)))

    asyncio.run(talk())


def _read_line() -> str:
    try:
        return input("\n> ")
    except EOFError:
        return ""


@app.command()
def evaluate(
    intents: Annotated[Path | None, typer.Option(help="CSV with text,intent,register", exists=True)] = None,
    topics: Annotated[Path | None, typer.Option(help="CSV with text,topic", exists=True)] = None,
    out_of_scope: Annotated[Path | None, typer.Option(help="CSV with text", exists=True)] = None,
) -> None:
    """Measure understanding on a labelled file and print one JSON object."""
    from bot import evaluation
    from services.assembly import services

    given = [path for path in (intents, topics, out_of_scope) if path]
    if len(given) != 1:
        typer.echo("give exactly one of --intents, --topics, --out-of-scope", err=True)
        raise typer.Exit(2)
    try:
        result: dict[str, Any]
        if intents:
            result = evaluation.measure_intents(load_assistant(), intents)
        elif topics:
            result = evaluation.measure_topics(services().knowledge, topics)
        else:
            result = evaluation.measure_out_of_scope(load_assistant(), given[0])
    except evaluation.BadFile as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from error
    typer.echo(json.dumps(result, ensure_ascii=False, indent=1))


@app.command()
def purge(
    days: Annotated[
        int | None, typer.Option(min=1, help="Delete conversations in which nothing was said for so many days, whatever is set.")
    ] = None,
) -> None:
    """Delete what is older than the desk's settings allow, as the daily job does. Tickets stay in the register."""
    from services.assembly import services
    from services.retention import Kind

    purged = services().retention.purge(CONSOLE, days=None if days is None else {Kind.CONVERSATIONS: days})
    for kind, number in purged.deleted.items():
        typer.echo(f"{number} {kind} deleted")
    if not purged.deleted:
        typer.echo("Nothing is to be deleted by age: set how long data is kept at the desk, or give --days.")


@app.command()
def export(
    since: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Only messages from this day on, in Jakarta.")] = None,
) -> None:
    """Print the conversation log, masked as it is stored: one JSON object a line."""
    from services import log_export
    from services.assembly import services
    from services.calendar import JAKARTA

    for row in log_export.messages(services().database, since.replace(tzinfo=JAKARTA) if since else None):
        typer.echo(json.dumps(row, ensure_ascii=False))


@app.command()
def embed(
    server: Annotated[
        str, typer.Option(help="Address of this server, without a path. Left out: SAPA_PUBLIC_URL, or this machine.")
    ] = "",
) -> None:
    """Print what a webmaster needs to put the widget on another website: code with an integrity hash, and a policy."""
    from bot.embedding import embedding_guide
    from services.assembly import settings

    typer.echo(embedding_guide(server.rstrip("/") or settings().address, settings().allowed_origins))


@app.command()
def doctor() -> None:
    """Check knowledge files, service hours, calendar, database and model, and say what needs a person's attention."""
    from bot.training import fingerprint
    from desk.pages import Pages
    from services.assembly import services
    from services.service_hours import BadServiceHours

    try:
        found = services().health.findings(services().ticket_list.legal_clock().today)
    except BadServiceHours as error:
        typer.echo(f"service hours: {error}")
        raise typer.Exit(1) from error
    sentences = Pages().texts["en"]["health"]["findings"]
    lines = [(one.is_problem, f"{one.name}: {sentences[one.name].format(**one.data)}") for one in found]
    problems, notes = ([line for is_problem, line in lines if is_problem is wanted] for wanted in (True, False))
    models = services().settings.models_dir
    if not (models / f"sapa-{fingerprint()}.tar.gz").exists():
        problems.append(f"model: none in {models} was trained from the files at hand; run `sapa train`")
    for line in [*problems, *notes]:
        typer.echo(line)
    typer.echo(f"{len(services().knowledge.entries)} knowledge entries, {len(problems)} problems, {len(notes)} notes")
    reachable = not any(one.name == "database" for one in found)
    if reachable and (newest := services().audit.newest()):
        typer.echo("audit log: entry {} has the hash {}; keep it elsewhere".format(*newest))
    if problems:
        raise typer.Exit(1)


if __name__ == "__main__":
    app()
