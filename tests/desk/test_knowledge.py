"""Knowledge at the desk, through its pages: from a group of questions to an answer that the assistant gives."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from desk.pages import Pages
from services.assembly import Services
from services.audit import AuditFilter
from services.knowledge_editing import DraftState, EditProblem
from services.knowledge_files import Trust
from services.knowledge_form import Advice, KnowledgeForm, Trouble
from services.permissions import Role
from tests.browser.teaching_day import leave_questions
from tests.citizen import Citizen
from tests.desk.officer import Officer
from tests.knowledge_folder import COUNTER, PARKING, services_of_folder

QUESTION = "parkir mobil tamu setneg di mana ya"


@pytest.fixture
def services(tmp_path: Path) -> Iterator[Services]:
    yield from services_of_folder(tmp_path)


def test_every_trouble_field_state_and_problem_has_its_words() -> None:
    for texts in (Pages().texts[language]["knowledge"] for language in ("id", "en")):
        assert set(texts["troubles"]) == set(Trouble)
        assert set(texts["advice"]) == set(Advice)
        assert set(texts["fields"]) == set(KnowledgeForm().values())
        assert set(texts["trusts"]) == set(Trust)
        assert set(texts["states"]) == set(DraftState)
        assert set(texts["problems"]) == set(EditProblem)


async def write(editor: Officer, then: str, form: KnowledgeForm = PARKING, **more: str) -> httpx.Response:
    begun = await editor.sends("/desk/knowledge/drafts")
    return await editor.sends(begun.headers["location"], then=then, **form.values(), **more)


async def test_from_a_group_of_questions_to_an_answer_of_the_assistant(client: httpx.AsyncClient, services: Services, sign_in) -> None:
    leave_questions(services)
    assert services.unanswered.current(wait_seconds=120)
    editor, second = await sign_in(Role.EDITOR, "ani"), await sign_in(Role.ADMIN, "budi")
    page = await editor.reads("/desk/knowledge/unanswered")
    questions = [one for one in re.findall(r'name="question" value="([^"]+)"', page) if "parkir" in one]
    assert len(questions) >= 3
    begun = await editor.sends("/desk/knowledge/drafts", topic="kemensetneg_profil", title=questions[0], question=questions)
    draft = begun.headers["location"]
    assert questions[1] in await editor.reads(draft)

    tried = await editor.sends(draft, then="try", probes="\n".join(questions), **PARKING.values())
    assert tried.headers["location"] == f"{draft}?attempt=1#preview"
    preview = await editor.reads(f"{draft}?attempt=1")
    assert "Belum ada informasi" in preview or "Menawarkan" in preview
    assert 'class="changed"' in preview
    assert PARKING.answer_id[:30] in preview

    await editor.sends(draft, then="propose", note="sering ditanyakan", **PARKING.values())
    own = await editor.sends(f"{draft}/publish")
    assert own.status_code == 422
    assert "orang lain yang menerbitkan" in own.text
    assert "sering ditanyakan" in await second.reads(draft)
    published = await second.sends(f"{draft}/publish")
    assert published.headers["location"] == f"/desk/knowledge/entries/{PARKING.id}?done=published"
    page = await second.reads(published.headers["location"])
    assert PARKING.answer_id in page, "the page says what is published, though the search follows later"
    assert "Jawaban ini ditarik" not in page
    assert services.knowledge.reload_if_changed()
    citizen = await Citizen(client).arrives()
    assert PARKING.answer_id in await citizen.says(QUESTION)
    entry = await second.reads(f"/desk/knowledge/entries/{PARKING.id}")
    assert "Versi 1" in entry
    assert "dari meja" in await second.reads("/desk/knowledge")


async def test_faults_are_said_in_indonesian_with_links_to_their_fields(sign_in) -> None:
    editor = await sign_in(Role.EDITOR)
    response = await write(editor, "propose", KnowledgeForm(source_url="http://contoh.go.id", questions_id="satu"))
    assert response.status_code == 422
    for sentence in ("tautan harus diawali https://", "tulis paling sedikit 3 pertanyaan", "belum diisi"):
        assert sentence in response.text
    assert 'href="#f-source_url"' in response.text
    assert 'aria-invalid="true"' in response.text


async def test_a_proposal_goes_back_with_a_note_and_a_draft_can_be_discarded(services: Services, sign_in) -> None:
    editor, second = await sign_in(Role.EDITOR, "ani"), await sign_in(Role.ADMIN, "budi")
    await write(editor, "propose")
    (draft,) = services.knowledge_editing.drafts()
    assert (await second.sends(f"/desk/knowledge/drafts/{draft.id}/return", note="")).status_code == 422
    assert (await second.sends(f"/desk/knowledge/drafts/{draft.id}/return", note="sumbernya mana?")).status_code == 303
    assert "sumbernya mana?" in await editor.reads(f"/desk/knowledge/drafts/{draft.id}")
    assert (await editor.sends(f"/desk/knowledge/drafts/{draft.id}/discard")).status_code == 303
    assert services.knowledge_editing.drafts() == []


async def test_an_edit_is_shown_as_a_difference_and_can_be_undone(services: Services, sign_in) -> None:
    editor, second = await sign_in(Role.EDITOR, "ani"), await sign_in(Role.ADMIN, "budi")
    base = f"/desk/knowledge/entries/{COUNTER.id}"
    draft = (await editor.sends(f"{base}/edit")).headers["location"]
    later = {**COUNTER.values(), "answer_id": "Loket buka pukul 10.00."}
    await editor.sends(draft, then="propose", **later)
    page = await second.reads(draft)
    assert f'<del><span class="sign">−</span>{COUNTER.answer_id}</del>' in page
    assert '<ins><span class="sign">+</span>Loket buka pukul 10.00.</ins>' in page
    await second.sends(f"{draft}/publish")
    services.knowledge.reload_if_changed()
    assert COUNTER.answer_id in await second.reads(f"{base}/versions/0")
    assert (await second.sends(f"{base}/restore", version=0, note="")).status_code == 422
    assert (await second.sends(f"{base}/restore", version=0, note="jamnya keliru")).status_code == 303
    services.knowledge.reload_if_changed()
    assert COUNTER.answer_id in await second.reads(base)
    assert "Loket buka pukul 10.00." not in (await second.reads(f"{base}.md"))
    assert services.audit.search(AuditFilter(action="knowledge.restored"))[0].reason == "jamnya keliru"


async def test_an_entry_is_withdrawn_by_two_people(services: Services, sign_in) -> None:
    editor, second = await sign_in(Role.EDITOR, "ani"), await sign_in(Role.ADMIN, "budi")
    base = f"/desk/knowledge/entries/{COUNTER.id}"
    proposed = await editor.sends(f"{base}/withdraw", note="loket ditutup")
    draft = proposed.headers["location"].partition("?")[0]
    assert "Setujui penarikan" in await second.reads(draft)
    await second.sends(f"{draft}/publish")
    services.knowledge.reload_if_changed()
    assert "Jawaban ini ditarik" in await second.reads(base)
    assert COUNTER.title_id in await second.reads("/desk/knowledge")
    assert "deleted file mode" in await second.reads("/desk/knowledge/knowledge.patch")


async def test_the_list_is_narrowed_and_says_what_is_due(services: Services, sign_in) -> None:
    editor = await sign_in(Role.EDITOR)
    path = services.settings.knowledge_dir / f"{COUNTER.id}.md"
    path.write_text(path.read_text(encoding="utf-8").replace("2027-05-31", "2026-11-02"), encoding="utf-8")
    services.knowledge.reload_if_changed()
    due = await editor.reads("/desk/knowledge?due=overdue")
    assert f"/entries/{COUNTER.id}" in due
    assert "/entries/magang" not in due
    assert f"/entries/{COUNTER.id}" not in await editor.reads("/desk/knowledge?topic=magang")
    assert "/entries/magang" in await editor.reads("/desk/knowledge?words=magang+mahasiswa")
    assert "1 jawaban lewat tanggal periksa" in await editor.reads("/desk/overview")


@pytest.mark.parametrize(
    "address", ["entries/tidak_ada", "entries/magang/versions/77", "entries/tidak_ada.md", "drafts/77", "drafts/77?attempt=1"]
)
async def test_what_is_not_there_is_a_404(address: str, sign_in) -> None:
    editor = await sign_in(Role.EDITOR)
    assert (await editor.opens(f"/desk/knowledge/{address}")).status_code == 404
