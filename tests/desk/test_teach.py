from __future__ import annotations

import re

import httpx
import pytest

from desk.pages import Pages
from services.assembly import Services
from services.audit import AuditFilter
from services.permissions import Role
from services.teaching import Reason, TeachingProblem
from services.teaching_patch import LeftOut
from store.models import Message
from tests.citizen import Citizen

UNCLEAR = "blabla wkwk entahlah gitu deh pokoknya"


@pytest.fixture
async def citizen(client: httpx.AsyncClient) -> Citizen:
    return await Citizen(client).arrives()


def test_every_reason_and_problem_has_a_name() -> None:
    for texts in Pages().texts.values():
        assert set(texts["teach"]["reasons"]) == set(Reason)
        assert set(texts["teach"]["problems"]) == set(TeachingProblem)
        assert set(texts["batches"]["why"]) == set(LeftOut)


async def test_an_editor_decides_with_a_button_sees_it_and_takes_it_back(citizen: Citizen, services: Services, sign_in) -> None:
    await citizen.says(UNCLEAR)
    editor = await sign_in(Role.EDITOR)
    page = await editor.reads("/desk/teach")
    assert UNCLEAR in page
    (message,) = set(re.findall(r'name="message" value="(\d+)"', page))
    assert 'value="out_of_scope" data-key="0"' in page
    assert (await editor.sends("/desk/teach/decide", message=message, choice="out_of_scope")).status_code == 303
    assert [one.intent for one in services.teaching.decided_by(editor.login)] == ["out_of_scope"]
    assert "Tidak ada pesan yang menunggu" in await editor.reads("/desk/teach?done=decided")
    assert (await editor.sends("/desk/teach/undo")).status_code == 303
    assert f'name="message" value="{message}"' in await editor.reads("/desk/teach")
    assert [entry.action for entry in services.audit.search(AuditFilter(actor=editor.login))][:2] == ["teach.undone", "teach.decided"]


async def test_the_likeliest_meanings_of_the_ranking_come_first(citizen: Citizen, services: Services, sign_in) -> None:
    await citizen.says(UNCLEAR)
    (candidate,) = services.teaching.queue()
    assert len(candidate.ranking) == 3
    with services.database.session() as session:
        favourites = (session.get_one(Message, candidate.message_id).turn or {})["favourites"]
    assert len(favourites) == 3, "of each view, for they disagree"
    assert Reason.DISAGREED in candidate.reasons
    editor = await sign_in(Role.EDITOR)
    buttons = re.findall(r'name="choice" value="([^"]+)" data-key="(\d)"', await editor.reads("/desk/teach"))
    expected = [intent for intent in candidate.ranking if intent != "out_of_scope"]
    assert list(dict.fromkeys(value.split("/")[0] for value, _ in buttons))[: len(expected)] == expected
    assert [key for _, key in buttons] == [*(str(number + 1) for number in range(len(buttons) - 1)), "0"]


async def test_the_lists_decide_where_no_button_does(citizen: Citizen, services: Services, sign_in) -> None:
    await citizen.says(UNCLEAR)
    (candidate,) = services.teaching.queue()
    editor = await sign_in(Role.EDITOR)
    wrong = await editor.sends("/desk/teach/decide", message=candidate.message_id, intent="cuaca")
    assert wrong.status_code == 422
    assert "Pilih dari daftar" in wrong.text
    fields = {"message": candidate.message_id, "choice": "", "intent": "ask_information", "topic": "magang", "text": "magang gimana"}
    assert (await editor.sends("/desk/teach/decide", **fields)).status_code == 303
    (mine,) = services.teaching.decided_by(editor.login)
    assert (mine.intent, mine.topic, mine.text) == ("ask_information", "magang", "magang gimana")


async def test_a_batch_leaves_the_desk_only_after_a_second_person_has_approved(citizen: Citizen, services: Services, sign_in) -> None:
    await citizen.says(UNCLEAR)
    editor, second = await sign_in(Role.EDITOR, "edi"), await sign_in(Role.ADMIN, "dua")
    (candidate,) = services.teaching.queue()
    await editor.sends("/desk/teach/decide", message=candidate.message_id, choice="out_of_scope")
    made = await editor.sends("/desk/teach/batches")
    base = made.headers["location"].partition("?")[0]
    assert (await second.opens(f"{base}/patch")).status_code == 404
    own = await editor.sends(f"{base}/approve", kept=services.teaching_batches.get(int(base.rpartition("/")[2]))[1][0].id)
    assert own.status_code == 422
    assert "ditelaah orang lain" in own.text
    (kept,) = re.findall(r'name="kept" value="(\d+)"', await second.reads(base))
    assert (await second.sends(f"{base}/approve", kept=kept)).status_code == 303
    patch = await second.opens(f"{base}/patch")
    assert f"+      - {UNCLEAR}" in patch.text or f"+{UNCLEAR},out_of_scope" in patch.text
    assert patch.headers["content-disposition"].endswith('.patch"')
    assert next(entry.action for entry in services.audit.search(AuditFilter(actor="dua"))) == "teach.exported"
    assert (await second.reads("/desk/teach/batches/approved.patch")) == patch.text
