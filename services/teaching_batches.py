"""Batches of decisions: one person hands on what they decided, a second one lets it go out or gives it back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import delete, func, select, update

from services.audit import AuditLog
from services.teaching import Teaching, TeachingProblem, TeachingRefused
from store.database import Database, utc_now
from store.teaching_models import TeachingBatch, TeachingDecision

MOST_IN_A_BATCH = 100
"""What one person can read through, and what needs no new file of vectors."""


class BatchState(StrEnum):
    PROPOSED = "proposed"
    APPROVED = "approved"
    RETURNED = "returned"


@dataclass(frozen=True)
class BatchSummary:
    batch: TeachingBatch
    decisions: int


class TeachingBatches:
    def __init__(self, database: Database, audit: AuditLog, teaching: Teaching, clock: Callable[[], datetime] = utc_now) -> None:
        self._database = database
        self._audit = audit
        self._teaching = teaching
        self._clock = clock

    def hand_on(self, login: str) -> int:
        """Make a batch of one's own decisions, the oldest first; its number. Raises `TeachingRefused`."""
        mine = [one.id for one in reversed(self._teaching.decided_by(login))][:MOST_IN_A_BATCH]
        if not mine:
            raise TeachingRefused(TeachingProblem.NOTHING_TO_HAND_ON)
        with self._database.durable_session() as session:
            batch = TeachingBatch(made_by=login, made_at=self._clock(), state=BatchState.PROPOSED)
            session.add(batch)
            session.flush()
            unbatched = TeachingDecision.id.in_(mine), TeachingDecision.batch_id.is_(None)
            handed_on = session.execute(update(TeachingDecision).where(*unbatched).values(batch_id=batch.id))
            taken = handed_on.rowcount  # type: ignore[attr-defined]  # an UPDATE gives a CursorResult
            if not taken:  # handed on meanwhile, in another window
                raise TeachingRefused(TeachingProblem.NOTHING_TO_HAND_ON)
            number = batch.id
        self._audit.record(login, "teach.handed_on", str(number), decisions=taken)
        return number

    def all(self) -> list[BatchSummary]:
        """The newest first."""
        count = select(func.count()).where(TeachingDecision.batch_id == TeachingBatch.id).scalar_subquery()
        with self._database.session() as session:
            rows = session.execute(select(TeachingBatch, count).order_by(TeachingBatch.id.desc()).limit(200))
            return [BatchSummary(batch, number) for batch, number in rows]

    def get(self, number: int) -> tuple[TeachingBatch, list[TeachingDecision]]:
        """Raises KeyError."""
        with self._database.session() as session:
            batch = session.get(TeachingBatch, number)
            if batch is None:
                raise KeyError(number)
            inside = select(TeachingDecision).where(TeachingDecision.batch_id == number).order_by(TeachingDecision.id)
            return batch, list(session.scalars(inside))

    def approve(self, login: str, number: int, kept: Sequence[int]) -> None:
        """Let the `kept` decisions go out; the others end, and their messages wait in the queue again.

        Raises `TeachingRefused`, also for whoever made the batch, and KeyError.
        """
        _, decisions = self.get(number)
        dropped = [one.id for one in decisions if one.id not in kept]
        if len(dropped) == len(decisions):
            raise TeachingRefused(TeachingProblem.NOTHING_KEPT)
        self._close(login, number, BatchState.APPROVED, "", dropped)
        self._audit.record(login, "teach.approved", str(number), decisions=len(decisions) - len(dropped), dropped=len(dropped))

    def give_back(self, login: str, number: int, note: str) -> None:
        """Back to whoever made it, who decides anew what of it to hand on. Raises as `approve`."""
        self.get(number)
        self._close(login, number, BatchState.RETURNED, note, [])
        self._audit.record(login, "teach.returned", str(number), note)

    def approved(self, number: int | None = None) -> list[TeachingDecision]:
        """The decisions that may go out, in the order in which they were made: of one batch, or of all."""
        query = select(TeachingDecision).join(TeachingBatch, TeachingBatch.id == TeachingDecision.batch_id)
        query = query.where(TeachingBatch.state == BatchState.APPROVED).order_by(TeachingDecision.id)
        if number is not None:
            query = query.where(TeachingBatch.id == number)
        with self._database.session() as session:
            return list(session.scalars(query))

    def _close(self, login: str, number: int, state: BatchState, note: str, dropped: list[int]) -> None:
        with self._database.durable_session() as session:
            if session.get_one(TeachingBatch, number).made_by == login:
                raise TeachingRefused(TeachingProblem.OWN_BATCH)
            open_one = update(TeachingBatch).where(TeachingBatch.id == number, TeachingBatch.state == BatchState.PROPOSED)
            values = {"state": state, "reviewed_by": login, "reviewed_at": self._clock(), "note": note}
            if not session.execute(open_one.values(values)).rowcount:  # type: ignore[attr-defined]  # an UPDATE gives a CursorResult
                raise TeachingRefused(TeachingProblem.REVIEWED_ALREADY)
            if state is BatchState.RETURNED:
                session.execute(update(TeachingDecision).where(TeachingDecision.batch_id == number).values(batch_id=None))
            session.execute(delete(TeachingDecision).where(TeachingDecision.id.in_(dropped)))
