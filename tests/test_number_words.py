"""Numbers in words, as people dictate them."""

import pytest

from services.number_words import in_figures


@pytest.mark.parametrize(
    ("said", "written"),
    [
        ("sepuluh orang", "10 orang"),
        ("dua belas orang", "12 orang"),
        ("seratus dua puluh lima", "125"),
        ("seribu tiga ratus", "1300"),
        ("dua belas ribu tiga ratus", "12300"),
        ("tanpa angka", "tanpa angka"),
    ],
)
def test_a_number_in_words_becomes_figures(said: str, written: str) -> None:
    assert in_figures(said) == written
