"""Which kind a complaint is of, and what is said to who tells more."""

from __future__ import annotations

import pytest
import yaml

from services.complaints import kind_going_on, kind_instead_of, kind_of, kinds
from services.knowledge import Knowledge
from services.settings import PROJECT

FRAUD = "pengaduan_penipuan"


@pytest.mark.parametrize(
    ("message", "response"),
    [
        ("udah transfer terus gimana", "utter_fraud_paid"),
        ("tadi udah tf 5 juta", "utter_fraud_paid"),
        ("duitnya terlanjur masuk ke rek dia", "utter_fraud_paid"),
        ("kadung transfer pak", "utter_fraud_paid"),
        ("saya bukan mau bayar, udah kejadian", "utter_fraud_paid"),
        ("I already paid them", "utter_fraud_paid"),
        ("uang saya bisa balik ga", "utter_fraud_money_back"),
        ("can I get my money back?", "utter_fraud_money_back"),
        ("nomor polisi berapa", "utter_fraud_police"),
        ("sudah kirim foto ktp", "utter_fraud_identity"),
        ("foto ktp saya udah terlanjur dikirim", "utter_fraud_identity"),
        ("I sent him my ID card", "utter_fraud_identity"),
    ],
)
def test_who_has_paid_or_sent_an_identity_card_is_told_what_to_do_now(message: str, response: str) -> None:
    kind = kind_going_on(message, FRAUD)
    assert kind is not None
    assert kind.told_in(message) == [response]


@pytest.mark.parametrize(
    "message",
    [
        "belum transfer kok",
        "saya sudah bilang tidak mau bayar",
        "orangnya minta transfer",
        "harus bayar berapa",
        "disuruh transfer biaya",
        "sudah kirim email ke setneg belum dibalas",
        "udah saya laporkan ke polisi",
        "apakah benar dia pegawai setneg",
        "dia minta foto ktp",
        "they want my ID card",
        "how much is the fee",
        "he wants money",
    ],
)
def test_who_has_not_paid_is_told_not_to(message: str) -> None:
    assert kind_going_on(message, FRAUD) is None


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        ("jalanan bolong2 kagak dibenerin, ngadunya kemane", "region"),
        ("jalan depan rumah saya udah setahun rusak", "region"),
        ("the road in our village is broken", "region"),
        ("pln sering mati lampu", "region"),
        ("kalo jalan desa lapornya kemana sih", "region"),
        ("solar susah di spbu", "region"),
        ("uang pensiun bapak belum cair", "region"),
        ("anak saya didorong temannya di kelas", "bullying"),
        ("my son was bullied at school", "bullying"),
        ("gimana kelanjutan laporan saya di LAPOR?", "lapor_report"),
        ("udah 2 minggu lapor di lapor.go.id dicuekin", "lapor_report"),
        ("LAPOR! #9087712 belum ada kabar", "lapor_report"),
        ("my report on LAPOR! is still unanswered", "lapor_report"),
        ("kepala sekolah minta uang rokok", "corruption"),
        ("petugas loket galak", "service"),
    ],
)
def test_the_words_tell_the_kind(message: str, kind: str) -> None:
    found = kind_of(message)
    assert found is not None
    assert found.name == kind


@pytest.mark.parametrize(
    ("message", "found"),
    [
        ("berapa hari kerja laporan saya di LAPOR! belum dijawab", "pengaduan_lapor_waktu"),
        ("cara lapor di lapor.go.id gimana", "pengaduan_lapor"),
        ("beda kpk sama lapor apa, jalan rusak ke mana", "pengaduan"),
        ("di LAPOR jalan rusak bisa anonim?", "pengaduan_lapor"),
    ],
)
def test_a_question_about_a_channel_keeps_its_answer(message: str, found: str) -> None:
    assert kind_instead_of(message, found) is None


def test_kinds_name_entries_and_sentences_that_exist(knowledge: Knowledge) -> None:
    responses = yaml.safe_load((PROJECT / "domain.yml").read_text(encoding="utf-8"))["responses"]
    for kind in kinds():
        assert all(knowledge.entry(entry) for entry in (kind.entry, *kind.instead_of))
        assert {one.response for one in kind.told} | ({kind.response} if kind.response else set()) <= set(responses)
