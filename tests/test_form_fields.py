"""What each form must ask for and may ask for, by the rule that says so. A field added to or taken from a form shows here."""

from __future__ import annotations

from datetime import date

import pytest
import yaml

from services.calendar import WorkingCalendar
from services.fields import Choice, Field, Rejection, SeveralChoices
from services.journeys import Journey
from services.objections import is_late
from services.registry import JOURNEYS
from services.settings import PROJECT

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
# UU 14/2008 art. 35(1) a to g (grounds), 36(1) (30 working days from the day the ground was found).
OBJECTION = {
    "request_number": REQUIRED,
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
    "other_date": REQUIRED,
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
