"""Structured logs without anything that a citizen wrote: our own events at INFO, and of libraries who failed, how and where.

The words of an error stay out of them, and so do tracebacks, which end with those words: they may quote a message, a row or a token.
"""

from __future__ import annotations

import logging
import sys

import structlog

QUOTING = ("rasa", "telegram", "httpx", "httpcore", "sqlalchemy")
"""Libraries whose messages quote trackers, updates, rows, or addresses with a token in them. They are silent whatever level others log
at; what fails in them is logged by us."""
SPEAKING = ("uvicorn.error",)
"""Libraries whose sentences an operator needs, and which quote nobody."""


class Forwarded(logging.Handler):
    """Makes an event of ours of what a library logs: its name, and what was raised where, in the shape of all other lines."""

    def emit(self, record: logging.LogRecord) -> None:
        said = record.getMessage().strip() if record.name in SPEAKING else "a library reports"
        error = record.exc_info[1] if record.exc_info else None
        raised = {"error": type(error).__name__, "at": place_of(error)} if error else {}
        structlog.get_logger(__name__).log(record.levelno, said, library=record.name, **raised)


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
    logging.basicConfig(level=logging.WARNING, handlers=[Forwarded()], force=True)
    logging.captureWarnings(True)
    silence_quoting_libraries()


def own_events_only(*name: str) -> structlog.PrintLogger | structlog.ReturnLogger:
    """structlog's logger of a module: on stderr for ours, which give their name, and silent for Rasa's, which give none.

    Rasa logs whole messages through the same library: at DEBUG, and where it can't read an event, at WARNING, too.
    """
    return structlog.PrintLogger(sys.stderr) if name else structlog.ReturnLogger()


def silence_quoting_libraries() -> None:
    for name in QUOTING:
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)


def place_of(error: BaseException) -> str:
    """File and line where it was raised: all of a traceback that is safe to log."""
    trace = error.__traceback__
    while trace and trace.tb_next:
        trace = trace.tb_next
    return f"{trace.tb_frame.f_code.co_filename.rsplit('/', 1)[-1]}:{trace.tb_lineno}" if trace else "?"
