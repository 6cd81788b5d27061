"""Structured logs without anything that a citizen wrote: our own events at INFO, Rasa's only where something is wrong."""

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
        # Rasa logs whole messages at DEBUG and INFO through the same library.
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(levelname)s %(name)s", force=True)
    silence_quoting_libraries()


def silence_quoting_libraries() -> None:
    for name in QUOTING:
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
