"""Status of a SIMPEL request (permits for official travel abroad), shown only for the right number and access code.

What may be said is a label, the day of the last change and the next step; never who travels, where, when or who examines it
(facts: level 1 of the disclosure table). An unknown number, a wrong code and a locked number are one and the same outcome.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any, Protocol

import httpx
import pybreaker
import structlog
from sqlalchemy import Date, Row, text
from sqlalchemy.exc import SQLAlchemyError
from tenacity import retry, retry_if_exception, stop_after_attempt, stop_after_delay, wait_random_exponential

from services.attempts import AttemptLimiter
from store.database import Database
from store.encryption import Encryption

log = structlog.get_logger(__name__)

SAME_TIME_SECONDS = 0.15
"""Every refusal and every answer takes at least this long, so that time tells nothing about a number."""


class Status(StrEnum):
    DRAFT = "DRAF"
    FOCAL_POINT = "FP_VERIFIKASI"
    SENT = "DIKIRIM"
    EXAMINED = "DITELITI"
    RETURNED = "DIKEMBALIKAN"
    APPROVED = "SP_TERBIT"
    NOT_APPROVED = "TIDAK_DISETUJUI"
    CANCELLED = "DIBATALKAN"
    REPORT_DUE = "MENUNGGU_LAPORAN"


@dataclass(frozen=True)
class SimpelStatus:
    status: Status
    changed_on: date


class SimpelUnavailable(Exception):
    """The ministry's system did not answer in time or answered with a fault. Old data is never shown instead."""


class SimpelDirectory(Protocol):
    def lookup(self, number: str, access_code: str) -> SimpelStatus | None:
        """The status, or None where number and code do not belong together. Raises `SimpelUnavailable`."""


class SqlSimpelDirectory:
    """Reads the built-in table, or a view of the ministry's database with the same four columns.

    `hash_code` makes of number and access code what the column `access_code_hash` holds. `relation` comes from the operator's
    configuration and is checked to be a plain, optionally schema-qualified name.
    """

    def __init__(self, database: Database, hash_code: Callable[[str, str], str], relation: str) -> None:
        if not re.fullmatch(r"[A-Za-z_]\w{0,62}(\.[A-Za-z_]\w{0,62})?", relation):
            raise ValueError(f"SIMPEL_RELATION: {relation!r} is not a table or view name")
        self._database = database
        self._hash_code = hash_code
        query = text(f"SELECT access_code_hash, status, changed_on FROM {relation} WHERE number = :number")  # noqa: S608 checked above
        self._query = query.columns(changed_on=Date)
        self._breaker = _breaker()

    def lookup(self, number: str, access_code: str) -> SimpelStatus | None:
        try:
            row = self._breaker.call(self._read, number)
        except pybreaker.CircuitBreakerError as error:
            raise SimpelUnavailable("the SIMPEL table failed repeatedly and is left alone for a while") from error
        except SQLAlchemyError as error:
            raise SimpelUnavailable("the SIMPEL table can't be read") from error
        expected = (row.access_code_hash if row else None) or self._hash_code("", "")
        matches = hmac.compare_digest(expected, self._hash_code(number, access_code))
        if row is None or not matches:
            return None
        try:
            return SimpelStatus(Status(row.status), row.changed_on)
        except ValueError as error:
            raise SimpelUnavailable("the SIMPEL table holds a status that nobody agreed on") from error

    def _read(self, number: str) -> Row[Any] | None:
        with self._database.session() as session:
            if not self._database.is_sqlite:  # a view may be slow, and a thread that waits for it is not to be had back
                session.execute(text(f"SET LOCAL statement_timeout = '{STATEMENT_SECONDS}s'"))
            return session.execute(self._query, {"number": number}).first()


STATEMENT_SECONDS = 4


def _breaker() -> pybreaker.CircuitBreaker:
    """A pause of 30 s after five failures in a row, in which nobody waits."""
    return pybreaker.CircuitBreaker(fail_max=5, reset_timeout=30)


ALL_TRIES_SECONDS = 4
"""No new try begins after this; with the 2 s of the last one an answer stays within an action's time limit."""


def _may_pass(error: BaseException) -> bool:
    """Whether asking again may help: the network or the server failed, not the question."""
    return isinstance(error, httpx.TransportError) or (isinstance(error, httpx.HTTPStatusError) and error.response.status_code >= 500)


def keyed_hash(key: str, number: str, access_code: str) -> str:
    """HMAC-SHA256 in hex of `number`, a unit separator (0x1F) and `access_code`: what a view of the ministry supplies."""
    return hmac.new(key.encode(), f"{number}\x1f{access_code}".encode(), hashlib.sha256).hexdigest()


class HttpSimpelDirectory:
    """Asks the ministry's service (docs/simpel-openapi.yaml): three tries within 6 s, a pause of 30 s after five failures."""

    def __init__(self, base_url: str, token: str, transport: httpx.BaseTransport | None = None) -> None:
        self._client = httpx.Client(
            base_url=base_url,
            headers={"Authorization": f"Bearer {token}", "Accept": "application/json"},
            timeout=httpx.Timeout(2.0),
            transport=transport,
        )
        self._breaker = _breaker()

    def lookup(self, number: str, access_code: str) -> SimpelStatus | None:
        try:
            response = self._breaker.call(self._post, number, access_code)
            if response.status_code == 404:
                return None
            body = response.json()
            return SimpelStatus(Status(body["status"]), date.fromisoformat(body["changed_on"]))
        except pybreaker.CircuitBreakerError as error:
            raise SimpelUnavailable("SIMPEL failed repeatedly and is left alone for a while") from error
        except httpx.HTTPError as error:
            raise SimpelUnavailable(f"SIMPEL did not answer: {type(error).__name__}") from error
        except (ValueError, KeyError, TypeError) as error:
            raise SimpelUnavailable("SIMPEL's answer is not of the agreed form") from error

    @retry(
        retry=retry_if_exception(_may_pass),
        stop=stop_after_attempt(3) | stop_after_delay(ALL_TRIES_SECONDS),
        wait=wait_random_exponential(multiplier=0.1, max=0.5),
        reraise=True,
    )
    def _post(self, number: str, access_code: str) -> httpx.Response:
        # A POST, because a number and a code in an address would end up in the access logs on the way.
        response = self._client.post("/v1/status", json={"number": number, "access_code": access_code})
        if response.status_code != 404:
            response.raise_for_status()
        return response


def normalise_number(given: str) -> str:
    """Upper case, single hyphens, no spaces; a demo number in any spacing becomes `DEMO-SMP-000101`."""
    compact = re.sub(r"\s+", "", given.upper()).strip(".,;:!?'\"").replace("–", "-")
    demo = re.fullmatch(r"DEMO[-_]?SMP[-_]?(\d{1,6})", compact)
    return f"DEMO-SMP-{int(demo[1]):06d}" if demo else compact


_SPACE = r"\s{0,3}"
_NUMBER_PATTERNS = (
    re.compile(rf"\bDEMO{_SPACE}[_–-]?{_SPACE}SMP{_SPACE}[_–-]?{_SPACE}\d{{1,6}}\b", re.IGNORECASE),
    re.compile(
        rf"\b[A-Z]{{1,2}}{_SPACE}[–-]{_SPACE}\d{{1,6}}{_SPACE}/{_SPACE}[A-Z0-9 ./-]{{1,60}}?"
        rf"/{_SPACE}\d{{1,2}}{_SPACE}/{_SPACE}(?:19|20)\d{{2}}\b",
        re.IGNORECASE,
    ),
    re.compile(r"\b(?=[A-Z0-9./-]{0,187}\d)(?=[A-Z0-9./-]{0,187}[/-])[A-Z0-9]{1,20}(?:[./-][A-Z0-9]{1,20}){1,8}\b", re.IGNORECASE),
)


_SOMETHING_ELSE = re.compile(
    r"\d{1,2}[./-]\d{1,2}(?:[./-](?:\d{2}|\d{4}))?|(?:\d{4}[./-])?\d{1,2}[./-]\d{1,2}|\d{1,3}(?:[.,]\d{3})+|\d{4}[/-]\d{2,4}|\d{1,3}[/-](?:19|20)\d{2}"
    r"|\d{1,2}[.:]\d{2}[-–]\d{1,2}[.:]\d{2}|[A-Z]-\d{1,2}|covid-19",
    re.IGNORECASE,
)
"""Dates, hours, sums, laws ("14/2008"), years and "H-3" have the form of a number, too."""


def find_number(message: str) -> str | None:
    """The request number in a message. A format that nobody knows is looked up all the same, never called wrong."""
    known = known_number(message)
    if known:
        return known
    found = (match.group() for match in _NUMBER_PATTERNS[-1].finditer(message))
    return next((number for number in found if not _SOMETHING_ELSE.fullmatch(number)), None)


def known_number(message: str) -> str | None:
    """The request number in a message, where its form is known."""
    for pattern in _NUMBER_PATTERNS[:-1]:
        match = pattern.search(message)
        if match:
            return match.group()
    return None


def without_number(message: str) -> str:
    """The message without the request numbers whose form is known."""
    for pattern in _NUMBER_PATTERNS[:-1]:
        message = pattern.sub(" ", message)
    return message


class SimpelService:
    def __init__(
        self,
        directory: SimpelDirectory,
        attempts: AttemptLimiter,
        encryption: Encryption,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._directory = directory
        self._attempts = attempts
        self._encryption = encryption
        self._clock = clock
        self._sleep = sleep

    def check(self, number: str, access_code: str, conversation_id: str) -> SimpelStatus | None:
        """The status, or None for every reason not to show one. Raises `SimpelUnavailable`.

        Five failures for a number or a conversation lock it for 30 minutes; a locked one answers as a wrong code does.
        """
        started = self._clock()
        number = normalise_number(number)
        keys = (self._encryption.fingerprint("simpel-number", number), self._encryption.fingerprint("simpel-by", conversation_id))
        try:
            locked = self._attempts.is_locked(*keys)
            status = self._directory.lookup(number, access_code)
            if locked:
                return None
            self._attempts.record(*keys, succeeded=status is not None)
            return status
        except SimpelUnavailable as error:
            log.warning("SimpelUnavailable", reason=str(error))
            raise
        finally:
            self._sleep(max(0.0, SAME_TIME_SECONDS - (self._clock() - started)))
