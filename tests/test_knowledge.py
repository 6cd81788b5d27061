import os
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest
import structlog

from services import answerability, shipped_vectors
from services.assembly import shared_encoder
from services.entry_discriminant import EntryDiscriminant
from services.knowledge import Knowledge, Verdict
from services.knowledge_files import TOPICS, Entry, KnowledgeError, KnowledgeFolder, read_all, read_entry
from services.knowledge_index import Index
from services.topic_regression import _Centred
from services.two_questions import answers

ENTRY = """---
id: jam_layanan
topic: biro_humas
title:
  id: Jam layanan loket
  en: Counter hours
questions:
  id: [jam buka loket kapan, loket buka jam berapa, hari apa saja loket dibuka]
  en: [when is the counter open, counter opening hours]
source:
  title: Pengumuman
  document: Papan pengumuman
checked_on: 2026-11-23
owner: Biro Humas
trust: RESMI
known: true
---
## Jawaban
Loket buka pukul 09.00.

## Answer
The counter opens at 09.00.
"""


def write(folder: Path, text: str = ENTRY, name: str = "jam_layanan") -> Path:
    path = folder / f"{name}.md"
    path.write_text(text, encoding="utf-8")
    return path


def test_every_shipped_entry_is_valid_and_every_topic_has_one() -> None:
    entries, errors = read_all(Path("knowledge"))
    assert not errors
    assert {entry.topic for entry in entries.values()} == set(TOPICS)
    assert all(topic in entries for topic in TOPICS)


def test_no_forbidden_contact_is_said_anywhere() -> None:
    said = "".join(path.read_text(encoding="utf-8") for path in Path("knowledge").glob("*.md")) + Path("domain.yml").read_text()
    assert "111-7426" not in said
    assert "1117426" not in said


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("topic: biro_humas", "topic: cuaca"), "topic"),
        (("checked_on: 2026-11-23", "checked_on: kemarin"), "checked_on"),
        (("  document: Papan pengumuman\n", ""), "give either url or document"),
        (("id: jam_layanan", "id: lain"), "name the file lain.md"),
        (("## Answer\nThe counter opens at 09.00.\n", ""), "'## Answer' is missing"),
        (("## Answer", "## Balasan"), "unknown heading"),
        (("---\nid", "id"), "begin with a line '---'"),
        (("known: true", "known: true\nextra: 1"), "extra"),
        (("title:\n  id:", "title:\n id:"), "YAML"),
    ],
)
def test_a_mistake_in_a_file_is_named_with_file_and_place(tmp_path: Path, change: tuple[str, str], message: str) -> None:
    path = write(tmp_path, ENTRY.replace(*change))
    with pytest.raises(KnowledgeError, match=message) as caught:
        read_entry(path)
    assert str(caught.value).startswith("jam_layanan.md")


def test_the_same_question_in_two_files_is_a_mistake(tmp_path: Path) -> None:
    write(tmp_path)
    write(tmp_path, ENTRY.replace("id: jam_layanan", "id: kedua"), "kedua")
    _, errors = read_all(tmp_path)
    assert "stands in jam_layanan.md too" in str(errors[0])


def test_text_that_waits_for_confirmation_is_said_only_after_it(tmp_path: Path) -> None:
    waiting = ENTRY + "\n## Jawaban setelah konfirmasi\nLoket pindah.\n"
    assert read_entry(write(tmp_path, waiting)).answers["id"] == "Loket buka pukul 09.00."
    confirmed = waiting.replace("known: true", "known: true\nconfirmed_on: 2026-12-01")
    assert read_entry(write(tmp_path, confirmed)).answers["id"] == "Loket pindah."


def test_an_entry_past_its_date_is_stale(tmp_path: Path) -> None:
    entry = read_entry(write(tmp_path, ENTRY.replace("owner:", "valid_until: 2026-12-31\nowner:")))
    assert not entry.is_stale(date(2026, 12, 31))
    assert entry.is_stale(date(2027, 1, 1))


def test_a_new_file_is_known_without_training_or_restart(tmp_path: Path) -> None:
    for path in Path("knowledge").glob("magang*.md"):
        write(tmp_path, path.read_text(encoding="utf-8"), path.stem)
    knowledge = Knowledge(tmp_path, shared_encoder())
    assert not knowledge.reload_if_changed()
    write(tmp_path)
    assert knowledge.reload_if_changed()
    found = knowledge.find("loketnya dibuka jam brp ya")
    assert found.verdict is Verdict.ANSWER
    assert found.best is not None
    assert found.best.id == "jam_layanan"


def test_a_broken_file_is_left_out_and_the_rest_stays(tmp_path: Path) -> None:
    write(tmp_path)
    knowledge = Knowledge(tmp_path, shared_encoder())
    broken = write(tmp_path, "nothing", "rusak")
    os.utime(broken)
    assert knowledge.reload_if_changed()
    assert len(knowledge.errors) == 1
    assert knowledge.entry("jam_layanan") is not None


def test_a_reload_that_failed_is_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_given: object) -> None:
        raise MemoryError

    write(tmp_path)
    knowledge = Knowledge(tmp_path, shared_encoder())
    before = knowledge.entry("jam_layanan")
    write(tmp_path, ENTRY.replace("pukul 09.00", "pukul 08.30 WIB"))
    with monkeypatch.context() as short_of_memory:
        short_of_memory.setattr(Index, "with_entries", fails)
        for _ in range(2):
            with pytest.raises(MemoryError):
                knowledge.reload()
    assert knowledge.entry("jam_layanan") is before
    assert knowledge.reload()
    now = knowledge.entry("jam_layanan")
    assert now is not None
    assert now.answers["id"] == "Loket buka pukul 08.30 WIB."
    assert not knowledge.reload()


def test_while_no_file_can_be_used_each_look_tries_again_and_a_mistake_is_logged_once(tmp_path: Path) -> None:
    write(tmp_path)
    knowledge = Knowledge(tmp_path, shared_encoder())
    write(tmp_path, "nothing")
    with structlog.testing.capture_logs() as logs:
        assert not any(knowledge.reload_if_changed() for _ in range(3))
    said = [log["event"] for log in logs]
    assert (said.count("a knowledge file needs mending"), said.count("the knowledge was not reloaded")) == (1, 3)
    assert knowledge.entry("jam_layanan") is not None


def test_a_file_that_is_not_utf8_or_cannot_be_read_is_named_and_the_rest_is_served(tmp_path: Path) -> None:
    write(tmp_path)
    (tmp_path / "dari_word.md").write_bytes(ENTRY.replace("Loket", "Lokét").encode("latin-1"))
    (tmp_path / "folder.md").mkdir()
    (tmp_path / "hilang.md").symlink_to(tmp_path / "nowhere")
    knowledge = Knowledge(tmp_path, shared_encoder())
    assert [entry.id for entry in knowledge.entries] == ["jam_layanan"]
    not_utf8, folder, link = map(str, knowledge.errors)
    assert not_utf8.startswith("dari_word.md: byte ")
    assert not_utf8.endswith("is not UTF-8; save it as UTF-8")
    assert folder.startswith("folder.md: can't be read (Is a directory)")
    assert link.startswith("hilang.md: can't be read (No such file or directory)")
    write(tmp_path, ENTRY.replace("jam_layanan", "jam_kedua").replace("loket", "kantor"), "jam_kedua")
    assert knowledge.reload()
    assert knowledge.entry("jam_kedua") is not None


def test_a_file_that_the_server_may_read_at_last_is_read_without_a_restart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read_text = Path.read_text

    def refuses(path: Path, **options: str) -> str:
        if path.name == "jam_kedua.md":
            raise PermissionError(13, "Permission denied")
        return read_text(path, **options)

    write(tmp_path)
    locked = write(tmp_path, ENTRY.replace("jam_layanan", "jam_kedua").replace("loket", "kantor"), "jam_kedua")
    with monkeypatch.context() as rights:
        rights.setattr(Path, "read_text", refuses)
        knowledge = Knowledge(tmp_path, shared_encoder())
    assert [str(error) for error in knowledge.errors] == [
        "jam_kedua.md: can't be read (Permission denied); let the server read it, or remove it"
    ]
    locked.chmod(0o644)
    assert knowledge.reload()
    assert knowledge.entry("jam_kedua") is not None


def test_a_folder_without_any_usable_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(KnowledgeError, match="no usable knowledge"):
        Knowledge(tmp_path, shared_encoder())


@pytest.mark.parametrize(
    ("question", "last_topic", "entry"),
    [
        ("terus syaratnya apa?", "magang", "magang_syarat"),
        ("kalo biaya?", "keterbukaan_informasi", "keterbukaan_informasi_biaya"),
        ("apa itu simpel?", "magang", "simpel"),
        ("gratis ga", "simpel", "simpel_biaya"),
        ("bisa anonim ga", "kanal_aspirasi", "kanal_aspirasi_anonim"),
        ("alamat kantor kemensetneg di mana ya", "kanal_aspirasi", "kemensetneg_profil_alamat"),
        ("berapa lama nunggu jawabannya?", "kanal_aspirasi", "kanal_aspirasi_waktu_tanggapan"),
        ("berapa lama nunggu jawabannya?", "keterbukaan_informasi", "keterbukaan_informasi_tenggat"),
        ("berapa gaji anak magang di setneg", None, "magang_uang_saku"),
        ("di kantor setneg ada musala buat tamu?", None, "kemensetneg_profil_fasilitas"),
        ("setneg kantinnya buka buat umum ga", None, "kemensetneg_profil_fasilitas"),
        ("perpusnya setneg boleh dikunjungi ga", None, "kemensetneg_profil_perpustakaan"),
    ],
)
def test_the_right_entry_is_found(knowledge: Knowledge, question: str, last_topic: str | None, entry: str) -> None:
    found = knowledge.find(question, last_topic)
    assert found.verdict is Verdict.ANSWER
    assert found.best is not None
    assert found.best.id == entry


def test_what_no_file_speaks_of_is_not_answered(knowledge: Knowledge) -> None:
    assert knowledge.find("resep rendang daging sapi yang empuk").verdict is Verdict.NOTHING


@pytest.mark.parametrize(
    ("question", "near"),
    [
        ("kampus mana yang paling sering mengirim peserta magang", "magang"),
        ("berapa megabyte paling besar berkas yang boleh diunggah di SIMPEL", "simpel"),
        ("how many interns did the ministry take in last year", "magang"),
    ],
)
def test_a_question_that_no_entry_answers_is_doubted_though_entries_are_near(knowledge: Knowledge, question: str, near: str) -> None:
    found = knowledge.find(question)
    assert found.verdict is Verdict.DOUBT
    assert near in {hit.entry.topic for hit in found.hits}


def test_an_entry_that_is_published_for_such_a_question_answers_it_at_once(tmp_path: Path) -> None:
    for path in Path("knowledge").glob("magang*.md"):
        write(tmp_path, path.read_text(encoding="utf-8"), path.stem)
    question = "kampus mana yang paling sering mengirim peserta magang"
    knowledge = Knowledge(tmp_path, shared_encoder(), unanswerable=answerability.read())
    assert knowledge.find(question).verdict is not Verdict.ANSWER
    write(tmp_path, ENTRY.replace("jam buka loket kapan", question))
    assert knowledge.reload_if_changed()
    found = knowledge.find(question)
    assert found.verdict is Verdict.ANSWER
    assert found.best is not None
    assert found.best.id == "jam_layanan"


def test_without_examples_of_them_nothing_is_doubted(tmp_path: Path) -> None:
    write(tmp_path)
    assert Knowledge(tmp_path, shared_encoder()).find("jam buka loket kapan").verdict is Verdict.ANSWER


QUESTIONS = [
    "syarat magang apa saja",
    "boleh magang dua bulan?",
    "what documents do I need for an internship",
    "apa itu simpel",
    "berapa biaya minta informasi publik",
    "cara daftar setneg mantul",
    "resep rendang",
]


@pytest.fixture(scope="module")
def entries() -> dict[str, Entry]:
    return read_all(Path("knowledge"))[0]


@pytest.fixture(scope="module")
def index(entries: dict[str, Entry]) -> Index:
    return Index(entries, shared_encoder())


def test_an_index_of_the_shipped_knowledge_finds_its_regressions_solved(
    entries: dict[str, Entry], monkeypatch: pytest.MonkeyPatch
) -> None:
    products, shipped = [], shipped_vectors.read(shared_encoder().name)
    multiply = _Centred.kernel_at
    monkeypatch.setattr(_Centred, "kernel_at", lambda self, numbers: products.append(numbers.shape) or multiply(self, numbers))
    begun = Index(entries, shared_encoder(), answerability.read())
    assert len(products) < 10
    monkeypatch.setattr(shipped_vectors, "read", lambda _encoder: replace(shipped, solutions={}))
    anew = Index(entries, shared_encoder(), answerability.read())
    assert len(products) > 50
    for question in QUESTIONS:
        assert np.abs(begun.scores(begun.read(question)) - anew.scores(anew.read(question))).max() < 0.05, question


def test_what_an_index_has_solved_is_given_by_text_so_that_another_begins_there(index: Index, entries: dict[str, Entry]) -> None:
    unanswerable = ["siapa nama sopir menteri"]
    solved = Index(entries, shared_encoder(), unanswerable).solutions()
    assert set(solved) == {"spelling", "meaning", "answerability"}
    assert unanswerable[0] in solved["answerability"]
    assert unanswerable[0] not in solved["meaning"]
    assert set(index.solutions()) == {"spelling", "meaning"}
    assert all(numbers.shape == (len(TOPICS),) for numbers in solved["meaning"].values())


def test_without_examples_of_follow_ups_the_entry_said_still_counts(index: Index) -> None:
    reading = index.read("itu berapa lama")
    scores = index.scores_after(reading, "magang_lama", None)
    assert index.entries[int(scores.argmax())].topic == "magang"


def test_of_two_questions_only_the_one_with_a_sure_answer_is_answered(knowledge: Knowledge) -> None:
    length = knowledge.entry("magang_lama")
    assert length is not None
    assert answers(knowledge, "gratis gak? terus magang setneg berapa lama?", length) == [length]


def test_nothing_is_near_an_entry_that_is_gone(knowledge: Knowledge) -> None:
    assert knowledge.near("sudah_dihapus") == []


def test_entries_beyond_the_number_of_dimensions_are_told_apart_in_the_axes_in_which_they_lie_farthest_apart() -> None:
    chance = np.random.default_rng(3)
    centres = chance.normal(size=(12, 4)).astype(np.float32)
    sizes = np.full(12, 5)
    vectors = (np.repeat(centres, sizes, axis=0) + chance.normal(size=(60, 4)) / 20).astype(np.float32)
    discriminant = EntryDiscriminant(vectors, centres, sizes)
    assert [int(discriminant.behind(centre).argmax()) for centre in centres] == list(range(12))


def test_an_index_that_was_changed_scores_as_one_made_from_nothing(tmp_path: Path, entries: dict[str, Entry], index: Index) -> None:
    changed = {**entries, "jam_layanan": read_entry(write(tmp_path))}
    del changed["magang_lama"]
    mended = index.with_entries(changed)
    assert list(mended.by_id) == list(changed)
    anew = Index(changed, shared_encoder())
    for question in QUESTIONS:
        assert np.abs(mended.scores(mended.read(question)) - anew.scores(anew.read(question))).mean() < 0.03, question
        assert mended.scores(mended.read(question)).argmax() == anew.scores(anew.read(question)).argmax()
    assert mended.entries[int(mended.scores(mended.read("loket buka jam berapa ya")).argmax())].id == "jam_layanan"


def test_an_index_that_gets_an_entry_back_scores_as_before(entries: dict[str, Entry], index: Index) -> None:
    without = {name: entry for name, entry in entries.items() if name != "magang_syarat"}
    again = index.with_entries(without).with_entries(entries)
    for question in QUESTIONS:
        assert np.abs(again.scores(again.read(question)) - index.scores(index.read(question))).max() < 0.05, question


def test_of_a_change_only_the_variants_of_what_changed_are_made_anew(entries: dict[str, Entry], index: Index) -> None:
    without = index.with_entries({name: entry for name, entry in entries.items() if name != "magang_syarat"})
    assert 0 < without.changed < index.variants / 10


def changed_entry(entries: dict[str, Entry], questions: list[str], **facts: str) -> dict[str, Entry]:
    """The entries, of which `magang_syarat` has these Indonesian questions."""
    before = entries["magang_syarat"]
    facts_now = before.facts.model_copy(update={"questions": before.facts.questions.model_copy(update={"id": questions}), **facts})
    return {**entries, before.id: Entry(facts_now, {**before.answers, "id": "Jawaban lain."})}


def test_a_question_that_stays_in_a_changed_entry_is_kept_and_one_that_comes_or_goes_is_counted(
    entries: dict[str, Entry], index: Index
) -> None:
    asked = entries["magang_syarat"].facts.questions.id
    assert index.with_entries(changed_entry(entries, asked)).changed == 0
    assert index.with_entries(changed_entry(entries, [*asked, "syarat yang baru"])).changed == 1
    assert index.with_entries(changed_entry(entries, asked[1:])).changed == 1
    assert index.with_entries(changed_entry(entries, ["syarat yang baru", *reversed(asked[1:])])).changed == 2
    assert index.with_entries(changed_entry(entries, asked, topic="simpel")).changed == 2 * len(entries["magang_syarat"].examples)


def test_an_entry_with_another_answer_is_found_by_its_questions_as_before_and_by_its_new_words(
    entries: dict[str, Entry], index: Index
) -> None:
    changed = changed_entry(entries, entries["magang_syarat"].facts.questions.id)
    changed["magang_syarat"].answers["id"] = "Bawalah pulpen bertinta hijau toska."
    mended = index.with_entries(changed)
    for question in QUESTIONS:
        assert np.abs(mended.scores(mended.read(question)) - index.scores(index.read(question))).max() < 0.05, question
    place = list(changed).index("magang_syarat")
    assert (mended.scores(mended.read("bertinta hijau toska")) - index.scores(index.read("bertinta hijau toska")))[place] > 0.3


def test_a_changed_entry_scores_as_one_made_from_nothing_whether_its_questions_stay_or_change_places(
    entries: dict[str, Entry], index: Index
) -> None:
    asked = entries["magang_syarat"].facts.questions.id
    for questions in ([*reversed(asked[2:]), "gaji magang pakai rupiah atau dolar"], [asked[0], asked[0], *asked[3:]]):
        changed = changed_entry(entries, questions)
        mended, anew = index.with_entries(changed), Index(changed, shared_encoder())
        assert mended.variants == anew.variants
        for question in [*QUESTIONS, *questions[-2:]]:
            assert np.abs(mended.scores(mended.read(question)) - anew.scores(anew.read(question))).mean() < 0.03, question


def test_of_many_entries_only_the_likely_ones_are_compared_variant_by_variant_and_the_best_stays(
    index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = [index.scores(index.read(question)) for question in QUESTIONS]
    monkeypatch.setattr("services.knowledge_index.COMPARED", 10)
    monkeypatch.setattr(index, "_cosines", None)  # as where there are too many to compare all
    for question, scores in zip(QUESTIONS, whole, strict=True):
        fewer = index.scores(index.read(question))
        assert fewer.argmax() == scores.argmax()
        assert (fewer <= scores + 0.02).all()  # all are compared in 8 bits, few in full


def test_a_file_that_did_not_change_is_not_read_again(tmp_path: Path) -> None:
    write(tmp_path)
    folder = KnowledgeFolder(tmp_path)
    first, _ = folder.read()
    write(tmp_path, ENTRY.replace("jam_layanan", "jam_kedua").replace("loket", "kantor"), "jam_kedua")
    second, _ = folder.read()
    assert second["jam_layanan"] is first["jam_layanan"]
    assert set(second) == {"jam_layanan", "jam_kedua"}


def test_an_answer_with_a_neighbour_hardly_behind_it_is_said_with_that_beside_it(
    knowledge: Knowledge, monkeypatch: pytest.MonkeyPatch
) -> None:
    clear = knowledge.find("apa itu simpel?")
    assert clear.neighbour is None
    assert clear.is_certain
    monkeypatch.setattr("services.knowledge.CLEAR_LEAD_WITHIN", 99.0)
    close = knowledge.find("apa itu simpel?")
    assert (close.verdict, close.best) == (Verdict.ANSWER, clear.best)
    assert close.neighbour is close.hits[1].entry
    assert not close.is_certain
