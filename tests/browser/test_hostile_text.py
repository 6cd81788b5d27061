"""Hostile text in every place where text can stand: no script runs, no foreign host is asked, nothing but text is shown."""

from __future__ import annotations

import itertools
import json
import uuid
from collections.abc import Callable
from typing import Any

import pytest
import yaml
from playwright.sync_api import Page, Route, expect

from tests.browser.chromium import Watch
from tests.browser.running_server import RunningServer
from tests.browser.widget_page import WidgetPage
from tests.browser.xss_corpus import ADDRESSES, CORPUS, FOREIGN, HTML

pytestmark = pytest.mark.browser
AT = "2026-11-23T09:00:00Z"
STRANGERS = """(root) => { const allowed = new Set(("div p span strong ul li a button textarea select option label h2 time svg path "
    + "ol b small form input main h1 body html head meta title link").split(" "));
  const found = [];
  for (const one of root.querySelectorAll("*")) {
    if (!allowed.has(one.localName)) found.push(one.localName);
    for (const { name, value } of one.attributes) {
      if (name.startsWith("on") || name === "style" || name === "srcdoc") found.push(`${one.localName} ${name}=${value}`);
      if (["href", "src", "action", "xlink:href"].includes(name) && (!/^(https:\\/\\/|mailto:|tel:|\\/[^/])/.test(value)
          || URL.parse(value, location)?.username)) found.push(`${one.localName} ${name}=${value}`);
    } }
  return found; }"""


def strangers(page: Page) -> list[str]:
    """Elements, attributes and addresses in the widget that it doesn't make itself. An https link is no harm unclicked."""
    found: list[str] = page.locator("sapa-setneg").evaluate(f"(element) => ({STRANGERS})(element.shadowRoot)")
    return found


def message(seq: int, **fields: Any) -> dict[str, Any]:
    return {"seq": seq, "from": "bot", "text": "", "buttons": [], "sources": [], "at": AT, **fields}


def poisoned() -> list[dict[str, Any]]:
    """Each payload as text of bot, officer and visitor, as label, as title, address and date of a source, and as a sender."""
    messages: list[dict[str, Any]] = []
    for payload in CORPUS:
        seq = 10 * (len(messages) + 1)
        messages.append(message(seq, text=payload))
        messages.append(message(seq + 1, text=f"Baris\n- {payload}\n\n**{payload}**", **{"from": "officer"}))
        messages.append(message(seq + 2, text=payload, **{"from": "user"}))
        buttons = [{"id": payload, "label": payload}]
        sources = [{"title": payload, "url": payload, "checked_on": payload}]
        messages.append(message(seq + 3, text="x", buttons=buttons, sources=sources, **{"from": payload}))
    for number, address in enumerate(ADDRESSES):
        source = {"title": "Sumber", "url": address, "checked_on": "2026-11-23"}
        messages.append(message(900_000 + number, text=f"[klik]({address}) **[klik]({address})**", sources=[source]))
    return messages


def test_the_corpus_is_large_and_does_run_where_a_page_lets_it(page: Page, watch: Watch) -> None:
    """Without this the other tests here could pass because nothing in the corpus works."""
    assert len(set(CORPUS)) >= 60
    script = f"const all = {json.dumps(HTML)}; for (const one of all) document.body.append(Object.assign("
    script += "document.createElement('div'), {innerHTML: one}));"
    body = "<!doctype html><body><script>" + script.replace("</", "<\\/") + "</script>"
    page.route("**/unsafe", lambda route: route.fulfill(content_type="text/html", body=body))
    page.route(f"**://{FOREIGN}/**", lambda route: route.abort())
    page.goto("/unsafe")
    page.wait_for_timeout(500)
    assert len(watch.scripts_run) >= 10
    assert len(set(watch.foreign_requests)) >= 5
    for seen in (watch.scripts_run, watch.foreign_requests, watch.errors):
        seen.clear()


def test_hostile_text_typed_by_a_visitor_stays_text(chat: WidgetPage, watch: Watch) -> None:
    for number, payload in enumerate(CORPUS, 1):
        chat.type_and_send(payload)
        if number % 6 == 0:
            chat.wait_until_sent()
    chat.wait_until_sent(60)
    states = [seen.state for seen in chat.messages() if seen.author == "user"]
    assert states == ["Terkirim"] * len(CORPUS)
    said = "\n".join(chat.said_by("user"))
    assert "<img src=x onerror=pwned(1)>" in said and "[klik](javascript:pwned(1))" in said, "shown as typed"
    assert strangers(chat.page) == []
    shown = chat.messages()
    chat.page.reload()
    chat.launcher.click()
    expect(chat.log.locator(".msg")).to_have_count(len(shown))
    assert strangers(chat.page) == []
    watch.assert_clean()


def test_hostile_text_from_the_server_stays_text(page: Page, watch: Watch) -> None:
    messages = poisoned()
    later = itertools.count(2_000_000)
    greeting = [message(1, text="Apa yang Anda perlukan?"), *(message(2 + n, text=one) for n, one in enumerate(CORPUS[:5]))]
    session = {"token": "t", "expires_at": AT, "messages": greeting}
    page.route("**/api/chat/sessions", lambda route: route.fulfill(status=201, json=session))

    def history(route: Route) -> None:
        if route.request.method == "POST":
            answer = [message(next(later), text=CORPUS[0], buttons=[{"id": "x", "label": one} for one in CORPUS])]
            route.fulfill(json={"messages": answer})
        else:
            after = int(route.request.url.partition("after=")[2] or 0)
            route.fulfill(json={"messages": [one for one in messages if one["seq"] > after]})

    live = message(1_000_000, text="\n".join(CORPUS), **{"from": "officer"})
    stream = f"event: message\ndata: {json.dumps(live)}\n\nevent: typing\ndata: {json.dumps({'on': CORPUS[0]})}\n\n"
    page.route("**/api/chat/messages*", history)
    page.route("**/api/chat/events*", lambda route: route.fulfill(content_type="text/event-stream", body=stream))
    chat = WidgetPage(page).visit().open()
    expect(chat.log.locator(".msg")).to_have_count(len(greeting) + len(messages) + 1)
    texts = chat.said_by("bot")
    assert "<script>pwned(1)</script>" in texts
    assert "<img src=x onerror=pwned(1)>" in texts
    chat.ask("halo")
    for label in CORPUS[:3]:
        chat.choice(label).click()
        chat.wait_until_sent()
    chat.page.mouse.move(400, 300)
    assert strangers(page) == []
    for link in page.locator("sapa-setneg a[target=_blank]").all()[:5]:
        assert link.get_attribute("rel") == "noopener noreferrer"
    watch.assert_clean()


def test_hostile_text_in_an_error_and_in_the_options_stays_text(page: Page, watch: Watch) -> None:
    everything = "\n".join(CORPUS)
    chat = WidgetPage(page).visit().open()
    page.route("**/api/chat/messages", lambda route: route.fulfill(status=422, json={"detail": everything, "title": everything}))
    chat.type_and_send("halo")
    expect(chat.log.locator(".state")).to_contain_text(["", "", "pwned(1)"])
    assert strangers(page) == []
    page.evaluate(
        """(payloads) => { for (const payload of payloads) {
             const widget = document.createElement("sapa-setneg");
             for (const key of ["name", "launcher", "start", "position", "locale", "color", "privacy"]) widget.dataset[key] = payload;
             document.querySelector("sapa-setneg").replaceWith(widget);
             widget.open({ focus: false }); } }""",
        [one for one in CORPUS if "://" not in one][::4],
    )
    assert strangers(page) == []
    watch.assert_clean()


def test_hostile_text_on_the_page_without_javascript_stays_text(page: Page, watch: Watch) -> None:
    page.goto("/chat")
    for payload in CORPUS:
        answer = page.request.post("/chat", form={"once": str(uuid.uuid4()), "text": payload}, max_redirects=0)
        assert answer.status == 303
    page.goto("/chat")
    expect(page.locator(".plain-user")).to_have_count(len(CORPUS))
    found = page.evaluate(f"() => ({STRANGERS})(document)")
    # What a visitor wrote becomes a link there, of the web only.
    assert found == []
    watch.assert_clean()


def test_hostile_text_in_a_knowledge_file_stays_text(chat: WidgetPage, watch: Watch, server: RunningServer) -> None:
    """Each payload is in the answer and in its source. An editor's change is taken up some moments after it was saved."""

    def ask_until(answered: Callable[[str], bool]) -> None:
        for _ in range(30):
            chat.ask("apa itu simpel?")
            if answered(chat.last_answer()):
                return
            chat.page.wait_for_timeout(1000)
        raise AssertionError(f"the change was not taken up; the last answer: {chat.last_answer()}")

    file = server.data / "knowledge" / "simpel.md"
    honest = file.read_text(encoding="utf-8")
    _, front_matter, _ = honest.split("---\n", 2)
    everything = "\n".join(CORPUS)
    facts = yaml.safe_load(front_matter) | {"source": {"title": everything, "document": everything}}
    hostile = yaml.safe_dump(facts, allow_unicode=True, sort_keys=False)
    file.write_text(f"---\n{hostile}---\n## Jawaban\n{everything}\n\n## Answer\n{everything}\n", encoding="utf-8")
    try:
        ask_until(lambda answer: answer.count("<img src=x onerror=pwned(1)>") >= 2)
        assert strangers(chat.page) == []
        chat.page.goto("/chat")
        chat.page.get_by_label("Pesan Anda").fill("apa itu simpel?")
        chat.page.get_by_role("button", name="Kirim", exact=True).click()
        expect(chat.page.get_by_role("listitem").last).to_contain_text("<img src=x onerror=pwned(1)>")
        assert chat.page.evaluate(f"() => ({STRANGERS})(document)") == []
        watch.assert_clean()
    finally:
        file.write_text(honest, encoding="utf-8")
    chat.visit().launcher.click()
    ask_until(lambda answer: "Perjalanan Dinas" in answer)
