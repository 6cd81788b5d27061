"""`sapa telegram`: is the bot set up as it should be?"""

from __future__ import annotations

import asyncio

import typer

telegram_app = typer.Typer(no_args_is_help=True, help="The Telegram channel.")


@telegram_app.callback()
def main() -> None:
    """The Telegram channel."""


@telegram_app.command()
def check() -> None:
    """Ask Telegram whether the token is valid and the webhook right, and what went wrong last. Ends with 1 on a problem."""
    from services.assembly import services

    settings = services().settings
    if not settings.telegram_bot_token:
        typer.echo("TELEGRAM_BOT_TOKEN is not set; the channel is off.", err=True)
        raise typer.Exit(1)
    problems = asyncio.run(_problems(settings.telegram_bot_token, settings.telegram_base_url, settings.telegram_webhook_url))
    for problem in problems:
        typer.echo(f"problem: {problem}", err=True)
    if problems:
        raise typer.Exit(1)


async def _problems(token: str, base_url: str, wanted: str) -> list[str]:
    from telegram import Bot
    from telegram.error import TelegramError

    try:
        async with Bot(token, base_url=base_url) as bot:
            info = await bot.get_webhook_info()
            typer.echo(f"token valid: @{bot.username}")
    except TelegramError as error:
        return [f"Telegram does not take the token or can't be reached ({type(error).__name__})"]
    typer.echo(f"webhook: {info.url or 'none, the bot polls'}")
    typer.echo(f"pending updates: {info.pending_update_count}")
    found = []
    if info.url != wanted:
        found.append(
            f"the webhook is {info.url or 'not set'}, and TELEGRAM_WEBHOOK_URL is {wanted or 'not set'}; restart `sapa serve`"
        )
    if info.last_error_message:
        found.append(f"last error that Telegram met: {info.last_error_message} ({info.last_error_date})")
    return found
