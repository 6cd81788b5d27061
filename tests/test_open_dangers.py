"""A danger stays open for a while: what is needed next, what is served meanwhile, and what lets go of it."""

from __future__ import annotations

import csv
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import yaml

from bot.understanding import Meaning as Heard
from bot.understanding import calmed, in_danger
from services.dangers import SENTENCES, Danger, danger_of, is_certain, is_hardly_one, only_looks_like_one
from services.fields import Choice, Field, text
from services.follow_ups import After, LastSaid
from services.open_dangers import OPEN_FOR, OpenDanger, calls_for_help, need_in, rest_after_denial, words
from services.settings import PROJECT
from services.spelling import normalise

NOW = datetime(2026, 11, 23, 20, tzinfo=UTC)
TICKET = LastSaid(After.TICKET, "ASP-20261123-7K4Q")
NEEDS = {
    "no_numbers": ["jangan kasih nomor lagi plis", "bosen nomor terus", "cuma bisa ngasih nomor doang ya", "please no more numbers"],
    "seen": [
        "hp ku suka dicek suami, chat ini ketauan ga",
        "kalo aku nelpon suamiku tau ga",
        "he checks my phone",
        "kelihatan ga nanti chat-nya",
        "cara ngapusnya gimana",
    ],
    "abroad": ["paspor ditahan majikan di taiwan", "aku TKW di hong kong, majikan mukul", "I'm in Kuwait and locked up"],
    "police": ["takut polisi", "polisinya malah ketawa", "bapakku tentara", "i'm scared of the police"],
    "unanswered": [
        "su tlp 112 seng angka",
        "udah nelpon ga diangkat",
        "durung diangkat pak",
        "nomornya sibuk terus",
        "nobody answers",
    ],
    "silent": [
        "chat aja ada ga",
        "ga bisa nelpon, dia di sebelah",
        "teu tiasa nelepon",
        "isin aku, mengko tonggo podo krungu",
        "can i text instead",
        "aku di kamar mandi, dia nunggu diluar",
    ],
    "shelter": ["ada tempat aman ga", "rumah aman itu ada ga min? di bandung", "wedi mulih", "aku takut pulang", "where can i go"],
    "report": ["lapor kemana ya", "lapornya ke siapa", "how do I report him?"],
    "young": [
        "umurku 15",
        "jadi anak 15 tahun lapor kemana, takut bapak tau",
        "aku masih smp",
        "i'm 14",
        "129 buat cowok juga?",
        "guruku ga percaya",
    ],
    "person": ["kalo aku mau cerita sama orang beneran sekarang bisa?", "ga punya siapa-siapa", "i want to talk to a real person"],
    "withdraws": ["ga jadi deh, maaf ngerepotin", "lupain aja", "never mind"],
    "farewell": ["makasih ya. dadah semuanya", "suwun", "thanks for listening"],
}


@pytest.mark.parametrize(("need", "message"), [(need, message) for need, listed in NEEDS.items() for message in listed])
def test_the_words_tell_what_is_needed_next(need: str, message: str) -> None:
    found = need_in(message)
    assert found is not None
    assert found.name == need


@pytest.mark.parametrize(
    "message",
    [
        "apa itu SIMPEL",
        "berapa lama izin dinas ke Jepang",
        "syarat magang buat anak smk kelas 11 sma",
        "makasih, cara ajukan keberatan gimana",
        "alamat kemensetneg di mana",
        "what documents do I need for SIMPEL",
        "cek tiket saya",
        "jam buka perpustakaan",
    ],
)
def test_a_question_to_the_ministry_calls_for_no_help_in_danger(message: str) -> None:
    assert not calls_for_help(message)


@pytest.mark.parametrize(
    ("message", "rest"),
    [
        ("bukan kekerasan min, aku cuma mau tau nomor kantor perwakilan", "aku cuma mau tau nomor kantor perwakilan"),
        ("bukan kekerasan min aku cuma mau tau nomor kantor perwakilan", "aku cuma mau tau nomor kantor perwakilan"),
        ("saya baik2 aja. mau nambah catatan", "mau nambah catatan"),
        ("ora pak, aku mung ngeluh. arep njaluk bantuan bibit", "arep njaluk bantuan bibit"),
        ("I'm fine, how do I apply for an internship?", "how do I apply for an internship"),
        ("saya tidak mau bunuh diri kok, saya tanya syarat istura", "saya tanya syarat istura"),
        ("maksud saya bukan itu, mau lapor jalan rusak", "mau lapor jalan rusak"),
        ("itu kejadian lama", ""),
        ("ga ada yg mukul aku", ""),
        ("cuma bercanda kok, makasih ya", ""),
        ("apinya udah padam kok", ""),
        ("alhamdulillah kapalnya sudah ketemu, makasih ya", ""),
        ("bapak sudah pulang dengan selamat", ""),
        ("false alarm, everybody is fine", ""),
    ],
)
def test_a_denial_is_told_from_what_is_said_besides(message: str, rest: str) -> None:
    assert rest_after_denial(message) == rest


@pytest.mark.parametrize(
    "message",
    [
        "dia bilang cuma bercanda",
        "katanya cuma guyon",
        "saya tidak baik baik saja",
        "apa saya akan baik baik saja",
        "pengen baik baik saja",
        "saya aman kalau dia tidur",
        "itu kejadian lama tapi aku masih takut",
        "sudah ketemu tapi kakinya patah",
        "sudah ditemukan tewas",
        "suami sudah pulang, saya takut",
        "itu sudah lama, tiap malam dia begitu",
        "ga ada yg mukul aku, aku cuma jatuh dari tangga",
        "ga ada yg mukul aku, cuma mending aku mati",
        "bukan cuma kekerasan, dia juga ambil uangku",
        "polisi sudah datang tapi dia masih di dalam",
        "he says it was a joke",
        "percuma, tidak diangkat",
        "makasih ya",
    ],
)
def test_what_only_sounds_like_a_denial_lets_go_of_nothing(message: str) -> None:
    assert rest_after_denial(message) is None


@pytest.mark.parametrize(
    "message",
    [
        "di rumah ga aman",
        "i'm not safe at home",
        "di sekolah tiap hari ada yg ngerjain aku, kemarin didorong dr tangga",
        "they bully me at school",
        "kalo di rumah dipukulin bapak itu harus ke mana",
        "paspor ditahan majikan di taiwan",
    ],
)
def test_who_is_not_safe_is_heard_whatever_the_classifier_holds(message: str) -> None:
    assert is_certain(normalise(message))
    assert danger_of(message) is Danger.VIOLENCE


@pytest.mark.parametrize(
    "message",
    [
        "data di rumah tidak aman kalau disimpan",
        "aspirasi saya tentang anak dibully di sekolah",
        "mending tidak ada program itu",
        "paspor saya diambil di kantor imigrasi",
    ],
)
def test_the_same_words_about_other_things_are_no_certain_danger(message: str) -> None:
    assert not is_certain(normalise(message))


@pytest.mark.parametrize(
    "message",
    [
        "tolong pelan pelan nak bapak sudah tua tidak bisa baca cepat",
        "tolong ulangi pelan pelan nak nomor teleponnya saja",
        "bapak di masohi maluku tengah",
        "lubangnya dalam, saya tunanetra pernah jatuh",
        "anak saya jatuh dari motor bulan lalu karena lubang",
        "i'm elderly, please slow down",
        "bentar mati lampu nih",
        "jalan depan SD bolong sudah dua bulan, anak-anak jatuh",
    ],
)
def test_what_only_looks_like_a_danger_gets_its_next_likeliest_intent(message: str) -> None:
    assert calmed(parsed("crisis", 0.8, "note_on_ticket", 0.15), message)["intent"]["name"] == "nlu_fallback"
    assert calmed(parsed("crisis", 0.55, "note_on_ticket", 0.4), message)["intent"]["name"] == "note_on_ticket"


@pytest.mark.parametrize(
    "message",
    [
        "hati saya terbakar semangat mau magang",
        "deadline mau bunuh saya nih wkwk",
        "I'm drowning in paperwork",
        "my boss will kill me if the permit is late",
        "ini darurat! besok saya berangkat izin belum keluar",
        "kalau saya titip anak saya bisa",
        "ada yang lupa, jembatannya juga putus",
        "saya mau meneliti bunuh diri di kalangan ASN",
    ],
)
def test_figures_of_speech_only_look_like_a_danger(message: str) -> None:
    assert only_looks_like_one(message)


@pytest.mark.parametrize(
    "message",
    [
        "pelan pelan saja, saya mau mati",
        "bapak jatuh pingsan di masohi",
        "saya di jembatan suramadu surabaya",
        "kami terjebak banjir di semarang",
        "suami saya pernah mukul saya",
        "mati lampu, ibu saya pakai oksigen",
        "mesin perahu mati, ombak tinggi sekali",
        "jalan rusak, ada anak jatuh barusan kepalanya berdarah",
    ],
)
def test_a_danger_among_such_words_stays_one(message: str) -> None:
    assert not only_looks_like_one(message)
    assert calmed(parsed("crisis", 0.8, "greet", 0.1), message)["intent"]["name"] == "crisis"


def test_no_emergency_of_the_evaluation_only_looks_like_one_or_is_denied() -> None:
    with (PROJECT / "evaluation" / "intents.csv").open(encoding="utf-8", newline="") as file:
        emergencies = [row["text"] for row in csv.DictReader(file) if row["intent"] == "crisis"]
    assert len(emergencies) > 300
    assert [text for text in emergencies if only_looks_like_one(text) or rest_after_denial(text) is not None] == []


def parsed(intent: str, confidence: float, *other: Any) -> dict[str, Any]:
    ranking = [{"name": intent, "confidence": confidence}]
    if other:
        ranking.append({"name": other[0], "confidence": other[1]})
    return {"intent": ranking[0], "intent_ranking": ranking, "entities": []}


@pytest.mark.parametrize(
    ("intent", "confidence", "message", "meant"),
    [
        ("out_of_scope", 0.99, "umurku 15", "crisis"),
        ("thank", 1.0, "makasih ya. dadah semuanya", "crisis"),
        ("nlu_fallback", 0.7, "aku bingung", "crisis"),
        ("ask_information", 1.0, "ada tempat aman ga", "crisis"),
        ("ask_information", 0.4, "gimana ya", "crisis"),
        ("ask_information", 1.0, "apa itu SIMPEL", "ask_information"),
        ("submit_objection", 0.99, "permohonan ga dijawab, mau ajukan keberatan", "submit_objection"),
        ("talk_to_officer", 0.99, "kalo aku mau cerita sama orang beneran sekarang bisa?", "talk_to_officer"),
        ("manage_my_data", 1.0, "hapus data saya", "manage_my_data"),
        ("report_complaint", 1.0, "aku mau lapor", "crisis"),
        ("report_complaint", 1.0, "mau lapor pungli di kelurahan", "report_complaint"),
        ("help", 0.97, "tolong", "crisis"),
    ],
)
def test_while_a_danger_is_open_only_what_is_clear_is_served(intent: str, confidence: float, message: str, meant: str) -> None:
    heard = in_danger(Heard(parsed(intent, confidence), message, None), message, begun(Danger.VIOLENCE))
    assert heard.parsed["intent"]["name"] == meant
    assert (heard.follows == LastSaid(After.CRISIS, "violence")) is (meant == "crisis")


def begun(kind: Danger | None, message: str = "tolong") -> OpenDanger:
    return OpenDanger.begins(kind, NOW, TICKET).starts(message, NOW)[-1]


def said(danger: OpenDanger, *messages: str) -> list[str]:
    sentences = []
    for message in messages:
        danger = danger.goes_on(message, NOW)
        sentences.append(danger.told[-1])
    return sentences


@pytest.mark.parametrize("kind", [*Danger, None])
def test_what_fits_nothing_gets_other_words_each_time(kind: Danger | None) -> None:
    sentences = said(begun(kind), "hmm begitu", "entahlah begitu")
    assert len(set(sentences)) == 2 or kind is Danger.THREAT
    assert SENTENCES.get(kind) not in sentences  # type: ignore[arg-type]  # of no kind


def test_the_same_need_twice_gets_no_sentence_twice_in_a_row() -> None:
    assert said(begun(Danger.VIOLENCE), "takut polisi", "takut polisi")[1] == "utter_crisis_violence_again"


def test_what_is_asked_for_again_is_said_again() -> None:
    abroad = begun(Danger.VIOLENCE, "paspor ditahan majikan di taiwan")
    first, between, again = said(abroad, "nomor kbri berapa?", "hmm begitu", "terima kasih, nomor kbri tadi berapa?")
    assert first == again == "utter_danger_mission" != between


def test_another_danger_gets_its_own_sentence_and_the_first_one_no_other_time() -> None:
    sentences = said(begun(Danger.VIOLENCE), "mending mati aja", "suamiku memukul lagi")
    assert sentences == ["utter_crisis", "utter_crisis_violence_again"]


def test_who_wants_no_numbers_gets_none_any_more() -> None:
    responses = yaml.safe_load((PROJECT / "domain.yml").read_text(encoding="utf-8"))["responses"]
    for name in said(begun(Danger.DESPAIR), "jangan kasih nomor lagi", "capek banget rasanya", "makasih", "begitulah"):
        assert not any(number in variant["text"] for variant in responses[name] for number in ("110", "112", "119", "129"))


def test_who_is_abroad_is_told_of_no_indonesian_number() -> None:
    first, second = OpenDanger.begins(Danger.VIOLENCE, NOW, None).starts("paspor ditahan majikan di taiwan", NOW)
    assert first.told == ("utter_crisis_violence",)
    assert second.told == ("utter_crisis_violence", "utter_danger_abroad")
    assert said(second, "telpon ga diangkat", "makasih") == ["utter_danger_abroad_2", "utter_danger_farewell_abroad"]


def test_a_danger_is_open_for_a_while_after_the_last_word_about_it() -> None:
    slot = begun(Danger.DESPAIR).as_slot()
    assert OpenDanger.read(slot, None, NOW + OPEN_FOR - timedelta(seconds=1)) == begun(Danger.DESPAIR)
    assert OpenDanger.read(slot, None, NOW + OPEN_FOR) is None
    assert begun(Danger.DESPAIR).goes_on("begitulah", NOW + timedelta(minutes=9)).until == NOW + timedelta(minutes=9) + OPEN_FOR
    assert begun(Danger.DESPAIR).before == TICKET.as_slot()


def test_one_that_a_form_was_told_is_open_for_the_next_message() -> None:
    danger = OpenDanger.read(None, LastSaid(After.CRISIS, "violence"), NOW)
    assert danger is not None
    assert danger.goes_on("entahlah", NOW).told[-1] == "utter_crisis_violence_again"
    assert OpenDanger.read(None, TICKET, NOW) is None


def test_every_sentence_stands_in_the_domain_in_both_languages() -> None:
    responses = yaml.safe_load((PROJECT / "domain.yml").read_text(encoding="utf-8"))["responses"]
    of_needs = {name for need in words().needs for name in need.sentences.values()}
    in_turn = {name for turns in words().further.values() for name in turns}
    for name in (*of_needs, *in_turn, "utter_danger_denied", "utter_danger_denied_and_more"):
        assert len(responses[name]) == 2, name


@pytest.mark.parametrize(
    ("probability", "in_form", "message"),
    [
        (0.67, True, "aku udah 18 kak"),
        (0.63, True, "aku udah 18 kak, barusan ultah"),
        (0.70, True, "pilihan terakhir"),
        (0.90, False, "tolong juga depan rumah"),
        (0.96, False, "saya sendiri"),
        (0.82, True, "dekat jembatan"),
    ],
)
def test_what_says_little_and_has_no_word_of_a_danger_is_hardly_one(probability: float, in_form: bool, message: str) -> None:
    assert calmed(parsed("crisis", probability, "greet", 0.4), message, in_form=in_form)["intent"]["name"] == "greet"


@pytest.mark.parametrize(
    ("probability", "in_form", "message"),
    [
        (0.6, True, "pengen mati"),
        (0.6, True, "takut pulang"),
        (0.6, True, "tolong, dia bawa parang"),
        (0.98, True, "aie lah sapinggang kami"),
        (0.93, True, "sudah kubagikan semua barangku ke anak kos, sebentar lagi tenang"),
        (0.6, False, "sudah kubagikan semua barangku ke anak kos, sebentar lagi tenang"),
    ],
)
def test_a_word_of_a_danger_or_much_certainty_keeps_one(probability: float, in_form: bool, message: str) -> None:
    assert calmed(parsed("crisis", probability, "greet", 0.1), message, in_form=in_form)["intent"]["name"] == "crisis"


def test_no_emergency_of_the_evaluation_is_too_short_to_be_heard() -> None:
    with (PROJECT / "evaluation" / "intents.csv").open(encoding="utf-8", newline="") as file:
        emergencies = [row["text"] for row in csv.DictReader(file) if row["intent"] == "crisis"]
    assert [text for text in emergencies if is_hardly_one(text, 0.96, in_form=False)] == []


@pytest.mark.parametrize(
    ("message", "rest"),
    [
        ("kak aku ga kenapa2 aku cuma ultah", ""),
        ("engga kok cuma curhat", ""),
        ("ini bukan nek mau bunuh diri ya, cuma nanya", ""),
        ("aku gapapa kok, salah pencet", ""),
        ("cuma mau nanya, ada magang ga di setneg", "ada magang ga di setneg"),
        ("cuma mau nanya, ada rumah aman ga", None),
        ("cuma curhat, aku pengen mati", None),
        ("cuma curhat aja tapi aku takut dia balik", None),
    ],
)
def test_who_only_asked_or_vented_is_let_go_unless_help_is_called_for(message: str, rest: str | None) -> None:
    assert rest_after_denial(message) == rest


SCHOOL, REASON = Field("institution", text(3, 100, "utter_invalid_choice"), free_text=True), Field("kind", Choice(("baru", "lama")))


@pytest.mark.parametrize(
    ("kind", "field", "message", "answers"),
    [
        (None, SCHOOL, "smkn 1 cibinong", True),
        (None, REASON, "opsi satu", True),
        (Danger.VIOLENCE, REASON, "opsi satu", True),
        (Danger.VIOLENCE, SCHOOL, "smkn 1 cibinong", False),
        (None, SCHOOL, "aku bingung", False),
        (None, SCHOOL, "ga ada yang angkat", False),
        (None, SCHOOL, "dia mukul lagi", False),
        (None, replace(SCHOOL, optional=True), "tidak usah", True),
        (Danger.DESPAIR, replace(SCHOOL, optional=True), "tidak usah", False),
    ],
)
def test_a_plain_answer_to_what_the_form_had_asked_lets_go_of_the_danger(
    kind: Danger | None, field: Field, message: str, answers: bool
) -> None:
    danger = OpenDanger.begins(kind, NOW, None, "visit_institution").starts("tolong", NOW)[-1]
    assert OpenDanger.read(danger.as_slot(), None, NOW) == danger
    assert danger.is_answered_instead(message, field) is answers


def test_a_number_asked_for_is_said_and_changes_nothing_of_the_danger() -> None:
    danger = begun(Danger.VIOLENCE).goes_on("nomor polisi berapa", NOW)
    assert (danger.kind, danger.told[-1]) == (Danger.VIOLENCE, "utter_crisis_crime")


def test_the_family_of_who_is_abroad_is_told_what_it_can_do_from_here() -> None:
    message = "suami saya kerja di kapal taiwan, dia bilang mau bunuh diri"
    danger = OpenDanger.begins(Danger.DESPAIR, NOW, None).starts(message, NOW)[-1]
    assert danger.told == ("utter_crisis", "utter_danger_family")
    assert said(danger, "saya di lombok, harus telpon mana")[0] == "utter_danger_mission"
    assert said(danger, "kalau hotline kemlu?")[0] == "utter_danger_mission"


@pytest.mark.parametrize("message", ["saya di rumah, dia di depan pintu", "aku di jakarta"])
def test_who_is_at_home_in_a_danger_here_is_told_nothing_of_abroad(message: str) -> None:
    assert not {"utter_danger_mission", "utter_danger_family"} & set(said(begun(Danger.VIOLENCE), message))
