"""The ASGI application: puts assistant, channels and pages together. Nothing else is decided here."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from pathlib import Path

import structlog
from fastapi import Depends, FastAPI, HTTPException
from fastapi.middleware.cors import CORSMiddleware
from fastapi.middleware.gzip import GZipMiddleware
from fastapi.responses import FileResponse

from bot.announcements import Announcements
from bot.assistant import Assistant
from bot.attachments import attachments
from bot.channels.telegram.channel import TelegramChannel
from bot.channels.telegram.updates import Means
from bot.channels.telegram.webhook import telegram_webhook
from bot.channels.web import Sessions, web_channel
from bot.conversation import ConversationService
from bot.courier import Courier
from bot.downloads import own_data_download
from bot.embedding import WIDGET, from_listed_pages, listed_origins
from bot.looking import keep_looking
from bot.message_watch import MessageWatch
from bot.middleware import Bounded, Contained, Guarded, KnownHosts
from bot.model_watch import ModelWatch
from bot.notices import Notifier
from bot.operation import add_operation
from bot.pages import plain_chat
from bot.problems import add_problem_handlers
from bot.public_answers import PublicAnswers
from bot.rate_limits import RateLimits, Rates
from bot.receipt_page import receipt_page
from bot.scheduler import Job, Scheduler
from bot.turn_keeper import Keeper
from bot.turn_measures import TurnMeasures
from bot.turn_pool import TurnPool
from desk.room import open_desk
from services.assembly import Services
from store.leases import Leases
from store.notices import Notices
from store.telegram_inbox import TelegramInbox
from store.turn_queue import TurnQueue

log = structlog.get_logger(__name__)
KNOWLEDGE_SECONDS = 1.0
"""So long after an editor's change was saved it is known, and no citizen waits for it."""
NOTICE_INTERVAL, REMINDER_INTERVAL, CLOSING_INTERVAL = timedelta(seconds=2), timedelta(minutes=5), timedelta(minutes=1)
FORGETTING_INTERVAL = timedelta(hours=6)
FIGURES_INTERVAL, COUNTING_INTERVAL = timedelta(minutes=10), timedelta(minutes=10)
PURGE_INTERVAL = timedelta(minutes=5)
"""How often the daily deletion goes on where one run did not do it all."""
STATIC = {
    "widget.js": "text/javascript",
    "demo.css": "text/css",
    "demo.js": "text/javascript",
    "receipt.css": "text/css",
    "webmaster.html": "text/html",
    "webmaster.js": "text/javascript",
}


def create_app(services: Services, assistant: Assistant, rates: Rates | None = None, keeper: Keeper | None = None) -> FastAPI:
    """Takes a loaded assistant, so that a process that listens can answer. `keeper`: of processes that answer in its place."""
    settings = services.settings
    conversations = services.conversations
    measures = TurnMeasures()
    pool = TurnPool(keeper, assistant, services.wakeups, measures) if keeper else None
    service = ConversationService(assistant, services, measures, pool, pool.forget if pool else None)
    limits = RateLimits(settings.redis_url, settings.limits, services.encryption.fingerprint, rates)
    telegram = _telegram(service, assistant, services, limits) if settings.telegram_bot_token else None
    notices = Notices(services.database, services.encryption)
    courier = Courier(conversations, {"telegram": telegram.deliver} if telegram else {})
    notifier = Notifier(assistant, service, services.conversations, notices, services.ticket_files, courier)
    scheduler = Scheduler(Leases(services.database), _jobs(services, notifier), runs=services.job_runs)
    announcements = Announcements(service, services, courier, {"telegram": telegram.show_typing} if telegram else {})

    async def reload() -> None:
        if await asyncio.to_thread(services.knowledge.reload_if_changed) and pool:
            await pool.renew()

    models = ModelWatch(
        assistant, settings.models_dir, services.model_choices, Leases(services.database), pool.renew if pool else None
    )

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        background = [
            asyncio.create_task(keep_looking(reload, "changed knowledge", KNOWLEDGE_SECONDS)),
            asyncio.create_task(announcements.keep_telling()),
            asyncio.create_task(services.wakeups.run()),
            asyncio.create_task(MessageWatch(conversations, services.wakeups).run()),
            asyncio.create_task(service.order.keep_places()),
            asyncio.create_task(models.run()),
        ]
        if pool:
            await pool.start()
        if telegram:
            await telegram.start()
        scheduling = asyncio.create_task(scheduler.run())
        yield
        for task in background:
            task.cancel()
        scheduling.cancel()
        with suppress(asyncio.CancelledError):
            await scheduling
        if telegram:
            await telegram.stop()
        await announcements.finish()
        if pool:
            await pool.close()
        await services.wakeups.close()
        await limits.close()

    app = FastAPI(title="Sapa Setneg", version="1", docs_url=None, redoc_url=None, lifespan=lifespan)
    origins = listed_origins(settings.allowed_origins)
    problem = add_problem_handlers(app, assistant)
    app.add_middleware(Contained, problem=problem)
    app.add_middleware(
        CORSMiddleware,
        allow_origins=origins,
        allow_methods=["GET", "POST", "DELETE"],
        allow_headers=["Authorization", "Content-Type"],
        expose_headers=["Retry-After"],
    )
    app.add_middleware(GZipMiddleware, minimum_size=1024)
    app.add_middleware(Bounded, problem=problem)
    if settings.hosts:
        app.add_middleware(KnownHosts, hosts=settings.hosts)
    app.add_middleware(Guarded, problem=problem, file_bytes=services.ticket_files.largest)
    sessions = Sessions(services.encryption.signing_keys, settings.session_hours)
    limited = [Depends(limits.dependency(sessions.conversation_of))]
    web = web_channel(service, conversations, sessions, services.wakeups)
    app.include_router(web, dependencies=[Depends(from_listed_pages(origins)), *limited])
    app.include_router(plain_chat(service, conversations, sessions), dependencies=limited)
    app.include_router(receipt_page(services.receipts), dependencies=limited)
    app.include_router(attachments(services.ticket_files), dependencies=limited)
    app.include_router(own_data_download(services.own_data), dependencies=limited)
    if telegram and settings.telegram_webhook_url:
        app.include_router(telegram_webhook(telegram, settings.telegram_webhook_url, _webhook_secret(services)))
    open_desk(app, services)
    _add_pages(app)
    add_operation(app, services, assistant, measures)
    return app


def _telegram(service: ConversationService, assistant: Assistant, services: Services, limits: RateLimits) -> TelegramChannel:
    settings = services.settings
    means = Means(
        service,
        PublicAnswers(assistant, services.knowledge),
        services.conversations,
        TelegramInbox(services.database, services.encryption),
        limits,
        frozenset(entry.topic for entry in services.knowledge.entries),
    )
    webhook = (settings.telegram_webhook_url, _webhook_secret(services)) if settings.telegram_webhook_url else None
    return TelegramChannel(means, settings.telegram_bot_token, settings.telegram_base_url, webhook)


def _webhook_secret(services: Services) -> str:
    """Known to Telegram and to us: made of our keys and the token, so that it needs no setting and changes with either."""
    return services.encryption.fingerprint("telegram-webhook", services.settings.telegram_bot_token)


def _jobs(services: Services, notifier: Notifier) -> list[Job]:
    async def remind() -> None:
        await asyncio.to_thread(services.reminders.record_due)

    async def end_handoffs() -> None:
        await asyncio.to_thread(services.handoffs.close_unserved)
        await asyncio.to_thread(services.handoffs.hand_back_idle)

    async def forget_updates() -> None:
        await asyncio.to_thread(TelegramInbox(services.database, services.encryption).forget_old)

    async def forget_turns() -> None:
        if not services.database.is_sqlite:
            await asyncio.to_thread(TurnQueue(services.database).forget_old)

    async def purge() -> None:
        await asyncio.to_thread(services.retention.purge_if_due)

    async def keep_figures() -> None:
        await asyncio.to_thread(services.daily_figures.keep_past_days)

    async def count_due_dates() -> None:
        await asyncio.to_thread(services.ticket_changes.count_undated)

    async def remind_of_checks() -> None:
        await asyncio.to_thread(services.knowledge_catalogue.remind)

    return [
        Job("purge", PURGE_INTERVAL, purge),
        Job("daily_figures", FIGURES_INTERVAL, keep_figures),
        Job("knowledge_checks", FORGETTING_INTERVAL, remind_of_checks),
        Job("telegram_updates", FORGETTING_INTERVAL, forget_updates),
        Job("due_dates", COUNTING_INTERVAL, count_due_dates),
        Job("notices", NOTICE_INTERVAL, notifier.deliver),
        Job("reminders", REMINDER_INTERVAL, remind),
        Job("end_handoffs", CLOSING_INTERVAL, end_handoffs),
        Job("queued_turns", FORGETTING_INTERVAL, forget_turns),
    ]


def _add_pages(app: FastAPI) -> None:
    @app.get("/", include_in_schema=False)
    async def demo_page() -> FileResponse:
        return FileResponse(WIDGET / "demo.html", media_type="text/html")

    @app.get("/static/{name}", include_in_schema=False)
    async def static_file(name: str) -> FileResponse:
        if name not in STATIC:
            raise HTTPException(404)
        headers = {"Cache-Control": "public, max-age=300", "Access-Control-Allow-Origin": "*"}
        return FileResponse(Path(WIDGET / name), media_type=STATIC[name], headers=headers)
