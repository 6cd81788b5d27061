"""Search and reload with 10,000 entries: the project's own ones and generated ones on services of regencies beside them.

    python -m bench.knowledge                       10,000 entries
    python -m bench.knowledge --entries 121         the project's own ones only

Questions are those of evaluation/topics.csv, each as new: its vector is not remembered, so that a search pays for its encoding.
Vectors of generated texts are sums of the vectors of their parts; encoding 70,000 texts would measure something else.
"""

from __future__ import annotations

import argparse
import csv
import gc
import itertools
import re
import shutil
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from bench.load import percentiles
from services import answerability
from services.assembly import shared_encoder
from services.encoder import CachingEncoder, Vectors
from services.knowledge import Knowledge, Verdict
from services.knowledge_files import TOPICS, knowledge_paths
from services.settings import PROJECT

THINGS = {
    "akta kelahiran": "birth certificate",
    "kartu keluarga": "family card",
    "akta perkawinan": "marriage certificate",
    "akta kematian": "death certificate",
    "pindah domisili": "change of residence",
    "izin mendirikan bangunan": "building permit",
    "izin usaha warung": "licence for a food stall",
    "pajak bumi dan bangunan": "land and building tax",
    "bantuan pangan": "food aid",
    "kartu petani": "farmer's card",
    "sambungan air bersih": "water connection",
    "pengangkutan sampah": "waste collection",
    "sewa gedung serbaguna": "renting the civic hall",
    "pemakaman umum": "public cemetery",
    "pendaftaran sekolah dasar": "enrolment in primary school",
    "imunisasi anak": "vaccination of children",
    "kartu disabilitas": "disability card",
    "izin keramaian": "permit for a public event",
    "uji kendaraan": "vehicle inspection",
    "retribusi pasar": "market fee",
}
ASPECTS = {
    "syarat": "requirements for",
    "biaya": "cost of",
    "lama proses": "processing time of",
    "cara mengurus": "how to get",
    "alamat loket": "counter address for",
}
PLACES = """
    Aceh_Besar Agam Alor Ambon Asahan Badung Balikpapan Bandung Bangka Banjar Bantul Banyumas Banyuwangi Barito_Kuala Batam
    Batang Batu_Bara Bekasi Belitung Bengkalis Berau Bima Bintan Bitung Blitar Blora Bogor Bojonegoro Bone Boyolali Brebes
    Buleleng Bulukumba Bungo Buru Ciamis Cianjur Cilacap Cilegon Cirebon Dairi Demak Dompu Dumai Ende Enrekang Fakfak
    Flores_Timur Garut Gianyar Gorontalo Gowa Gresik Grobogan Gunungkidul Halmahera_Utara Indramayu Jayapura Jember Jepara
    Jombang Kapuas Karanganyar Karawang Karimun Kebumen Kediri Kendal Kendari Kerinci Klaten Klungkung Kolaka Kudus
    Kulon_Progo Kuningan Kupang Lamongan Lampung_Utara Lebak Lombok_Barat Lumajang Luwu Madiun Magelang Majalengka Malinau
    Mamuju Manado Manggarai Maros Mataram Merauke Mimika Minahasa Morowali Nabire Natuna Ngada Sikka
""".split()
ENTRY = """---
id: {id}
topic: {topic}
title:
  id: {aspect} {thing} di {place}
  en: {aspect_en} {thing_en} in {place}
questions:
  id: ["{aspect} {thing} {place} apa", "mau tanya {aspect} {thing} di {place}", "{thing} di {place} {aspect} gimana"]
  en: ["{aspect_en} {thing_en} {place}", "what about {aspect_en} {thing_en} in {place}"]
source:
  title: Berkas buatan
  document: bench/knowledge.py
checked_on: 2026-11-01
owner: Uji
trust: SEED
known: true
---
## Jawaban
{aspect} {thing} di {place} ditanyakan di loket kabupaten.

## Answer
Ask at the counter of {place} about {aspect_en} {thing_en}.
"""
RELOADS = 7
CHANGES: dict[str, Callable[[str, str], str]] = {
    "another answer": lambda text, new: text.replace("## Jawaban\n", f"## Jawaban\nIni jawaban {new}.\n", 1),
    "a question more": lambda text, new: text.replace("questions:\n  id:\n", f"questions:\n  id:\n    - syarat magang {new}\n", 1),
    "all its questions changed": lambda text, new: re.sub(r"^    - (['\"]?)", rf"    - \1{new} ", text, flags=re.MULTILINE),
}
"""Of the text of a file, given words that are new each time."""


class PartsEncoder:
    """Encodes the project's texts and questions by the real encoder, generated texts by the sum of their parts."""

    def __init__(self, real: CachingEncoder) -> None:
        self._real = real
        self.name, self.parts, self.dimensions = real.name, real.parts, real.dimensions
        parts = [*THINGS, *THINGS.values(), *ASPECTS, *ASPECTS.values(), *(place.replace("_", " ") for place in PLACES)]
        self._last: tuple[list[str], Vectors] = [], np.zeros((0, 1), np.float32)
        self._known = dict(zip(parts, real.encode(parts), strict=True))

    def encode(self, texts: Sequence[str]) -> Vectors:
        if list(texts) != self._last[0]:  # a question is encoded once; nothing else comes from memory
            self._last = list(texts), self._real._encoder.encode(texts)[:, 0]
        return self._last[1]

    def encode_and_keep(self, texts: Sequence[str]) -> Vectors:
        return np.array([self._sum(text) if self._is_generated(text) else self._real.encode_and_keep([text])[0] for text in texts])

    def _is_generated(self, text: str) -> bool:
        of_place = any(place.replace("_", " ") in text for place in PLACES)
        return of_place and any(aspect in text for aspect in (*ASPECTS, *ASPECTS.values()))

    def _sum(self, text: str) -> Vectors:
        total = np.sum([vector for part, vector in self._known.items() if part in text], axis=0)
        return np.asarray(total / np.linalg.norm(total))


def main() -> None:
    threadpool_limits(1, "blas")  # as in the server
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--entries", type=int, default=10_000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for path in knowledge_paths(PROJECT / "knowledge").values():
            shutil.copy(path, folder)
        generate(folder, options.entries - len(knowledge_paths(folder)))
        gc.collect()
        encoder: Any = PartsEncoder(shared_encoder())  # all that is asked of one
        seconds, cpu, knowledge = timed(lambda: Knowledge(folder, encoder, unanswerable=answerability.read()))
        print(f"{len(knowledge.entries)} entries; made from nothing in {seconds:.1f} s, {cpu:.1f} s of processor time")
        reload(folder, knowledge)
        search(knowledge)


def generate(folder: Path, count: int) -> None:
    named = itertools.product(ASPECTS.items(), THINGS.items(), PLACES)
    for number, ((aspect, aspect_en), (thing, thing_en), place) in enumerate(itertools.islice(named, max(count, 0))):
        values = {"aspect": aspect, "aspect_en": aspect_en, "thing": thing, "thing_en": thing_en, "place": place.replace("_", " ")}
        topic = TOPICS[list(THINGS).index(thing) % len(TOPICS)]
        (folder / f"uji_{number}.md").write_text(ENTRY.format(id=f"uji_{number}", topic=topic, **values))


def reload(folder: Path, knowledge: Knowledge) -> None:
    path = folder / "magang_syarat.md"
    for name, change in CHANGES.items():
        taken = []
        for number in range(RELOADS):
            path.write_text(change(path.read_text(encoding="utf-8"), f"ke-{number}"), encoding="utf-8")
            seconds, _, changed = timed(knowledge.reload_if_changed)
            assert changed
            assert not knowledge.errors, knowledge.errors
            taken.append(seconds)
        print(f"reload of a file with {name}, s:", *(f"{seconds:.2f}" for seconds in taken))


def search(knowledge: Knowledge) -> None:
    with (PROJECT / "evaluation" / "topics.csv").open(encoding="utf-8") as file:
        asked = [(row["text"], row["topic"]) for row in csv.DictReader(file)]
    waited, worked, first, answered = [], [], 0, 0
    for question, topic in asked:
        seconds, cpu, finding = timed(lambda question=question: knowledge.find(question))
        waited.append(seconds * 1000)
        worked.append(cpu * 1000)
        right = bool(finding.hits) and finding.hits[0].entry.topic == topic and not finding.hits[0].entry.id.startswith("uji_")
        first += right
        answered += right and finding.verdict is Verdict.ANSWER
    encoder = shared_encoder()._encoder
    encoded = [timed(lambda question=question: encoder.encode([question]))[1] * 1000 for question, _ in asked]
    print(f"{len(asked)} questions, ms: waited {percentiles(waited)}, processor time {percentiles(worked)}")
    print(f"encoding a question alone, which a search does where spelling is not enough: processor time {percentiles(encoded)}")
    print(f"right entry's topic first {first / len(asked):.3f}, and answered {answered / len(asked):.3f}")


def timed(work: Callable[[], Any]) -> tuple[float, float, Any]:
    """Seconds, seconds of processor time of this process, and the result."""
    started, cpu = time.perf_counter(), time.process_time()
    result = work()
    return time.perf_counter() - started, time.process_time() - cpu, result


if __name__ == "__main__":
    main()
