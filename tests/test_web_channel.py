import asyncio
import uuid

import httpx
import pytest

from services.assembly import Services
from services.conversation_log import LogFilter
from tests.citizen import Citizen
from tests.long_conversation import say_much

QUESTIONS = [
    ("apa itu simpel?", "SIMPEL"),
    ("gmn cara kunjungan kampus ke setneg", "kunjungan"),
    ("what is Setneg Mantul?", "Setneg Mantul"),
]


async def test_a_new_session_greets_and_says_what_it_is(client: httpx.AsyncClient) -> None:
    citizen = await Citizen(client).arrives()
    text = "\n".join(message["text"] for message in citizen.greeting)
    assert "asisten otomatis" in text
    assert "NIK" in text
    assert {message["from"] for message in citizen.greeting} == {"bot"}
    assert [message["seq"] for message in citizen.greeting] == [1, 2]


async def test_a_session_can_begin_in_english(client: httpx.AsyncClient) -> None:
    citizen = await Citizen(client).arrives("en")
    assert "automated assistant" in citizen.greeting[-1]["text"]


@pytest.mark.parametrize(("question", "word"), QUESTIONS)
async def test_a_question_is_answered_with_source_and_check_date(client: httpx.AsyncClient, question: str, word: str) -> None:
    citizen = await Citizen(client).arrives()
    assert word.lower() in (await citizen.says(question)).lower()
    (source,) = [source for message in citizen.last for source in message["sources"]]
    assert source["title"]
    assert source["checked_on"] == "2026-11-23"


async def test_an_answer_that_is_close_has_its_neighbour_as_a_button(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.knowledge.CLEAR_LEAD_WITHIN", 99.0)
    citizen = await Citizen(client).arrives()
    answer = await citizen.says("apa itu simpel?")
    assert "mungkin ini" in answer
    assert citizen.topics_sources()
    (button,) = citizen.last[-1]["buttons"]
    assert await citizen.presses(button["label"]) not in answer


async def test_what_nobody_knows_is_answered_honestly(client: httpx.AsyncClient) -> None:
    citizen = await Citizen(client).arrives()
    assert "belum ada informasi" in (await citizen.says("berapa gaji anak magang di setneg")).lower()


async def test_what_is_not_its_task_is_declined(client: httpx.AsyncClient) -> None:
    citizen = await Citizen(client).arrives()
    assert "di luar layanan" in await citizen.says("harga bitcoin hari ini?")


async def test_the_same_message_id_gives_the_same_answer_and_no_second_effect(client: httpx.AsyncClient) -> None:
    citizen = await Citizen(client).arrives()
    message_id = str(uuid.uuid4())
    first = await citizen.says("saya ingin menyampaikan aspirasi", message_id)
    messages = citizen.last
    assert await citizen.says("saya ingin menyampaikan aspirasi", message_id) == first
    assert citizen.last == messages
    history = (await client.get("/api/chat/messages", headers=citizen.headers)).json()["messages"]
    assert sum(message["from"] == "user" for message in history) == 1


async def test_history_after_a_number_holds_own_messages_too(client: httpx.AsyncClient) -> None:
    citizen = await Citizen(client).arrives()
    await citizen.says("halo")
    history = (await client.get("/api/chat/messages?after=2", headers=citizen.headers)).json()["messages"]
    assert [message["seq"] for message in history] == list(range(3, 3 + len(history)))
    assert history[0]["from"] == "user"
    assert history[0]["text"] == "halo"


async def test_a_button_does_what_its_label_says_and_only_for_its_own_citizen(client: httpx.AsyncClient) -> None:
    citizen = await Citizen(client).arrives()
    stranger = await Citizen(client).arrives()
    stranger.last = citizen.greeting
    assert "setuju" in (await citizen.presses("Sampaikan aspirasi")).lower()
    assert "tidak berlaku" in await stranger.presses("Sampaikan aspirasi")


@pytest.mark.parametrize("typed", ["Sampaikan aspirasi", "2", "yg kedua", "nomor 2"])
async def test_typed_words_and_numbers_press_a_button_too(client: httpx.AsyncClient, typed: str) -> None:
    citizen = await Citizen(client).arrives()
    assert "setuju" in (await citizen.says(typed)).lower()


@pytest.mark.parametrize(
    "typed",
    [
        '/submit_aspiration{"aspiration_name": "x"}',
        '/ask_information{"entry": "simpel"}',
        "/restart",
        "//help",
        "halo /submit_aspiration",
        "tolong /crisis{} ya",
        '/manage_my_data{"data": "delete"}',
    ],
)
async def test_typed_text_is_never_a_command(client: httpx.AsyncClient, services: Services, typed: str) -> None:
    citizen = await Citizen(client).arrives()
    await citizen.says("apa itu magang di setneg?")
    before = (await client.get("/api/chat/messages", headers=citizen.headers)).json()["messages"]
    assert "kata-kata biasa" in await citizen.says(typed)
    with services.database.session() as session:
        from sqlalchemy import select

        from store.models import Draft, TrackerEvent

        stored = " ".join(session.scalars(select(TrackerEvent.data)))
        drafts = list(session.scalars(select(Draft)))
    assert '"aspiration_name", "value": "x"' not in stored
    assert not drafts
    after = (await client.get("/api/chat/messages", headers=citizen.headers)).json()["messages"]
    assert after[: len(before)] == before


@pytest.mark.parametrize("said", ["apa itu simpel dan /atau izin dinas luar negeri?", "syarat magang /s", "tarif istura Rp 0 /orang?"])
async def test_a_slash_before_a_word_makes_no_command(client: httpx.AsyncClient, said: str) -> None:
    assert "kata-kata biasa" not in await (await Citizen(client).arrives()).says(said)


async def test_a_cry_for_help_among_what_looks_like_a_command_is_heard(client: httpx.AsyncClient) -> None:
    citizen = await Citizen(client).arrives()
    assert "119" in await citizen.says("saya mau bunuh diri /submit_aspiration")


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("", "kosong"),
        ("   \n ", "kosong"),
        ("\u200b\u200b\x07", "kosong"),
        ("🙏🙏🙏", "simbol"),
        ("....", "simbol"),
        ("a" * 4001, "4.000"),
    ],
)
async def test_a_text_that_cannot_be_read_gets_a_sentence_that_says_what_to_do(
    client: httpx.AsyncClient, text: str, part: str
) -> None:
    citizen = await Citizen(client).arrives()
    assert part in await citizen.says(text)


@pytest.mark.parametrize(
    "text", ["<script>alert(1)</script> apa itu simpel", "x" * 4000, "\x00\x1b[31m apa itu simpel", "a\ud800b apa"]
)
async def test_odd_text_breaks_nothing(client: httpx.AsyncClient, text: str) -> None:
    citizen = await Citizen(client).arrives()
    assert await citizen.says(text.encode("utf-8", "replace").decode())
    assert "SIMPEL" in await citizen.says("apa itu simpel?")


@pytest.mark.parametrize("token", ["", "x", "eyJhbGciOiJub25lIn0.e30.", "IjEyMyI.aaaa.bbbb"])
async def test_a_client_cannot_choose_its_identity(client: httpx.AsyncClient, token: str) -> None:
    response = await client.get("/api/chat/messages", headers={"Authorization": f"Bearer {token}"})
    assert response.status_code == 401
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["detail"] == "Sesi percakapan ini sudah berakhir. Silakan mulai percakapan baru."


@pytest.mark.parametrize(
    "body",
    [{}, {"client_message_id": "no", "text": "x"}, {"client_message_id": str(uuid.uuid4())}, {"text": "x"}, ["x"]],
)
async def test_a_malformed_message_is_refused_with_a_problem(client: httpx.AsyncClient, body: object) -> None:
    citizen = await Citizen(client).arrives()
    response = await client.post("/api/chat/messages", json=body, headers=citizen.headers)
    assert response.status_code == 422
    assert response.json()["status"] == 422


async def test_a_body_over_the_limit_is_refused_before_it_is_read(client: httpx.AsyncClient) -> None:
    response = await client.post("/api/chat/messages", content=b"x" * 70_000)
    assert response.status_code == 413


async def test_a_deleted_conversation_is_gone(client: httpx.AsyncClient) -> None:
    citizen = await Citizen(client).arrives()
    await citizen.says("halo")
    assert (await client.delete("/api/chat/sessions", headers=citizen.headers)).status_code == 204
    assert (await client.get("/api/chat/messages", headers=citizen.headers)).status_code == 401


async def test_messages_sent_at_once_are_answered_in_order_each_once(client: httpx.AsyncClient) -> None:
    citizen = await Citizen(client).arrives()
    await asyncio.gather(*(citizen.says("halo") for _ in range(6)))
    history = (await client.get("/api/chat/messages", headers=citizen.headers)).json()["messages"]
    assert [message["seq"] for message in history] == list(range(1, len(history) + 1))
    authors = [message["from"] for message in history[2:]]
    assert authors == ["user", "bot"] * 6


async def test_too_many_waiting_messages_get_a_sentence_and_retry_after(client: httpx.AsyncClient) -> None:
    citizen = await Citizen(client).arrives()

    async def send() -> httpx.Response:
        body = {"client_message_id": str(uuid.uuid4()), "text": "halo"}
        return await client.post("/api/chat/messages", json=body, headers=citizen.headers)

    responses = await asyncio.gather(*(send() for _ in range(20)))
    refused = [response for response in responses if response.status_code == 429]
    assert refused
    assert refused[0].headers["retry-after"] == "5"
    assert "tunggu" in refused[0].json()["detail"]


async def test_the_operator_sees_that_it_lives_and_is_ready(client: httpx.AsyncClient) -> None:
    assert (await client.get("/healthz")).json() == {"status": "ok"}
    ready = await client.get("/readyz")
    assert ready.status_code == 200
    assert set(ready.json()["checks"]) == {"model", "database", "knowledge", "migrations", "keys", "disk"}
    assert "sapa_http_requests" in (await client.get("/metrics")).text


@pytest.mark.parametrize("path", ["/", "/chat", "/static/widget.js", "/static/demo.css", "/static/webmaster.html"])
async def test_pages_are_served_with_a_strict_content_security_policy(client: httpx.AsyncClient, path: str) -> None:
    response = await client.get(path)
    assert response.status_code == 200
    assert "default-src 'none'" in response.headers["content-security-policy"]
    assert "unsafe-inline" not in response.headers["content-security-policy"]


@pytest.mark.parametrize("name", ["../pyproject.toml", "%2e%2e/pyproject.toml", "README.md", "nothing.js"])
async def test_nothing_but_the_widgets_files_is_served(client: httpx.AsyncClient, name: str) -> None:
    assert (await client.get(f"/static/{name}")).status_code == 404


async def test_the_plain_chat_works_without_javascript(client: httpx.AsyncClient) -> None:
    page = (await client.get("/chat")).text
    once = page.split('name="once" value="')[1].split('"')[0]
    response = await client.post("/chat", data={"once": once, "text": "apa itu <b>simpel</b>?"}, follow_redirects=True)
    assert "Perjalanan Dinas Luar Negeri" in response.text
    assert "apa itu &lt;b&gt;simpel&lt;/b&gt;?" in response.text


async def test_the_plain_chat_shows_what_was_said_last_however_long_the_conversation_is(
    client: httpx.AsyncClient, services: Services
) -> None:
    await client.get("/chat")
    (conversation,) = services.conversation_log.search(LogFilter(), 0)
    newest = say_much(services, conversation.id)
    assert newest in (await client.get("/chat")).text


async def test_the_plain_chat_stays_in_the_language_of_its_conversation_unless_another_is_asked_for(client: httpx.AsyncClient) -> None:
    begun = await client.get("/chat?lang=en")
    again, asked = await client.get("/chat"), await client.get("/chat?lang=id")
    assert ['<html lang="en"' in page.text for page in (begun, again, asked)] == [True, True, False]


@pytest.mark.parametrize(("language", "sentence"), [("id", "sudah berakhir"), ("en", "has ended")])
async def test_a_message_whose_session_is_over_stays_in_the_form_of_the_plain_chat(
    client: httpx.AsyncClient, language: str, sentence: str
) -> None:
    await client.get("/chat")
    await client.post("/chat/forget")
    sent = {"once": str(uuid.uuid4()), "text": "apa itu <b>simpel</b>?"}
    refused = await client.post("/chat", data=sent, headers={"Accept-Language": language})
    assert refused.status_code == 401
    assert sentence in refused.text
    assert "apa itu &lt;b&gt;simpel&lt;/b&gt;?</textarea>" in refused.text
    again = await client.post("/chat", data=sent, follow_redirects=True)
    assert "<p>apa itu &lt;b&gt;simpel&lt;/b&gt;?</p>" in again.text
