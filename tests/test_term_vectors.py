import math

import numpy as np
import pytest
from scipy.sparse import csr_matrix, vstack
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import Ridge

from services.term_vectors import TermVectors, WordScores, taken, taken_dense
from services.terms import PAIRS, PARTS, WORDS, Terms, parts_of_words, words_and_pairs
from services.topic_regression import Stacked, TopicRegression

TEXTS = ["apa itu simpel", "syarat magang", "lama magang berapa lama", "kunjungan ke istana", "jadwal kunjungan istana"]


CHAR_WB = {"analyzer": "char_wb", "ngram_range": (2, 5)}
WORD_PAIRS = {"token_pattern": r"\S+", "ngram_range": (1, 2)}


@pytest.mark.parametrize("text", ["", "a", "apa itu simpel", "ke istana 🙏 ya ya", "x yz abc abcd abcde abcdef"])
def test_the_terms_of_a_text_are_those_of_scikit_learn_in_its_order(text: str) -> None:
    for options, terms, analyse in ((CHAR_WB, PARTS, parts_of_words), (WORD_PAIRS, PAIRS, words_and_pairs)):
        expected = TfidfVectorizer(**options).build_analyzer()(text)
        assert analyse(text) == expected
        assert [term for unit in terms.units(text) for term in terms.of(unit)] == expected


@pytest.mark.parametrize(("terms", "options"), [(PARTS, CHAR_WB), (PAIRS, WORD_PAIRS)])
def test_term_vectors_are_those_of_scikit_learn(terms: Terms, options: dict[str, object]) -> None:
    vectorizer = TfidfVectorizer(**options, sublinear_tf=True)
    expected = vectorizer.fit_transform(TEXTS)
    made, rows, _ = TermVectors.fitted(terms, TEXTS)
    assert np.allclose((rows @ rows.T).toarray(), (expected @ expected.T).toarray(), atol=1e-6)
    asked = "lama kunjungan ke bulan"
    assert np.allclose((made.rows([asked]) @ rows.T).toarray(), (vectorizer.transform([asked]) @ expected.T).toarray(), atol=1e-6)


def test_new_terms_get_columns_of_their_own_and_the_others_keep_theirs() -> None:
    made, rows, _ = TermVectors.fitted(WORDS, TEXTS)
    wider = made.with_terms_of(["loket dibuka"])
    assert wider.rows(["loket dibuka"]).shape[1] == rows.shape[1] + 2
    assert np.allclose(wider.rows(TEXTS).toarray()[:, : rows.shape[1]], rows.toarray())
    assert made.rows(["loket dibuka"]).nnz == 0


def test_texts_beyond_those_that_are_weighed_have_rows_of_their_own_and_change_no_weight() -> None:
    made, rows, beyond = TermVectors.fitted(WORDS, TEXTS, ["loket magang"])
    alone, rows_alone, _ = TermVectors.fitted(WORDS, TEXTS)
    assert (rows.toarray()[:, : rows_alone.shape[1]] == rows_alone.toarray()).all()
    assert (beyond.toarray() == made.rows(["loket magang"]).toarray()).all()
    assert (beyond.toarray() == alone.with_terms_of(["loket magang"]).rows(["loket magang"]).toarray()).all()


@pytest.mark.parametrize("order", [[0, 1, 2, 3, 4], [0, 1, 3, 4], [5, 0, 1, 6], [4, 5, 6], [6, 5, 4, 3], [2]])
def test_rows_are_taken_in_the_order_asked_for_from_both_matrices(order: list[int]) -> None:
    made, rows, _ = TermVectors.fitted(WORDS, TEXTS)
    texts = ["loket istana", "magang"]
    fresh = made.with_terms_of(texts).rows(texts)
    wide = csr_matrix((rows.data, rows.indices, rows.indptr), (rows.shape[0], fresh.shape[1]))
    expected = vstack([wide, fresh]).toarray()[order]
    places = np.array(order, dtype=np.int64)
    assert (taken(rows, fresh, places).toarray() == expected).all()
    assert (taken_dense(wide.toarray(), fresh.toarray(), places) == expected).all()


def test_words_are_scored_by_the_formula_of_bm25() -> None:
    documents = [text.split() for text in TEXTS]
    scores, known = WordScores(documents).of(["magang", "lama", "entah"])
    usual = sum(map(len, documents)) / len(documents)

    def of_word(word: str, document: list[str]) -> float:
        having = sum(word in other for other in documents)
        count = document.count(word)
        idf = math.log(1 + (len(documents) - having + 0.5) / (having + 0.5))
        return idf * count / (count + 1.5 * (0.25 + 0.75 * len(document) / usual))

    assert known == 2
    assert scores == pytest.approx([of_word("magang", document) + of_word("lama", document) for document in documents], rel=1e-5)


def test_documents_come_and_go() -> None:
    documents = [text.split() for text in TEXTS]
    changed = WordScores(documents).with_documents(np.array([0, 1, 5, 4]), [["loket", "magang"]])
    scores, known = changed.of(["loket"])
    assert known == 1
    assert np.flatnonzero(scores).tolist() == [2]
    assert changed.of(["magang"])[0][1] == pytest.approx(WordScores(documents).of(["magang"])[0][1])


def test_a_regression_of_rows_of_very_different_size_ends_all_the_same() -> None:
    chance = np.random.default_rng(3)
    rows = (chance.normal(size=(400, 400)) * 10 ** chance.uniform(-2, 3, 400)[:, None]).astype(np.float32)
    signs = np.where(chance.integers(0, 3, 400)[:, None] == np.arange(3), 1.0, -1.0)
    assert np.isfinite(TopicRegression([rows], signs).predict([rows[:1]])).all()


def test_where_a_regression_starts_makes_no_difference_to_where_it_ends() -> None:
    chance = np.random.default_rng(3)
    rows = (chance.normal(size=(200, 100)) / 10).astype(np.float32)
    signs = np.where(chance.integers(0, 3, 200)[:, None] == np.arange(3), 1.0, -1.0)
    plain = TopicRegression([rows], signs)
    for start in (plain.numbers, chance.normal(size=(200, 3)).astype(np.float32)):
        begun = TopicRegression([rows], signs, start)
        assert np.abs(begun.predict([rows[:1]]) - plain.predict([rows[:1]])).max() < 0.02


def test_the_regression_is_a_ridge_regression_and_stays_one_when_rows_are_replaced() -> None:
    chance = np.random.default_rng(3)
    dense, other = (chance.normal(size=(204, width)).astype(np.float32) / np.float32(width**0.5) for width in (200, 100))
    signs = np.where(chance.integers(0, 3, 204)[:, None] == np.arange(3), 1.0, -1.0)
    first = TopicRegression([dense[:200], other[:200]], signs[:200])
    order = np.arange(4, 204)
    mended = first.with_rows(order, (np.arange(4), [dense[:4], other[:4]]), [dense[4:], other[4:]], signs[4:])
    for made, rows in ((first, slice(0, 200)), (mended, slice(4, 204))):
        expected = Ridge(alpha=1.0).fit(np.hstack([dense, other])[rows], signs[rows]).predict(np.hstack([dense, other]))
        predicted = np.array([made.predict([dense[[n]], other[[n]]]) for n in range(204)])
        assert np.abs(predicted - expected).max() < 0.05
    assert np.abs(np.array([first.predict([dense[[n]], other[[n]]]) for n in range(204)]) - expected).max() > 0.5


def test_a_block_of_two_parts_is_the_one_above_the_other() -> None:
    upper, lower = np.arange(6, dtype=np.float32).reshape(2, 3), np.arange(9, dtype=np.float32).reshape(3, 3) - 4
    whole, vector, places = np.concatenate([upper, lower]), np.array([1, 0, 2], np.float32), np.array([1, 2, 4])
    for block in (Stacked(upper, lower), Stacked(csr_matrix(upper), csr_matrix(lower))):
        assert block.shape == (5, 3)
        assert (block @ vector == whole @ vector).all()
        for matrix, expected in ((block.whole(), whole), (block[places], whole[places]), (block[places[:1]], whole[[1]])):
            assert ((matrix if isinstance(matrix, np.ndarray) else matrix.toarray()) == expected).all()


def test_a_regression_of_which_no_row_comes_or_goes_only_puts_its_rows_in_order() -> None:
    chance = np.random.default_rng(3)
    rows = (chance.normal(size=(30, 10)) / 10).astype(np.float32)
    signs = np.where(chance.integers(0, 3, 30)[:, None] == np.arange(3), 1.0, -1.0)
    first, order = TopicRegression([rows], signs), np.arange(30)[::-1]
    moved = first.with_rows(order, (np.arange(0), [rows[:0]]), [rows[order]], signs[order])
    assert (moved.numbers == first.numbers[order]).all()
    assert (moved.predict([rows[:1]]) == first.predict([rows[:1]])).all()
