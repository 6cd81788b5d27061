"""Each kind of danger gets its own numbers; a threat gets one calm sentence, a person in despair never does."""

from __future__ import annotations

import pytest
import yaml

from services.dangers import SENTENCES, Danger, danger_of, sentence_for
from services.settings import PROJECT

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
        "mau loncat dari jembatan",
    ],
    Danger.VIOLENCE: [
        "suami saya memukul saya tiap malam",
        "bos saya melecehkan teman saya di kantor",
        "anak tetangga dikurung dan disiksa",
        "someone is beating my sister",
        "ayah tiri bawa parang mengejar ibu",
        "om saya raba-raba saya",
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
    ],
}


@pytest.mark.parametrize(("kind", "message"), [(kind, message) for kind, listed in MESSAGES.items() for message in listed])
def test_the_words_tell_the_kind_of_danger(kind: Danger, message: str) -> None:
    assert danger_of(message) is kind


def test_where_the_words_do_not_tell_every_number_is_named() -> None:
    assert danger_of("sudah kutitipkan kuncinya, terima kasih untuk semuanya") is None
    assert sentence_for("sudah kutitipkan kuncinya, terima kasih untuk semuanya") == "utter_crisis"


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
