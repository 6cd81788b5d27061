"""A form takes corrections of what it was given, in many words, and takes nothing for one that is an answer."""

from __future__ import annotations

from typing import Any

import pytest

from services.commands import Command, find_command
from services.corrections import mended
from services.journeys import CONFIRMATION, Journey, Outcome, Step
from services.registry import JOURNEYS

ASPIRATION: dict[str, Any] = {
    "consent": True,
    "text": "Pasar desa kami kebanjiran setiap hujan",
    "topic": "lingkungan",
    "policy": "RTRW",
    "place": "Bogor",
    "name": "Tono",
    "contact": None,
}
REQUEST: dict[str, Any] = {
    "applicant": "wni",
    "details": "laporan kinerja tahun 2024 lengkap",
    "purpose": "penelitian",
    "name": "Rina",
    "address": "Jl. Melati 5, Bandung",
    "contact": "+6281234567890",
    "obtain": "salinan",
    "delivery": "email",
}
GIVEN = {"aspiration": ASPIRATION, "information": REQUEST}


def took(name: str, asked: str, said: str) -> tuple[Step, dict[str, Any]]:
    """The step after `said` where `asked` is open and all before it is given, and what changed."""
    journey: Journey = JOURNEYS[name]
    field = journey.field_named(asked)
    assert field is not None
    given = GIVEN[name]
    if field is not CONFIRMATION:
        order = [one.name for one in journey.fields]
        given = {key: value for key, value in given.items() if order.index(key) < order.index(asked)}
    step = journey.take(field, said, given)
    return step, {key: value for key, value in step.fields.items() if given.get(key, 0) != value}


@pytest.mark.parametrize(
    ("name", "said", "changed"),
    [
        ("aspiration", "daerahnya ganti jadi Bekasi dong", {"place": "Bekasi"}),
        ("aspiration", "tolong ubah daerah ke Garut", {"place": "Garut"}),
        ("aspiration", "4 kota Ambon", {"place": "kota Ambon"}),
        ("aspiration", "yg nomor 4 keliru, harusnya Ambon", {"place": "Ambon"}),
        ("aspiration", "daerahnya kabupaten Alor", {"place": "kabupaten Alor"}),
        ("aspiration", "kebijakannya dikosongkan saja", {"policy": None}),
        ("aspiration", "eh, nama dihapus aja, anonim", {"name": None}),
        ("aspiration", "please remove my name", {"name": None}),
        ("aspiration", "change the name to John Smith", {"name": "John Smith"}),
        ("aspiration", "nama jadi Siti Aminah, kontak jadi siti@contoh.id", {"name": "Siti Aminah", "contact": "siti@contoh.id"}),
        ("aspiration", "isi ganti: mohon pasar desa kami ditinggikan", {"text": "mohon pasar desa kami ditinggikan"}),
        ("aspiration", "isinya tambahin: sudah tiga tahun begini", {"text": f"{ASPIRATION['text']}\nsudah tiga tahun begini"}),
        ("information", "alamatnya ganti jl mawar 3 jogja", {"address": "jl mawar 3 jogja"}),
        ("information", "no 8 pos aja", {"delivery": "pos"}),
        ("information", "3 ganti: bahan skripsi", {"purpose": "bahan skripsi"}),
        ("information", "ralat tujuan: bahan berita", {"purpose": "bahan berita"}),
    ],
)
def test_a_summary_takes_a_correction_with_its_value(name: str, said: str, changed: dict[str, Any]) -> None:
    step, found = took(name, CONFIRMATION.name, said)
    assert (step.field, found) == (CONFIRMATION, changed)


@pytest.mark.parametrize(
    ("said", "part"),
    [
        ("1", "text"),
        ("yang kedua", "topic"),
        ("nomor 4 salah", "place"),
        ("isine kurang pak", "text"),
        ("ubah nama", "name"),
        ("I want to change the name", "name"),
        ("belum, kontaknya keliru", "contact"),
        ("nama ganti: kenapa begitu", "name"),
    ],
)
def test_a_number_or_a_name_under_a_summary_is_a_part_to_change_and_never_a_yes(said: str, part: str) -> None:
    step, _ = took("aspiration", CONFIRMATION.name, said)
    assert step.outcome is Outcome.ASK
    assert step.field == JOURNEYS["aspiration"].field_named(part)


@pytest.mark.parametrize("said", ["kembali", "biarkan saja", "tidak jadi diubah", "keep it"])
def test_what_was_given_before_comes_back_where_nothing_is_to_change_after_all(said: str) -> None:
    step, _ = took("aspiration", CONFIRMATION.name, "ubah nomor 1")
    assert step.field is not None
    back = JOURNEYS["aspiration"].take(step.field, said, step.fields)
    assert (back.field, back.fields) == (CONFIRMATION, ASPIRATION)


def test_several_parts_can_be_asked_for_again_at_once() -> None:
    journey = JOURNEYS["information"]
    changing = journey.take(CONFIRMATION, "ada yang salah", REQUEST)
    step = journey.take(CONFIRMATION, "4 sama 5", changing.fields)
    assert {"name", "address"} & set(step.fields) == set()
    assert step.field == journey.field_named("name")


@pytest.mark.parametrize(
    ("name", "asked", "said", "changed"),
    [
        ("information", "name", "eh kembali, alasannya ganti penelitian mahasiswa", {"purpose": "penelitian mahasiswa"}),
        ("information", "name", "Andi. tapi tujuannya salah, tujuannya bahan berita", {"purpose": "bahan berita", "name": "Andi"}),
        ("aspiration", "contact", "nama saya Haji Sukri, daerahnya Lombok Timur", {"name": "Haji Sukri", "place": "Lombok Timur"}),
        ("aspiration", "place", "isinya salah, ganti: pasar kami perlu atap baru", {"text": "pasar kami perlu atap baru"}),
        ("aspiration", "topic", "eh ngawur. ganti: laman Setneg sering lambat dibuka", {"text": "laman Setneg sering lambat dibuka"}),
        (
            "aspiration",
            "topic",
            "sudah tiga kali panen kami kalah oleh air, bendungannya jebol terus",
            {"text": f"{ASPIRATION['text']}\nsudah tiga kali panen kami kalah oleh air, bendungannya jebol terus"},
        ),
    ],
)
def test_an_earlier_answer_is_corrected_at_a_later_question(name: str, asked: str, said: str, changed: dict[str, Any]) -> None:
    _, found = took(name, asked, said)
    assert {key: value for key, value in found.items() if not key.startswith("_") and key != "topic"} == changed


@pytest.mark.parametrize(
    ("name", "asked", "said"),
    [
        ("information", "name", "Salam Harahap"),
        ("information", "name", "Dominggus Mau"),
        ("aspiration", "policy", "kebijakan ganti rugi lahan"),
        ("aspiration", "policy", "tidak ada kebijakan zonasi yang adil"),
        ("aspiration", "place", "Desa Sukamaju yang ganti nama jadi Sukajadi"),
    ],
)
def test_an_answer_with_such_words_is_no_correction(name: str, asked: str, said: str) -> None:
    assert took(name, asked, said)[1] == {asked: said}


@pytest.mark.parametrize(
    ("asked", "said", "kept"),
    [
        ("name", "jgn pake nama ya min aku takut", {"name": None}),
        ("name", "beta seng mau kas nama", {"name": None}),
        ("name", "I said anonymous", {"name": None}),
        ("contact", "hp wae ora duwe, nunut anakku", {"contact": None}),
        ("place", "teu aya", {"place": None}),
        ("place", "Yogyakarta, and anonymous please", {"place": "Yogyakarta", "name": None}),
        ("policy", "tidak tahu nak", {"policy": None}),
    ],
)
def test_who_would_rather_not_say_leaves_out_what_may_be_left_out(asked: str, said: str, kept: dict[str, Any]) -> None:
    assert took("aspiration", asked, said)[1] == kept


def test_who_would_rather_not_give_a_name_that_is_needed_is_told_so() -> None:
    step, found = took("information", "name", "ga mau kasih nama, takut")
    assert (step.outcome, step.response, found) == (Outcome.REJECTED, "utter_field_is_required", {})


@pytest.mark.parametrize(
    ("said", "kept"),
    [("bandung, eh salah, cimahi", "cimahi"), ("Tono eh maaf salah Tini", "Tini"), ("kota Salatiga", "kota Salatiga")],
)
def test_a_slip_of_the_tongue_is_mended(said: str, kept: str) -> None:
    place = JOURNEYS["aspiration"].field_named("place")
    assert place is not None
    assert mended(place, said) == kept


@pytest.mark.parametrize(
    "said",
    [
        "udh bener kirim",
        "Saya menyetujui.",
        "nggih, kulo setuju",
        "kirim mawon",
        "iya yakin",
        "kirim atuh",
        "Silakan dikirim.",
        "ya beta mau",
    ],
)
def test_a_yes_may_be_made_of_several_words(said: str) -> None:
    assert find_command(said) is Command.YES


@pytest.mark.parametrize(
    "said", ["saya mau", "kirim ke kantor pos", "benar-benar rusak", "data itu salah", "sudah saya kirim suratnya"]
)
def test_words_of_a_yes_among_others_are_none(said: str) -> None:
    assert find_command(said) is not Command.YES


@pytest.mark.parametrize(
    "said", ["batal. SP-nya belum terbit kok", "ga jadi deh, males. udahan", "gak jadi dulu, batalin aja keberatannya"]
)
def test_a_cancel_at_the_beginning_is_one_whatever_follows(said: str) -> None:
    assert find_command(said) is Command.CANCEL


@pytest.mark.parametrize(
    "said",
    [
        "kayaknya saya gak jadi deh pak, males",
        "lho kan saya bilang berhenti",
        "STOP udah cukup ga usah diterusin pak saya ga mau lanjut",
        "gw ga mau lanjut",
    ],
)
def test_who_stops_in_words_of_ones_own_is_let_out(said: str) -> None:
    assert find_command(said) is Command.CANCEL


@pytest.mark.parametrize(
    "said",
    [
        "beasiswa saya tidak jadi cair",
        "stop impor beras",
        "tolong hentikan. tambang itu merusak sungai kami",
        "mau dibangun puskesmas, tidak jadi. kami kecewa",
    ],
)
def test_what_stopped_elsewhere_stops_no_form(said: str) -> None:
    assert find_command(said) is None


@pytest.mark.parametrize(
    ("said", "changed"),
    [
        ("bukan Bogor deh, tulis Garut saja", {"place": "Garut"}),
        ("topiknya bukan lingkungan tapi ekonomi", {"topic": "ekonomi"}),
        ("isinya kurang: mohon pompa air", {"text": f"{ASPIRATION['text']}\nmohon pompa air"}),
        ("ubah isi, tambahin sudah lapor RT", {"text": f"{ASPIRATION['text']}\nsudah lapor RT"}),
        ("nama saya Yudi Pranoto bukan Tono", {"name": "Yudi Pranoto"}),
        ("remove my name", {"name": None}),
        ("add to the text: the pump is broken", {"text": f"{ASPIRATION['text']}\nthe pump is broken"}),
        ("lho kok nama saya ada, kosongin aja namanya", {"name": None}),
        ("air bersih itu masuk topik mana, bukan gitu, pokoknya yang cocok saja ya pak", {}),
    ],
)
def test_a_part_of_a_value_is_changed_and_nothing_is_pasted_in_unasked(said: str, changed: dict[str, Any]) -> None:
    assert took("aspiration", CONFIRMATION.name, said)[1] == changed


@pytest.mark.parametrize(
    ("message", "outcome", "topic"),
    [
        ("eh ga jadi, kesehatan aja", Outcome.ASK, "kesehatan"),
        ("ga jadi, balik ke yang tadi aja", Outcome.ASK, "pendidikan"),
        ("ga jadi, males", Outcome.CANCELLED, None),
        ("eh ga jadi deh", Outcome.CANCELLED, None),
    ],
)
def test_a_second_thought_at_the_summary_deletes_nothing_where_it_names_a_choice(
    message: str, outcome: Outcome, topic: str | None
) -> None:
    journey, given = JOURNEYS["aspiration"], {**GIVEN["aspiration"], "topic": "pendidikan"}
    step = journey.take(CONFIRMATION, journey.second_thought(CONFIRMATION, message, given) or message, given)
    assert (step.outcome, step.fields.get("topic")) == (outcome, topic)


def test_one_figure_in_place_of_another_leaves_the_rest_of_the_value() -> None:
    given = {**GIVEN["information"], "address": "Jl. Mawar 8 RT 2, Bandung"}
    step = JOURNEYS["information"].take(CONFIRMATION, "alamatnya no 18 bukan 8", given)
    assert step.fields["address"] == "Jl. Mawar 18 RT 2, Bandung"


def test_an_e_mail_address_is_no_postal_address() -> None:
    step, found = took("information", "address", "rina.hapsari@contoh.id")
    assert (step.outcome, found) == (Outcome.REJECTED, {})


@pytest.mark.parametrize(
    ("message", "name"),
    [
        ("eh ga jadi, anonim aja. hapus namaku", None),
        ("eh jangan, hapus namanya aja, yang lain biarin", None),
        ("eh ga jadi, namanya Rina saja", "Rina"),
    ],
)
def test_a_second_thought_about_one_answer_calls_nothing_else_off(message: str, name: str | None) -> None:
    journey = JOURNEYS["aspiration"]
    contact = journey.field_named("contact")
    assert contact
    fields = {
        "consent": True,
        "text": "Tolong perbanyak bus sekolah di kampung",
        "topic": "pendidikan",
        "policy": None,
        "name": "siti",
    }
    step = journey.take(contact, journey.second_thought(contact, message, fields), fields)
    assert (step.outcome, step.fields["name"]) == (Outcome.ASK, name)
    assert journey.second_thought(contact, "ga jadi, males", fields) == ""


def test_a_part_that_stands_in_two_values_is_changed_in_neither_unasked() -> None:
    given = {**ASPIRATION, "name": "Budi Garut", "place": "Garut"}
    assert JOURNEYS["aspiration"].take(CONFIRMATION, "bukan Garut tapi Bogor", given).fields == given


def test_a_sentence_that_only_holds_a_word_of_correction_corrects_nothing() -> None:
    assert took("aspiration", "topic", "jalan desa itu salah: rusak")[1] == {}
