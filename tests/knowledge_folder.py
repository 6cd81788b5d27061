"""A small folder of knowledge for tests: three answers, so that a search over them is made at once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from services.assembly import Services, assemble, use
from services.knowledge_form import KnowledgeForm
from services.settings import Settings

COUNTER = KnowledgeForm(
    id="jam_layanan",
    topic="biro_humas",
    title_id="Jam layanan loket",
    title_en="Counter hours",
    questions_id="jam buka loket kapan\nloket buka jam berapa\nhari apa saja loket dibuka",
    questions_en="when is the counter open\ncounter opening hours",
    answer_id="Loket buka pukul 09.00 sampai 15.00 WIB.",
    answer_en="The counter is open from 09.00 to 15.00 WIB.",
    source_title="Pengumuman",
    source_document="Papan pengumuman",
    checked_on="2026-11-01",
    valid_until="2027-05-31",
    owner="Biro Humas",
    trust="RESMI",
)
PARKING = KnowledgeForm(
    id="kemensetneg_profil_parkir",
    topic="kemensetneg_profil",
    title_id="Parkir tamu",
    title_en="Parking for visitors",
    questions_id="parkir tamu di setneg di sebelah mana\ntempat parkir motor untuk tamu setneg ada?\nnaik mobil parkirnya di mana",
    questions_en="where can visitors park at Setneg?\nis there parking for guests",
    answer_id="Tamu parkir di halaman utara. Ikuti petunjuk petugas di gerbang.",
    answer_en="Visitors park in the northern yard. Follow the guards at the gate.",
    source_title="Keterangan Biro Umum",
    source_document="Nota Biro Umum, 20 November 2026",
    checked_on="2026-11-20",
    owner="Biro Umum",
    trust="RESMI",
)
_OTHERS = (
    ("magang", "Magang mahasiswa", "Internship", "cara daftar magang\nsyarat magang apa saja\nmagang mahasiswa semester berapa"),
    ("simpel", "Izin perjalanan dinas", "Travel permits", "apa itu simpel\nizin dinas luar negeri lewat mana\nsimpel untuk siapa"),
)


def services_of_folder(folder: Path) -> Iterator[Services]:
    """All services on a database and a small folder of knowledge; for the fixture `services` of a file to yield from."""
    knowledge = write_folder(folder / "knowledge")
    assembled = assemble(Settings(_env_file=None, SAPA_DATA_DIR=folder, SAPA_KNOWLEDGE_DIR=knowledge))
    use(assembled)
    yield assembled
    assembled.database.close()


def write_folder(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    others = [
        KnowledgeForm(
            id=topic,
            topic=topic,
            title_id=title,
            title_en=english,
            questions_id=questions,
            questions_en=f"what is {topic}\nhow does {topic} work",
            answer_id=f"Ini jawaban tentang {topic}.",
            answer_en=f"This is the answer about {topic}.",
            source_title="Laman resmi",
            source_url=f"https://contoh.go.id/{topic}",
            checked_on="2026-11-01",
            owner="Biro Humas",
            trust="RESMI",
        )
        for topic, title, english, questions in _OTHERS
    ]
    for form in (COUNTER, *others):
        (folder / f"{form.id}.md").write_text(form.text(), encoding="utf-8")
    return folder
