"""Errands from the first word to the number, over the web channel with the trained model."""

import re
from datetime import date, timedelta

import httpx
import pytest
from sqlalchemy import select, update

from actions.form import LEFT_AFTER
from services.assembly import Services, assemble
from services.demo import DEMO_REQUESTS
from services.tickets import Kind, Resolution
from store.database import utc_now
from store.models import Draft, Message, TrackerEvent
from store.ticket_models import Ticket, TicketEvent
from tests.citizen import Citizen
from tests.clock import Clock

ASPIRATION = "Tolong perbanyak beasiswa untuk anak nelayan di daerah terpencil karena kami sulit kuliah"
TO_THE_SUMMARY = (
    "saya ingin menyampaikan aspirasi",
    "ya",
    ASPIRATION,
    "pendidikan",
    "lewati",
    "Alor, NTT",
    "Budi Santoso",
    "lewati",
)


def number_and_code(answer: str) -> tuple[str, str]:
    number = re.search(r"(?:ASP|PIP|KEB)-\d{8}-[0-9A-Z]{4}", answer)
    code = re.search(r"(?:Kode akses|Access code): \*\*([0-9A-Z]{6})\*\*", answer)
    assert number, answer
    assert code, answer
    return number[0], code[1]


async def test_a_pressed_choice_stays_in_the_conversation_as_it_was_read(client: httpx.AsyncClient) -> None:
    citizen = await Citizen(client).arrives()
    await citizen.says("saya ingin menyampaikan aspirasi")
    await citizen.presses("Ya, setuju")
    await citizen.says(ASPIRATION)
    assert "rancangan aturan" in await citizen.presses("Layanan Setneg")
    assert [message["text"] for message in await citizen.history() if message["from"] == "user"][1::2] == [
        "Ya, setuju",
        "Layanan Setneg",
    ]


@pytest.mark.parametrize("number", DEMO_REQUESTS)
async def test_every_demo_status_is_shown_with_its_next_step(client: httpx.AsyncClient, number: str) -> None:
    citizen = await Citizen(client).arrives()
    answer = await citizen.says(f"cek status SIMPEL {number} kode {DEMO_REQUESTS[number][0]}")
    assert "Status permohonan" in answer
    assert "Langkah berikutnya" in answer


async def test_number_and_code_may_come_in_two_sloppy_messages(client: httpx.AsyncClient) -> None:
    citizen = await Citizen(client).arrives()
    answer = await citizen.goes_through("mau cek status simpel dong", "demo smp 105", "kodenya 4zd8kf")
    assert "Dikembalikan untuk dilengkapi" in answer


@pytest.mark.parametrize(
    ("errand", "deadline"),
    [("mau ajukan keberatan", "Pasal 36"), ("mau minta informasi publik", "10 hari kerja")],
    ids=["objection", "request"],
)
@pytest.mark.parametrize("question", ["berapa hari?", "berapa hari ditanggapinya", "berapa lama"])
async def test_a_short_question_in_a_form_is_about_its_own_errand(
    client: httpx.AsyncClient, errand: str, deadline: str, question: str
) -> None:
    citizen = await Citizen(client).arrives()
    assert deadline in await citizen.goes_through(errand, question)


@pytest.mark.parametrize(
    ("message", "answer"),
    [("4ZD8KF", "Dikembalikan untuk dilengkapi"), ("halo lagi", "isian yang belum selesai"), ("batal", "kita berhenti di sini")],
)
async def test_a_form_that_was_left_takes_only_what_is_surely_meant_for_it(
    client: httpx.AsyncClient, services: Services, message: str, answer: str
) -> None:
    citizen = await Citizen(client).arrives()
    await citizen.goes_through("mau cek status simpel", "DEMO-SMP-000105")
    with services.database.session() as session:
        session.execute(update(Draft).values(updated_at=utc_now() - LEFT_AFTER - timedelta(minutes=1)))
    assert answer in await citizen.says(message)


async def test_an_aspiration_that_can_be_joined_to_the_other_no_more_is_sent_by_itself(
    client: httpx.AsyncClient, services: Services
) -> None:
    citizen = await Citizen(client).arrives()
    number, _ = number_and_code(await citizen.goes_through(*TO_THE_SUMMARY, "ya"))
    assert "Gabungkan" in await citizen.goes_through(*TO_THE_SUMMARY[:3])
    await citizen.presses("Ya, gabungkan")
    services.ticket_changes.answer(number, "Terima kasih.", Resolution.ANSWERED, "sari")
    assert f"**{number}** sudah selesai" in await citizen.says("ya")
    assert "Aspirasi ini tentang apa?" in await citizen.presses("Lanjutkan isian")
    other, _ = number_and_code(await citizen.goes_through("pendidikan", *["lewati"] * 4, "ya"))
    assert other != number
    assert services.tickets.fields_of(other)["text"] == ASPIRATION


async def test_a_wrong_code_and_an_unknown_number_get_the_same_answer(client: httpx.AsyncClient) -> None:
    citizen, other = await Citizen(client).arrives(), await Citizen(client).arrives()
    wrong_code = await citizen.says("cek status SIMPEL DEMO-SMP-000101 kode 7K4Q2B")
    unknown = await other.says("cek status SIMPEL DEMO-SMP-987654 kode 7K4Q2B")
    assert wrong_code.encode() == unknown.encode()
    assert "tidak dapat kami cocokkan" in unknown


@pytest.mark.parametrize("sorry", ["4zd8kf", "maaf 4zd8kf"])
async def test_the_right_code_alone_is_enough_after_a_wrong_one(sorry: str, client: httpx.AsyncClient, services: Services) -> None:
    citizen = await Citizen(client).arrives()
    await citizen.says("cek status SIMPEL DEMO-SMP-000105 kode 000000")
    assert "Dikembalikan untuk dilengkapi" in await citizen.says(sorry)
    number, code = number_and_code(await citizen.goes_through(*TO_THE_SUMMARY, "ya"))
    stranger = await Citizen(client).arrives()
    assert "tidak dapat kami cocokkan" in await stranger.says(f"cek tiket {number} kode 000000")
    assert "Diterima" in await stranger.says(f"maaf, kodenya {code}")
    with services.database.session() as session:
        logged = " ".join(session.scalars(select(Message.text)))
    assert "4zd8kf" not in logged
    assert code not in logged


async def test_another_number_may_be_given_after_a_wrong_one(client: httpx.AsyncClient) -> None:
    citizen = await Citizen(client).arrives()
    await citizen.says("cek status SIMPEL DEMO-SMP-000555 kode 4ZD8KF")
    assert "Bila nomornya keliru" in await citizen.says("Coba lagi")
    assert "Dikembalikan untuk dilengkapi" in await citizen.goes_through("DEMO-SMP-000105", "4ZD8KF")


async def test_what_looks_like_a_code_is_one_only_after_a_wrong_one(client: httpx.AsyncClient) -> None:
    citizen = await Citizen(client).arrives()
    assert "SIMPEL" not in await citizen.says("G20")
    assert "kode aksesnya" not in await citizen.goes_through("cek status SIMPEL DEMO-SMP-000105 kode 000000", "jam buka 2026?")


async def test_after_five_failures_even_the_right_code_gets_that_answer(client: httpx.AsyncClient) -> None:
    citizen = await Citizen(client).arrives()
    answers = [await citizen.says(f"cek status SIMPEL DEMO-SMP-000102 kode 00000{n}") for n in range(5)]
    answers.append(await citizen.says("cek status SIMPEL DEMO-SMP-000102 kode M3X8PW"))
    assert len(set(answers)) == 1


async def test_neither_number_nor_code_stays_after_the_answer(client: httpx.AsyncClient, services: Services) -> None:
    citizen = await Citizen(client).arrives()
    await citizen.says("cek status SIMPEL DEMO-SMP-000106 kode W7Q3YG")
    await citizen.goes_through("cek status SIMPEL lagi", "DEMO-SMP-000106", "W7Q3YG")
    with services.database.session() as session:
        kept = " ".join([*session.scalars(select(TrackerEvent.data)), *session.scalars(select(Message.text))])
    assert "000106" not in kept
    assert "W7Q3YG" not in kept


async def test_an_aspiration_gets_a_number_that_survives_a_restart(client: httpx.AsyncClient, services: Services) -> None:
    citizen = await Citizen(client).arrives()
    summary = await citizen.goes_through(*TO_THE_SUMMARY)
    assert ASPIRATION in summary
    assert "Budi Santoso" in summary
    answer = await citizen.says("ya, kirim")
    number, code = number_and_code(answer)
    assert "tidak dapat menjanjikan waktu" in answer
    restarted = assemble(services.settings, services.knowledge)
    found = restarted.tickets.find(number, code, "another-conversation")
    assert found is not None
    assert found.kind is Kind.ASPIRATION
    assert restarted.tickets.fields_of(number)["text"] == ASPIRATION


async def test_nothing_is_sent_before_the_summary_is_confirmed_and_two_yes_make_one_ticket(
    client: httpx.AsyncClient, services: Services
) -> None:
    citizen = await Citizen(client).arrives()
    await citizen.goes_through(*TO_THE_SUMMARY)
    with services.database.session() as session:
        assert not list(session.scalars(select(Ticket)))
    await citizen.goes_through("ya", "ya")
    with services.database.session() as session:
        assert len(list(session.scalars(select(Ticket)))) == 1
        assert [event.name for event in session.scalars(select(TicketEvent))] == ["diterima"]


async def test_personal_values_of_a_form_are_in_no_tracker_and_no_log(client: httpx.AsyncClient, services: Services) -> None:
    citizen = await Citizen(client).arrives()
    await citizen.goes_through(*TO_THE_SUMMARY[:-2], "Wiratmaja Kusumah", "wiratmaja.k@contoh.id", "ya")
    with services.database.session() as session:
        kept = " ".join([*session.scalars(select(TrackerEvent.data)), *session.scalars(select(Message.text))]).lower()
        sealed = b" ".join(session.scalars(select(Ticket.fields)))
    assert "wiratmaja" not in kept
    assert b"wiratmaja" not in sealed.lower()


async def test_a_question_in_the_middle_is_answered_and_the_form_goes_on(client: httpx.AsyncClient) -> None:
    citizen = await Citizen(client).arrives()
    await citizen.says("saya mau mengajukan permohonan informasi publik")
    answer = await citizen.says("apa itu PPID?")
    assert "Pejabat Pengelola Informasi dan Dokumentasi" in answer
    assert citizen.last[-1]["text"].endswith("Anda mengajukan sebagai apa?")


async def test_five_questions_in_a_row_do_not_lose_the_form(client: httpx.AsyncClient) -> None:
    citizen = await Citizen(client).arrives()
    await citizen.goes_through("saya mau mengajukan permohonan informasi publik", *["apakah ada biayanya?"] * 5)
    assert "Informasi apa yang Anda minta" in await citizen.says("1")


@pytest.mark.parametrize("word", ["batal", "ga jadi deh", "cancel", "Batalin aja", "stop"])
async def test_cancel_leads_out_at_every_step_of_an_aspiration(client: httpx.AsyncClient, word: str) -> None:
    for steps in range(1, len(TO_THE_SUMMARY) + 1):
        citizen = await Citizen(client).arrives()
        await citizen.goes_through(*TO_THE_SUMMARY[:steps])
        assert "dibatalkan" in await citizen.says(word)
        assert "SIMPEL" in await citizen.says("apa itu simpel?")


async def test_an_answer_can_be_changed_at_the_summary(client: httpx.AsyncClient) -> None:
    citizen = await Citizen(client).arrives()
    await citizen.goes_through(*TO_THE_SUMMARY)
    assert "nama" in (await citizen.says("namanya salah")).lower()
    assert "Siti Aminah" in await citizen.says("Siti Aminah")
    await citizen.says("ubah nomor 3")
    assert "kesehatan" in await citizen.says("kesehatan")


async def test_an_invalid_answer_gets_a_reason_and_three_misses_an_officer(client: httpx.AsyncClient) -> None:
    citizen = await Citizen(client).arrives()
    await citizen.goes_through("saya ingin menyampaikan aspirasi", "ya")
    assert "20 sampai 2.000" in await citizen.says("jalan rusak")
    await citizen.says("jalan rusak")
    assert "petugas" in await citizen.says("jalan rusak")


async def test_an_information_request_gets_a_due_date_as_weekday_and_date(client: httpx.AsyncClient, services: Services) -> None:
    citizen = await Citizen(client).arrives()
    answer = await citizen.goes_through(
        "saya mau minta dokumen ke PPID",
        "WNI",
        "Laporan kinerja Biro Humas tahun 2024 lengkap",
        "penelitian skripsi",
        "Siti Aminah",
        "Jl. Melati 5, Magelang, Jawa Tengah",
        "siti@contoh.id",
        "salinan",
        "email",
        "ya",
    )
    number, _ = number_and_code(answer)
    with services.database.session() as session:
        ticket = session.scalar(select(Ticket).where(Ticket.number == number))
    assert ticket is not None
    expected = services.calendar.due_date(services.calendar.receipt_date(ticket.received_at), 10)
    assert ticket.due_on == expected
    assert re.search(rf"(?:Senin|Selasa|Rabu|Kamis|Jumat), {expected.day} \w+ {expected.year}", answer)
    assert "keberatan" in answer


async def test_who_may_not_request_is_told_politely(client: httpx.AsyncClient) -> None:
    citizen = await Citizen(client).arrives("en")
    answer = await citizen.goes_through("I want to submit a public information request to the PPID", "Other")
    assert "Indonesian citizens" in answer


async def test_a_late_objection_is_taken_and_marked(client: httpx.AsyncClient, services: Services) -> None:
    citizen = await Citizen(client).arrives()
    answer = await citizen.goes_through(
        "saya mau mengajukan keberatan atas jawaban PPID",
        "PIP-20260105-ABCD",
        "3 dan 7",
        "20 Januari 2026",
        "Permohonan saya tidak dijawab sampai lewat batas waktunya",
        "lewati",
        "Siti Aminah",
        "siti@contoh.id",
        "ya",
    )
    number, _ = number_and_code(answer)
    fields = services.tickets.fields_of(number)
    assert fields["late"] is True
    assert fields["grounds"] == ["tidak_ditanggapi", "terlambat"]
    assert date.fromisoformat(fields["found_on"]) == date(2026, 1, 20)


async def test_own_tickets_need_no_code_and_others_need_number_and_code(client: httpx.AsyncClient) -> None:
    citizen, stranger = await Citizen(client).arrives(), await Citizen(client).arrives()
    number, code = number_and_code(await citizen.goes_through(*TO_THE_SUMMARY, "ya"))
    assert number in await citizen.says("tiket saya sudah sampai mana?")
    assert "Diterima" in await stranger.says(f"cek tiket {number} kode {code}")
    wrong = await stranger.says(f"cek tiket {number} kode 000000")
    unknown = await stranger.says("cek tiket ASP-20260101-0000 kode 000000")
    assert wrong == unknown


async def test_a_crisis_in_a_form_stops_the_form(client: httpx.AsyncClient) -> None:
    citizen = await Citizen(client).arrives()
    await citizen.goes_through("saya ingin menyampaikan aspirasi", "ya")
    answer = await citizen.says("saya sudah tidak kuat hidup, pengen mati aja")
    assert "119" in answer
    assert "aspirasi Anda (20" not in answer
    assert "saya lanjutkan" in await citizen.says("Lanjutkan isian")


async def test_a_free_text_that_was_taken_for_a_danger_is_not_lost_and_words_lead_back_to_it(client: httpx.AsyncClient) -> None:
    citizen = await Citizen(client).arrives()
    cry = "tolong, rumah tetangga saya kebakaran sekarang"
    assert "112" in await citizen.goes_through("saya mau menyampaikan aspirasi", "ya", cry)
    await citizen.says("bentar ya")
    assert "saya lanjutkan" in await citizen.says("sudah padam, lanjut isi formulir")
    assert cry in await citizen.goes_through("lingkungan", "lewati", "lewati", "lewati", "lewati")


async def test_go_on_without_anything_left_opens_no_form(client: httpx.AsyncClient) -> None:
    citizen = await Citizen(client).arrives()
    assert "saya lanjutkan" not in await citizen.says("lanjutkan isian")


@pytest.mark.parametrize("beginning", [True, False])
async def test_a_cry_for_help_in_a_text_that_is_too_long_is_heard(client: httpx.AsyncClient, beginning: bool) -> None:
    citizen, cry = await Citizen(client).arrives(), "tolong saya mau bunuh diri sekarang"
    story = "Jalan di depan rumah kami rusak sejak lama. " * 100
    answer = await citizen.says(f"{cry}. {story}" if beginning else f"{story} {cry}")
    assert "119" in answer
    assert "4.000 karakter" in answer
    assert "119" not in await citizen.says(story)


async def test_a_cry_for_help_in_a_text_that_is_too_long_ends_the_form_and_is_shown_to_officers(
    client: httpx.AsyncClient, services: Services
) -> None:
    services.handoffs._clock = Clock("2026-11-23 10:00")
    citizen = await Citizen(client).arrives()
    await citizen.goes_through("mau bicara dengan petugas", "ya", "saya mau mengajukan permohonan informasi publik")
    answer = await citizen.says("Jalan kami rusak. " * 300 + "saya mau bunuh diri sekarang")
    assert "119" in answer
    assert "sebagai apa" not in answer
    assert [one.urgent for one in services.handoffs.queue()] == [True]


async def test_who_asks_for_another_thing_by_number_and_code_gets_that_one(client: httpx.AsyncClient) -> None:
    citizen = await Citizen(client).arrives()
    assert "cocokkan" in await citizen.says("cek tiket KEB-20261127-7K4Q kode ZZZZZ9")
    number, (code, *_) = next(iter(DEMO_REQUESTS.items()))
    assert "cocokkan" not in await citizen.says(f"{number} {code}")


@pytest.mark.parametrize("said", ["saya tidak punya kode", "lupa", "no code"])
async def test_who_has_no_code_is_told_where_to_get_one_and_loses_no_try(client: httpx.AsyncClient, said: str) -> None:
    citizen = await Citizen(client).arrives()
    answer = await citizen.goes_through("cek status simpel saya", "DEMO-SMP-000105", said)
    assert "focal point" in answer
    assert "cocokkan" not in answer


async def test_a_question_with_a_number_in_it_is_no_request_number(client: httpx.AsyncClient) -> None:
    citizen = await Citizen(client).arrives()
    answer = await citizen.goes_through("cek status simpel saya", "jadwalnya mundur 2 hari, apa SP perlu diganti?")
    assert "Berapa kode" not in answer


async def test_a_name_that_is_withdrawn_is_not_sent(client: httpx.AsyncClient) -> None:
    citizen = await Citizen(client).arrives()
    assert "sudah saya ubah" in await citizen.goes_through(*TO_THE_SUMMARY[:-1], "eh jangan pakai nama deh")
    assert "Budi" not in await citizen.says("lewati")


async def test_a_request_that_is_too_long_to_be_taken_is_not_dropped_in_silence(client: httpx.AsyncClient) -> None:
    citizen = await Citizen(client).arrives()
    letter = "Yth. PPID, kami mengajukan permohonan informasi berupa salinan rencana strategis. " + "Mohon lengkap. " * 150
    assert "terlalu panjang" in await citizen.says(letter)


async def test_two_questions_in_one_message_get_two_answers(client: httpx.AsyncClient) -> None:
    citizen = await Citizen(client).arrives()
    await citizen.says("Apa syarat magang dan berapa lama permohonan informasi dijawab?")
    titles = [source["title"] for message in citizen.last for source in message["sources"]]
    assert len(titles) == 2


async def test_a_number_that_lacks_a_digit_is_called_unreadable(client: httpx.AsyncClient) -> None:
    citizen = await Citizen(client).arrives()
    await citizen.says("cek tiket saya")
    assert "ASP-" in await citizen.says("ASP-2026112-7K4Q")


async def test_a_status_asked_for_in_the_middle_of_a_form_is_no_place(client: httpx.AsyncClient) -> None:
    citizen = await Citizen(client).arrives()
    await citizen.goes_through(*TO_THE_SUMMARY[:5])
    assert "belum selesai" in await citizen.says("cek tiket saya")


async def test_who_has_no_number_of_the_request_says_when_and_how_it_was_sent(client: httpx.AsyncClient) -> None:
    citizen = await Citizen(client).arrives()
    await citizen.says("saya mau mengajukan keberatan")
    answer = await citizen.says("nomornya lupa")
    assert "cara Anda mengirimnya" in answer
    assert "alasan keberatan" in answer
    assert "cara Anda mengirimnya" not in await citizen.says("tidak dijawab")


async def test_personal_data_is_masked_and_the_citizen_is_told(client: httpx.AsyncClient, services: Services) -> None:
    citizen = await Citizen(client).arrives()
    answer = await citizen.says("NIK saya 3201234509870001 dan email budi@contoh.id, apa syarat magang?")
    assert "samarkan" in answer
    with services.database.session() as session:
        kept = " ".join([*session.scalars(select(TrackerEvent.data)), *session.scalars(select(Message.text))])
    assert "3201234509870001" not in kept
    assert "budi@contoh.id" not in kept


async def test_a_follow_up_is_understood_in_the_light_of_the_last_topic(client: httpx.AsyncClient) -> None:
    citizen = await Citizen(client).arrives()
    await citizen.goes_through("apa itu program magang di setneg?", "terus syaratnya apa?")
    assert "magang" in "\n".join(message["text"] for message in citizen.last).lower()


async def test_the_answer_follows_the_citizens_language(client: httpx.AsyncClient) -> None:
    citizen = await Citizen(client).arrives()
    assert "programme" in await citizen.says("what is Setneg Mantul?")
    assert "Kemensetneg" in await citizen.says("kalau magang itu apa ya?")


@pytest.mark.parametrize(
    ("wanted", "is_published"),
    [
        ("dasar hukum perjalanan dinas luar negeri", True),
        ("rincian anggaran perjalanan dinas luar negeri menteri 2025", False),
        ("laporan penanganan gratifikasi Kemensetneg 2024", False),
        ("keputusan siapa yang boleh menjadi focal point SIMPEL di tiap instansi", False),
    ],
)
async def test_who_requests_information_is_shown_what_is_published_and_not_what_is_only_about_the_same(
    client: httpx.AsyncClient, wanted: str, is_published: bool
) -> None:
    citizen = await Citizen(client).arrives()
    answer = await citizen.goes_through("saya mau mengajukan permohonan informasi publik", "warga negara Indonesia", wanted)
    assert ("sudah dipublikasikan" in answer) == is_published
    assert "Untuk apa informasi itu digunakan?" in answer


async def test_a_question_that_is_announced_is_answered_and_not_taken_for_what_is_requested(client: httpx.AsyncClient) -> None:
    citizen = await Citizen(client).arrives()
    asked = await citizen.goes_through("saya mau mengajukan permohonan informasi publik", "warga negara Indonesia")
    answer = await citizen.says("sebenarnya saya mau tanya dulu, bayar tidak?")
    assert answer.endswith(asked)
    assert "tidak dipungut biaya" in answer


async def test_who_writes_the_aspiration_where_consent_is_asked_for_is_not_asked_for_it_again(client: httpx.AsyncClient) -> None:
    citizen = await Citizen(client).arrives()
    asked = await citizen.goes_through("mau kirim aspirasi", ASPIRATION)
    assert "saya catat sebagai isi" in asked
    assert "Apakah Anda setuju" in asked
    assert "tentang apa" in await citizen.says("ya")
