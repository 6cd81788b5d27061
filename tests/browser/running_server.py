"""The real server as a process of its own, which a test may kill and start again on the same data."""

from __future__ import annotations

import os
import shutil
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
VECTORS = Path("cache/vectors.db")
READY_SECONDS = 240
"""Enough for a first start, which computes the vectors of all question variants."""
OWN_SETTINGS = ("SAPA_", "TELEGRAM_", "SIMPEL_", "DATABASE_URL", "REDIS_URL", "HOST", "PORT")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class RunningServer:
    def __init__(self, data: Path, **settings: str) -> None:
        """`settings` are environment variables beside those that every server here has."""
        self.data = data
        self._settings = settings
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._process: subprocess.Popen[bytes] | None = None
        _reuse_vectors(data)

    def start(self) -> None:
        self.launch()
        self.wait_until_ready()

    def launch(self) -> None:
        sapa = Path(sys.executable).with_name("sapa")
        environment = {key: value for key, value in os.environ.items() if not key.startswith(OWN_SETTINGS)}
        environment |= {"PORT": str(self.port), "SAPA_DATA_DIR": str(self.data), "RASA_TELEMETRY_ENABLED": "false"}
        # An empty variable outweighs a line of the developer's own .env file.
        environment |= {"TELEGRAM_BOT_TOKEN": "", "DATABASE_URL": "", "SIMPEL_URL": "", "SIMPEL_DATABASE_URL": ""}
        environment |= self._settings
        with (self.data / "server.log").open("ab") as log:
            self._process = subprocess.Popen([sapa, "serve"], cwd=PROJECT, env=environment, stdout=log, stderr=log)

    def wait_until_ready(self) -> None:
        assert self._process
        deadline = time.monotonic() + READY_SECONDS
        while time.monotonic() < deadline and self._process.poll() is None:
            try:
                with urllib.request.urlopen(f"{self.url}/readyz", timeout=2):
                    return
            except (urllib.error.URLError, OSError):
                time.sleep(0.2)
        raise RuntimeError(f"the server did not start:\n{self.log()[-4000:]}")

    def kill(self) -> None:
        """As a power cut would: no clean-up, no answer to what is in the making."""
        if self._process:
            self._process.kill()
            self._process.wait()

    def stop(self) -> None:
        if not self._process:
            return
        self._process.terminate()
        try:
            self._process.wait(15)
        except subprocess.TimeoutExpired:
            self.kill()

    def log(self) -> str:
        return (self.data / "server.log").read_text(encoding="utf-8", errors="replace")


def _reuse_vectors(data: Path) -> None:
    """Vectors that `sapa train` has left in var/ need not be computed again."""
    kept = PROJECT / "var" / VECTORS
    (data / VECTORS).parent.mkdir(parents=True, exist_ok=True)
    if not kept.exists():
        return
    try:
        with sqlite3.connect(f"file:{kept}?mode=ro", uri=True) as source, sqlite3.connect(data / VECTORS) as target:
            source.backup(target)
        source.close()
        target.close()
    except sqlite3.Error:
        shutil.rmtree((data / VECTORS).parent, ignore_errors=True)
