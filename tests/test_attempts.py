"""How guessing a code is slowed down: so many failures, then a pause."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from services.attempts import ALLOWED_FAILURES, PAUSE, AttemptLimiter
from store.database import Database
from tests.postgresql import own_database

NOW = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
INSTANT = timedelta(microseconds=1)


@pytest.fixture
def attempts(database: Database) -> AttemptLimiter:
    return AttemptLimiter(database)


def fail(attempts: AttemptLimiter, times: int, *keys: str, at: datetime = NOW) -> None:
    for _ in range(times):
        attempts.record(*keys, succeeded=False, now=at)


def test_who_was_never_heard_of_is_not_locked(attempts: AttemptLimiter) -> None:
    assert not attempts.is_locked("somebody")


def test_the_fifth_failure_locks(attempts: AttemptLimiter) -> None:
    fail(attempts, 4, "ticket")
    assert not attempts.is_locked("ticket", now=NOW)
    fail(attempts, 1, "ticket")
    assert attempts.is_locked("ticket", now=NOW)


def test_one_locked_key_is_enough(attempts: AttemptLimiter) -> None:
    fail(attempts, 5, "ticket")
    assert attempts.is_locked("ticket", "citizen", now=NOW)
    assert attempts.is_locked("citizen", "ticket", now=NOW)
    assert not attempts.is_locked("citizen", now=NOW)


def test_a_failure_counts_against_each_key(attempts: AttemptLimiter) -> None:
    fail(attempts, 3, "ticket", "attacker")
    fail(attempts, 2, "another ticket", "attacker")
    assert attempts.is_locked("attacker", now=NOW)
    assert not attempts.is_locked("ticket", "another ticket", now=NOW)


def test_a_lock_ends_after_half_an_hour_and_counting_begins_anew(attempts: AttemptLimiter) -> None:
    fail(attempts, 5, "ticket")
    over = NOW + timedelta(minutes=30)
    assert attempts.is_locked("ticket", now=over - INSTANT)
    assert not attempts.is_locked("ticket", now=over)
    fail(attempts, 4, "ticket", at=over)
    assert not attempts.is_locked("ticket", now=over)
    fail(attempts, 1, "ticket", at=over)
    assert attempts.is_locked("ticket", now=over)


def test_failures_far_apart_are_those_of_somebody_who_forgets_and_not_of_somebody_who_guesses(attempts: AttemptLimiter) -> None:
    for n in range(10):
        fail(attempts, 1, "ticket", at=NOW + n * PAUSE)
    assert not attempts.is_locked("ticket", now=NOW + 9 * PAUSE)


def test_failures_less_than_half_an_hour_apart_add_up(attempts: AttemptLimiter) -> None:
    for n in range(5):
        fail(attempts, 1, "ticket", at=NOW + n * (PAUSE - INSTANT))
    assert attempts.is_locked("ticket", now=NOW + 4 * PAUSE)


def test_a_success_forgets_the_failures_before_it(attempts: AttemptLimiter) -> None:
    fail(attempts, 4, "ticket")
    attempts.record("ticket", succeeded=True, now=NOW)
    fail(attempts, 4, "ticket")
    assert not attempts.is_locked("ticket", now=NOW)


def test_a_first_success_locks_nothing(attempts: AttemptLimiter) -> None:
    attempts.record("ticket", succeeded=True, now=NOW)
    assert not attempts.is_locked("ticket", now=NOW)


def test_another_number_of_failures_can_be_allowed(attempts: AttemptLimiter) -> None:
    for n in range(7):
        assert not attempts.is_locked("desk", now=NOW), n
        attempts.record("desk", succeeded=False, now=NOW, allowed=7)
    assert attempts.is_locked("desk", now=NOW)


def test_without_a_given_moment_it_is_now(attempts: AttemptLimiter) -> None:
    for _ in range(ALLOWED_FAILURES):
        attempts.record("ticket", succeeded=False)
    assert attempts.is_locked("ticket")


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.scale)])
def either_database(request: pytest.FixtureRequest) -> Iterator[Database]:
    if request.param == "sqlite":
        yield request.getfixturevalue("database")
        return
    with own_database() as url:
        database = Database(url)
        database.migrate()
        yield database
        database.close()


def test_of_failures_at_the_same_instant_each_counts(either_database: Database) -> None:
    """Who tries many codes at once has no more tries than who tries them one after the other."""
    attempts = AttemptLimiter(either_database)
    with ThreadPoolExecutor(8) as guessers:
        for _ in guessers.map(lambda n: attempts.record("ticket", f"guesser-{n}", succeeded=False, now=NOW, allowed=9), range(8)):
            pass
    assert not attempts.is_locked("ticket", now=NOW)
    attempts.record("ticket", succeeded=False, now=NOW, allowed=9)
    assert attempts.is_locked("ticket", now=NOW)
