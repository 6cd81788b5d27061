"""Structured logs without anything that a citizen wrote: our own events at INFO, and nothing of libraries that quote."""

from __future__ import annotations

import logging
import sys

import structlog

QUOTING = ("rasa", "telegram", "httpx", "httpcore", "sqlalchemy")
"""Libraries whose messages quote trackers, updates, rows, or addresses with a token in them. They are silent whatever level others log
at; what fails in them is logged by us."""


def configure_logs() -> None:
    """One JSON object a line on stderr, all of it ASCII so that no character ends a line; or readable lines on a terminal."""
    renderer = structlog.dev.ConsoleRenderer() if sys.stderr.isatty() else structlog.processors.JSONRenderer()
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=own_events_only,
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(levelname)s %(name)s", force=True)
    silence_quoting_libraries()


def own_events_only(*name: str) -> structlog.PrintLogger | structlog.ReturnLogger:
    """structlog's logger of a module: on stderr for ours, which give their name, and silent for Rasa's, which give none.

    Rasa logs whole messages through the same library: at DEBUG, and where it can't read an event, at WARNING, too.
    """
    return structlog.PrintLogger(sys.stderr) if name else structlog.ReturnLogger()


def silence_quoting_libraries() -> None:
    for name in QUOTING:
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
