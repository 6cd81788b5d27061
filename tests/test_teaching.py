"""What the assistant can learn from: which messages staff are shown, and how decisions leave the desk."""

from __future__ import annotations

import csv
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
from typer.testing import CliRunner

from desk.teach_commands import teach_app
from evaluation import check_data
from services.assembly import Services
from services.audit import AuditFilter
from services.settings import PROJECT
from services.teaching import Reason, TeachingProblem, TeachingRefused
from services.teaching_patch import LeftOut, as_example, measures, teaching_patch
from services.training_files import files_of_intents, training_examples
from services.turn import AnswerStatus
from store.conversations import Reply
from store.teaching_models import TeachingDecision
from tests.clock import Clock

ANSWERED, ABSTAINED = AnswerStatus.ANSWERED, AnswerStatus.ABSTAINED


class Log:
    """Conversations as the bot leaves them behind."""

    def __init__(self, services: Services) -> None:
        self._conversations = services.conversations
        self.conversation = self._conversations.open("web", "id").id
        self._count = 0

    def said(self, text: str, intent: str, confidence: float, status: AnswerStatus = ANSWERED, **turn: Any) -> int:
        """A citizen's message with its answer; its id."""
        self._count += 1
        received = self._conversations.add_inbound(self.conversation, f"m{self._count}", text)
        facts = {"status": status, "intent": intent, "confidence": confidence, **turn}
        self._conversations.add_replies(self.conversation, [Reply("Jawaban.")], reply_to=received.id, turn=facts)
        return received.id


@pytest.fixture
def log(services: Services) -> Log:
    return Log(services)


def decision(text: str, intent: str = "ask_information", topic: str | None = None) -> TeachingDecision:
    return TeachingDecision(text=text, intent=intent, topic=topic)


def refusal(act: Any) -> TeachingProblem:
    with pytest.raises(TeachingRefused) as refused:
        act()
    return refused.value.problem


def test_messages_that_the_views_of_the_model_read_differently_come_last(log: Log, services: Services) -> None:
    log.said("boleh lihat ruang rapat", "ask_information", 0.9, favourites=["ask_information", "thank", "ask_information"])
    log.said("parkirnya di mana", "ask_information", 0.9, AnswerStatus.NOT_KNOWN)
    assert [one.reasons for one in services.teaching.queue()] == [[Reason.NOT_KNOWN], [Reason.DISAGREED]]


def test_a_message_understood_for_sure_is_nobodys_work(log: Log, services: Services) -> None:
    log.said("apa itu simpel?", "ask_information", 0.98)
    assert services.teaching.queue() == []


def test_the_most_valuable_message_stands_first_and_says_why(log: Log, services: Services) -> None:
    log.said("berapa tarif parkir kantor", "ask_information", 0.9, AnswerStatus.NOT_KNOWN)
    contradicted = log.said("mau lihat istana sama anak-anak", "ask_information", 0.95)
    log.said("bukan itu maksud saya", "correct_answer", 0.95)
    close = log.said("surat saya sampai mana", "check_simpel_status", 0.5, ranking=[["check_simpel_status", 0.5], ["thank", 0.4]])
    queue = services.teaching.queue()
    assert [one.reasons for one in queue] == [[Reason.CONTRADICTED], [Reason.UNSURE, Reason.CLOSE], [Reason.NOT_KNOWN]]
    assert [one.message_id for one in queue][:2] == [contradicted, close]
    assert queue[1].ranking == ["check_simpel_status", "thank"]


def test_messages_of_the_same_words_stand_once_and_weigh_more(log: Log, services: Services) -> None:
    log.said("eh gimana ya", "nlu_fallback", 0.8, ABSTAINED)
    for text in ("Halo Setneg?", "halo setneg", "halo  setneg ."):
        log.said(text, "nlu_fallback", 0.8, ABSTAINED)
    first, second = services.teaching.queue()
    assert (first.times, second.times) == (3, 1)
    services.teaching.decide("ani", first.message_id, "greet")
    assert [one.message_id for one in services.teaching.queue()] == [second.message_id]


@pytest.mark.parametrize("status", [AnswerStatus.IN_FORM, AnswerStatus.HANDED_OVER])
def test_answers_to_a_form_and_words_to_an_officer_are_not_shown(status: AnswerStatus, log: Log, services: Services) -> None:
    log.said("Jalan Melati 5", "out_of_scope", 0.2, status)
    log.said("[nama] [telepon]", "out_of_scope", 0.2)
    assert services.teaching.queue() == []


def test_a_conversation_closed_to_staff_is_closed_here_too(log: Log, services: Services) -> None:
    log.said("mau ngomong apa ya", "nlu_fallback", 0.8, ABSTAINED)
    services.handoffs._clock = Clock("2026-11-23 10:00")
    services.handoffs.ask(log.conversation)
    assert services.teaching.queue() == []
    services.handoffs.answer(log.conversation, agreed=True)
    assert len(services.teaching.queue()) == 1


@pytest.mark.parametrize("status", [AnswerStatus.IN_FORM, AnswerStatus.HANDED_OVER])
def test_what_the_queue_never_shows_can_not_be_decided_on_by_its_number(status: AnswerStatus, log: Log, services: Services) -> None:
    to_a_form = log.said("Jalan Melati 5", "out_of_scope", 0.2, status)
    closed = log.said("mau ngomong apa ya", "nlu_fallback", 0.8, ABSTAINED)
    services.handoffs._clock = Clock("2026-11-23 10:00")
    services.handoffs.ask(log.conversation)
    for message in (to_a_form, closed):
        with pytest.raises(KeyError):
            services.teaching.decide("ani", message, "greet")
        with pytest.raises(KeyError):
            services.teaching.set_aside("ani", message)
    services.handoffs.answer(log.conversation, agreed=True)
    services.teaching.decide("ani", closed, "greet")
    assert [one.text for one in services.teaching.decided_by("ani")] == ["mau ngomong apa ya"]


def test_a_decision_is_masked_recorded_and_can_be_undone(log: Log, services: Services) -> None:
    message = log.said("hubungi saya dong, kapan loket buka", "nlu_fallback", 0.8, ABSTAINED)
    services.teaching.decide("ani", message, "ask_information", "biro_humas", "kapan loket buka, hp 0812 3456 7890")
    (mine,) = services.teaching.decided_by("ani")
    assert (mine.text, mine.intent, mine.topic) == ("kapan loket buka, hp [telepon]", "ask_information", "biro_humas")
    assert services.teaching.decided_by("budi") == []
    services.teaching.undo("ani")
    assert [one.message_id for one in services.teaching.queue()] == [message]
    assert [one.action for one in services.audit.search(AuditFilter(actor="ani"))] == ["teach.undone", "teach.decided"]
    assert refusal(lambda: services.teaching.undo("ani")) is TeachingProblem.NOTHING_TO_UNDO


def test_what_was_set_aside_leaves_the_queue_teaches_nothing_and_can_be_taken_back(log: Log, services: Services) -> None:
    message = log.said("hmm ya gitu deh", "nlu_fallback", 0.8, ABSTAINED)
    services.teaching.set_aside("ani", message)
    assert services.teaching.queue() == []
    assert refusal(lambda: services.teaching_batches.hand_on("ani")) is TeachingProblem.NOTHING_TO_HAND_ON
    assert [one.action for one in services.audit.search(AuditFilter(actor="ani"))] == ["teach.set_aside"]
    services.teaching.undo("ani")
    assert [one.message_id for one in services.teaching.queue()] == [message]


def test_what_makes_no_sense_is_refused(log: Log, services: Services) -> None:
    message = log.said("apa ya", "nlu_fallback", 0.8, ABSTAINED)
    decide = services.teaching.decide
    assert refusal(lambda: decide("ani", message, "cuaca")) is TeachingProblem.UNKNOWN_LABEL
    assert refusal(lambda: decide("ani", message, "greet", "magang")) is TeachingProblem.UNKNOWN_LABEL
    assert refusal(lambda: decide("ani", message, "ask_information", "cuaca")) is TeachingProblem.UNKNOWN_LABEL
    assert refusal(lambda: decide("ani", message, "greet", "", "a" * 501)) is TeachingProblem.TEXT_LENGTH
    with pytest.raises(KeyError):
        decide("ani", 999, "greet")
    decide("ani", message, "greet")
    assert refusal(lambda: decide("budi", message, "thank")) is TeachingProblem.DECIDED_ALREADY


def test_a_citizen_who_deletes_a_conversation_deletes_what_was_decided_on_it(log: Log, services: Services) -> None:
    services.teaching.decide("ani", log.said("apa ya", "nlu_fallback", 0.8, ABSTAINED), "greet")
    services.conversations.forget_messages(log.conversation)
    assert services.teaching.decided_by("ani") == []


def test_nobody_reviews_a_batch_of_their_own(log: Log, services: Services) -> None:
    for text in ("apa ya", "piye iki"):
        services.teaching.decide("ani", log.said(text, "nlu_fallback", 0.8, ABSTAINED), "greet")
    batches = services.teaching_batches
    number = batches.hand_on("ani")
    assert refusal(lambda: batches.hand_on("ani")) is TeachingProblem.NOTHING_TO_HAND_ON
    kept, dropped = batches.get(number)[1]
    assert refusal(lambda: batches.approve("ani", number, [kept.id])) is TeachingProblem.OWN_BATCH
    assert refusal(lambda: batches.approve("budi", number, [])) is TeachingProblem.NOTHING_KEPT
    assert batches.approved() == []
    batches.approve("budi", number, [kept.id])
    assert [one.text for one in batches.approved(number)] == [kept.text]
    assert [one.text for one in services.teaching.queue()] == [dropped.text]
    assert refusal(lambda: batches.give_back("budi", number, "salah")) is TeachingProblem.REVIEWED_ALREADY


def test_of_two_windows_that_hand_on_at_once_one_makes_a_batch(log: Log, services: Services) -> None:
    for number in range(4):
        services.teaching.decide("ani", log.said(f"apa ya {number}", "nlu_fallback", 0.8, ABSTAINED), "greet")
    start = Barrier(2)

    def hand_on(_window: int) -> str:
        start.wait()
        try:
            return str(services.teaching_batches.hand_on("ani"))
        except TeachingRefused as refused:
            return refused.problem

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(hand_on, range(2))) == ["1", TeachingProblem.NOTHING_TO_HAND_ON]
    assert [(one.batch.id, one.decisions) for one in services.teaching_batches.all()] == [(1, 4)]


def test_a_batch_given_back_is_its_makers_again(log: Log, services: Services) -> None:
    services.teaching.decide("ani", log.said("apa ya", "nlu_fallback", 0.8, ABSTAINED), "greet")
    number = services.teaching_batches.hand_on("ani")
    services.teaching_batches.give_back("budi", number, "ini pertanyaan, bukan salam")
    assert [one.text for one in services.teaching.decided_by("ani")] == ["apa ya"]
    assert services.teaching_batches.approved() == []


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A copy of the files that a patch changes, as a git working tree."""
    for folder in ("data/nlu", "evaluation", "knowledge"):
        shutil.copytree(PROJECT / folder, tmp_path / "tree" / folder)
    subprocess.run(["git", "init", "-q", tmp_path / "tree"], check=True, timeout=30)
    return tmp_path / "tree"


def apply(patch: str, tree: Path) -> None:
    for options in (["--check"], []):
        subprocess.run(["git", "apply", *options, "-"], cwd=tree, input=patch.encode(), check=True, timeout=30)


LESSONS = [
    decision("jarak tempuh kurir paling jauh berapa kilometer sih pak", "out_of_scope"),
    decision("punya resep rendang khas Payakumbuh yang keringnya awet sebulan", "out_of_scope"),
    decision("tolong hitungkan luas kebun jagung kakek saya", "out_of_scope"),
    decision("rombongan sekolah kami dari Sorong boleh melihat ruang kerja menteri, kah?", topic="setneg_mantul"),
    decision("kira-kira surat izin ke Wina buat pak dekan masih parkir di meja siapa", "check_simpel_status"),
    decision("nomor antrean tiketku ilang, masih bisa dilacak lewat kalian?", "check_ticket_status"),
    decision("ada contoh surat permohonan data yang bisa saya tiru formatnya?", topic="keterbukaan_informasi"),
    decision("apakah gedung kementerian punya ruang laktasi buat tamu", topic="kemensetneg_profil"),
    decision("batas umur pendaftar magang tahun depan kira-kira berubah nggak", topic="magang"),
    decision("yang jaga meja depan kemarin ketus sekali sama ibu saya", "report_complaint"),
]


def test_the_patch_applies_and_the_patched_data_pass_the_check_of_the_data(
    tree: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    change = teaching_patch(LESSONS, tree)
    assert change.left_out == []
    assert change.training + change.evaluation == len(LESSONS)
    assert change.evaluation > 0
    apply(change.patch, tree)
    monkeypatch.setattr(check_data, "PROJECT", tree)
    monkeypatch.setattr(check_data, "FOLDER", tree / "evaluation")
    assert check_data.main() == 0, capsys.readouterr().out
    examples = training_examples(tree / "data" / "nlu")
    with (tree / "evaluation/citizens/intents.csv").open(encoding="utf-8", newline="") as file:
        measured = {row["text"]: row["intent"] for row in csv.DictReader(file)}
    for one in LESSONS:
        assert (one.text in examples[str(one.intent)]) is not (measured.get(one.text) == one.intent)


def test_a_patch_that_was_applied_has_nothing_left_to_add(tree: Path) -> None:
    apply(teaching_patch(LESSONS, tree).patch, tree)
    again = teaching_patch(LESSONS, tree)
    assert again.patch == ""
    assert {one.why for one in again.left_out} == {LeftOut.IN_TRAINING, LeftOut.IN_EVALUATION}


def test_questions_that_measure_are_written_behind_those_that_are_there(tree: Path) -> None:
    file = tree / "evaluation/citizens/intents.csv"
    file.parent.mkdir()
    file.write_text("text,intent,register,author\nkucing boleh ikut masuk,out_of_scope,citizen,citizen", encoding="utf-8")
    change = teaching_patch(LESSONS, tree)
    apply(change.patch, tree)
    with file.open(encoding="utf-8", newline="") as rows:
        texts = [row["text"] for row in csv.DictReader(rows)]
    assert texts[0] == "kucing boleh ikut masuk"
    assert texts[1:] == [one.text for one in LESSONS if measures(one.text)]
    assert len(texts) == 1 + change.evaluation


def test_a_training_file_without_a_list_of_examples_is_named_by_its_intent(tree: Path) -> None:
    lesson = next(one for one in LESSONS if not measures(one.text))
    path = files_of_intents(tree / "data" / "nlu")[str(lesson.intent)]
    path.write_text(path.read_text(encoding="utf-8").replace("examples: |\n", "examples: |-\n"), encoding="utf-8")
    with pytest.raises(ValueError, match=f"{lesson.intent} has no list of examples"):
        teaching_patch([lesson], tree)


def test_what_is_there_already_or_nearly_is_left_out_and_said(tree: Path) -> None:
    known = training_examples(tree / "data" / "nlu")["check_simpel_status"][0]
    with (tree / "evaluation/held_out/intents.csv").open(encoding="utf-8", newline="") as file:
        measured = max((row["text"] for row in csv.DictReader(file)), key=len)
    given = [
        decision(f"{known}!", "check_simpel_status"),
        decision(known, "thank"),
        decision(f"{measured} ya"),
        decision("tolong cek jalur evakuasi gedung B lantai dua", "tidak_ada"),
        LESSONS[0],
        decision(f"{LESSONS[0].text}?", "out_of_scope"),
    ]
    change = teaching_patch(given, tree)
    whys = [one.why for one in change.left_out]
    assert whys[:4] == [LeftOut.IN_TRAINING, LeftOut.UNDER_OTHER_INTENT, LeftOut.IN_EVALUATION, LeftOut.NO_FILE]
    assert len(whys) == 5
    assert change.training + change.evaluation == 1


def test_about_one_text_of_five_measures_and_it_is_always_the_same_one() -> None:
    texts = [f"pertanyaan nomor {number}" for number in range(500)]
    assert 60 < sum(map(measures, texts)) < 140
    assert all(measures(text) == measures(f" {text.upper()}?") for text in texts)


@pytest.mark.parametrize(
    ("text", "example"),
    [
        ("- satu\ndua\u2028tiga", "satu dua tiga"),
        ("[magang](topik) dan [a]{b}", "[magang] (topik) dan [a] {b}"),
        ("hubungi [telepon] (rumah)", "hubungi [telepon] (rumah)"),
    ],
)
def test_a_text_never_becomes_markup_of_the_training_file(text: str, example: str) -> None:
    assert as_example(text) == example


def test_the_command_prints_what_two_people_approved_and_changes_nothing(log: Log, services: Services, tree: Path) -> None:
    services.teaching.decide("ani", log.said(LESSONS[0].text, "nlu_fallback", 0.8, ABSTAINED), "out_of_scope")
    known = training_examples(tree / "data" / "nlu")["greet"][0]
    services.teaching.decide("ani", log.said(known, "nlu_fallback", 0.8, ABSTAINED), "greet")
    number = services.teaching_batches.hand_on("ani")
    nothing = CliRunner().invoke(teach_app, ["export", "--project", str(tree)])
    assert (nothing.exit_code, nothing.stdout) == (0, "")
    services.teaching_batches.approve("budi", number, [one.id for one in services.teaching_batches.get(number)[1]])
    out = tree / "pelajaran.patch"
    done = CliRunner().invoke(teach_app, ["export", "--project", str(tree), "--batch", str(number), "--out", str(out)])
    assert done.exit_code == 0, done.output
    assert f"left out: {known!r}" in done.stderr
    assert "1 left out" in done.stderr
    apply(out.read_text(encoding="utf-8"), tree)
