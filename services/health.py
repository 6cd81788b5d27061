"""What needs a person's attention: for `sapa doctor` in the terminal and the page of the desk alike."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from services.audit import AuditLog
from services.calendar import LAST_DECREED_YEAR
from services.channels import Channels
from services.knowledge import Knowledge
from services.open_questions import unanswered
from services.retention import KEPT, Kind, Retention
from store.database import Database
from store.job_runs import JobRuns
from store.models import JobRun


@dataclass(frozen=True)
class Finding:
    """A problem, or a note that can wait. The texts of the desk have a sentence for each name, filled with `data`."""

    name: str
    is_problem: bool
    data: Mapping[str, object] = field(default_factory=dict)


class Health:
    def __init__(
        self,
        database: Database,
        knowledge: Knowledge,
        audit: AuditLog,
        channels: Channels,
        retention: Retention,
        job_runs: JobRuns,
    ) -> None:
        self._database = database
        self._knowledge = knowledge
        self._audit = audit
        self._channels = channels
        self._retention = retention
        self._job_runs = job_runs

    def findings(self, today: date, *, whole_audit_log: bool = True) -> list[Finding]:
        """Problems first. `whole_audit_log` reads all of it, which takes seconds where it is long."""
        if not self._database.is_reachable():
            return [Finding("database", is_problem=True)]
        found = [Finding("knowledge", is_problem=True, data={"error": error}) for error in self._knowledge.errors]
        broken = self._audit.first_broken() if whole_audit_log else None
        if broken is not None:
            found.append(Finding("audit_log", is_problem=True, data={"entry": broken}))
        found += [Finding("job", is_problem=True, data={"job": run.name, "error": run.error}) for run in self.jobs() if run.error]
        for entry in self._knowledge.entries:
            if entry.is_stale(today):
                facts = {"entry": entry.id, "day": entry.facts.valid_until, "owner": entry.facts.owner}
                found.append(Finding("stale_knowledge", is_problem=False, data=facts))
        if today.year >= LAST_DECREED_YEAR:
            found.append(Finding("calendar", is_problem=False, data={"year": LAST_DECREED_YEAR}))
        found += [Finding("channel_off", is_problem=False, data={"channel": channel}) for channel in sorted(self._channels.off())]
        if self._retention.days()[Kind.CONVERSATIONS] == KEPT:
            found.append(Finding("no_retention", is_problem=False))
        for open_question in unanswered():
            facts = {"id": open_question.id, "question": open_question.question, "owner": open_question.owner}
            found.append(Finding("unconfirmed", is_problem=False, data=facts))
        return found

    def jobs(self) -> list[JobRun]:
        return self._job_runs.all()
