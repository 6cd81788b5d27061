"""Knowledge at the desk: a form that knows what is wrong, a second person who publishes, versions, a search that follows at once."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from threading import Barrier
from typing import Any
from unittest.mock import Mock

import pytest
from sqlalchemy.exc import IntegrityError, OperationalError
from typer.testing import CliRunner

from desk.teach_commands import teach_app
from services.assembly import Services, shared_encoder
from services.audit import AuditFilter
from services.knowledge import Knowledge, Verdict
from services.knowledge_catalogue import Due, KnowledgeCatalogue
from services.knowledge_editing import EditProblem, EditRefused
from services.knowledge_files import knowledge_paths, read_entry
from services.knowledge_form import Advice, Fault, KnowledgeForm, Trouble
from services.published_knowledge import PublishedKnowledge
from services.settings import PROJECT
from store.knowledge_models import KnowledgeVersion
from tests.knowledge_folder import COUNTER, PARKING, services_of_folder

TODAY = date(2026, 11, 26)
QUESTION = "parkir mobil tamu setneg di mana ya"


@pytest.fixture
def services(tmp_path: Path) -> Iterator[Services]:
    yield from services_of_folder(tmp_path)


def refusal(act: Any) -> EditProblem:
    with pytest.raises(EditRefused) as refused:
        act()
    return refused.value.problem


def publish(services: Services, form: KnowledgeForm = PARKING, author: str = "ani", second: str = "budi") -> int:
    """The id of the version."""
    editing = services.knowledge_editing
    known = services.knowledge.entry(form.id) is not None
    draft = editing.edit(author, form.id) if known else editing.begin(author, form)
    editing.save(author, draft, form, [])
    editing.propose(author, draft, "")
    editing.publish(second, draft)
    services.knowledge.reload_if_changed()
    return draft


def withdraw(services: Services, entry_id: str) -> int:
    """The id of the version."""
    draft = services.knowledge_editing.propose_withdrawal("ani", entry_id, "tidak berlaku lagi")
    services.knowledge_editing.publish("budi", draft)
    services.knowledge.reload_if_changed()
    return draft


def break_file(services: Services) -> None:
    """The file of the counter, as an editor without the form may leave it behind."""
    path = services.settings.knowledge_dir / f"{COUNTER.id}.md"
    path.write_text(COUNTER.text().replace("## Answer", "## Jawab"), encoding="utf-8")


def answer(services: Services) -> str:
    """What the assistant says of the counter."""
    entry = services.knowledge.entry(COUNTER.id)
    assert entry
    return entry.answers["id"]


@pytest.mark.parametrize("path", knowledge_paths(PROJECT / "knowledge").values(), ids=lambda path: path.stem)
def test_a_shipped_file_survives_the_form(path: Path) -> None:
    assert KnowledgeForm.read(path.read_text(encoding="utf-8")).entry() == read_entry(path)


def test_a_complete_form_has_no_faults() -> None:
    assert PARKING.faults(TODAY, asked={}, taken=False) == []
    assert PARKING.advice(TODAY) == []


@pytest.mark.parametrize(
    ("change", "field", "trouble"),
    [
        ({"id": "Parkir Tamu"}, "id", Trouble.ID_FORM),
        ({"topic": "cuaca"}, "topic", Trouble.TOPIC),
        ({"title_en": ""}, "title_en", Trouble.MISSING),
        ({"title_id": "a" * 121}, "title_id", Trouble.TOO_LONG),
        ({"questions_id": "satu\ndua"}, "questions_id", Trouble.FEW_QUESTIONS),
        ({"questions_id": "satu\ndua\nSatu?\ntiga"}, "questions_id", Trouble.ASKED_TWICE),
        ({"questions_id": "\n".join(f"pertanyaan {n}" for n in range(151))}, "questions_id", Trouble.MANY_QUESTIONS),
        ({"questions_id": f"satu\ndua\n{'a' * 601}"}, "questions_id", Trouble.TOO_LONG),
        ({"questions_en": "loket buka jam berapa\nwhere is it"}, "questions_en", Trouble.ASKED_ELSEWHERE),
        ({"answer_en": ""}, "answer_en", Trouble.MISSING),
        ({"answer_id": "Lihat [peta](http://contoh.go.id)."}, "answer_id", Trouble.NOT_HTTPS),
        ({"answer_id": "Lihat http://contoh.go.id sekarang."}, "answer_id", Trouble.NOT_HTTPS),
        ({"answer_id": "Lihat [peta](javascript:alert(1))."}, "answer_id", Trouble.NOT_HTTPS),
        ({"answer_id": "## Answer\nTidak boleh."}, "answer_id", Trouble.MARKUP),
        ({"source_document": ""}, "source_url", Trouble.ONE_PLACE),
        ({"source_url": "https://contoh.go.id"}, "source_url", Trouble.ONE_PLACE),
        ({"source_document": "", "source_url": "http://contoh.go.id"}, "source_url", Trouble.NOT_HTTPS),
        ({"source_document": "", "source_url": "https://[contoh.go.id"}, "source_url", Trouble.NOT_HTTPS),
        ({"source_document": "", "source_url": "https://contoh.go.id:99999"}, "id", Trouble.FILE),
        ({"checked_on": "kemarin"}, "checked_on", Trouble.DATE),
        ({"checked_on": "2026-11-27"}, "checked_on", Trouble.FUTURE),
        ({"valid_until": "2026-11-01"}, "valid_until", Trouble.BEFORE_CHECK),
        ({"confirmed_on": "2026-11-21"}, "confirmed_on", Trouble.CONFIRMED_NOTHING),
        ({"trust": "kira-kira"}, "trust", Trouble.TRUST),
    ],
)
def test_a_fault_is_named_with_its_field(change: dict[str, str], field: str, trouble: Trouble) -> None:
    found = replace(PARKING, **change).faults(TODAY, asked={"loket buka jam berapa": "jam_layanan"}, taken=False)
    assert [(one.field, one.what) for one in found] == [(field, trouble)]


def test_what_may_be_meant_is_advice_and_no_fault() -> None:
    form = replace(
        PARKING,
        answer_id="Satu. Dua. Tiga. Empat. Hubungi 0812 3456 7890.",
        answer_en=f"{'word ' * 21}end.",
        checked_on="2025-01-01",
        valid_until="2025-06-01",
    )
    assert form.faults(TODAY, asked={}, taken=False) == []
    assert {one.what for one in form.advice(TODAY)} == set(Advice)


def test_what_a_second_person_publishes_is_said_at_once(services: Services) -> None:
    assert services.knowledge.find(QUESTION).verdict is not Verdict.ANSWER
    editing = services.knowledge_editing
    draft = editing.begin("ani", PARKING)
    assert refusal(lambda: editing.publish("budi", draft)) is EditProblem.NOT_PROPOSED
    editing.propose("ani", draft, "baru")
    assert refusal(lambda: editing.publish("ani", draft)) is EditProblem.OWN_TEXT
    assert not services.knowledge.reload_if_changed()
    editing.publish("budi", draft)
    assert services.knowledge.reload_if_changed()
    best = services.knowledge.find(QUESTION).best
    assert best is not None
    assert best.answers["id"] == PARKING.answer_id
    assert refusal(lambda: editing.publish("budi", draft)) is EditProblem.PUBLISHED_ALREADY
    actions = [entry.action for entry in services.audit.search(AuditFilter(subject=PARKING.id))]
    assert actions == ["knowledge.published", "knowledge.proposed", "knowledge.draft_begun"]


def test_another_process_on_the_same_database_follows(services: Services) -> None:
    other = Knowledge(services.settings.knowledge_dir, shared_encoder(), PublishedKnowledge(services.database))
    publish(services)
    assert other.entry(PARKING.id) is None
    assert other.reload_if_changed()
    assert other.entry(PARKING.id) is not None
    assert not other.reload_if_changed()


def test_a_database_that_is_gone_leaves_the_knowledge_as_it_was(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(_self: object) -> int:
        raise OperationalError("SELECT", None, Exception("gone"))

    monkeypatch.setattr(PublishedKnowledge, "revision", gone)
    assert not services.knowledge.reload_if_changed()
    assert services.knowledge.entry(COUNTER.id) is not None


def test_whoever_touched_a_draft_is_an_author_and_a_saved_proposal_is_a_draft_again(services: Services) -> None:
    editing = services.knowledge_editing
    draft = editing.begin("ani", PARKING)
    editing.propose("ani", draft, "")
    editing.save("budi", draft, replace(PARKING, title_id="Tempat parkir tamu"), [])
    assert refusal(lambda: editing.publish("citra", draft)) is EditProblem.NOT_PROPOSED
    editing.propose("budi", draft, "")
    assert refusal(lambda: editing.publish("budi", draft)) is EditProblem.OWN_TEXT
    assert refusal(lambda: editing.publish("ani", draft)) is EditProblem.OWN_TEXT
    editing.publish("citra", draft)


def test_nobody_writes_at_a_proposal_while_it_is_looked_through_for_publishing(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    editing = services.knowledge_editing
    draft = editing.begin("ani", PARKING)
    editing.propose("ani", draft, "")
    changed = replace(PARKING, title_id="Yang tidak dilihat siapa pun")
    with ThreadPoolExecutor(1) as elsewhere:
        saved: list[Future[KnowledgeVersion]] = []
        faults = editing.faults

        def looked_through(version: KnowledgeVersion) -> list[Fault]:
            saved.append(elsewhere.submit(editing.save, "ani", draft, changed, []))
            wait(saved, timeout=0.3)
            return faults(version)

        monkeypatch.setattr(editing, "faults", looked_through)
        published = editing.publish("budi", draft)
        with pytest.raises(KeyError):
            saved[0].result(10)
    stored = editing.version(published.id)
    assert (stored.form["title_id"], stored.content) == (PARKING.title_id, PARKING.text())


def test_an_incomplete_draft_is_kept_but_not_proposed(services: Services) -> None:
    editing = services.knowledge_editing
    draft = editing.begin("ani", KnowledgeForm(questions_id="parkir di mana"), ["parkir di mana", "parkir di mana", " "])
    assert editing.draft(draft).probes == ["parkir di mana"]
    assert refusal(lambda: editing.propose("ani", draft, "")) is EditProblem.FAULTS
    assert editing.faults(editing.draft(draft))
    editing.discard("ani", draft)
    with pytest.raises(KeyError):
        editing.draft(draft)


@pytest.mark.parametrize("step", ["draft", "discard", "save", "propose", "give_back", "publish", "restore"])
def test_a_draft_that_is_not_there_cannot_be_worked_on(step: str, services: Services) -> None:
    editing = services.knowledge_editing
    steps = {
        "draft": lambda: editing.draft(77),
        "discard": lambda: editing.discard("ani", 77),
        "save": lambda: editing.save("ani", 77, PARKING, []),
        "propose": lambda: editing.propose("ani", 77, ""),
        "give_back": lambda: editing.give_back("ani", 77, "belum"),
        "publish": lambda: editing.publish("ani", 77),
        "restore": lambda: editing.restore("ani", 77, "lagi"),
    }
    with pytest.raises(KeyError):
        steps[step]()


def test_what_was_published_is_no_draft_any_more_and_a_draft_is_no_version_to_go_back_to(services: Services) -> None:
    editing = services.knowledge_editing
    published, draft = publish(services), editing.edit("ani", COUNTER.id)
    with pytest.raises(KeyError):
        editing.draft(published)
    with pytest.raises(KeyError):
        editing.save("ani", published, PARKING, [])
    with pytest.raises(KeyError):
        editing.restore("ani", draft, "lagi")


def test_a_new_entry_cannot_take_the_name_of_another(services: Services) -> None:
    editing = services.knowledge_editing
    draft = editing.begin("ani", replace(PARKING, id=COUNTER.id))
    assert Trouble.ID_TAKEN in {one.what for one in editing.faults(editing.draft(draft))}


def test_of_two_drafts_of_one_entry_the_second_does_not_undo_the_first(services: Services) -> None:
    editing = services.knowledge_editing
    late = editing.edit("citra", COUNTER.id)
    assert editing.edit("citra", COUNTER.id) == late
    editing.propose("citra", late, "")
    publish(services, replace(COUNTER, answer_id="Loket buka pukul 08.00."))
    assert refusal(lambda: editing.publish("budi", late)) is EditProblem.CHANGED_MEANWHILE


def test_a_proposal_whose_question_another_answer_has_taken_meanwhile_is_not_published(services: Services) -> None:
    editing = services.knowledge_editing
    late = editing.begin("citra", PARKING)
    editing.propose("citra", late, "")
    publish(services, replace(PARKING, id="kemensetneg_profil_gerbang", title_id="Gerbang tamu", title_en="Gate for visitors"))
    assert refusal(lambda: editing.publish("budi", late)) is EditProblem.FAULTS


def test_of_many_who_publish_at_once_each_gets_a_number_of_its_own(services: Services) -> None:
    editing, start = services.knowledge_editing, Barrier(6)
    drafts = [editing.begin("ani", replace(PARKING, id=f"kemensetneg_profil_parkir_{n}")) for n in range(6)]
    for draft in drafts:
        editing.propose("ani", draft, "")

    def publish_one(draft: int) -> int | None:
        start.wait()
        return editing.publish("budi", draft).publication

    with ThreadPoolExecutor(6) as pool:
        assert sorted(pool.map(publish_one, drafts)) == [1, 2, 3, 4, 5, 6]


def test_a_publication_whose_number_others_take_all_the_time_ends_in_an_error_and_stays_proposed(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    editing = services.knowledge_editing
    draft = editing.begin("ani", PARKING)
    editing.propose("ani", draft, "")
    monkeypatch.setattr("services.knowledge_editing.text_hash", Mock(side_effect=IntegrityError("", {}, Exception())))
    monkeypatch.setattr(services.knowledge_catalogue, "file_text", lambda _: "a text")
    with pytest.raises(IntegrityError):
        editing.publish("budi", draft)
    assert editing.draft(draft).publication is None


def test_an_edit_never_changes_the_name_of_its_entry(services: Services) -> None:
    editing = services.knowledge_editing
    draft = editing.edit("ani", COUNTER.id)
    editing.save("ani", draft, replace(COUNTER, id="lain_sama_sekali"), [])
    assert editing.draft(draft).entry_id == COUNTER.id
    assert KnowledgeForm.of(editing.draft(draft).form).id == COUNTER.id


def test_an_old_version_comes_back_at_once_with_a_reason(services: Services) -> None:
    first = publish(services, replace(COUNTER, answer_id="Loket buka pukul 08.00."))
    publish(services, replace(COUNTER, answer_id="Loket buka pukul 10.00."))
    editing = services.knowledge_editing
    assert refusal(lambda: editing.restore("ani", first, " ")) is EditProblem.NOTE_MISSING
    editing.restore("ani", first, "pukul 10.00 keliru")
    services.knowledge.reload_if_changed()
    assert answer(services) == "Loket buka pukul 08.00."
    newest = editing.versions(COUNTER.id)[0]
    assert refusal(lambda: editing.restore("ani", newest.id, "lagi")) is EditProblem.IN_FORCE_ALREADY
    editing.restore_file("ani", COUNTER.id, "kembali ke berkas")
    services.knowledge.reload_if_changed()
    assert answer(services) == COUNTER.answer_id
    assert len(editing.versions(COUNTER.id)) == 4


def test_a_file_that_cannot_be_used_is_not_put_in_force_and_is_shown_as_the_assistant_still_has_it(services: Services) -> None:
    break_file(services)
    assert refusal(lambda: services.knowledge_editing.restore_file("ani", COUNTER.id, "kembali")) is EditProblem.FAULTS
    row = services.knowledge_catalogue.row(COUNTER.id)
    assert row is not None
    assert row.entry.answers["id"] == COUNTER.answer_id


def test_an_entry_without_a_file_has_none_to_go_back_to(services: Services) -> None:
    publish(services)
    with pytest.raises(KeyError):
        services.knowledge_editing.restore_file("ani", PARKING.id, "kembali")


def test_a_withdrawal_has_a_reason_and_no_text_to_write_at(services: Services) -> None:
    editing = services.knowledge_editing
    assert refusal(lambda: editing.propose_withdrawal("ani", COUNTER.id, " ")) is EditProblem.NOTE_MISSING
    draft = editing.propose_withdrawal("ani", COUNTER.id, "loket ditutup")
    with pytest.raises(KeyError):
        editing.save("ani", draft, COUNTER, [])


def test_a_withdrawal_can_be_restored_as_any_version(services: Services) -> None:
    withdrawal = withdraw(services, COUNTER.id)
    services.knowledge_editing.restore_file("citra", COUNTER.id, "loket dibuka lagi")
    services.knowledge.reload_if_changed()
    services.knowledge_editing.restore("citra", withdrawal, "tetap ditutup")
    services.knowledge.reload_if_changed()
    assert services.knowledge.entry(COUNTER.id) is None


def test_the_last_entry_stays_and_is_still_found(services: Services) -> None:
    for entry_id in ("magang", "simpel"):
        withdraw(services, entry_id)
    assert refusal(lambda: withdraw(services, COUNTER.id)) is EditProblem.LAST_ENTRY
    best = services.knowledge.find("loket buka jam berapa").best
    assert best is not None
    assert best.id == COUNTER.id


def test_an_entry_is_withdrawn_by_two_and_can_come_back(services: Services) -> None:
    editing = services.knowledge_editing
    draft = editing.propose_withdrawal("ani", COUNTER.id, "loket ditutup")
    assert refusal(lambda: editing.publish("ani", draft)) is EditProblem.OWN_TEXT
    editing.publish("budi", draft)
    services.knowledge.reload_if_changed()
    assert services.knowledge.entry(COUNTER.id) is None
    assert [one.entry_id for one in services.knowledge_catalogue.withdrawn()] == [COUNTER.id]
    editing.restore_file("citra", COUNTER.id, "loket dibuka lagi")
    services.knowledge.reload_if_changed()
    assert services.knowledge.entry(COUNTER.id) is not None


def test_a_preview_answers_with_the_draft_and_citizens_see_nothing_of_it(services: Services) -> None:
    (tried,) = services.knowledge_preview.ask(PARKING.id, PARKING.entry(), [QUESTION])
    assert tried.changed
    assert tried.before.verdict is not Verdict.ANSWER
    assert tried.after.best == PARKING.entry()
    assert services.knowledge.entry(PARKING.id) is None
    (gone,) = services.knowledge_preview.ask(COUNTER.id, None, ["loket buka jam berapa"])
    assert gone.before.best is not None
    assert gone.before.best.id == COUNTER.id
    assert COUNTER.id not in [hit.entry.id for hit in gone.after.hits]


def test_the_patch_brings_the_repository_what_the_desk_published(services: Services, tmp_path: Path) -> None:
    publish(services)
    publish(services, replace(COUNTER, answer_id="Loket buka pukul 08.00."))
    gone = services.knowledge_editing.propose_withdrawal("ani", "magang", "selesai")
    services.knowledge_editing.publish("budi", gone)
    patch = CliRunner().invoke(teach_app, ["export-knowledge"]).stdout
    subprocess.run(["git", "init", "-q", tmp_path], check=True, timeout=30)
    subprocess.run(["git", "apply", "-"], cwd=tmp_path, input=patch.encode(), check=True, timeout=30)
    assert set(knowledge_paths(tmp_path / "knowledge")) == {COUNTER.id, PARKING.id, "simpel"}
    assert read_entry(tmp_path / f"knowledge/{COUNTER.id}.md").answers["id"] == "Loket buka pukul 08.00."
    assert services.knowledge_catalogue.patch() == ""


def test_a_file_that_changed_after_the_desk_published_is_pointed_out(services: Services) -> None:
    publish(services, replace(COUNTER, answer_id="Loket buka pukul 08.00."))
    catalogue = services.knowledge_catalogue
    assert not any(row.file_differs for row in catalogue.entries())
    path = services.settings.knowledge_dir / f"{COUNTER.id}.md"
    path.write_text(replace(COUNTER, answer_id="Loket buka pukul 07.00.").text(), encoding="utf-8")
    assert [row.entry.id for row in catalogue.entries() if row.file_differs] == [COUNTER.id]
    assert services.knowledge.reload_if_changed()
    assert answer(services) == "Loket buka pukul 08.00."


def test_entries_past_their_day_stand_first_and_are_reminded_of_once(services: Services) -> None:
    def at(day: datetime) -> KnowledgeCatalogue:
        published = PublishedKnowledge(services.database)
        return KnowledgeCatalogue(services.knowledge, published, services.audit, services.settings.knowledge_dir, lambda: day)

    assert at(datetime(2027, 5, 1, tzinfo=UTC)).entries()[0].due is None
    assert at(datetime(2027, 5, 20, tzinfo=UTC)).entries()[0].due is Due.SOON
    late = at(datetime(2027, 6, 1, tzinfo=UTC))
    assert late.entries()[0].due is Due.OVERDUE
    assert late.overdue() == 1
    assert late.remind() == [COUNTER.id]
    assert late.remind() == []
    (entry,) = services.audit.search(AuditFilter(action="knowledge.check_due"))
    assert entry.data == {"until": "2027-05-31", "owner": "Biro Humas"}
