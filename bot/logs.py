"""Structured logs without anything that a citizen wrote: our own events at INFO, Rasa's only where something is wrong."""

from __future__ import annotations

import logging
import sys

import structlog


def configure_logs() -> None:
    """One JSON object a line on stderr, or readable lines on a terminal."""
    renderer = structlog.dev.ConsoleRenderer() if sys.stderr.isatty() else structlog.processors.JSONRenderer(ensure_ascii=False)
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
    logging.getLogger("rasa").setLevel(logging.CRITICAL)  # its messages quote trackers; failures are logged by us
