"""What staff published at the desk, in force beside the files of `knowledge/`.

It lies in the database, so that every process on every host says the same.
"""

from __future__ import annotations

from sqlalchemy import func, select

from store.database import Database
from store.knowledge_models import KnowledgeVersion


class PublishedKnowledge:
    def __init__(self, database: Database) -> None:
        self._database = database

    def revision(self) -> int:
        """Goes up with every publication, whoever made it; 0 where there was none."""
        with self._database.session() as session:
            return session.scalar(select(func.max(KnowledgeVersion.publication))) or 0

    def texts(self) -> dict[str, str | None]:
        """Entry id to the text in force; None for an entry that was withdrawn."""
        return {version.entry_id: version.content for version in self.in_force()}

    def in_force(self) -> list[KnowledgeVersion]:
        """The newest publication of each entry."""
        newest = select(func.max(KnowledgeVersion.publication)).group_by(KnowledgeVersion.entry_id)
        with self._database.session() as session:
            return list(session.scalars(select(KnowledgeVersion).where(KnowledgeVersion.publication.in_(newest))))
