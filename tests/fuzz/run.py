"""Coverage-guided fuzzing by atheris: `make fuzz FUZZ_SECONDS=600`. A fault leaves its text in a file `crash-…` and its trace here."""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

import atheris

OURS = ["bot", "services"]
LONGEST = 4096
NAMES = ("telegram", "markup", "message", "knowledge", "numbers", "masking")
"""Not read from the targets, which may only be imported instrumented."""


def fuzz(target: str, seconds: int, folder: Path) -> None:
    """Never returns: libFuzzer ends the process."""
    with atheris.instrument_imports(include=OURS):
        from services.settings import PROJECT
        from tests.fuzz.targets import TARGETS

    seeds = folder / "seeds"
    seeds.mkdir()
    for number, path in enumerate(sorted((PROJECT / "knowledge").glob("*.md"))[:20]):
        (seeds / f"knowledge-{number}").write_bytes(path.read_bytes()[:LONGEST])
    for number, line in enumerate((PROJECT / "tests" / "personal_data.csv").read_text(encoding="utf-8").splitlines()[1:200]):
        (seeds / f"text-{number}").write_text(line, encoding="utf-8")

    def one(data: bytes) -> None:
        TARGETS[target](data.decode("utf-8", "replace"))

    options = [f"-max_total_time={seconds}", f"-max_len={LONGEST}", "-timeout=20", "-rss_limit_mb=4096", "-print_final_stats=1"]
    atheris.Setup([sys.argv[0], *options, f"-artifact_prefix={Path.cwd()}/", str(seeds)], one)
    atheris.Fuzz()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--target", default="")
    given = parser.parse_args()
    if given.target:
        with tempfile.TemporaryDirectory() as folder:
            fuzz(given.target, given.seconds, Path(folder))
    command = [sys.executable, "-m", "tests.fuzz.run", "--seconds", str(given.seconds), "--target"]
    codes = [subprocess.run([*command, name], check=False).returncode for name in NAMES]
    return int(any(codes))


if __name__ == "__main__":
    sys.exit(main())
