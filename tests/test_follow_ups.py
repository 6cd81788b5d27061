"""What a message means that leans on what the assistant said last."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
import yaml

from bot.nlu.follow_up_model import FollowUpModel
from bot.understanding import leaning
from services.assembly import Services, shared_encoder
from services.demo import DEMO_REQUESTS
from services.follow_up_search import FollowUp, FollowUpSearch, read
from services.follow_ups import ENTRY_OF_TICKET, STATUS_ENTRY, After, LastSaid, Meant, asks_for_next_step, intent_meant
from services.knowledge import Knowledge
from services.settings import PROJECT
from services.simpel import Status
from services.spelling import normalise
from services.ticket_events import Happening
from tests.citizen import Citizen
from tests.test_journeys_in_conversation import TO_THE_SUMMARY, number_and_code

ASKS_FOR_NEXT_STEP = [
    "trus saya harus ngapain",
    "terus gimana",
    "lalu apa?",
    "langkah selanjutnya apa",
    "abis ini gimana min",
    "what should I do now",
    "what's next?",
]
MAGANG = LastSaid(After.ENTRY, "magang_syarat")
TICKET = LastSaid(After.TICKET, "ASP-20261123-7K4Q")


@pytest.mark.parametrize(
    ("meant", "last", "intent"),
    [
        (Meant.ASK, MAGANG, "ask_information"),
        (Meant.ERRAND, MAGANG, "start_internship"),
        (Meant.ERRAND, LastSaid(After.ENTRY, "keterbukaan_informasi_keberatan_tenggat"), "submit_objection"),
        (Meant.ERRAND, LastSaid(After.ENTRY, "keterbukaan_informasi_biaya"), "submit_information_request"),
        (Meant.ERRAND, LastSaid(After.ENTRY, "kanal_aspirasi_status"), "check_ticket_status"),
        (Meant.ERRAND, LastSaid(After.STATUS), "check_simpel_status"),
        (Meant.ERRAND, LastSaid(After.UNKNOWN), "submit_information_request"),
        (Meant.DUE, TICKET, "check_ticket_status"),
        (Meant.DANGER, LastSaid(After.CRISIS, "despair"), "crisis"),
        (Meant.DANGER, LastSaid(After.SORROW), "out_of_scope"),
    ],
)
def test_a_follow_up_stands_for_an_intent(meant: Meant, last: LastSaid, intent: str) -> None:
    entities = {"ticket_number": last.about, "wish": "due"} if meant is Meant.DUE else {}
    assert intent_meant(meant, last) == (intent, entities)


@pytest.mark.parametrize(
    ("meant", "last"),
    [
        (Meant.OWN, MAGANG),
        (Meant.ERRAND, LastSaid(After.ENTRY, "biro_humas")),
        (Meant.NOTE, MAGANG),
        (Meant.ERRAND, LastSaid(After.CRISIS)),
    ],
)
def test_what_nothing_said_explains_is_understood_by_itself(meant: Meant, last: LastSaid) -> None:
    assert intent_meant(meant, last) is None


def test_what_was_said_survives_the_tracker() -> None:
    assert LastSaid.read(TICKET.as_slot()) == TICKET
    assert LastSaid.read(None) is None


def test_a_ticket_and_a_status_are_about_entries_that_exist(knowledge: Knowledge) -> None:
    assert all(knowledge.entry(name) for name in (*ENTRY_OF_TICKET.values(), STATUS_ENTRY))
    assert {LastSaid(After.TICKET, kind).entry for kind in ENTRY_OF_TICKET} == set(ENTRY_OF_TICKET.values())


def test_the_examples_name_entries_that_exist_and_what_can_be_meant(knowledge: Knowledge) -> None:
    for one in read():
        assert all(knowledge.entry(name) for name in one.entries), one
        assert one.last.entry is None or knowledge.entry(one.last.entry), one
        assert one.meant is Meant.OWN or intent_meant(one.meant, one.last), one


@pytest.mark.parametrize(
    ("question", "said", "entry"),
    [
        ("bayar berapa", "istura", "istura_biaya"),
        ("bayar berapa", "simpel", "simpel_biaya"),
        ("terus dapat uang gak", "magang_lama", "magang_uang_saku"),
        ("how many more days?", STATUS_ENTRY, "simpel_lama_proses"),
    ],
)
def test_what_a_question_leaves_unsaid_is_taken_from_what_was_said(knowledge: Knowledge, question: str, said: str, entry: str) -> None:
    found = knowledge.find_after(question, said).best
    assert found is not None
    assert found.id == entry


def test_after_an_entry_that_is_gone_a_question_is_taken_by_itself(knowledge: Knowledge) -> None:
    assert knowledge.find_after("apa itu SIMPEL", "no_such_entry") == knowledge.find("apa itu SIMPEL")


def test_examples_of_another_topic_say_nothing() -> None:
    example = FollowUp(MAGANG, "dapat duit nggak", Meant.ASK, ("magang_uang_saku", "gone"))
    search = FollowUpSearch([example], shared_encoder())
    places = {"magang_uang_saku": 0, "istura_biaya": 1}
    near = search.scores("dapat duit nggak", ["magang_syarat"], places)
    assert near[0] > 1
    assert near[1] == 0
    assert not search.scores("dapat duit nggak", ["istura"], places).any()


def test_what_can_be_meant_depends_on_what_was_said() -> None:
    examples = [
        *(FollowUp(TICKET, text, Meant.WITHDRAW) for text in ("cabut saja", "batalkan tiketnya", "tidak jadi")),
        *(FollowUp(MAGANG, text, Meant.ASK) for text in ("berapa lama", "gratis tidak", "syaratnya apa")),
        *(FollowUp(last, text, Meant.OWN) for last in (TICKET, MAGANG) for text in ("terima kasih", "selamat pagi")),
    ]
    model = FollowUpModel().fit(examples, [normalise(one.text) for one in examples], shared_encoder())

    def likely(after: After) -> dict[Meant, float]:
        return model.probabilities(after, "cabut", "cabut", shared_encoder())

    assert set(likely(After.TICKET)) == {Meant.WITHDRAW, Meant.OWN}
    assert set(likely(After.ENTRY)) == {Meant.ASK, Meant.OWN}
    assert sum(likely(After.ENTRY).values()) == pytest.approx(1)
    assert likely(After.CRISIS) == {}


def understood(intent: str, meant: str, confidence: float) -> dict[str, Any]:
    ranking = [{"name": intent, "confidence": 0.6}]
    return {"intent": ranking[0], "intent_ranking": ranking, "entities": [], "follow_up": {"meant": meant, "confidence": confidence}}


def test_a_message_leans_on_a_ticket_and_names_it() -> None:
    meaning = leaning(understood("cancel", "withdraw", 0.7), "cabut aja", TICKET)
    assert meaning.follows == TICKET
    assert meaning.parsed["intent"] == {"name": "withdraw_ticket", "confidence": 0.7}
    assert [one["name"] for one in meaning.parsed["intent_ranking"]] == ["withdraw_ticket", "cancel"]
    assert {one["entity"]: one["value"] for one in meaning.parsed["entities"]} == {"ticket_number": TICKET.about, "wish": "withdraw"}


@pytest.mark.parametrize(
    ("intent", "confidence", "text", "leans"),
    [
        ("out_of_scope", 0.45, "ipk saya 2,9", False),
        ("out_of_scope", 0.55, "ipk saya 2,9", True),
        ("crisis", 0.9, "masih di situ terus", False),
        ("crisis", 0.96, "masih di situ terus", True),
        ("crisis", 0.99, "saya mau bunuh diri", False),
    ],
)
def test_a_danger_goes_before_what_was_said(intent: str, confidence: float, text: str, leans: bool) -> None:
    meaning = leaning(understood(intent, "ask", confidence), text, MAGANG)
    assert meaning.parsed["intent"]["name"] == ("ask_information" if leans else intent)
    assert (meaning.follows is MAGANG) is leans


@pytest.mark.parametrize(("alone", "confidence", "leans"), [(0.97, 0.6, True), (0.99, 0.9, False), (0.99, 0.96, True)])
def test_an_intent_that_is_clear_by_itself_needs_no_light_from_before(alone: float, confidence: float, leans: bool) -> None:
    parsed = understood("talk_to_officer", "ask", confidence)
    parsed["intent"]["confidence"] = alone
    assert (leaning(parsed, "bisa dengan manusia?", MAGANG).follows is MAGANG) is leans


async def test_a_filed_ticket_is_withdrawn_and_noted_on_in_own_words(client: httpx.AsyncClient) -> None:
    citizen = await Citizen(client).arrives()
    await citizen.goes_through(*TO_THE_SUMMARY, "ya")
    assert "catatan" in await citizen.says("eh ada yang ketinggalan, mau nambahin")
    assert "sudah ditambahkan" in await citizen.says("Beasiswa itu juga untuk anak petani garam")
    assert "yakin" in await citizen.says("hmm cabut aja deh")


async def test_a_ticket_that_was_opened_with_its_code_is_shown_again_without_it_but_to_nobody_else(client: httpx.AsyncClient) -> None:
    citizen, other, stranger = [await Citizen(client).arrives() for _ in range(3)]
    number, code = number_and_code(await citizen.goes_through(*TO_THE_SUMMARY, "ya"))
    assert "Diterima" in await other.says(f"cek tiket {number} kode {code}")
    assert "Diterima" in await other.says("kapan dijawabnya ya")
    assert "kode akses" in (await stranger.says(f"cek tiket {number}")).lower()


async def test_a_note_told_at_once_is_kept_as_it_is(client: httpx.AsyncClient, services: Services) -> None:
    citizen = await Citizen(client).arrives()
    number, _ = number_and_code(await citizen.goes_through(*TO_THE_SUMMARY, "ya"))
    assert "sudah ditambahkan" in await citizen.says("tambahin, lokasinya di Desa Lembur RT 03 dekat balai desa")
    (note,) = [entry for entry in services.ticket_changes.history(number) if entry.name is Happening.NOTED]
    assert note.text is not None
    assert "RT 03" in note.text


async def test_a_stranger_withdraws_nothing_after_no_ticket(client: httpx.AsyncClient) -> None:
    citizen = await Citizen(client).arrives()
    assert "dicabut" not in await citizen.says("hmm cabut aja deh")


async def test_after_a_status_a_question_is_about_it(client: httpx.AsyncClient) -> None:
    citizen = await Citizen(client).arrives()
    await citizen.says(f"cek status SIMPEL DEMO-SMP-000104 kode {DEMO_REQUESTS['DEMO-SMP-000104'][0]}")
    await citizen.says("artinya apa tuh")
    assert citizen.topics_sources()
    assert "diteliti" in citizen.last[-1]["text"].lower()


async def test_who_goes_on_about_a_danger_is_told_more_and_not_the_same(client: httpx.AsyncClient) -> None:
    citizen = await Citizen(client).arrives()
    first = await citizen.says("saya mau bunuh diri saja")
    again = await citizen.says("percuma, tidak ada yang peduli")
    assert "119" in first
    assert "healing119.id" in again
    assert first != again


async def test_after_sympathy_grief_goes_on(client: httpx.AsyncClient) -> None:
    citizen = await Citizen(client).arrives()
    await citizen.says("istri saya meninggal bulan lalu, sepi sekali rumah")
    assert "Kehilangan" in await citizen.says("tiap malam kangen terus")


async def test_what_is_not_known_is_said_with_what_is_near_it(client: httpx.AsyncClient) -> None:
    citizen = await Citizen(client).arrives()
    answer = await citizen.says("kampus mana yang paling sering mengirim peserta magang ke Kemensetneg?")
    assert "belum tersedia" in answer
    assert not citizen.topics_sources()
    labels = [button["label"] for message in citizen.last for button in message["buttons"]]
    assert labels[:2] == ["Bicara dengan petugas", "Ajukan permohonan informasi"]
    assert len(labels) == 4
    await citizen.presses(labels[2])
    assert citizen.topics_sources()
    assert "Anda mengajukan sebagai apa" in await citizen.goes_through(
        "berapa tinggi tiang bendera di halaman Kemensetneg", "oke, mintakan saja"
    )


async def test_where_nothing_more_is_known_the_answer_is_not_said_twice(client: httpx.AsyncClient) -> None:
    citizen = await Citizen(client).arrives()
    await citizen.says("berapa biaya istura")
    again = await citizen.says("masa beneran ga bayar sih")
    assert again.startswith("Maaf, lebih dari jawaban tadi belum saya ketahui.")


async def test_a_danger_stays_open_though_something_else_was_asked(client: httpx.AsyncClient) -> None:
    citizen = await Citizen(client).arrives()
    first = await citizen.says("suamiku mukul aku barusan")
    assert first.index("110") < first.index("129")
    assert "119" not in first
    assert "aplikasi" in await citizen.says("apa itu SIMPEL")
    assert "tidak saya ketahui" in await citizen.says("ga bisa nelpon, dia di sebelah")
    assert "hapus data saya" in await citizen.says("hp ku suka dicek suami, chat ini ketauan ga")
    assert "129" in await citizen.says("kalo aku mau cerita sama orang beneran sekarang bisa?")
    assert "aman sekarang" in await citizen.says("makasih ya")


async def test_a_denial_lets_go_of_a_danger_and_the_errand_is_served(client: httpx.AsyncClient) -> None:
    citizen = await Citizen(client).arrives()
    await citizen.says("suamiku mukul aku")
    answer = await citizen.says("bukan kekerasan min, aku mau tanya apa itu SIMPEL")
    assert "memberi tahu" in answer
    assert "aplikasi" in answer
    assert "di luar layanan" in await citizen.says("harga cabai berapa")


async def test_a_denial_alone_is_answered_shortly(client: httpx.AsyncClient) -> None:
    citizen = await Citizen(client).arrives()
    await citizen.says("saya mau bunuh diri saja")
    assert "Apa yang dapat saya bantu" in await citizen.says("itu lirik lagu kok")
    assert "Sama-sama" in await citizen.says("makasih")


@pytest.mark.parametrize("message", ASKS_FOR_NEXT_STEP)
def test_what_to_do_now_is_asked_in_many_ways(message: str) -> None:
    assert asks_for_next_step(message)


@pytest.mark.parametrize("message", ["terus SP itu apa", "saya harus bayar apa aja", "siapa focal pointnya", "cara ajukan gimana"])
def test_a_question_of_its_own_is_not_what_to_do_now(message: str) -> None:
    assert not asks_for_next_step(message)


async def test_after_a_status_the_next_step_is_said_as_often_as_it_is_asked_for(client: httpx.AsyncClient) -> None:
    (returned,) = [(number, code) for number, (code, status, _) in DEMO_REQUESTS.items() if status is Status.RETURNED]
    citizen = await Citizen(client).arrives()
    shown = await citizen.says("cek status SIMPEL {} {}".format(*returned))
    step = await citizen.says("terus gimana")
    assert step.startswith("Langkah berikutnya:")
    assert shown.endswith(step)
    await citizen.says("maksudnya dikembalikan itu apa, ditolak?")
    assert await citizen.says("trus saya harus ngapain") == step


async def test_why_a_status_is_so_is_not_known_and_who_asks_is_told_whom_to_ask(client: httpx.AsyncClient) -> None:
    citizen = await Citizen(client).arrives()
    await citizen.says("cek status SIMPEL DEMO-SMP-000109 8PV4NK")
    assert "focal point" in await citizen.says("kok bisa?")


async def test_who_changes_the_language_gets_the_last_answer_in_it(client: httpx.AsyncClient) -> None:
    citizen = await Citizen(client).arrives()
    await citizen.says("apa itu Setneg Mantul?")
    assert "programme" in await citizen.says("in English please")


def test_every_status_says_its_next_step_in_the_same_words(services: Services) -> None:
    responses = yaml.safe_load((PROJECT / "domain.yml").read_text(encoding="utf-8"))["responses"]
    for status in Status:
        whole, step = (responses[f"utter_simpel_{which}{status.lower()}"] for which in ("", "next_"))
        assert [one["text"].rpartition("\n\n")[2] for one in whole] == [one["text"] for one in step]
