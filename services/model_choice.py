"""Which trained model all processes serve: kept in the database, so that one command changes it everywhere."""

from __future__ import annotations

from sqlalchemy import select

from store.database import Database, utc_now
from store.models import ModelChoice


class ModelChoices:
    def __init__(self, database: Database) -> None:
        self._database = database

    def current(self) -> str | None:
        """The version to be served; None: the newest file at the start of a process."""
        return next(iter(self._newest()), None)

    def in_reach(self) -> set[str]:
        """The chosen version, and the one to which `roll_back` would return."""
        return {version for version in self._newest() if version}

    def choose(self, version: str | None) -> None:
        with self._database.session() as session:
            session.add(ModelChoice(version=version, at=utc_now()))

    def roll_back(self) -> str | None:
        """Return to what was served before the last choice, and give it. Raises LookupError where nothing was chosen yet."""
        newest = self._newest()
        if not newest:
            raise LookupError("no model was chosen yet")
        before = newest[1] if len(newest) > 1 else None
        self.choose(before)
        return before

    def _newest(self) -> list[str | None]:
        with self._database.session() as session:
            return list(session.scalars(select(ModelChoice.version).order_by(ModelChoice.id.desc()).limit(2)))
