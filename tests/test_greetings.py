from datetime import datetime

import pytest

from services.calendar import JAKARTA
from services.greetings import in_kind

MORNING, NIGHT = datetime(2026, 11, 23, 8, tzinfo=JAKARTA), datetime(2026, 11, 23, 23, tzinfo=JAKARTA)


@pytest.mark.parametrize(
    ("said", "answered"),
    [
        ("Assalamu'alaikum warahmatullahi wabarakatuh", "Waalaikumsalam"),
        ("asalamualaikum min", "Waalaikumsalam"),
        ("Om Swastyastu", "Om Swastyastu"),
        ("Selamat malam, Pak", "Selamat pagi"),
        ("pagiii", "Selamat pagi"),
        ("sugeng enjing pak", "Selamat pagi"),
        ("rahajeng semeng", "Selamat pagi"),
        ("mejuah-juah kita kerina", "Mejuah-juah"),
        ("kulo nuwun", "Monggo"),
        ("halo", None),
    ],
)
def test_a_greeting_is_returned_in_kind(said: str, answered: str | None) -> None:
    assert in_kind(said, MORNING, "id") == answered


def test_the_time_of_day_is_that_of_jakarta_and_of_the_language() -> None:
    assert in_kind("good morning", MORNING, "en") == "Good morning"
    assert in_kind("selamat pagi", NIGHT, "id") == "Selamat malam"
