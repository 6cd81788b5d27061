"""An editor's day at the desk in Chromium: ten lessons by keyboard, and an answer from a group of questions to the citizen."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from services.knowledge_form import KnowledgeForm
from tests.browser.at_desk import at_desk
from tests.browser.desk_day import DeskDay
from tests.browser.desk_pages import PATIENCE_SECONDS, TOO_WIDE
from tests.browser.teaching_day import UNCLEAR, VISITORS_PARKING
from tests.browser.test_people_and_pages import assert_accessible
from tests.browser.widget_page import WidgetPage

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("desk_addresses")]  # messages that wait to be taught, groups of questions
MEANT = {text: intent for text, intent, _ in UNCLEAR}
ANSWER = replace(VISITORS_PARKING, id="kemensetneg_profil_parkir_tamu")
LATER_ANSWER = "Mulai Desember, parkir tamu hanya untuk yang sudah mempunyai janji temu."


@pytest.fixture
def editor(browser: Browser, day: DeskDay) -> Iterator[Page]:
    with at_desk(browser, day, "dewi") as page:
        yield page


@pytest.fixture
def second(browser: Browser, day: DeskDay) -> Iterator[Page]:
    with at_desk(browser, day, "sri") as page:
        yield page


def assert_readable(page: Page, where: str) -> None:
    """By axe in light and in dark colours, and no wider than a telephone."""
    size = page.viewport_size
    assert size
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]  # one of the two
        assert_accessible(page, f"{where}, {scheme}")
    page.set_viewport_size({"width": 390, "height": 800})
    assert page.evaluate(TOO_WIDE) == [], where
    page.set_viewport_size(size)


def decide(editor: Page) -> tuple[str, str]:
    """Press the one key of what the message meant; the message and the meaning."""
    text = editor.locator(".said").inner_text()
    meaning = MEANT.get(text, "out_of_scope")
    button = editor.locator(f"button[name='choice'][value^='{meaning}']").first
    key = button.get_attribute("data-key")
    assert key, (text, meaning)
    meaning = (button.get_attribute("value") or "").split("/")[0]
    editor.keyboard.press(key)
    expect(editor.locator(".said", has_text=text)).to_have_count(0)
    expect(editor.get_by_role("status")).to_have_text("Keputusan disimpan.")
    return text, meaning


def test_ten_messages_are_taught_with_one_key_each_and_approved_by_a_second_person(
    editor: Page, second: Page, day: DeskDay, tmp_path: Path
) -> None:
    editor.goto("/desk/teach")
    decided = dict(decide(editor) for _ in range(10))
    assert len(decided) == 10
    assert {"out_of_scope", "ask_information"} <= set(decided.values())
    last = list(decided)[-1]
    editor.keyboard.press("u")
    expect(editor.locator(".said")).to_have_text(last)
    editor.keyboard.press("m")
    expect(editor.locator("select[name='intent']")).to_be_focused()
    assert_readable(editor, "teach, another meaning")
    editor.locator("select[name='intent']").select_option("submit_aspiration")
    editor.get_by_role("button", name="Simpan", exact=True).press("Enter")
    expect(editor.get_by_role("heading", name="Keputusan saya (10)")).to_be_visible()
    assert {one.text: one.intent for one in day.services.teaching.decided_by("dewi")} == {**decided, last: "submit_aspiration"}
    editor.keyboard.press("s")
    expect(editor.get_by_role("status")).to_have_text("Pesan disisihkan.")

    editor.get_by_role("button", name="Buat paket").press("Enter")
    expect(editor.get_by_text("Paket dibuat dan menunggu orang kedua.")).to_be_visible()
    expect(editor.get_by_role("button", name="Setujui yang dicentang")).to_have_count(0)
    assert_readable(editor, "batch, its author")
    address = editor.url.partition("?")[0]

    second.goto(address)
    expect(second.get_by_role("checkbox", checked=True)).to_have_count(10)
    second.get_by_label(f"Pakai: {last}").press("Space")
    assert_readable(second, "batch, second person")
    second.get_by_role("button", name="Setujui yang dicentang").press("Enter")
    expect(second.get_by_text("Paket disetujui.")).to_be_visible()
    second.get_by_text("Lihat perubahan").press("Enter")
    assert_readable(second, "batch, approved")
    with second.expect_download() as download:
        second.get_by_role("link", name="Unduh perubahan").click()
    download.value.save_as(tmp_path / "pelajaran.patch")
    patch = (tmp_path / "pelajaran.patch").read_text(encoding="utf-8")
    assert patch.startswith("diff --git a/")
    assert last not in patch
    assert any(text in patch for text in decided)


def fill_in(page: Page, form: KnowledgeForm) -> None:
    for name, value in form.values().items():
        field = page.locator(f".knowledge-form [name='{name}']")
        if name in ("topic", "trust"):
            field.select_option(value)
        elif name == "known":
            field.set_checked(bool(value))
        elif field.is_visible():
            field.fill(value)


def propose(editor: Page, note: str) -> str:
    """The address of the proposal."""
    editor.get_by_label("Catatan untuk penelaah").fill(note)
    editor.get_by_role("button", name="Ajukan untuk terbit").press("Enter")
    expect(editor.get_by_role("status")).to_have_text("Usulan menunggu orang kedua.")
    return editor.url.partition("?")[0]


def publish(second: Page, proposal: str) -> None:
    second.goto(proposal)
    second.get_by_role("button", name="Terbitkan").press("Enter")
    expect(second.get_by_role("status")).to_have_text("Terbit. Asisten memakainya dalam beberapa detik.")


def assert_answered(chat: WidgetPage, question: str, answer: str) -> None:
    """The citizen gets the answer, without a restart of anything."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    chat.ask(question)
    while answer not in chat.last_answer():
        assert time.monotonic() < deadline, chat.last_answer()
        chat.page.wait_for_timeout(2000)
        chat.ask(question)


def test_a_group_of_questions_becomes_an_answer_that_a_second_person_publishes_and_takes_back(
    editor: Page, second: Page, chat: WidgetPage
) -> None:
    question = "parkir tamu di setneg di sebelah mana ya"
    chat.ask(question)
    assert ANSWER.answer_id not in chat.last_answer()

    editor.goto("/desk/knowledge/unanswered")
    group = editor.locator(".group", has_text="parkir")
    group.wait_for()
    asked = group.get_by_role("checkbox").count()
    assert asked >= 4
    group.get_by_label("where can visitors park at Setneg?").press("Space")
    assert_readable(editor, "unanswered questions")
    group.get_by_role("button", name="Tulis jawaban").press("Enter")
    questions = editor.get_by_label("Contoh pertanyaan", exact=True)
    expect(questions).to_have_value(re.compile("parkir"))
    assert len(questions.input_value().splitlines()) == asked - 1
    assert_readable(editor, "a new draft")

    editor.get_by_role("button", name="Ajukan untuk terbit").press("Enter")
    expect(editor.get_by_role("alert").last).to_contain_text("belum diisi")
    assert_readable(editor, "faults")
    editor.get_by_role("alert").last.get_by_role("link", name="Jawaban", exact=True).press("Enter")
    expect(editor.get_by_label("Jawaban", exact=True)).to_be_focused()
    fill_in(editor, ANSWER)
    editor.get_by_role("button", name="Simpan dan coba").press("Enter")
    changed = editor.locator("tr.changed", has_text="parkir")
    expect(changed.first).to_contain_text(ANSWER.answer_id)
    assert_readable(editor, "preview")
    proposal = propose(editor, "Sering ditanyakan.")
    expect(editor.get_by_text("Yang ikut menulis tidak dapat menerbitkan.")).to_be_visible()
    expect(editor.get_by_role("button", name="Terbitkan")).to_have_count(0)
    assert_readable(editor, "proposal, its author")

    second.goto("/desk/knowledge")
    second.get_by_role("link", name=ANSWER.title_id).first.press("Enter")
    expect(second.get_by_text("Sering ditanyakan.")).to_be_visible()
    assert_readable(second, "proposal, second person")
    publish(second, proposal)
    assert_readable(second, "published answer")
    entry = second.url.partition("?")[0]
    assert_answered(chat, question, ANSWER.answer_id)

    editor.goto(entry)
    editor.get_by_role("button", name="Sunting", exact=True).press("Enter")
    editor.get_by_label("Jawaban", exact=True).fill(LATER_ANSWER)
    publish(second, propose(editor, "Aturan baru."))
    assert_answered(chat, question, LATER_ANSWER)

    second.get_by_role("link", name="Bandingkan dengan yang berlaku").press("Enter")
    expect(second.locator(".diff ins")).to_contain_text([ANSWER.answer_id])
    assert_readable(second, "version")
    second.get_by_label("Alasan").fill("Aturan itu belum berlaku.")
    second.get_by_role("button", name="Terbitkan versi ini").press("Enter")
    expect(second.get_by_role("status")).to_have_text("Versi itu berlaku lagi. Asisten memakainya dalam beberapa detik.")
    assert_answered(chat, question, ANSWER.answer_id)
