from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from services.assembly import Services
from services.ticket_duplicates import says_the_same
from services.tickets import Filing, Kind

NOW = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
GRANTS = "Tolong perbanyak beasiswa untuk anak nelayan di daerah terpencil karena kami sulit kuliah"
ROAD = "Jalan provinsi di Alor rusak parah sejak 2024, mohon segera diperbaiki"
SAME = [
    (GRANTS, "Tolong diperbanyak beasiswa utk anak nelayan di daerah terpencil, karena kami sulit kuliah"),
    (ROAD, "Jalan provinsi di Alor rusak parah sejak tahun 2024 mohon segera diperbaiki, terima kasih"),
    ("Harga pupuk naik terus, petani kecil tidak sanggup membeli", "Harga pupuk naik trs petani kecil ga sanggup beli"),
    ("Sekolah kami kekurangan guru matematika dan bahasa Inggris", "Sekolah kami kekurangan guru bahasa Inggris dan matematika!!"),
    (
        "Usul agar rapat rancangan undang-undang disiarkan langsung di kanal resmi",
        "saya usul rapat rancangan undang-undang disiarkan langsung di kanal resmi supaya warga bisa ikut",
    ),
    (
        "Please publish draft regulations in English as well so foreign researchers can comment",
        "Pls publish the draft regulations in English as well so that foreign researchers can comment",
    ),
]
DIFFERENT = [
    (GRANTS, "Tolong perbanyak puskesmas untuk warga di daerah terpencil karena kami sulit berobat"),
    (GRANTS, "Tolong perbanyak beasiswa untuk anak petani di daerah pegunungan karena biaya kuliah mahal"),
    (ROAD, "Jalan provinsi di Ende rusak parah sejak 2024, mohon segera diperbaiki"),
    (ROAD, "Jalan provinsi di Alor rusak parah sejak 2019, mohon segera diperbaiki"),
    (ROAD, "Jembatan di Alor rusak parah sejak 2023, mohon segera dibangun kembali"),
    ("Harga pupuk naik terus, petani kecil tidak sanggup membeli", "Harga beras naik terus, warga kecil tidak sanggup membeli"),
    ("Usul agar rapat rancangan undang-undang disiarkan di kanal resmi", "Usul agar naskah rancangan undang-undang diunggah"),
    (
        "Mohon jam layanan diperpanjang sampai malam",
        "Mohon jam layanan diperpanjang sampai malam karena saya bekerja dan tolong tambah loket untuk lansia serta ruang menyusui",
    ),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_the_same_request_in_other_spelling_is_recognised(one: str, other: str) -> None:
    assert says_the_same(one, other)
    assert says_the_same(other, one)


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_another_request_in_the_same_words_is_told_apart(one: str, other: str) -> None:
    assert not says_the_same(one, other)
    assert not says_the_same(other, one)


def test_only_the_same_conversations_open_ticket_of_the_last_day_counts(services: Services) -> None:
    def file(conversation: str, when: datetime) -> str:
        return services.tickets.file(Filing(Kind.ASPIRATION, {"text": GRANTS}, "pendidikan", conversation, "id"), when).number

    def similar(when: datetime = NOW) -> str | None:
        return services.ticket_duplicates.similar_open("c1", Kind.ASPIRATION, GRANTS.upper(), now=when)

    file("c2", NOW)
    assert similar() is None
    number = file("c1", NOW)
    assert similar(NOW + timedelta(hours=23)) == number
    assert similar(NOW + timedelta(hours=25)) is None
    assert services.ticket_duplicates.similar_open("c1", Kind.OBJECTION, GRANTS, now=NOW) is None
    services.ticket_changes.join(number, "dan juga untuk anak petani")
    assert services.ticket_changes.history(number)[-1].text == "dan juga untuk anak petani"
    services.ticket_changes.withdraw(number)
    assert similar() is None
