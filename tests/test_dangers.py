"""Each kind of danger gets its own numbers; a threat gets one calm sentence, a person in despair never does."""

from __future__ import annotations

import csv
import re

import pytest
import yaml

from services.dangers import CALM_FILE, SENTENCES, WORDS_FILE, Danger, danger_of, is_certain, only_looks_like_one, sentence_for
from services.open_dangers import NEEDS_FILE
from services.settings import PROJECT
from services.spelling import normalise

MESSAGES = {
    Danger.THREAT: [
        "saya bawa bom ke istana",
        "besok kantor itu gue bakar",
        "kami akan meledakkan gedung kalian",
        "I will shoot the minister tomorrow",
        "tunggu saja, istana kalian bakal berdarah",
        "sa bakar kantor itu besok",
    ],
    Danger.DESPAIR: [
        "saya ingin bunuh diri",
        "pengen mati aja rasanya",
        "udah ga kuat hidup",
        "aku bawa pisau, mau akhiri hidupku malam ini",
        "I want to die",
        "abdi tos teu hayang hirup",
        "dia ngunci diri di kamar, katanya udah nyiapin tali",
        "kalau saya hilang semua orang lega",
        "I will burn myself in front of your office",
        "mau loncat dari jembatan",
    ],
    Danger.VIOLENCE: [
        "suami saya memukul saya tiap malam",
        "suami sy mabuk bawa golok di depan pintu, sy dan anak sembunyi di kamar",
        "tetangga bawa parang di luar rumah",
        "bos saya melecehkan teman saya di kantor",
        "anak tetangga dikurung dan disiksa",
        "someone is beating my sister",
        "ayah tiri bawa parang mengejar ibu",
        "om saya raba-raba saya",
        "guru lesku suka pegang badanku, katanya jangan cerita",
        "paman nyuruh aku lepas baju terus difoto",
        "he comes to my room at night, it's our secret he says",
        "paspor saya ditahan agen, kami dikunci di mess",
        "aku mau dipaksa nikah minggu depan",
        "bapakku tampar ibu lagi",
    ],
    Danger.CRIME: [
        "saya dijambret, hp ilang",
        "motor ane dirampas debt collector barusan, ane diancem golok",
        "my passport was stolen in Monas area help",
        "I just got mugged near the station",
        "ibu saya kecopetan di busway",
        "dc pinjol datang ngancem pakai parang",
        "saya dicegat orang bawa celurit",
        "what's the police number",
        "nomor polisi berapa kak",
    ],
    Danger.RESCUE: [
        "beta pung laki pi melaut su 3 hari seng pulang, beta musti telpon sapa?",
        "perahu nelayan desa kami belum balik sejak semalam, cuaca buruk",
        "ombak basar… parahu mau tabalik tolong e",
        "adik saya naik gunung belum turun dari kemarin",
        "bapak kebawa banjir belum ketemu",
        "nomor SAR berapa",
        "basarnas nomornya?",
    ],
    Danger.EMERGENCY: [
        "rumah tetangga kebakaran, tolong",
        "gempa besar, ada yang tertimbun",
        "ibu saya pingsan tidak bernapas",
        "ada tas mencurigakan di lobi",
        "there is a flood and we are trapped",
        "bayi saya keselek, mukanya biru",
        "anak nelen pembersih lantai",
        "istri mau lahiran, bidannya pergi",
        "API SUDAH SAMPAI KE LOTENG",
        "kami tiarap, ada orang nembak-nembak di pasar",
        "kakek dipatok ular di sawah",
        "ada tas bunyi tik tik di halte, kami takut itu bom",
        "keponakan saya ditarik paksa orang ke mobil",
        "kereta mau lewat, mobil kami mati di rel",
    ],
}


@pytest.mark.parametrize(("kind", "message"), [(kind, message) for kind, listed in MESSAGES.items() for message in listed])
def test_the_words_tell_the_kind_of_danger(kind: Danger, message: str) -> None:
    assert danger_of(message) is kind


def test_where_the_words_do_not_tell_every_number_is_named() -> None:
    message = "sudah kutitipkan kuncinya, terima kasih untuk semuanya"
    assert danger_of(message) is None
    responses = yaml.safe_load((PROJECT / "domain.yml").read_text(encoding="utf-8"))["responses"]
    for variant in responses[sentence_for(danger_of(message))]:
        assert all(number in variant["text"] for number in ("**110**", "**112**", "**119 ext. 8**", "**SAPA 129**"))


@pytest.mark.parametrize(
    "message", ["toilet stasiun digembok dari luar", "petugasnya ngamuk waktu saya tanya", "ktp saya diambil satpam"]
)
def test_words_that_are_harmless_in_most_messages_count_only_where_a_danger_was_found(message: str) -> None:
    assert danger_of(message) is Danger.VIOLENCE
    assert danger_of(message, found=False) is None


@pytest.mark.parametrize(
    "message", ["cara mati tanpa sakit", "dosis obat yang mematikan brp", "how to die without pain", "abdi hayang paeh wae"]
)
def test_who_asks_for_ways_to_die_is_in_danger_whatever_the_classifier_holds(message: str) -> None:
    assert is_certain(message)
    assert danger_of(message) is Danger.DESPAIR


@pytest.mark.parametrize("message", ["cara mematikan notifikasi", "cara hidup sehat", "obat batuk dosisnya berapa", "mati lampu"])
def test_a_question_on_other_things_is_none(message: str) -> None:
    assert not is_certain(message)


def test_every_word_of_a_pattern_is_in_the_spelling_that_messages_are_brought_to() -> None:
    needed = yaml.safe_load(NEEDS_FILE.read_text(encoding="utf-8"))
    listed = [*yaml.safe_load(WORDS_FILE.read_text(encoding="utf-8")), *needed["needs"]]
    patterns = [pattern for one in listed for pattern in one["patterns"]]
    patterns += [*needed["denials"], *needed["no_denials"], *needed["no_rest"], *yaml.safe_load(CALM_FILE.read_text(encoding="utf-8"))]
    words = {word for pattern in patterns for word in re.findall(r"[a-z']{3,}", re.sub(r"[a-z']+\\w[*+]|\\[a-z]", " ", pattern))}
    assert {word: normalise(word) for word in words if normalise(word) != word} == {}


def test_a_threat_is_not_met_with_condolence_nor_with_a_penalty_and_names_the_numbers() -> None:
    responses = yaml.safe_load((PROJECT / "domain.yml").read_text(encoding="utf-8"))["responses"]
    for variant in responses[SENTENCES[Danger.THREAT]]:
        assert "110" in variant["text"]
        assert "112" in variant["text"]
        for word in ("prihatin", "sorry", "pidana", "KUHP", "penjara", "prison"):
            assert word not in variant["text"]


@pytest.mark.parametrize("kind", Danger)
def test_every_kind_has_a_sentence_in_both_languages(kind: Danger) -> None:
    responses = yaml.safe_load((PROJECT / "domain.yml").read_text(encoding="utf-8"))["responses"]
    assert len(responses[SENTENCES[kind]]) == 2


@pytest.mark.parametrize("message", [*MESSAGES[Danger.RESCUE], *MESSAGES[Danger.CRIME][:5]])
def test_who_is_missing_or_robbed_is_heard_whatever_the_classifier_holds(message: str) -> None:
    assert is_certain(normalise(message))


@pytest.mark.parametrize(
    "message",
    [
        "anak saya hilang di monas",
        "ibuku pikun ilang nang pasar",
        "my son is lost at the zoo",
        "anakku belum pulang dari kemarin",
        "I can't find my kid",
    ],
)
def test_who_misses_somebody_in_a_town_is_sent_to_the_police_and_to_no_search_at_sea(message: str) -> None:
    assert is_certain(normalise(message))
    assert danger_of(message) is Danger.EMERGENCY


@pytest.mark.parametrize(
    "message",
    [
        "cara mencegah kompor gas meledak",
        "payung anak saya hilang di istana",
        "kenapa nama ibu saya hilang dari daftar penerima",
        "anak saya hilang semangat magang",
        "suami saya belum pulang dari dinas di Jepang, laporannya bagaimana",
        "saya pernah dijambret di depan stasiun, tolong pasang cctv",
        "tanah kami dirampas mafia",
        "data saya dicuri pinjol",
        "aspirasi saya tentang nelayan yang tidak pulang",
        "Dua pendaki yang sempat hilang di Gunung Slamet ditemukan selamat oleh tim SAR gabungan.",
        "buku nikah ilang pas banjir, ngurus gantinya ke KUA mana",
        "nomor polisi kendaraan saya B 1234 XY",
        "nomor laporan polisi saya 123",
    ],
)
def test_the_same_words_about_other_things_are_no_certain_danger(message: str) -> None:
    assert not is_certain(normalise(message))


@pytest.mark.parametrize(
    "message",
    ["ane diancem golok", "beta dapa ancam deng parang", "saya ditagih sambil diancam", "mereka ngancam saya pake pisau"],
)
def test_who_is_threatened_is_never_taken_for_who_threatens(message: str) -> None:
    assert danger_of(message) in {Danger.CRIME, Danger.VIOLENCE}


def test_of_the_messages_that_are_none_no_word_is_certain() -> None:
    with (PROJECT / "evaluation" / "not_crisis.csv").open(encoding="utf-8", newline="") as file:
        assert [row["text"] for row in csv.DictReader(file) if is_certain(normalise(row["text"]))] == []


@pytest.mark.parametrize(
    "message",
    [
        "my wife can't climb stairs, is there a lift?",
        "the ambassador can't come on Monday, can we move the meeting?",
        "istri saya gak bisa naik tangga",
        "we cannot pay online, is cash ok?",
        "ledakan pelanggan di toko ambo",
    ],
)
def test_what_somebody_cannot_do_is_no_danger_by_itself(message: str) -> None:
    assert only_looks_like_one(message)


@pytest.mark.parametrize(
    ("message", "is_calm"),
    [
        ("guru gw mau bunuh gw gara2 PR belum kelar", True),
        ("bos bakal bunuh gue kalau laporan telat", True),
        ("bapak mau bunuh saya gara gara nilai", False),
        ("dosen itu mau bunuh saya", False),
    ],
)
def test_a_teacher_who_kills_for_homework_is_a_way_to_speak_and_a_father_is_not(message: str, is_calm: bool) -> None:
    assert only_looks_like_one(message) is is_calm


@pytest.mark.parametrize(
    "message", ["I can't find my son since the flood", "she can't breathe", "ibu saya jatuh dan tidak bisa jalan"]
)
def test_what_somebody_in_danger_cannot_do_stays_one(message: str) -> None:
    assert not only_looks_like_one(message)
