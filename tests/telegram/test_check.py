"""`sapa telegram check`: says what is wrong between us and Telegram, and ends with 1 then."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

from bot.channels.telegram.command import telegram_app
from services.assembly import Services
from services.settings import Settings
from tests.telegram.bot_api import USERNAME, BotApi
from tests.telegram.running import ADDRESS, TOKEN


@pytest.fixture
async def api() -> AsyncIterator[BotApi]:
    async with BotApi() as opened:
        yield opened


async def check(services: Services, api: BotApi, token: str = TOKEN, webhook: str = ADDRESS) -> Result:
    data = services.settings.data_dir
    values: dict[str, Any] = {"TELEGRAM_BOT_TOKEN": token, "TELEGRAM_BASE_URL": api.base_url, "TELEGRAM_WEBHOOK_URL": webhook}
    object.__setattr__(services, "settings", Settings(_env_file=None, SAPA_DATA_DIR=data, **values))
    return await asyncio.to_thread(CliRunner().invoke, telegram_app, ["check"])


async def test_a_bot_that_is_set_up_well_is_found_so(services: Services, api: BotApi) -> None:
    api.webhook = ADDRESS
    result = await check(services, api)
    assert result.exit_code == 0, result.output
    assert result.output.splitlines() == [f"token valid: @{USERNAME}", f"webhook: {ADDRESS}", "pending updates: 3"]


async def test_a_bot_that_polls_needs_no_webhook(services: Services, api: BotApi) -> None:
    result = await check(services, api, webhook="")
    assert result.exit_code == 0, result.output
    assert "none, the bot polls" in result.output


async def test_a_token_that_telegram_does_not_take_is_told_without_showing_it(services: Services, api: BotApi) -> None:
    api.failures["getMe"] = [(401, {"description": "Unauthorized"})]
    result = await check(services, api)
    assert result.exit_code == 1
    assert "does not take the token" in result.output
    assert TOKEN not in result.output


@pytest.mark.parametrize(("here", "there"), [(ADDRESS, ""), (ADDRESS, "https://lain.example/telegram"), ("", ADDRESS)])
async def test_another_webhook_than_ours_is_a_problem(here: str, there: str, services: Services, api: BotApi) -> None:
    api.webhook = there
    result = await check(services, api, webhook=here)
    assert result.exit_code == 1
    assert f"the webhook is {there or 'not set'}, and TELEGRAM_WEBHOOK_URL is {here or 'not set'}; restart" in result.output


async def test_the_last_error_that_telegram_met_is_a_problem_with_its_time(services: Services, api: BotApi) -> None:
    api.webhook = ADDRESS
    api.webhook_state = {"last_error_date": 1_795_000_000, "last_error_message": "Wrong response from the webhook: 403 Forbidden"}
    result = await check(services, api)
    assert result.exit_code == 1
    assert "Wrong response from the webhook: 403 Forbidden (2026-11-18" in result.output


async def test_without_a_token_it_says_that_the_channel_is_off(services: Services, api: BotApi) -> None:
    result = await check(services, api, token="")
    assert result.exit_code == 1
    assert "TELEGRAM_BOT_TOKEN is not set" in result.output
