"""What each form must ask for and may ask for, by the rule that says so. A field added to or taken from a form shows here."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
import yaml

from services.calendar import WorkingCalendar
from services.commands import Command, find_command
from services.fields import Choice, Field, Rejection, SeveralChoices, consent
from services.journeys import CONFIRMATION, Journey, Outcome
from services.left_out import without_name
from services.objections import is_late
from services.registry import JOURNEYS
from services.settings import PROJECT
from services.status_checks import holds_another

REQUIRED, OPTIONAL, SOME = "required", "optional", "required of some"

# UU 14/2008 art. 1 no. 12 and 4 (who may ask), 4(3) (reasons), 22(2) (name, address, details); contact and the ways to obtain and
# to send as in Permen P2MI 14/2025 art. 21(d), (h), (i), the model where the law says no more.
INFORMATION = {
    "applicant": REQUIRED,
    "details": REQUIRED,
    "purpose": REQUIRED,
    "name": REQUIRED,
    "address": REQUIRED,
    "contact": REQUIRED,
    "obtain": REQUIRED,
    "delivery": REQUIRED,
}
# UU 14/2008 art. 35(1) a to g (grounds), 36(1) (30 working days from the day the ground was found). Who sent the request by letter or
# e-mail and got no number says when and how instead, in the statement.
OBJECTION = {
    "request_number": OPTIONAL,
    "grounds": REQUIRED,
    "found_on": REQUIRED,
    "statement": REQUIRED,
    "wish": OPTIONAL,
    "name": REQUIRED,
    "contact": REQUIRED,
}
# UU 12/2011 as amended by UU 13/2022 art. 96 (input of the public), UU 25/2009 art. 18 and 39 (participation); what is told with the
# consent: UU 27/2022 art. 21.
ASPIRATION = {
    "consent": REQUIRED,
    "text": REQUIRED,
    "join": SOME,  # only where the same person has just sent much the same text
    "topic": REQUIRED,
    "policy": OPTIONAL,
    "place": OPTIONAL,
    "name": OPTIONAL,
    "contact": OPTIONAL,
}
# No law names these: what officers need to call back. Consent of a child's parents by UU 27/2022 art. 25.
INTERNSHIP = {
    "level": REQUIRED,
    "parent": SOME,  # of pupils
    "campus": REQUIRED,
    "study": REQUIRED,
    "semester": REQUIRED,
    "unit": OPTIONAL,
    "period": REQUIRED,
    "name": REQUIRED,
    "contact": REQUIRED,
}
# No law names these either: what officers need to prepare a visit. Needs of people with disabilities: UU 25/2009 art. 29.
VISIT = {
    "kind": REQUIRED,
    "institution": REQUIRED,
    "mode": REQUIRED,
    "date": REQUIRED,
    "other_date": OPTIONAL,
    "people": REQUIRED,
    "theme": REQUIRED,
    "needs": OPTIONAL,
    "name": REQUIRED,
    "contact": REQUIRED,
}
FORMS = {
    "information": INFORMATION,
    "objection": OBJECTION,
    "aspiration": ASPIRATION,
    "internship": INTERNSHIP,
    "visit": VISIT,
}


def field(journey: str, name: str) -> Field:
    found = JOURNEYS[journey].field_named(name)
    assert found is not None
    return found


def mark(one: Field) -> str:
    if not one.when({}):
        return SOME
    return OPTIONAL if one.optional else REQUIRED


@pytest.mark.parametrize("name", FORMS)
def test_a_form_asks_for_what_its_rule_names_and_for_nothing_else(name: str) -> None:
    assert {one.name: mark(one) for one in JOURNEYS[name].fields} == FORMS[name]
    assert JOURNEYS[name].confirm


@pytest.mark.parametrize("name", FORMS)
def test_a_required_field_can_not_be_skipped_and_an_optional_one_can(name: str) -> None:
    journey = JOURNEYS[name]
    for one in journey.fields:
        step = journey.take(one, "lewati", {})
        skipped = one.name in step.fields and step.fields[one.name] is None
        assert skipped is (FORMS[name][one.name] == OPTIONAL), one.name


@pytest.mark.parametrize("journey", JOURNEYS.values(), ids=JOURNEYS)
def test_no_form_asks_for_an_identity_number(journey: Journey) -> None:
    """A copy of the KTP or the deed goes to the PPID, never into a chat."""
    responses = yaml.safe_load((PROJECT / "domain.yml").read_text())["responses"]
    for one in journey.all_fields:
        for said in responses[f"utter_ask_{journey.name}_{one.name}"]:
            assert not {"nik", "ktp", "paspor", "passport", "npwp"} & set(said["text"].lower().replace(",", " ").split()), said["text"]


@pytest.mark.parametrize("filed", ["information_filed", "objection_filed"])
def test_who_is_represented_is_told_of_the_power_of_attorney(filed: str) -> None:
    """Permen P2MI 14/2025 art. 21(e), the model for what a request holds. The paper itself is shown outside the chat."""
    responses = yaml.safe_load((PROJECT / "domain.yml").read_text())["responses"]
    for name in (f"utter_{filed}", f"utter_{filed}_without_due_date"):
        indonesian, english = (said["text"] for said in responses[name])
        assert "surat kuasa" in indonesian
        assert "power of attorney" in english


def test_a_request_needs_a_name_of_2_to_100_characters_and_details_of_at_least_20() -> None:
    name, details = field("information", "name").check, field("information", "details").check
    assert [isinstance(name("a" * n), Rejection) for n in (1, 2, 100, 101)] == [True, False, False, True]
    assert [isinstance(details("a" * n), Rejection) for n in (19, 20)] == [True, False]


def test_only_citizens_and_legal_entities_of_indonesia_may_request() -> None:
    journey = JOURNEYS["information"]
    assert journey.stops == {"applicant": ("lainnya", "utter_information_only_for_indonesians")}
    applicant = field("information", "applicant").check
    assert applicant == Choice(("wni", "badan_hukum", "lainnya"), "applicant")
    said = ("WNI dong", "saya warga biasa aja", "kami yayasan", "bukan wni pak", "no, i am foreign", "i'm not an Indonesian citizen")
    assert [applicant(one) for one in said] == ["wni", "wni", "badan_hukum", "lainnya", "lainnya", "lainnya"]


def test_an_objection_has_one_or_more_of_the_seven_grounds_in_the_order_of_the_law() -> None:
    grounds = field("objection", "grounds").check
    assert isinstance(grounds, SeveralChoices)
    assert grounds.values == (
        "penolakan",
        "tidak_disediakan_berkala",
        "tidak_ditanggapi",
        "tidak_sesuai_permintaan",
        "tidak_dipenuhi",
        "biaya_tidak_wajar",
        "terlambat",
    )


@pytest.mark.parametrize(
    ("found_on", "today", "late"),
    [("2026-11-23", "2027-01-08", False), ("2026-11-23", "2027-01-09", True), ("2027-12-20", "2028-02-20", None)],
)
def test_an_objection_is_late_after_thirty_working_days_that_can_be_counted(found_on: str, today: str, late: bool | None) -> None:
    assert is_late(date.fromisoformat(found_on), date.fromisoformat(today), WorkingCalendar()) is late


@pytest.mark.parametrize(
    ("said", "number"),
    [
        ("pip 20261123 7k4q", "PIP-20261123-7K4Q"),
        ("nomor dari PPID: 123/PPID/2026", "123/PPID/2026"),
        ("nomornya lupa", None),
        ("saya ajukan lewat email, tidak diberi nomor", None),
        ("I never got one, I don't have it", None),
        ("B 12 2026", "B 12 2026"),
        ("nomor permohonan saya adalah 12345", "12345"),
    ],
)
def test_the_number_of_the_request_may_stand_among_words_or_be_missing(said: str, number: str | None) -> None:
    assert field("objection", "request_number").check(said) == number


@pytest.mark.parametrize(
    "said", ["16 Oktober 2026", "16/10/2026", "12/11/26", "11-12-2036", "3 hari", "apakah Pasal 17 huruf i mengecualikan memorandum?"]
)
def test_a_date_or_a_sentence_is_no_number_of_a_request(said: str) -> None:
    assert isinstance(field("objection", "request_number").check(said), Rejection)


def test_a_ground_is_known_among_other_words_and_in_the_first_message() -> None:
    grounds = field("objection", "grounds")
    assert grounds.check("gak tau, pokoknya nggak dijawab") == ["tidak_ditanggapi"]
    assert JOURNEYS["objection"].begin("saya keberatan, permohonan saya ditolak", {}).fields["grounds"] == ["penolakan"]
    assert isinstance(grounds.check("gak tau"), Rejection)


@pytest.mark.parametrize(
    ("said", "applicant"),
    [
        ("mau minta salinan dokumen struktur organisasi Setneg tahun 2025", None),
        ("minta laporan tentang yayasan yang dikelola Setneg tahun 2025", None),
        ("kami dari yayasan bina desa minta laporan anggaran tahun 2025", "badan_hukum"),
        ("LSM kami minta laporan anggaran perjalanan tahun 2025", "badan_hukum"),
        ("we are a foundation and ask for the budget report of 2025", "badan_hukum"),
    ],
)
def test_a_legal_entity_is_who_asks_and_not_what_is_asked_about(said: str, applicant: str | None) -> None:
    assert JOURNEYS["information"].begin(said, {}).fields.get("applicant") == applicant


def test_what_is_asked_for_is_kept_without_the_address_that_stands_beside_it() -> None:
    said = "Saya Sari, WNI, ingin meminta salinan laporan tahunan Setneg 2025, email sari@contoh.id"
    fields = JOURNEYS["information"].begin(said, {}).fields
    assert fields == {"applicant": "wni", "details": "Saya Sari, WNI, ingin meminta salinan laporan tahunan Setneg 2025"}


@pytest.mark.parametrize("said", ["email aja", "rina@contoh.id", "nomor WhatsApp saja", "apa?"])
def test_a_way_to_be_reached_is_no_name(said: str) -> None:
    assert isinstance(field("information", "name").check(said), Rejection)


def test_a_command_is_no_misspelt_choice() -> None:
    topic = field("aspiration", "topic")
    assert isinstance(topic.check("lanjut"), Rejection)  # and not "laut"
    assert topic.check("lauut") == "lingkungan"


@pytest.mark.parametrize("said", ["tidak usah", "bukan nak, saya hanya bertanya", "hanya mau tanya kok", "just asking"])
def test_who_only_asks_is_let_out_of_the_question_for_consent(said: str) -> None:
    aspiration = JOURNEYS["aspiration"]
    assert aspiration.take(field("aspiration", "consent"), said, {}).outcome in (Outcome.CANCELLED, Outcome.STOPPED)


@pytest.mark.parametrize(
    ("said", "changed"),
    [
        ("eh tadi aspirasinya salah, yang benar usul perizinan usaha rumahan", {"text": "usul perizinan usaha rumahan"}),
        ("menurut saya aspirasi warga salah, yang benar adalah tetap di Desa Sukamaju", {}),
    ],
)
def test_a_long_message_corrects_an_earlier_answer_only_where_it_looks_back(said: str, changed: dict[str, str]) -> None:
    given = {"consent": True, "text": "x" * 20, "topic": "ekonomi", "policy": None}
    step = JOURNEYS["aspiration"].take(field("aspiration", "place"), said, given)
    assert {**given, **changed} == {name: value for name, value in step.fields.items() if name != "place"}


@pytest.mark.parametrize(
    ("name", "asked", "said", "given"),
    [
        ("aspiration", "text", "tolong perbaiki jalan di kota saya", {"consent": True}),
        ("aspiration", "policy", "kebijakan ganti rugi lahan", {"consent": True, "text": "x" * 20, "topic": "ekonomi"}),
        ("aspiration", "policy", "hapus nama jalan Belanda", {"consent": True, "text": "x" * 20, "topic": "ekonomi", "name": "Budi"}),
        ("aspiration", "policy", "hapus kebijakan impor beras", {"consent": True, "text": "x" * 20, "topic": "ekonomi"}),
        ("information", "details", "laporan tentang salah kirim surat keputusan", {"applicant": "wni"}),
        ("objection", "statement", "alasan penolakan yang diberikan PPID salah", {"grounds": ["penolakan"], "found_on": "2026-11-10"}),
    ],
)
def test_a_short_text_with_a_word_of_correction_is_the_answer_all_the_same(
    name: str, asked: str, said: str, given: dict[str, object]
) -> None:
    step = JOURNEYS[name].take(field(name, asked), said, given)
    assert step.fields == {**given, asked: said}


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("jangan pakai nama saya deh", {"name": None}),
        ("tanpa identitas saja", {"name": None, "contact": None}),
        ("alamatnya salah", {}),
        ("jangan hapus nama saya", {}),
        ("nama saya jangan dihapus", {}),
        ("eh wait namanya jangan dicantumin", {"name": None}),
        ("nama saya dibuang aja", {"name": None}),
        ("jangan pakai hp, ini budi@contoh.id", {"contact": "budi@contoh.id"}),
        ("hapus nama saya, kontak budi@contoh.id", {"name": None, "contact": "budi@contoh.id"}),
    ],
)
def test_an_optional_value_can_be_withdrawn(said: str, kept: dict[str, str | None]) -> None:
    given = {"consent": True, "text": "x" * 20, "topic": "ekonomi", "policy": None, "place": "Alor", "name": "Budi"}
    fields = JOURNEYS["aspiration"].take(field("aspiration", "contact"), said, given).fields
    assert {name: value for name, value in fields.items() if given.get(name, 0) != value} == kept


@pytest.mark.parametrize(
    "said", ["anonim aja deh", "gak usah pake nama", "rahasiakan nama saya", "namanya disembunyiin aja", "please hide my name"]
)
def test_a_name_is_taken_out_of_the_summary_in_many_ways(said: str) -> None:
    given = {"consent": True, "text": "x" * 20, "topic": "ekonomi", "policy": None, "place": "Alor", "name": "Budi", "contact": None}
    step = JOURNEYS["aspiration"].take(CONFIRMATION, said, given)
    assert (step.outcome, step.field, step.fields["name"]) == (Outcome.ASK, CONFIRMATION, None)
    assert JOURNEYS["aspiration"].take(CONFIRMATION, "jangan anonim", given).fields["name"] == "Budi"


@pytest.mark.parametrize(
    ("message", "command"),
    [
        ("eh gak jadi batal deh, lanjut", Command.REPEAT),
        ("gak jadi dihapus, lanjut aja", Command.REPEAT),
        ("lanjut aspirasi tadi", Command.REPEAT),
        ("bentar lagi ngetik ya, sambil nyetir ini", Command.WAIT),
        ("jangan hapus subsidi pupuk", None),
        ("jangan batalkan kenaikan gaji guru", None),
        ("sebentar lagi panen raya, pupuk langka", None),
        ("udeh kirim dah", Command.YES),
        ("nggih kirim le", Command.YES),
    ],
)
def test_a_cancel_that_is_taken_back_calls_nothing_off(message: str, command: Command | None) -> None:
    assert find_command(message) is command


@pytest.mark.parametrize("said", ["yang pertama?", "1?"])
def test_consent_is_not_read_from_a_question(said: str) -> None:
    assert isinstance(consent(said), Rejection)


@pytest.mark.parametrize(
    ("journey", "part", "said", "value"),
    [
        ("internship", "campus", "kampusnya bukan UPI tapi ITB", "ITB"),
        ("aspiration", "place", "daerahnya salah, bukan NTT tapi NTB", "NTB"),
        ("information", "address", "alamatnya tambahin RT 02 RW 05", "Jl. Mawar 5, Solo RT 02 RW 05"),
        ("objection", "grounds", "alasannya tambah terlambat", ["penolakan", "terlambat"]),
    ],
)
def test_a_correction_names_the_old_beside_the_new_or_adds_to_it(journey: str, part: str, said: str, value: object) -> None:
    given = {"campus": "UPI", "place": "NTT", "address": "Jl. Mawar 5, Solo", "grounds": ["penolakan"]}
    step = JOURNEYS[journey].take(CONFIRMATION, said, {part: given[part]})
    assert step.fields[part] == value


def test_who_does_not_know_the_topic_gets_the_one_for_all_others() -> None:
    topic = field("aspiration", "topic")
    assert [topic.check(said) for said in ("terserah", "gak tau deh", "pilihin aja")] == ["lainnya"] * 3


def test_who_may_not_use_an_errand_is_stopped_however_it_is_said() -> None:
    several = "pemohon: warga negara asing, rincian: laporan keuangan tahun 2025 lengkap"
    assert JOURNEYS["information"].take(field("information", "applicant"), several, {}).outcome is Outcome.STOPPED


@pytest.mark.parametrize("label", ["iſi", "İsi"])
def test_a_label_in_odd_letters_breaks_nothing(label: str) -> None:
    assert JOURNEYS["aspiration"].take(field("aspiration", "text"), f"{label}: {ROAD}, topik: ekonomi", {"consent": True})


def test_the_first_step_back_of_a_journey_without_confirmation_stays() -> None:
    assert JOURNEYS["simpel"].take(field("simpel", "number"), "kembali", {}).field == field("simpel", "number")


@pytest.mark.parametrize(
    ("said", "number"),
    [
        ("nomor permohonan saya 000107", "000107"),
        ("DEMO SMP 105", "DEMO-SMP-000105"),
        ("B-123/M.Sesneg/KTLN/11/2026", "B-123/M.SESNEG/KTLN/11/2026"),
        ("berangkat tanggal 5-12-2026, keburu?", None),
        ("you told me the fee is Rp 50.000", None),
        ("kalau H-3 bagaimana", None),
        ("2", None),
    ],
)
def test_a_simpel_number_is_one_word_with_digits_and_no_date_or_sum(said: str, number: str | None) -> None:
    found = field("simpel", "number").check(said)
    assert found == number if number else isinstance(found, Rejection)


def test_a_code_that_is_called_one_is_kept_beside_the_number() -> None:
    assert JOURNEYS["simpel"].take(field("simpel", "number"), "nomor 000107 kodenya B5S9MH", {}).fields == {
        "number": "000107",
        "code": "B5S9MH",
    }


def test_a_code_in_wide_letters_is_read() -> None:
    assert field("simpel", "code").check("４ＺＤ８ＫＦ") == "4ZD8KF"


@pytest.mark.parametrize("said", ["tidak tahu", "gak tau deh", "terserah", "entahlah", "I don't know"])
def test_who_does_not_know_leaves_out_what_may_be_left_out_and_ends_nothing(said: str) -> None:
    given = {"consent": True, "text": "x" * 20, "topic": "ekonomi"}
    assert JOURNEYS["aspiration"].take(field("aspiration", "policy"), said, given).fields["policy"] is None
    assert JOURNEYS["aspiration"].take(field("aspiration", "consent"), said, {}).outcome is Outcome.REJECTED
    assert JOURNEYS["information"].take(field("information", "purpose"), said, {}).outcome is Outcome.REJECTED


def test_a_story_told_early_is_not_cut_at_a_word_of_correction() -> None:
    said, aspiration = "kebijakan pajak ini salah, harusnya tarif untuk petani kecil segera diturunkan", JOURNEYS["aspiration"]
    told = aspiration.told_early(field("aspiration", "consent"), said, {})
    step = aspiration.take_told(field("aspiration", "consent"), said, {}, told)
    assert (step.fields, step.field) == ({"text": said}, field("aspiration", "consent"))


def test_a_ticket_number_is_no_simpel_number_and_costs_no_try() -> None:
    for asked in ("number", "code"):
        given = {"number": "X-1"} if asked == "code" else {}
        step = JOURNEYS["simpel"].take(field("simpel", asked), "ASP-20261123-7K4Q 4ZD8KF", given)
        assert (step.outcome, step.fields) == (Outcome.REJECTED, given)


def test_a_number_that_looks_like_a_code_is_taken_when_it_is_given_again() -> None:
    first = JOURNEYS["simpel"].take(field("simpel", "number"), "A12345", {})
    assert JOURNEYS["simpel"].take(field("simpel", "number"), "A12345", first.fields).fields["number"] == "A12345"


@pytest.mark.parametrize("said", ["UU 14/2008", "Perpres 5/2021", "08.00-10.00", "3-4 hari"])
def test_a_law_an_hour_or_a_span_is_no_number_and_no_code(said: str) -> None:
    assert JOURNEYS["simpel"].prefill(said) == {}


def test_an_objection_takes_the_day_from_the_first_message() -> None:
    letter = "Permohonan kami nomor 045/ICM/X/2025 tidak ditanggapi. Kami mengetahui hal itu pada 16 Oktober 2025."
    assert JOURNEYS["objection"].begin(letter, {}).fields == {"grounds": ["tidak_ditanggapi"], "found_on": "2025-10-16"}
    received = "permohonan saya diterima PPID 1 September 2025 tetapi tidak dijawab"
    assert "found_on" not in JOURNEYS["objection"].begin(received, {}).fields


@pytest.mark.parametrize(
    ("name", "said", "is_told"),
    [
        ("information", "minta laporan keuangan setneg 2023 dong", True),
        ("information", "mo mnta data jmlah pegawai, lwat PPID", True),
        ("information", "Saya ingin mengajukan permohonan informasi publik, tolong", False),
        ("information", "sy mo ajukn permhonan informsi publk skrg", False),
        ("information", "beta dari Rote mau minta informasi publik", False),
        ("aspiration", "gaji guru honorer dinaikkan lah", True),
        ("aspiration", "mau kasih saran soal gaji guru honorer", False),
        ("aspiration", "usul saya: gaji guru honorer di daerah terpencil dinaikkan", True),
        ("aspiration", "min, saya mau menyampaikan aspirasi untuk presiden", False),
    ],
)
def test_the_first_message_is_the_story_where_it_says_more_than_that_there_is_one(name: str, said: str, is_told: bool) -> None:
    journey = JOURNEYS[name]
    assert journey.begin(said, {}).fields.get(journey.story) == (said if is_told else None)


@pytest.mark.parametrize(
    ("said", "value"),
    [
        ("warga negara", "wni"),
        ("wn indonesia", "wni"),
        ("badan hukum", "badan_hukum"),
        ("warga negara asng", "lainnya"),
        ("saya warga negara amerika", None),
    ],
)
def test_a_choice_is_known_by_the_beginning_of_its_name_and_not_by_its_contrary(said: str, value: str | None) -> None:
    given = field("information", "applicant").check(said)
    assert (given if isinstance(given, str) else None) == value


ROAD = "jalan di kampung kami rusak sejak dua tahun dan anak sekolah sering terpeleset"


@pytest.mark.parametrize(
    ("name", "asked", "said", "kept"),
    [
        ("aspiration", "consent", ROAD, {"text": ROAD}),
        ("aspiration", "consent", f"{ROAD} budi@contoh.id", {"text": ROAD}),
        ("information", "applicant", "rincian belanja perjalanan dinas luar negeri tahun 2025 per triwulan", {"details": ...}),
        ("objection", "grounds", "permohonan saya mengenai anggaran kunjungan ditolak padahal dokumennya terbuka", {"statement": ...}),
        ("objection", "found_on", "waktu itu saya membuka surat elektronik kantor sehabis salat Jumat siang", {}),
        ("aspiration", "consent", "ya boleh", {}),
    ],
)
def test_what_an_errand_is_about_is_kept_where_it_is_told_as_an_answer_to_a_question_with_few_answers(
    name: str, asked: str, said: str, kept: dict[str, object]
) -> None:
    told = JOURNEYS[name].told_early(field(name, asked), said, {})
    assert told == {part: said if value is ... else value for part, value in kept.items()}


def test_a_story_that_was_told_stays_when_another_is_told_at_a_choice() -> None:
    asked, other = field("information", "obtain"), "saya juga perlu laporan keuangan triwulan ketiga beserta lampirannya"
    assert JOURNEYS["information"].told_early(asked, other, {"details": ROAD}) == {}


@pytest.mark.parametrize("name", ["simpel", "ticket"])
def test_the_code_may_come_before_the_number(name: str) -> None:
    journey, number = JOURNEYS[name], {"simpel": "demo smp 105", "ticket": "ASP-20261123-7K4Q"}[name]
    first = journey.take(field(name, "number"), "4zd8kf", {})
    assert first.outcome is Outcome.ASK
    assert first.field is not None
    assert journey.take(first.field, number, first.fields).fields["code"] == "4ZD8KF"


def test_of_two_requests_in_one_message_the_first_gets_its_own_code() -> None:
    both = "cek DEMO-SMP-000106 kode W7Q3YG dan DEMO-SMP-000109 kode 8PV4NK"
    assert JOURNEYS["simpel"].begin(both, {}).fields == {"number": "DEMO-SMP-000106", "code": "W7Q3YG"}
    assert holds_another(both)
    assert not holds_another("cek DEMO-SMP-000106 kode W7Q3YG tanggal 3/5")


def test_an_aspiration_has_20_to_2000_characters_without_personal_numbers_and_one_of_seven_topics() -> None:
    text, topic = field("aspiration", "text").check, field("aspiration", "topic").check
    assert [isinstance(text("a" * n), Rejection) for n in (19, 20, 2000, 2001)] == [True, False, False, True]
    for number in ("3201234509870001", "081234567890", "A1234567"):
        assert text(f"Tolong perbaiki jalan kami, {number}") == Rejection("utter_invalid_personal_data_in_text")
    assert isinstance(topic, Choice)
    assert topic.values == ("ekonomi", "hukum", "pendidikan", "kesehatan", "lingkungan", "layanan_setneg", "lainnya")


def test_consent_refused_ends_an_aspiration_and_the_enquiry_of_a_child() -> None:
    assert JOURNEYS["aspiration"].stops["consent"][0] is False
    assert JOURNEYS["internship"].stops["parent"][0] is False
    assert field("internship", "parent").when({"level": "sekolah"})
    assert not field("internship", "parent").when({"level": "perguruan_tinggi"})


def test_a_visit_is_in_person_virtual_or_at_the_campus_and_is_no_tour_of_the_palace() -> None:
    mode = field("visit", "mode").check
    assert isinstance(mode, Choice)
    assert mode.values == ("tatap_muka", "virtual", "ke_kampus")
    assert JOURNEYS["visit"].stops == {"kind": ("istana", "utter_visit_is_istura")}


@pytest.mark.parametrize(
    ("message", "value"),
    [
        ("setuju tp jangan pake nama", True),
        ("kamu anonim kan? ya setuju", True),
        ("oke, tapi cepet ya", True),
        ("ya, eh tidak", False),
        ("rahasia kan beneran?", None),
        ("tidak setuju", False),
    ],
)
def test_a_consent_may_have_more_beside_it(message: str, value: bool | None) -> None:
    given = consent(message)
    assert (None if isinstance(given, Rejection) else given) is value


def test_a_journey_has_no_underscore_in_its_name() -> None:
    with pytest.raises(ValueError, match="has no underscore"):
        replace(JOURNEYS["aspiration"], name="public_aspiration")


def test_what_is_needed_is_not_skipped_with_all_the_rest() -> None:
    journey = JOURNEYS["aspiration"]
    story = journey.field_named("text")
    assert story is not None
    step = journey.take(story, "lewati semua", {"consent": True})
    assert (step.outcome, step.field) == (Outcome.REJECTED, story)


def test_who_does_not_want_to_be_anonymous_leaves_no_name_out() -> None:
    name = JOURNEYS["aspiration"].field_named("name")
    assert name is not None
    assert without_name("jangan anonim", name) is None
    assert without_name("Suryadi, eh anonim saja", name) == ""
