"""What probes, Prometheus and the operator ask: is it alive, may it serve, how is it doing."""

from __future__ import annotations

import asyncio
import hmac
import time

from fastapi import FastAPI, HTTPException, Request, Response
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from bot.assistant import Assistant
from bot.middleware import Measured
from bot.turn_measures import TurnMeasures
from services.assembly import Services
from services.operation import Figures
from store.database import utc_now

FIGURES_SECONDS = 10.0
"""Figures that cost a query are counted at most so often, however many ask."""


class _Gauges:
    def __init__(self, registry: CollectorRegistry) -> None:
        def gauge(name: str, text: str, *labels: str) -> Gauge:
            return Gauge(f"sapa_{name}", text, labels, registry=registry)

        self._handoffs = gauge("handoffs_waiting", "Citizens who wait for an officer")
        self._queue = gauge("queue_length", "Work that is stored and not done", "queue")
        self._oldest = gauge("queue_oldest_seconds", "Age of the oldest of that work", "queue")
        self._tickets = gauge("tickets_open", "Open tickets with a legal due date, by what is left of it", "light")
        self._jobs = gauge("jobs_failing", "Scheduled jobs whose last run failed")
        self._runs = gauge("job_run_timestamp_seconds", "When the last run of a job ended, in seconds since 1970", "name")
        self._disk = gauge("disk_free_bytes", "Free space of the data folder")
        self.ready = gauge("ready", "1 where the check holds", "check")

    def show(self, figures: Figures) -> None:
        self._handoffs.set(figures.handoffs_waiting)
        self._queue.labels("notices").set(figures.notices_open)
        self._queue.labels("telegram").set(figures.telegram_waiting)
        self._oldest.labels("notices").set(figures.oldest_notice_seconds)
        self._oldest.labels("telegram").set(figures.oldest_telegram_seconds)
        for light, number in figures.tickets.items():
            self._tickets.labels(light).set(number)
        self._jobs.set(figures.jobs_failing)
        for name, at in figures.runs.items():
            self._runs.labels(name).set(at.timestamp())
        self._disk.set(figures.disk_free_bytes)


def add_operation(app: FastAPI, services: Services, assistant: Assistant, turns: TurnMeasures) -> None:
    registry = CollectorRegistry()
    requests = Counter("sapa_http_requests", "HTTP requests", ["method", "route", "status"], registry=registry)
    seconds = Histogram("sapa_http_seconds", "Time to answer", ["route"], registry=registry)
    gauges = _Gauges(registry)
    counted_at = 0.0

    app.add_middleware(Measured, requests=requests, seconds=seconds)

    async def checks() -> dict[str, bool]:
        found = {"model": True, "knowledge": bool(services.knowledge.entries), **await asyncio.to_thread(services.operation.checks)}
        for name, holds in found.items():
            gauges.ready.labels(name).set(holds)
        return found

    @app.get("/healthz", include_in_schema=False)
    async def alive() -> dict[str, str]:
        return {"status": "ok"}

    @app.get("/readyz", include_in_schema=False)
    async def ready() -> JSONResponse:
        found = await checks()
        body = {"ready": all(found.values()), "checks": found, "model": assistant.version}
        return JSONResponse(body, 200 if all(found.values()) else 503)

    @app.get("/metrics", include_in_schema=False)
    async def metrics(request: Request) -> Response:
        nonlocal counted_at
        token = services.settings.metrics_token
        given = request.headers.get("authorization", "").removeprefix("Bearer ")
        forwarded = "x-forwarded-for" in request.headers or "forwarded" in request.headers
        local = request.client is not None and request.client.host in ("127.0.0.1", "::1") and not token and not forwarded
        if not local and not (token and hmac.compare_digest(given.encode(), token.encode())):
            raise HTTPException(404)
        if time.monotonic() - counted_at > FIGURES_SECONDS and (await checks())["database"]:
            counted_at = time.monotonic()
            gauges.show(await asyncio.to_thread(services.operation.figures, utc_now()))
        return Response(generate_latest(turns.registry) + generate_latest(registry), media_type=CONTENT_TYPE_LATEST)
