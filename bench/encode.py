"""Estimates what encoding all sentences of data/ and knowledge/ anew takes: -m bench.encode RESULT.json (texts, seconds).

The first training on a machine takes this once; later ones find the vectors in the cache. Those of knowledge/ are shipped.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from pathlib import Path

from bot.logs import configure_logs
from bot.training import training_texts
from services.assembly import services
from services.encoder import open_encoder

SAMPLE = 500


def measure() -> dict[str, float]:
    """With all cores, from about SAMPLE of the texts."""
    questions = [text for entry in services().knowledge.entries for text in entry.examples]
    texts = sorted({*training_texts(), *questions})
    sample = texts[:: max(1, len(texts) // SAMPLE)]
    with tempfile.TemporaryDirectory() as folder:
        encoder = open_encoder(Path(folder), os.cpu_count() or 1)
        encoder.encode(["warm up"])
        started = time.perf_counter()
        encoder.encode(sample)
    return {"texts": len(texts), "seconds": round((time.perf_counter() - started) / len(sample) * len(texts), 1)}


if __name__ == "__main__":
    configure_logs()
    Path(sys.argv[1]).write_text(json.dumps(measure()))
