"""Knowledge entries at the desk: drafts, a second person who publishes, versions, and the way back.

What is published stands in the database and is read by every process beside the files (services/published_knowledge.py). Nothing
ever writes into `knowledge/`: the repository gets it as a patch.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from enum import StrEnum

from sqlalchemy import Select, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from services.audit import AuditLog
from services.knowledge import Knowledge
from services.knowledge_catalogue import DiffLine, KnowledgeCatalogue, difference, text_hash
from services.knowledge_files import KnowledgeError, parse_entry
from services.knowledge_form import Fault, KnowledgeForm
from services.refused import Refused
from store.database import Database, utc_now
from store.knowledge_models import KnowledgeVersion

MOST_PROBES, LONGEST_PROBE = 24, 500
TRIES = 20


class DraftState(StrEnum):
    DRAFT = "draft"
    PROPOSED = "proposed"
    PUBLISHED = "published"


class EditProblem(StrEnum):
    FAULTS = "faults"
    """The form has faults that its page names."""
    OWN_TEXT = "own_text"
    NOT_PROPOSED = "not_proposed"
    PUBLISHED_ALREADY = "published_already"
    CHANGED_MEANWHILE = "changed_meanwhile"
    NOTE_MISSING = "note_missing"
    LAST_ENTRY = "last_entry"
    IN_FORCE_ALREADY = "in_force_already"


class EditRefused(Refused[EditProblem]):
    """A step that the draft or entry does not allow, or not to this person."""


class KnowledgeEditing:
    def __init__(
        self,
        database: Database,
        audit: AuditLog,
        knowledge: Knowledge,
        catalogue: KnowledgeCatalogue,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._database = database
        self._audit = audit
        self._knowledge = knowledge
        self._catalogue = catalogue
        self._clock = clock

    def drafts(self) -> list[KnowledgeVersion]:
        """What is being written or waits for a second person, the latest change first."""
        with self._database.session() as session:
            return list(session.scalars(_unpublished().order_by(KnowledgeVersion.changed_at.desc())))

    def draft(self, draft_id: int) -> KnowledgeVersion:
        """Raises KeyError for what is not there or published."""
        version = self.version(draft_id)
        if version.publication is not None:
            raise KeyError(draft_id)
        return version

    def version(self, version_id: int) -> KnowledgeVersion:
        """Raises KeyError."""
        with self._database.session() as session:
            version = session.get(KnowledgeVersion, version_id)
        if version is None:
            raise KeyError(version_id)
        return version

    def begin(self, login: str, form: KnowledgeForm, probes: Sequence[str] = ()) -> int:
        """A draft of a new entry; its id."""
        return self._add(login, form, probes, "knowledge.draft_begun", is_new=True)

    def edit(self, login: str, entry_id: str) -> int:
        """A draft of an entry that is there; its id. One's own open draft of it, where there is one. Raises KeyError."""
        for draft in self.drafts():
            if draft.entry_id == entry_id and login in draft.authors and not draft.withdraws:
                return draft.id
        form = KnowledgeForm.read(self._catalogue.text_in_force(entry_id))
        return self._add(login, form, form.questions("id")[:3], "knowledge.draft_begun")

    def propose_withdrawal(self, login: str, entry_id: str, note: str) -> int:
        """Ask a second person to take an entry out. Raises KeyError and `EditRefused`."""
        form = KnowledgeForm.read(self._catalogue.text_in_force(entry_id))
        if not note.strip():
            raise EditRefused(EditProblem.NOTE_MISSING)
        if len(self._knowledge.entries) == 1:
            raise EditRefused(EditProblem.LAST_ENTRY)
        return self._add(login, form, form.questions("id")[:3], "knowledge.withdrawal_proposed", note=note.strip(), withdraws=True)

    def save(self, login: str, draft_id: int, form: KnowledgeForm, probes: Sequence[str]) -> KnowledgeVersion:
        """Keep what was written, complete or not; a proposal is a draft again. Raises KeyError."""
        with self._database.durable_session() as session:
            version = self._open_draft(session, draft_id)
            if version.withdraws:
                raise KeyError(draft_id)
            if version.is_new:
                version.entry_id, version.based_on = form.id[:60], self._newest_publication(session, form.id)
            version.form = replace(form, id=version.entry_id).values()
            version.probes = _probes(probes)
            version.authors = sorted({*version.authors, login})
            version.state, version.content, version.changed_at = DraftState.DRAFT, None, self._clock()
            return version

    def discard(self, login: str, draft_id: int) -> None:
        """Raises KeyError."""
        with self._database.durable_session() as session:
            version = self._open_draft(session, draft_id)
            session.delete(version)
        self._audit.record(login, "knowledge.draft_discarded", version.entry_id or str(draft_id))

    def faults(self, version: KnowledgeVersion) -> list[Fault]:
        """What has to be mended before the draft can be proposed."""
        if version.withdraws:
            return []
        form = KnowledgeForm.of(version.form)
        others = [entry for entry in self._knowledge.entries if entry.id != form.id]
        asked = {question: entry.id for entry in others for question in entry.bare_examples}
        taken = version.is_new and self._knowledge.entry(form.id) is not None
        return form.faults(self._catalogue.today(), asked=asked, taken=taken)

    def propose(self, login: str, draft_id: int, note: str) -> None:
        """Hand a draft to a second person. Raises `EditRefused`, KeyError."""
        with self._database.durable_session() as session:
            version = self._open_draft(session, draft_id)
            if not version.withdraws and self.faults(version):
                raise EditRefused(EditProblem.FAULTS)
            version.content = None if version.withdraws else KnowledgeForm.of(version.form).text()
            version.state, version.note, version.changed_at = DraftState.PROPOSED, note.strip(), self._clock()
        self._audit.record(login, "knowledge.proposed", version.entry_id, note.strip())

    def give_back(self, login: str, draft_id: int, note: str) -> None:
        """A proposal is a draft again, with a word for its author. Raises `EditRefused`, KeyError."""
        with self._database.durable_session() as session:
            version = self._open_draft(session, draft_id)
            if not note.strip():
                raise EditRefused(EditProblem.NOTE_MISSING)
            version.state, version.note, version.changed_at = DraftState.DRAFT, note.strip(), self._clock()
        self._audit.record(login, "knowledge.given_back", version.entry_id, note.strip())

    def publish(self, login: str, draft_id: int) -> KnowledgeVersion:
        """Put a proposal in force, for every process within a second or two. Not by whoever wrote at it.

        Raises `EditRefused`, KeyError.
        """
        version = self._publish(login, lambda session: self._checked_proposal(session, login, draft_id))
        self._audit.record(
            login, "knowledge.withdrawn" if version.withdraws else "knowledge.published", version.entry_id, version.note
        )
        return version

    def restore(self, login: str, version_id: int, note: str) -> KnowledgeVersion:
        """Put an old version in force again, at once: two people have stood for it before. Raises `EditRefused`, KeyError."""
        old = self.version(version_id)
        if old.publication is None:
            raise KeyError(version_id)
        if not note.strip():
            raise EditRefused(EditProblem.NOTE_MISSING)

        if old.content is not None:
            _must_be_usable(old.entry_id, old.content)

        def again(session: Session) -> KnowledgeVersion:
            if self._newest_publication(session, old.entry_id) == old.publication:
                raise EditRefused(EditProblem.IN_FORCE_ALREADY)
            version = self._new(old.entry_id, old.form, old.probes, old.authors, note.strip(), withdraws=old.withdraws)
            version.content = old.content
            session.add(version)
            return version

        version = self._publish(login, again)
        self._audit.record(login, "knowledge.restored", version.entry_id, note.strip(), version=old.publication)
        return version

    def restore_file(self, login: str, entry_id: str, note: str) -> KnowledgeVersion:
        """Put the text of the shipped file in force again. Raises `EditRefused`, KeyError."""
        text = self._catalogue.file_text(entry_id)
        if text is None:
            raise KeyError(entry_id)
        if not note.strip():
            raise EditRefused(EditProblem.NOTE_MISSING)
        _must_be_usable(entry_id, text)

        def again(session: Session) -> KnowledgeVersion:
            version = self._new(entry_id, KnowledgeForm.read(text).values(), [], [], note.strip())
            version.content = text
            session.add(version)
            return version

        version = self._publish(login, again)
        self._audit.record(login, "knowledge.restored", entry_id, note.strip(), version=0)
        return version

    def versions(self, entry_id: str) -> list[KnowledgeVersion]:
        """Everything that was ever published of an entry, the newest first."""
        query = select(KnowledgeVersion).where(KnowledgeVersion.entry_id == entry_id, KnowledgeVersion.publication.is_not(None))
        with self._database.session() as session:
            return list(session.scalars(query.order_by(KnowledgeVersion.publication.desc())))

    def change(self, version: KnowledgeVersion) -> list[DiffLine]:
        """What a draft, if it can be used, changes in the text in force."""
        try:
            before = self._catalogue.text_in_force(version.entry_id)
        except KeyError:
            before = ""
        after = "" if version.withdraws else KnowledgeForm.of(version.form).text()
        return difference(before, after)

    def _add(
        self,
        login: str,
        form: KnowledgeForm,
        probes: Sequence[str],
        action: str,
        note: str = "",
        *,
        is_new: bool = False,
        withdraws: bool = False,
    ) -> int:
        with self._database.durable_session() as session:
            version = self._new(form.id, dict(form.values()), _probes(probes), [login], note, withdraws=withdraws)
            version.is_new = is_new
            version.state = DraftState.PROPOSED if withdraws else DraftState.DRAFT
            version.based_on = self._newest_publication(session, form.id)
            session.add(version)
            session.flush()
            draft_id = version.id
        self._audit.record(login, action, form.id or str(draft_id), note)
        return draft_id

    def _new(
        self,
        entry_id: str,
        form: Mapping[str, str],
        probes: Sequence[str],
        authors: Sequence[str],
        note: str,
        *,
        withdraws: bool = False,
    ) -> KnowledgeVersion:
        text = self._catalogue.file_text(entry_id)
        return KnowledgeVersion(
            entry_id=entry_id,
            state=DraftState.DRAFT,
            form=dict(form),
            is_new=False,
            withdraws=withdraws,
            probes=list(probes),
            authors=list(authors),
            note=note,
            based_on=0,
            file_hash=text_hash(text) if text else "",
            changed_at=self._clock(),
        )

    @staticmethod
    def _open_draft(session: Session, draft_id: int) -> KnowledgeVersion:
        version = session.get(KnowledgeVersion, draft_id, with_for_update=True)
        if version is None or version.publication is not None:
            raise KeyError(draft_id)
        return version

    def _checked_proposal(self, session: Session, login: str, draft_id: int) -> KnowledgeVersion:
        version = session.get(KnowledgeVersion, draft_id, with_for_update=True)
        if version is None:
            raise KeyError(draft_id)
        if version.publication is not None:
            raise EditRefused(EditProblem.PUBLISHED_ALREADY)
        if version.state != DraftState.PROPOSED:
            raise EditRefused(EditProblem.NOT_PROPOSED)
        if login in version.authors:
            raise EditRefused(EditProblem.OWN_TEXT)
        if self._newest_publication(session, version.entry_id) != version.based_on:
            raise EditRefused(EditProblem.CHANGED_MEANWHILE)
        if self.faults(version):
            raise EditRefused(EditProblem.FAULTS)
        return version

    def _publish(self, login: str, prepare: Callable[[Session], KnowledgeVersion]) -> KnowledgeVersion:
        """Give a version the next number of publication; again where somebody else took it meanwhile."""
        for tries_left in reversed(range(TRIES)):
            try:
                with self._database.durable_session() as session:
                    version = prepare(session)
                    text = self._catalogue.file_text(version.entry_id)
                    version.publication = (session.scalar(select(func.max(KnowledgeVersion.publication))) or 0) + 1
                    version.state, version.published_by, version.published_at = DraftState.PUBLISHED, login, self._clock()
                    version.file_hash = text_hash(text) if text else ""
                return version
            except IntegrityError:
                if not tries_left:
                    raise
        raise AssertionError("the last try returns or raises")

    @staticmethod
    def _newest_publication(session: Session, entry_id: str) -> int:
        return session.scalar(select(func.max(KnowledgeVersion.publication)).where(KnowledgeVersion.entry_id == entry_id)) or 0


def _must_be_usable(entry_id: str, text: str) -> None:
    """An old text may break a rule that is younger than it."""
    try:
        parse_entry(f"{entry_id}.md", text)
    except KnowledgeError as error:
        raise EditRefused(EditProblem.FAULTS) from error


def _unpublished() -> Select[tuple[KnowledgeVersion]]:
    return select(KnowledgeVersion).where(KnowledgeVersion.publication.is_(None))


def _probes(given: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(" ".join(one.split())[:LONGEST_PROBE] for one in given if one.strip()))[:MOST_PROBES]
